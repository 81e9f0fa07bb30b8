"""What keeps a project in order: its style, its locks, and no key among its files."""
