"""`python -m mlrails.update [--to REVISION|PATH]`: bring a newer template into this project."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..core.errors import reported
from .run import eject, update

_PARSER = argparse.ArgumentParser(
    prog="nox -s update --",
    description="Bring a newer version of the template in, as a merge that you commit or abort.",
)
_PARSER.add_argument("--to", help="a revision of the template, or a folder that holds one")
_PARSER.add_argument(
    "--from",
    dest="base",
    metavar="PATH",
    type=Path,
    help="a folder with the template as it was when the project came from it, where no other is",
)
_PARSER.add_argument(
    "--eject",
    action="store_true",
    help="make src/mlrails your own: updates then merge it line by line, instead of replacing it",
)
_PARSER.add_argument(
    "--project", type=Path, default=Path(), help="by default the folder you are in"
)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0 done, 1 the world, 2 usage."""
    told = _PARSER.parse_args(words)
    root = told.project.absolute()
    if told.eject:
        return reported(lambda: eject(root))
    return reported(lambda: update(root, told.to, told.base))


if __name__ == "__main__":
    sys.exit(main())
