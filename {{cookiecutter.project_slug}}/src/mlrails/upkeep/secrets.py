"""python -m mlrails.upkeep.secrets [FILE ...]

Look for keys and passwords in files, by default in all of the repository; `nox -s secrets` calls
it.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ..core import git
from ..core.errors import Exit, reported


def files(names: Sequence[str], root: Path) -> list[str]:
    """Return which of the files are looked into: by default all that git knows or would add."""
    every = names or git.files(root)
    # A lock is full of hashes, which look like keys.
    return [name for name in every if (root / name).is_file() and not name.endswith(".lock")]


def search(words: Sequence[str]) -> Exit:
    """Look into the files; WORLD where something was found."""
    # Digests look like keys as well, so plain hex says nothing here.
    look = ("detect-secrets-hook", "-n", "--disable-plugin=HexHighEntropyString")
    done = subprocess.run([*look, *files(words, Path())], check=False)
    return Exit.WORLD if done.returncode else Exit.DONE


if __name__ == "__main__":
    sys.exit(reported(lambda: search(sys.argv[1:])))
