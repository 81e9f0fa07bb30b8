"""The log of a server's requests, as rows to look at: read, packed into Parquet, and put in time.

A file that a server still writes to, or was killed at, is read as far as its lines are whole. One
that is closed becomes Parquet the first time that it is read, with all that it said.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ...core import files
from ...core.errors import UsageError, counted
from ...data import frames, request_log
from ...data.request_log import IGNORE, OPEN, PIECE

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

REQUEST, ROW, ASKED, VERSION, DIGEST = "(request)", "(row)", "(asked)", "(version)", "(digest)"
ANSWER = "(answer) "
"""What stands before the name of an answer; no column of a table is in brackets by chance."""
PACKED, _LEFT_OUT = ".parquet", b"left_out"
_DAYS_AHEAD = 400
"""After its request a row may be of a day, as of a flight; beyond that its time is a slip."""


@dataclass(frozen=True, eq=False)
class Log:
    """Rows that were asked, with their answers, and what had to be left out."""

    rows: "pd.DataFrame"
    left_out: frozenset[str] = frozenset()
    """Columns that the model takes and that are not kept."""
    reused: frozenset[str] = frozenset()
    """Ids that callers have given to several requests."""
    notes: Sequence[str] = field(default_factory=list)

    @property
    def columns(self) -> list[str]:
        """The columns that were asked."""
        return [it for it in map(str, self.rows.columns) if not it.startswith("(")]


def is_log(path: Path) -> bool:
    """Tell whether a path is a folder of a server's requests, which may hold none yet."""
    if not path.is_dir():
        return False
    names = {it.name for it in path.iterdir()}
    return names == {IGNORE} or any(map(PIECE.fullmatch, names))


def read(folder: Path) -> Log:
    """Read a log; raises UsageError where it holds no row."""
    import pyarrow as pa

    found: list[pa.Table] = []
    left_out: set[str] = set()
    notes: list[str] = []
    for path in _paths(folder, notes):
        table = (_packed if path.suffix == PACKED else _unpacked)(path, notes)
        if table is not None:
            left_out |= set(json.loads((table.schema.metadata or {}).get(_LEFT_OUT, b"[]")))
            found.append(table.replace_schema_metadata())
    if not sum(it.num_rows for it in found):
        why = f" that can be read ({'; '.join(notes)})" if notes else ""
        raise UsageError(f"{folder}: holds no request yet{why}; look again when some have come")
    try:
        every = pa.concat_tables(found, promote_options="permissive")
    except pa.ArrowException:
        raise UsageError(
            f"{folder}: versions of the model were asked one column in two kinds; keep the files "
            "of one of them"
        ) from None
    rows, reused, twice = _once(every.to_pandas())
    if twice:
        notes.append(f"{counted(twice, 'row')} of the log came twice, and count once")
    return Log(rows, frozenset(left_out), reused, notes)


def _paths(folder: Path, notes: list[str]) -> list[Path]:
    """Return the files of a log, the oldest first; what is packed already is not read twice."""
    ours = sorted(it for it in folder.iterdir() if PIECE.fullmatch(it.name))
    notes += [f"{it.name} is a link, and left out" for it in ours if it.is_symlink()]
    found = [it for it in ours if not it.is_symlink()]
    packed = {it.stem for it in found if it.suffix == PACKED}
    return [it for it in found if it.suffix == PACKED or it.name.partition(".")[0] not in packed]


def _packed(path: Path, notes: list[str]) -> "pa.Table | None":
    import pyarrow as pa
    from pyarrow import parquet

    try:
        found = parquet.read_table(path)
    except FileNotFoundError:  # A server has made room meanwhile.
        return None
    except pa.ArrowException:
        notes.append(f"{path.name} is no whole Parquet file, and left out")
        return None
    return found if {REQUEST, ROW, ASKED, DIGEST} <= {*found.column_names} else None


def _unpacked(path: Path, notes: list[str]) -> "pa.Table | None":
    """Return the rows of a file as they were written, and pack it where nobody writes to it."""
    import pyarrow as pa

    try:
        piece = request_log.parsed(path.read_bytes())
    except FileNotFoundError:  # The server has closed it, or made room.
        closed = path.with_name(path.name.removesuffix(OPEN))
        return _unpacked(closed, notes) if closed != path else None
    if piece is None:
        notes.append(f"{path.name} is cut off in its head, or of a later format, and left out")
        return None
    if piece.broken:
        lines = counted(piece.broken, "line")
        notes.append(f"{path.name} is cut off or broken in {lines}, whose rows are left out")
    try:
        found = _table(piece)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        notes.append(f"{path.name} has several kinds of values in one column, and left out")
        return None
    if not path.name.endswith(OPEN) and not piece.broken:
        _pack(found, path)
    return found


def _table(piece: request_log.Piece) -> "pa.Table":
    import pyarrow as pa

    head = piece.head
    rows = [(it, place) for it in piece.lines for place in range(len(it.rows))]
    made = {
        REQUEST: pa.array([it.request for it, _ in rows], pa.string()),
        ROW: pa.array([it.first + place for it, place in rows], pa.int64()),
        ASKED: pa.array([it.time.replace(tzinfo=None) for it, _ in rows], pa.timestamp("us")),
        VERSION: pa.repeat(pa.scalar(head.version, pa.string()), len(rows)),
        DIGEST: pa.repeat(pa.scalar(head.digest, pa.string()), len(rows)),
    }
    for column, name in enumerate(head.columns):
        made[name] = pa.array([it.rows[place][column] for it, place in rows])
    for column, name in enumerate(head.outputs):
        made[f"{ANSWER}{name}"] = pa.array([it.answers[place][column] for it, place in rows])
    told = {_LEFT_OUT: json.dumps([*head.left_out]).encode()}
    return pa.table(made).replace_schema_metadata(told)


def _pack(rows: "pa.Table", path: Path) -> None:
    """Put Parquet in the place of a closed file; where that may not be, the file stays."""
    from pyarrow import parquet

    with suppress(OSError), files.replacing(path.with_suffix(PACKED)) as scratch:
        scratch.touch(mode=0o600)
        parquet.write_table(rows, scratch)
    if path.with_suffix(PACKED).is_file():
        path.unlink(missing_ok=True)


def _once(rows: "pd.DataFrame") -> tuple["pd.DataFrame", frozenset[str], int]:
    """Return rows without those that were sent again, and ids that stand for several requests."""
    asked = [it for it in map(str, rows.columns) if not it.startswith("(")]
    same = rows.duplicated([REQUEST, ROW, *asked])
    left = rows[~same].reset_index(drop=True)
    again = left.duplicated([REQUEST, ROW], keep=False)
    return left, frozenset(left.loc[again, REQUEST]), int(same.sum())


def in_time(log: Log, time: str, known: date) -> Log:
    """Return the rows after those that a model is known by, each with the time that it is of.

    That is the column that says so, where it was asked, and else when the request came (in UTC).
    Raises UsageError where no row is of a later day.
    """
    import pandas as pd

    rows = log.rows
    own = rows[ASKED]
    if time in rows:  # Of which some have fractions of a second, and others none.
        given = rows[time].astype("str")
        read = pd.to_datetime(given, errors="coerce", format="ISO8601", utc=True)
        own = read.dt.tz_localize(None)
    rows = frames.having(rows, {time: own.where(own.notna(), rows[ASKED])})
    old = rows[time] < pd.Timestamp(known) + pd.Timedelta(days=1)
    far = rows[time] > rows[ASKED] + pd.Timedelta(days=_DAYS_AHEAD)
    left = rows[~old & ~far].reset_index(drop=True)
    if left.empty:
        raise UsageError(
            f"no row of the log is of a day after {known}, up to which the model is known; look "
            "again when some have come"
        )
    notes = [*log.notes, *_left(int(old.sum()), int((far & ~old).sum()), known)]
    return Log(left, log.left_out, log.reused, notes)


def _left(old: int, far: int, known: date) -> Iterator[str]:
    if old:
        yield (
            f"{counted(old, 'row')} of the log left out: of {known} or before, by which the model "
            "is known already"
        )
    if far:
        yield (
            f"{counted(far, 'row')} of the log left out: of a day more than {_DAYS_AHEAD} days "
            "after they were asked"
        )
