"""Explain single rows: of a file, of the test rows, or as they are typed."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core import layout
from ..core.console import say, table
from ..core.errors import UsageError, counted, nearest
from ..core.settings import Settings
from ..data import parquet, values
from ..explaining.explanation import Explainer, Explanation
from ..modeling import loading
from ..modeling.signature import Field, promise
from ..registry import resolve
from ..sources import datasets, declared, tables
from . import inputs, rules
from .written import Writing

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 16
"""Of one call: who wants to know it of all rows reads the report."""
_OF_FILE = re.compile(r"(.+):(\d+)")
Row = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """Which rows to explain, in the words of the command line, and how to tell it."""

    wanted: str | None = None
    """A JSON object, a file, a file and the number of its row, the number of a test row, or the
    model's own example where nothing is said."""
    output: str | None = None
    as_json: bool = False


def explain(settings: Settings, asked: Question, model: str) -> None:
    """Print what moved the predictions of rows.

    Raises UsageError for rows that there are none of, or that the model does not take, and
    WorldError where the model cannot be had.
    """
    looked = resolve.Resolver(settings, model)
    version, digest = looked.pointed()
    with looked.bytes(version, digest) as (folder, origin):
        loaded = loading.load_copy(folder, origin)
        explainer = Explainer(loaded)
        explainer.check_output(asked.output)
        found = {
            name: explainer.explain(row, asked.output)
            for name, row in _rows(settings, asked.wanted, loaded)
        }
    if asked.as_json:
        about = {"version": origin.version, "digest": origin.digest}
        told = [_shown(it.to_json(), settings.in_ci) for it in found.values()]
        say(json.dumps({"explanations": told, "model": about}, indent=1, ensure_ascii=False))
        return
    say(f"explain: {looked.named(version, digest)}")
    for name, it in found.items():
        say(f"\n{in_words(name, it, not settings.in_ci)}")


def _shown(told: dict[str, Any], hidden: bool) -> dict[str, Any]:
    """Return an explanation without the row's values where logs may be public."""
    if hidden:
        shares = [{**it, "value": None} for it in told["contributions"]]
        return {**told, "contributions": shares}
    return told


def in_words(name: str, found: Explanation, with_values: bool) -> str:
    """Return an explanation as text; values of rows are shown only where logs are private."""
    head = ("column", *(("value",) if with_values else ()), "moves it by")
    error = any(it.error for it in found.contributions)
    lines = [
        (
            it.column,
            *((_said(it.value),) if with_values else ()),
            f"{it.contribution:+.4g}" + (f" ± {2 * it.error:.1g}" if error else ""),
        )
        for it in found.contributions
    ]
    said = f"{name}: {found.output} {found.prediction:.6g}"
    said += f" ({' to '.join(f'{end:.6g}' for end in found.ends.values())})" if found.ends else ""
    told = [f"{said}, where typical rows have {found.base:.6g}"]
    told += [promise(found.level)] if found.ends and found.level else []
    told.append(table(head, lines))
    told += [f"{it.column} {it.reason}" for it in found.outside]
    if found.outside:
        told.append("there the model guesses, and so does this explanation")
    return "\n".join(told)


def _said(value: Any) -> str:
    if value is None:
        return "missing"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


Named = Iterator[tuple[str, Row]]


def _rows(settings: Settings, wanted: str | None, model: loading.LoadedModel) -> Named:
    """Yield the rows that are asked for, checked, each with its name."""
    if wanted is None:
        example = model.interface.example[:1]
        columns = model.from_json({it.name: [example[0][it.name]] for it in model.inputs})
        yield "the model's own example", {name: it[0] for name, it in columns.items()}
    elif not wanted.strip():  # As of a variable that is empty; its path would be the project.
        raise UsageError(f"ROW: is empty; write {_form(model.inputs)}, or name no row at all")
    elif wanted.lstrip().startswith(("{", "[")):
        yield from _typed(wanted, model.inputs, "ROW")
    elif wanted.isdecimal():
        yield from _of_test(settings.root, int(wanted), model.inputs)
    elif wanted.endswith(".json") and (path := settings.root / wanted).is_file():
        yield from _typed(path.read_text("utf-8-sig"), model.inputs, wanted)
    else:
        yield from _of_files(settings, wanted, model.inputs)


def _typed(text: str, fields: Sequence[Field], where: str) -> Named:
    """Yield rows of JSON: one object, or a list of some."""
    import pyarrow as pa

    try:
        told = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{where}: not JSON ({error}); write {_form(fields)}") from None
    rows = told if isinstance(told, list) else [told]
    if not rows or not all(isinstance(it, dict) for it in rows):
        raise UsageError(f"{where}: no object of columns and values; write {_form(fields)}")
    names = [it.name for it in fields]
    for row in rows:
        for name in [it for it in row if it not in names] + [it for it in names if it not in row]:
            why = "is missing" if name in names else f"is none of the model's{nearest(name, names)}"
            raise UsageError(f"{where}: the column {name!r} {why}; write {_form(fields)}")
    try:
        batch = pa.RecordBatch.from_pydict(
            {it: pa.array([row[it] for row in rows]) for it in names}
        )
    except pa.ArrowException:
        raise UsageError(
            f"{where}: a value is a list or an object, or a column mixes types; "
            f"write {_form(fields)}"
        ) from None
    for it in fields:
        if values.kind(batch.column(it.name).type) != tables.TEXT:
            inputs.check_type(batch.column(it.name).type, it, where)
    yield from _sifted([batch], fields, where, 0, len(rows), lambda it: f"row {it + 1}")


def _form(fields: Sequence[Field]) -> str:
    first = ", ".join(f'"{it.name}": …' for it in fields[:2])
    more = ", …" if len(fields) > 2 else ""
    return "'{" + first + more + "}'" + f", with all {len(fields)} columns"


def _of_test(root: Path, number: int, fields: Sequence[Field]) -> Named:
    """Yield a test row, counted from 1."""
    import pyarrow as pa

    frame = parquet.read(root / layout.prepared("test"))
    if lacking := [it.name for it in fields if it.name not in frame]:
        raise UsageError(f"the test rows have no column {lacking[0]!r}, which the model reads")
    if not 1 <= number <= len(frame):
        raise UsageError(f"{number}: there are test rows 1 to {len(frame):,}; name one of them")
    row = frame.iloc[[number - 1]][[it.name for it in fields]]
    batch = pa.RecordBatch.from_pandas(row, preserve_index=False)
    yield from _sifted([batch], fields, "the test rows", 0, 1, lambda _: f"test row {number:,}")


def _of_files(settings: Settings, wanted: str, fields: Sequence[Field]) -> Named:
    """Yield the rows of a file as `predict` reads it, or the one whose number stands behind it."""
    named = _OF_FILE.fullmatch(wanted)
    alone = named and not (settings.root / wanted).exists()
    source, number = (named[1], int(named[2])) if alone and named else (wanted, None)
    files = datasets.find(settings.root, source)
    names = [it.name for it in fields]
    how = declared.reading(settings.root / "src" / settings.package / "source.py")
    writing = Writing.among(files, how, fields, (), settings.root) if how else None
    inputs.check(files, fields, (), settings.root, writing)
    pieces = (
        piece.rows
        for path in files
        for piece in (
            tables.pieces(path, source, names, datasets.partition(path, settings.root))
            if writing is None
            else writing.pieces(path, source, names, settings.root)
        )
    )
    first, count = (0, None) if number is None else (number - 1, 1)
    yield from _sifted(pieces, fields, source, first, count, lambda it: f"row {it + 1} of {source}")


def _sifted(
    batches: "Iterator[pa.RecordBatch] | Sequence[pa.RecordBatch]",
    fields: Sequence[Field],
    where: str,
    first: int,
    count: int | None,
    called: Callable[[int], str],
) -> Named:
    """Yield checked rows from one on; raises UsageError for the first that the model refuses."""
    last = first + (MOST_ROWS + 1 if count is None else count)
    found: list[tuple[int, Row]] = []
    begun = 0
    for batch in batches:
        part = batch.slice(max(0, first - begun), max(0, last - max(first, begun)))
        place = max(first, begun)
        begun += batch.num_rows
        if part.num_rows:
            found += _checked(part, fields, place, called)
        if begun >= last:
            break
    if len(found) > MOST_ROWS:
        raise UsageError(
            f"{where}: has more than {MOST_ROWS} rows; name one by its number, as {where}:1"
        )
    if not found:
        told = f"there is no row {first + 1:,}; it has {counted(begun, 'row')}"
        raise UsageError(f"{where}: {told}")
    for place, row in islice(found, MOST_ROWS):
        yield called(place), row


def _checked(
    batch: "pa.RecordBatch", fields: Sequence[Field], place: int, called: Callable[[int], str]
) -> list[tuple[int, Row]]:
    sifted = rules.sift(batch, fields)
    for row, column, reason in sifted.faults:
        raise UsageError(f"{called(place + row)}: column {column!r}: {reason}")
    plain = {name: _plain(it) for name, it in sifted.columns.items()}
    return [
        (place + row, {name: it[row] for name, it in plain.items()})
        for row in range(batch.num_rows)
    ]


def _plain(column: Any) -> list[Any]:
    """Return an array's values as Python's own; a missing number is None."""
    return [None if it != it else it for it in column.tolist()]  # noqa: PLR0124
