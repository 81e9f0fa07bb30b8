"""How names and values are spelled: in YAML, as code in Markdown, and as a word of a shell."""

import math
import shlex
from decimal import Decimal
from typing import Any

import yaml


def scalar(it: Any) -> str:
    """Return a value in YAML, in one line, that reads back as it is."""
    if isinstance(it, float):
        return f"{it:.15g}" if "e" not in f"{it:.15g}" else f"{Decimal(repr(it)):f}"
    said = yaml.safe_dump(it, default_flow_style=True, allow_unicode=True, width=math.inf)
    said = said.removesuffix("\n").removesuffix("\n...")
    # In the quotes that the template has, where nothing in it is special there.
    return f'"{it}"' if said == f"'{it}'" and not {*it} & {'"', "\\"} else said


def code(name: str) -> str:
    """Return a name as code in Markdown, in one line."""
    plain = "".join(it if it.isprintable() else " " for it in name).replace("`", "'")
    return f"`{plain}`"


def word(text: str) -> str:
    """Return a word as a shell takes it."""
    return shlex.quote(text)
