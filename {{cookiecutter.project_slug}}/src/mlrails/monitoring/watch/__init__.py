"""Watch the champion: read what has come, look at it, and tell the run, the terminal and a page."""
