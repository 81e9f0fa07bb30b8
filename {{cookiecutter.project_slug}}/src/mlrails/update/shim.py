"""What the engine's `core` will give, until it is there; removed by the move."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


class WorldError(Exception):
    """The disk, the network, a server or a file is not as it must be."""

    exit_code = 1


class UsageError(WorldError):
    """An argument or a file is wrong; only the user can mend it."""

    exit_code = 2


def say(text: str) -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


def warn(text: str) -> None:
    """Print a line that is not an answer, but should be read."""
    print(f"warning: {text}", file=sys.stderr, flush=True)


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run git in a folder."""
    usual = {name: it for name, it in os.environ.items() if not name.startswith("GIT_DIR")}
    return subprocess.run(
        ["git", "--no-optional-locks", "-C", str(folder), *arguments],
        capture_output=True,
        check=False,
        text=True,
        errors="replace",
        env={**usual, **variables},
    )


def reported(act: Callable[[], object]) -> int:
    """Run an act; print what the user can mend as one line on standard error."""
    try:
        act()
    except WorldError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0
