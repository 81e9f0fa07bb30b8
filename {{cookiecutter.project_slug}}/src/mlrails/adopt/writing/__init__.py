"""From a plan to the project's files: shown, asked about, and written all or nothing."""
