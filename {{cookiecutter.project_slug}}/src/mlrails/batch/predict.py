"""Score files of any size with the champion, and set aside the rows that it does not take."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.console import bar, say, warn
from ..core.errors import Exit, UsageError, counted
from ..core.settings import Settings
from ..data.reading import Reading
from ..modeling import loading
from ..registry import resolve
from ..sources import datasets, declared, tables
from . import inputs, rules
from .output import Staging, is_done, refused_path, staged
from .written import Writing

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Job:
    """Which files to score, where to, and which of their columns to keep beside."""

    source: str
    target: str
    keep: Sequence[str] = ()


def predict(settings: Settings, job: Job, wanted: str) -> Exit:
    """Write one prediction for each row; paths are relative to the project's folder.

    Returns SET_ASIDE where some rows are not what the model takes. Raises UsageError where the
    files lack a column, and WorldError where the model cannot be had.
    """
    output = settings.root / job.target
    if output.suffix not in datasets.ENDINGS:
        raise UsageError(f"{job.target}: name an output that ends with .parquet or .csv")
    found = datasets.find(settings.root, job.source)
    files = [it for it in found if it not in _written(output)]
    if output in found or not files:
        raise UsageError(f"{output}: is among the files to score; name another output")
    looked = resolve.Resolver(settings, wanted)
    version, digest = looked.pointed()
    how = declared.reading(settings.root / "src" / settings.package / "source.py")
    plan = {
        "digest": digest,
        "version": version,
        "keep": list(job.keep),
        "piece": tables.PIECE,
        "reading": tables.READING,
        **({"words": how.words()} if how and how.words() else {}),
        "files": [[str(it), it.stat().st_size, it.stat().st_mtime_ns] for it in files],
    }
    if done := is_done(output, plan):
        say(f"predict: {output} is done already, by {looked.named(version, digest)}")
        return _ended(output, done["rows"], done["refused"])
    with looked.bytes(version, digest) as (folder, origin):
        model = loading.load_copy(folder, origin)
        writing = _checked(files, model, job.keep, settings.root, how)
        with staged(output, plan) as parts:
            familiar = rules.Familiar(model.inputs)
            names = list(_score(model, files, job, parts, settings.root, familiar, writing))
            about = {"model": origin.name, "version": origin.version, "digest": origin.digest}
            rows, refused = parts.publish(names, about)
    say(f"predict: {looked.named(version, digest)}: {counted(rows, 'row')} in {output}")
    _warn(familiar)
    return _ended(output, rows, refused)


def _checked(
    files: Sequence[Path],
    model: loading.LoadedModel,
    keep: Sequence[str],
    root: Path,
    how: Reading | None,
) -> Writing | None:
    """Return how files may be written that are the source's; raises UsageError for other files."""
    for name in keep:
        if name in {"source", "row", *model.interface.outputs}:
            raise UsageError(
                f"--keep {name}: the output has a column of that name; rename the input's"
            )
    writing = Writing.among(files, how, model.inputs, keep, root) if how else None
    inputs.check(files, model.inputs, keep, root, writing)
    if writing and writing.own:
        first = next(it for it in files if it in writing.own)
        told = f" ({writing.told})" if writing.told else ""
        say(f"predict: {_relative(first, root)} is read as source.py says{told}")
    return writing


def _warn(familiar: rules.Familiar) -> None:
    """Tell the columns in which every category counts as unknown."""
    for name in sorted(familiar.strange):
        warn(
            f"no row has a category in {name!r} that the model knows, so all count as unknown; is "
            "it written as in training?"
        )


def _written(output: Path) -> set[Path]:
    """Return what an earlier run may have left among the inputs."""
    return {output, refused_path(output)}


def _ended(output: Path, rows: int, refused: int) -> Exit:
    if not refused:
        return Exit.DONE
    total = rows + refused
    where = refused_path(output)
    warn(f"{refused:,} of {total:,} rows are not what the model takes; {where} says why")
    return Exit.SET_ASIDE


def _score(
    model: loading.LoadedModel,
    files: Sequence[Path],
    job: Job,
    parts: Staging,
    root: Path,
    familiar: rules.Familiar,
    writing: Writing | None,
) -> Iterator[str]:
    """Write every part that is not there yet; yield the names of all in order."""
    names = [*(it.name for it in model.inputs), *job.keep]
    with bar("predict", sum(it.stat().st_size for it in files)) as advance:
        for place, path in enumerate(files):
            source = _relative(path, root)
            before = 0
            for piece in _pieces(path, source, names, root, writing):
                part = f"{place:06}-{piece.number:08}"
                if not parts.has(part):
                    parts.write(part, *_predicted(model, piece, job.keep, familiar))
                advance(piece.read - before)
                before = piece.read
                yield part


def _pieces(
    path: Path, source: str, names: Sequence[str], root: Path, writing: Writing | None
) -> Iterator[tables.Piece]:
    if writing is None:
        return tables.pieces(path, source, names, datasets.partition(path, root))
    return writing.pieces(path, source, names, root)


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _predicted(
    model: loading.LoadedModel, piece: tables.Piece, keep: Sequence[str], familiar: rules.Familiar
) -> tuple["pa.Table", "pa.Table"]:
    """Return the predictions of the good rows, and the reasons of the bad."""
    import numpy as np
    import pyarrow as pa

    sifted = rules.sift(piece.rows, model.inputs)
    familiar.see(sifted.columns)
    places = np.flatnonzero(sifted.good)
    columns: dict[str, Any] = {
        "source": pa.repeat(pa.scalar(piece.source, pa.string()), len(places)),
        "row": pa.array(piece.places[places], pa.int64()),
        **{it: tables.plain_column(piece.rows.column(it)).take(pa.array(places)) for it in keep},
    }
    if len(places):
        columns |= {
            name: pa.array(values)
            for name, values in model.predict(sifted.columns, len(places)).items()
        }
    else:
        kinds = {"boolean": pa.bool_(), "string": pa.string()}
        for name, kind in model.interface.outputs.items():
            columns[name] = pa.array([], kinds.get(kind, pa.float64()))
    return pa.table(columns), _aside(piece, sifted.faults)


def _aside(piece: tables.Piece, faults: Sequence[tuple[int, str, str]]) -> "pa.Table":
    """Return which rows of a piece are set aside, and why."""
    import pyarrow as pa

    told = [*piece.broken, *((int(piece.places[row]), *why) for row, *why in faults)]
    rows = [
        {"source": piece.source, "row": row, "column": column, "reason": reason}
        for row, column, reason in sorted(told)
    ]
    text = pa.string()
    kinds = [("source", text), ("row", pa.int64()), ("column", text), ("reason", text)]
    return pa.Table.from_pylist(rows, pa.schema(kinds))
