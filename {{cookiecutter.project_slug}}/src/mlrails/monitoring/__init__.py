"""The months after: what has changed in rows, predictions and outcomes, and how sure that is."""
