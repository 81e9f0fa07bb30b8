"""Who the project is: its name and the user's package, as `pyproject.toml` says.

The experiment and the registered model bear the name. Nothing but the standard library is needed,
so that also those parts can ask that run without an environment.
"""

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import UsageError

FILE = "pyproject.toml"


@dataclass(frozen=True)
class Identity:
    """The names that a project goes by."""

    name: str
    """`[project].name`."""
    package: str
    """`[tool.mlrails].package`: the folder of the user's code below `src`."""


def read(root: Path) -> Identity:
    """Read the names of the project in a folder; raises UsageError where one is not there."""
    try:
        told = tomllib.loads((root / FILE).read_text("utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{FILE}: is not in {root}; restore it from git") from None
    except ValueError as error:  # Letters that are not UTF-8, or words that are not TOML.
        raise UsageError(f"{FILE}: is no TOML ({error}); mend it") from None
    return Identity(_word(told, "project", "name"), _word(told, "tool", "mlrails", "package"))


def check_code(root: Path) -> None:
    """Raise UsageError where the code that runs is that of another copy of the project.

    An environment imports the code of the project that it was made for, from any folder.
    """
    running = Path(str(sys.modules[__name__.partition(".")[0]].__file__)).parent
    own = root / "src" / running.name
    if own.is_dir() and not own.samefile(running):
        raise UsageError(
            f"{root}: its code is not what runs here, which is that of {running}; use nox, or set "
            f"PYTHONPATH={own.parent}"
        )


def _word(told: Mapping[str, Any], *path: str) -> str:
    found: Any = told
    for part in path:
        found = found.get(part) if isinstance(found, Mapping) else None
    if not isinstance(found, str) or not found.strip():
        table, key = ".".join(path[:-1]), path[-1]
        raise UsageError(f'{FILE}: [{table}] says no {key}; write there {key} = "…"')
    return found
