"""The report: what is said of a model, its charts, and how pages become Markdown and HTML."""
