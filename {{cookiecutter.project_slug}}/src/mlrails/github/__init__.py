"""What a forge is told: candidates, comments, summaries."""
