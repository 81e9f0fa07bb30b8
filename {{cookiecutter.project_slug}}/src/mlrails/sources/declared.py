"""How a project's own `source.py` reads its rows, told without running it.

Adoption writes one call, `sources.read("data/bank.csv", COLUMNS, separator=";", decimal=",")`; the
same file may come back to be scored, and is to be read by the same words.
"""

import ast
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..core.errors import UsageError
from ..core.settings import Settings
from ..data.reading import Reading

_TUPLES = ("nulls", "needed")


def calls(text: str) -> list[ast.Call]:
    """Return the calls of `sources.read` in a `source.py`; raises SyntaxError where it is none."""
    found = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    return [node for node in found if ast.unparse(node.func) == "sources.read"]


def reading(path: Path) -> Reading | None:
    """Return the words of the one call of `sources.read`, None where there is not exactly one.

    Raises UsageError where one of the words is no plain value, and so cannot be told.
    """
    try:
        found = calls(path.read_text("utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None  # Rows are scored where nobody trains as well.
    if len(found) != 1:
        return None
    known = {it.name for it in fields(Reading)}
    said = [it for it in found[0].keywords if it.arg in known]
    return Reading(**{str(it.arg): _value(it, path) for it in said})


def written(settings: Settings) -> dict[str, Any]:
    """Return the same words of a project, none where they are those of a plain CSV."""
    found = reading(settings.root / "src" / settings.package / "source.py")
    return found.words() if found else {}


def _value(word: ast.keyword, path: Path) -> Any:
    try:
        value = ast.literal_eval(word.value)
    except ValueError:
        raise UsageError(
            f"{path}: {word.arg} of sources.read is no plain value, so nobody can tell how files "
            "to be scored are written; write the value itself"
        ) from None
    return tuple(value) if word.arg in _TUPLES else value
