"""From a plan to the project's files: shown, asked about, and written all or nothing."""

from pathlib import Path

JOURNAL = Path(".dvc/tmp/adopt/journal.json")
"""What an adoption under way still has to do: every verb looks for it, and imports no more."""
