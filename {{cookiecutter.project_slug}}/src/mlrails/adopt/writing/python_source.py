"""`schema.py` and `source.py` as a person would have written them: text in, text out.

How to change this: what is written here has to be left alone by `ruff format` and pleasing to
`ruff check`, as the project's own lint holds it against both; a test bakes none and asks ruff.
"""

import ast
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from ...data.schema import Column
from ...sources import declared

_WIDTH = 100
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}
_OF_SCHEMA = '''\
"""What each column of the data is: its kind, its range, and whether it is known in time.

What you change here stays when `nox -s adopt` runs again: reasons, units, and ranges that hold.
"""

from mlrails.data.schema import Column

'''
_OF_SOURCE = '''"""Where rows come from. This is the place for joins and columns of your own.

`rows` returns a data frame with the columns that `schema.py` declares; nothing after the stage
`ingest` knows where they come from. How the file is written stands here and is not guessed again.

How to change this: keep what is read in a name, work on it, return it; whatever `rows` returns,
`ingest` casts nothing in silence. Another file that is read here belongs under `deps` of the stage
`ingest` in `dvc.yaml`, or a change of it would go unnoticed.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from mlrails import sources

from .schema import COLUMNS

if TYPE_CHECKING:
    import pandas as pd

Track = Callable[[Iterable["pd.DataFrame"], str, int], Iterable["pd.DataFrame"]]
"""Shows progress while it passes chunks on: (chunks, description, total)."""


def rows(track: Track) -> "pd.DataFrame":
    """Read the source; raises UsageError or WorldError naming it."""
'''


def quoted(text: str) -> str:
    """Return a text as Python's source has it, in the quotes that need fewer escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(_letter(it, quote) for it in text) + quote


def _letter(letter: str, quote: str) -> str:
    if letter == quote:
        return f"\\{quote}"
    if letter in _NAMED:
        return _NAMED[letter]
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else _far(code)


def _far(code: int) -> str:
    return f"\\U{code:08x}"


def value(it: Any) -> str:
    """Return a plain value as Python's source has it: a whole number without its `.0`."""
    if isinstance(it, str):
        return quoted(it)
    if isinstance(it, float) and it.is_integer() and abs(it) < 1e15:
        return str(int(it))
    if isinstance(it, (list, tuple)):
        inner = ", ".join(map(value, it))
        return f"[{inner}]" if isinstance(it, list) else f"({inner}{',' * (len(it) == 1)})"
    if isinstance(it, Mapping):
        return "{" + ", ".join(f"{value(name)}: {value(each)}" for name, each in it.items()) + "}"
    return repr(it).replace("e+", "e")


def call(name: str, positional: Sequence[Any], named: Mapping[str, Any], indent: int) -> str:
    """Return a call of a function as ruff lays it out from a column on."""
    return _laid(name, [*_words(positional), *_pairs(named)], indent)


def _words(positional: Sequence[Any]) -> Iterator[tuple[str, str]]:
    yield from (("", it.name if isinstance(it, Name) else value(it)) for it in positional)


def _pairs(named: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, it in named.items():
        yield f"{name}=", it.name if isinstance(it, Name) else value(it)


class Name:
    """A name in the source, in the place of a value."""

    def __init__(self, name: str) -> None:
        self.name = name


def _laid(name: str, words: Sequence[tuple[str, str]], indent: int) -> str:
    room, pad = _WIDTH - indent, " " * indent
    flat = ", ".join(key + it for key, it in words)
    if len(name) + len(flat) + 3 <= room:
        return f"{name}({flat})"
    if len(flat) + 4 <= room:
        return f"{name}(\n{pad}    {flat}\n{pad})"
    lines = "".join(f"{pad}    {key}{_folded(key, it, indent + 4)},\n" for key, it in words)
    return f"{name}(\n{lines}{pad})"


def _folded(key: str, text: str, indent: int) -> str:
    """Return a text that is too long for its line as several, one below the other."""
    if indent + len(key) + len(text) + 1 <= _WIDTH or text[0] not in "\"'":
        return text
    said = ast.literal_eval(text)
    pad, room = " " * (indent + 4), _WIDTH - indent - 8
    # Every letter may need an escape; most need none.
    room = room if len(text) < len(said) + 8 else room // 2
    parts = textwrap.wrap(said, room, drop_whitespace=False, break_on_hyphens=False)
    if "".join(parts) != said:
        parts = [said[at : at + room] for at in range(0, len(said), room)]
    lines = "".join(f"{pad}{quoted(part)}\n" for part in parts)
    return f"(\n{lines}{' ' * indent})"


def column(it: Column) -> str:
    """Return a column of `schema.py` as its source."""
    given = {
        field.name: found
        for field in fields(it)[2:]
        if (found := getattr(it, field.name)) != field.default
    }
    return f"    {call('Column', (it.name, it.kind), given, 4)},\n"


def schema(columns: Sequence[Column]) -> str:
    """Return the whole of `schema.py`."""
    return f"{_OF_SCHEMA}COLUMNS = (\n{''.join(map(column, columns))})\n"


def schema_again(text: str, before: Sequence[Column], now: Sequence[Column]) -> str:
    """Return `schema.py` with other columns; what is as before stays to the letter.

    So do comments, constants, and whatever else stands around.
    """
    places = _places(text, before)
    if places is None:
        return schema(now)
    lines = text.splitlines(keepends=True)
    known = {it: "".join(lines[begin:end]) for it, (begin, end) in places.items()}
    first = min(begin for begin, _ in places.values())
    last = max(end for _, end in places.values())
    return "".join([*lines[:first], *(known.get(it) or column(it) for it in now), *lines[last:]])


def _places(text: str, before: Sequence[Column]) -> Mapping[Column, tuple[int, int]] | None:
    """Return the lines of each column with the comments above it; None where they are made up."""
    found = [
        node.value
        for node in ast.parse(text).body
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and "COLUMNS" in ast.unparse(node)[:9]
    ]
    if len(found) != 1 or not isinstance(listed := found[0], (ast.Tuple, ast.List)):
        return None
    ends = [int(it.end_lineno or 0) for it in listed.elts]
    begins = [listed.lineno, *ends[:-1]]
    one_a_line = all(begin < end for begin, end in zip(begins, ends, strict=True))
    if len(ends) != len(before) or not ends or not one_a_line or listed.end_lineno == ends[-1]:
        return None
    return dict(zip(before, zip(begins, ends, strict=True), strict=True))


def source(read: str, reading: Mapping[str, Any]) -> str:
    """Return the whole of `source.py`."""
    return _OF_SOURCE + f"    return {_reading(read, reading)}\n"


def read_by(text: str) -> str | None:
    """Return what a `source.py` reads by `sources.read`; None where that is not written there."""
    calls = declared.calls(text)
    first = calls[0].args[0] if len(calls) == 1 and calls[0].args else None
    return str(first.value) if isinstance(first, ast.Constant) else None


def source_again(text: str, read: str, reading: Mapping[str, Any]) -> str | None:
    """Return `source.py` with another call of `sources.read`; None where it has not exactly one."""
    calls = declared.calls(text)
    if len(calls) != 1 or calls[0].col_offset == 0:
        return None
    (node,) = calls
    before = ast.get_source_segment(text, node)
    made = _reading(read, reading, _indent(text, node), _ahead(text, node))
    return text.replace(before, made) if before else None


def _indent(text: str, node: ast.Call) -> int:
    line = text.splitlines()[node.lineno - 1]
    return len(line) - len(line.lstrip())


def _ahead(text: str, node: ast.Call) -> int:
    """Return how many letters stand before a call in its line, after the indent."""
    return len(text.splitlines()[node.lineno - 1].encode()[: node.col_offset].decode().lstrip())


def _reading(read: str, reading: Mapping[str, Any], indent: int = 4, ahead: int = 7) -> str:
    words = [*_words((read, Name("COLUMNS"))), *_pairs({**reading, "track": Name("track")})]
    # What stands before the call takes room in the first line alone.
    laid = _laid("x" * ahead + "sources.read", words, indent)
    return laid[ahead:]
