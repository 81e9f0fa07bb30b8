"""`python -m mlrails.update.migrations PACKAGE NAME,NAME FOLDER…`: run migrations on projects."""

import importlib
import sys
from pathlib import Path


def main(package: str, names: str, *folders: str) -> None:
    """Run each migration on each folder."""
    for name in names.split(","):
        migration = importlib.import_module(f".{name}", __package__)
        for folder in folders:
            migration.migrate(Path(folder), package)


if __name__ == "__main__":
    main(*sys.argv[1:])
