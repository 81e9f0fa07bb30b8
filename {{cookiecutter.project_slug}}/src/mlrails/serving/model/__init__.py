"""The model that answers, and how another takes its place."""
