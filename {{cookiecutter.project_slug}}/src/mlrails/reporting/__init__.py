"""The report, as a value, as Markdown and as a page."""
