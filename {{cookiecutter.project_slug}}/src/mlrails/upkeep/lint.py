"""python -m mlrails.upkeep.lint [--fix]

Check style, formatting and workflows; `nox -s lint` calls it.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..core.console import say
from ..core.errors import Exit, reported

_WORKFLOWS = Path(".github/workflows")


def commands(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield what is to be run, in order; `--fix` among the words mends what can be mended."""
    fix = "--fix" in words
    yield ("ruff", "check", *(["--fix"] if fix else []))
    yield ("ruff", "format", *([] if fix else ["--check"]))
    if workflows := [it.as_posix() for it in sorted(_WORKFLOWS.glob("*.yaml"))]:
        yield ("zizmor", "--offline", "--pedantic", "--quiet", ".github")
        yield ("actionlint", *workflows)
        yield ("check-jsonschema", "--builtin-schema=vendor.github-workflows", *workflows)


def lint(words: Sequence[str]) -> Exit:
    """Run the commands until one finds something, which is WORLD."""
    for command in commands(words):
        say(f"lint: {' '.join(command[:2])}")
        if subprocess.run(command, check=False).returncode:
            return Exit.WORLD
    return Exit.DONE


if __name__ == "__main__":
    sys.exit(reported(lambda: lint(sys.argv[1:])))
