"""How a table of text becomes cells: words that adoption guesses once, and then writes down.

`source.py` says them (`separator=";"`, `decimal=","`), so a table is read by the same rules when it
is adopted and in every `ingest` after; nothing is guessed there. Cells stay text: `007` is no 7.
What is a number or a time in other words than this engine's becomes one in its words, or a refusal.

How to change this: a new word is a field here, what it does is in `table` or `plain`, and
`adopt.sniff` is what finds it.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import UsageError, counted
from . import columnar, dialect

if TYPE_CHECKING:
    import pyarrow as pa


_BLOCK = 2**24
SAME = {"utf-8", "utf-8-sig", "ascii"}
_BOM = b"\xef\xbb\xbf"
_SEP = re.compile(r"sep=.?", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_SAID = re.compile(rb"\S")


@dataclass(frozen=True)
class Reading:
    """The words of a table of text; those of a plain CSV are what stands here."""

    separator: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    thousands: str = ""
    nulls: tuple[str, ...] = ()
    """Cells that say that a value is missing, beside the empty one."""
    dates: Mapping[str, str] = field(default_factory=dict)
    """How a column writes its times, in the letters of `strptime` and `%q` for a quarter, or
    `seconds since 1970-01-01` and the like (`columnar.SINCE`); one way for each."""
    positive: Mapping[str, str] = field(default_factory=dict)
    """The cell of a column that is the event: it becomes true, any other false."""
    trim: bool = False
    """Blanks around a cell are no part of it."""
    needed: tuple[str, ...] = ()
    """Columns without which a row says nothing: rows that have no value there are left out."""
    units: Mapping[str, str] = field(default_factory=dict)
    """A sign beside the numbers of a column, as in `$5` or `5 %`; it is no part of them."""

    @classmethod
    def of_words(cls, words: Mapping[str, Any]) -> "Reading":
        """Return what `words` has told."""
        lists = {name: tuple(it) for name, it in words.items() if isinstance(it, list)}
        return cls(**{**words, **lists})

    @property
    def is_plain(self) -> bool:
        """Whether numbers are written as this engine writes them."""
        return self.decimal == "." and not self.thousands

    @property
    def in_plain(self) -> "Reading":
        """The words for a plain CSV, where 1.234 is no thousand unless the source is plain too."""
        if self.thousands != "." or self.separator == ",":
            return self
        return replace(self, thousands="")

    def words(self) -> dict[str, Any]:
        """Return what is not as in a plain CSV, as keyword arguments of `sources.read`."""
        told = ((it, getattr(self, it.name)) for it in fields(self))
        return {
            it.name: [*value] if isinstance(value, tuple) else value
            for it, value in told
            if value != (it.default if it.default is not MISSING else {})
        }


def table(data: bytes, how: Reading, where: str) -> "pa.Table":
    """Return all cells as text, a missing value where one is empty or a word of `nulls`.

    Names are unique and none is empty (`unique`). Raises UsageError where bytes are of another
    encoding, or a row has not one cell for each name.
    """
    return of_decoded(decoded(data, how.encoding, where), how, where)


def of_decoded(text: bytes, how: Reading, where: str) -> "pa.Table":
    """Do the same with a text that is in UTF-8 already."""
    names, size = header(text, how.separator, where)
    read = _quick if dialect.is_regular(text, how.separator) else _slow
    rows = read(text, size, names, how, where)
    return _trimmed(rows, how) if how.trim else rows


def decoded(data: bytes, encoding: str, where: str) -> bytes:
    """Return the text in UTF-8, without a byte order mark, its lines ended by a line feed."""
    is_plain = encoding in SAME and data.isascii()
    try:
        text = "" if is_plain else str(data, encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{where}: line {line:,} is not {encoding}; say its encoding, or save the file as UTF-8"
        ) from None
    except LookupError:
        raise UsageError(f"{where}: there is no encoding {encoding!r}; utf-8 is one") from None
    plain = data if encoding in SAME else text.encode("utf-8", "surrogatepass")
    while plain.startswith(_BOM):  # A program that adds one looks for none.
        plain = plain.removeprefix(_BOM)
    return plain if b"\n" in plain else plain.replace(b"\r", b"\n")


def header(text: bytes, separator: str, where: str) -> tuple[list[str], int]:
    """Return the names of the columns, made unique, and where the rows begin."""
    size = 0

    def lines() -> Iterator[str]:
        nonlocal size
        for line in io.BytesIO(text):
            size += len(line)
            yield line.decode()

    try:
        for names in csv.reader(lines(), delimiter=separator, strict=True):
            if any(names) and not _SEP.fullmatch(separator.join(names)):
                return unique(names), size
    except csv.Error as error:
        raise UsageError(f"{where}: its line of names is no CSV ({error}); mend it") from None
    raise UsageError(f"{where}: it is empty; name a table with a line of names and rows")


def unique(names: Sequence[str]) -> list[str]:
    """Return names of which none is there twice or empty: `a, a, ""` is `a, a_2, unnamed_3`.

    Of `a ` and `a` the second keeps its name.
    """
    given = [_SPACES.sub(" ", it).strip() for it in names]
    taken, exact, found = {*given}, {*names} & {*given}, dict[str, None]()
    for place, (name, as_written) in enumerate(zip(given, names, strict=True), 1):
        base = name or f"unnamed_{place}"
        made, number = base, 2
        is_own = as_written == name or name not in exact
        while made in found or (made in taken and not (is_own and made == name)):
            made, number = f"{base}_{number}", number + 1
        found[made] = None
    return [*found]


def plain(rows: "pa.Table", numbers: Collection[str], how: Reading, where: str) -> "pa.Table":
    """Return the table with numbers, times and events in this engine's own words.

    `numbers` are the columns whose cells are numbers. Raises UsageError naming the column and the
    first row (the one below the names is 1) that is not written as the words say.
    """
    for place, name in enumerate(rows.column_names):
        here = f"{where}: column {name!r}"
        if name in how.positive:
            made = columnar.event(rows[name], how.positive[name])
        elif name in how.dates:
            made, wrong = columnar.times(rows[name], how.dates[name])
            _check(wrong, here, f"is no time written as {how.dates[name]!r}")
        elif name in how.units:
            bare = columnar.without_unit(rows[name], how.units[name])
            made, wrong = columnar.numerals(bare, how.decimal, how.thousands)
            _check(wrong, here, f"is no number beside {how.units[name]!r}")
        elif name in numbers and not how.is_plain:
            made, wrong = columnar.numerals(rows[name], how.decimal, how.thousands)
            _check(wrong, here, f"is no number with {how.decimal!r} before its decimals")
        else:
            continue
        rows = rows.set_column(place, name, made)
    return having(rows, how.needed)


def having(rows: "pa.Table", needed: Collection[str]) -> "pa.Table":
    """Return the rows that have a value in each of some columns."""
    import pyarrow.compute as pc

    for name in needed:
        if rows[name].null_count:
            rows = rows.filter(pc.is_valid(rows[name]))
    return rows


def _check(wrong: np.ndarray, here: str, reason: str) -> None:
    if wrong.any():
        first = int(np.argmax(wrong)) + 1
        raise UsageError(
            f"{here}: row {first:,} {reason} (of {counted(int(wrong.sum()), 'such row')}); "
            "mend them, or the words of source.py"
        )


def _quick(text: bytes, size: int, names: list[str], how: Reading, where: str) -> "pa.Table":
    """Read rows whose quotes are regular with Arrow: on all cores, unless a row has a fault.

    Which row that is can be told only by one that counts them.
    """
    rows, faults = _by_arrow(text, size, names, how, where, large := len(text) > _BLOCK)
    if faults and large:
        rows, faults = _by_arrow(text, size, names, how, where, False)
    if faults:
        raise UsageError(f"{where}: {faults[0]}")
    return rows


def _by_arrow(
    text: bytes, size: int, names: list[str], how: Reading, where: str, threads: bool
) -> "tuple[pa.Table, list[str]]":
    import pyarrow as pa
    import pyarrow.csv

    faults = list[str]()

    def fault(row: Any) -> str:
        faults.append(_uneven(row.number or 0, row.actual_columns, row.expected_columns))
        return "skip"

    try:
        rows = pyarrow.csv.read_csv(
            pa.py_buffer(memoryview(text)[size:] if _SAID.search(text, size) else b"\n"),
            pyarrow.csv.ReadOptions(column_names=names, use_threads=threads, block_size=_BLOCK),
            pyarrow.csv.ParseOptions(
                delimiter=how.separator,
                newlines_in_values=b'"' in text,  # Without any, each line is found at once.
                invalid_row_handler=fault,
            ),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=["", *how.nulls],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowException as error:
        reason = dialect.without_values(error)
        raise UsageError(f"{where}: cannot be read as CSV ({reason}); mend the file") from None
    return rows, faults


def _slow(text: bytes, size: int, names: list[str], how: Reading, where: str) -> "pa.Table":
    """Read rows among whose quotes are some within cells, as strictly as Python does."""
    import pyarrow as pa

    lines = io.StringIO(text[size:].decode(), newline="")
    reader = csv.reader(lines, delimiter=how.separator, strict=True, skipinitialspace=how.trim)
    rows, nulls = list[list[str | None]](), {"", *how.nulls}
    try:
        for cells_ in reader:
            if cells_ and len(cells_) != len(names):
                raise UsageError(f"{where}: {_uneven(len(rows) + 1, len(cells_), len(names))}")
            if cells_:
                rows.append([None if it in nulls else it for it in cells_])
    except csv.Error as error:
        raise UsageError(
            f"{where}: row {len(rows) + 1:,} is no row of CSV ({error}); mend its quotes"
        ) from None
    by_column = zip(*rows, strict=True) if rows else [()] * len(names)
    return pa.table([pa.array(it, pa.string()) for it in by_column], names=names)


def _uneven(row: int, found: int, expected: int) -> str:
    told = f"row {row:,} has {counted(found, 'cell')}, and the line of names {expected:,}; "
    if row == 1 and found == expected + 1:
        return f"{told}name the first column too where it names the rows, as R's leave it without"
    return f"{told}mend it"


def _trimmed(rows: "pa.Table", how: Reading) -> "pa.Table":
    import pyarrow.compute as pc

    for place, name in enumerate(rows.column_names):
        cut = pc.utf8_trim_whitespace(rows[name])
        rows = rows.set_column(place, name, columnar.without(cut, ["", *how.nulls]))
    return rows
