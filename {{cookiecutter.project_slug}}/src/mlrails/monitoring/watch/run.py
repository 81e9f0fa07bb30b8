"""nox -s monitor [-- DATA] [--from DAY] [--to DAY]: is the champion's world still the same?"""

import json
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from ...core import files, layout, params
from ...core.console import say
from ...core.errors import Exit, UsageError, WorldError, nearest
from ...core.params import FILE, Params, Task
from ...core.settings import Settings
from ...data.reading import Reading
from ...data.schema import Column
from ...evaluation import outcomes, selection
from ...evaluation.metrics import METRICS, Metric
from ...evaluation.own import OwnMetric
from ...modeling import loading
from ...modeling.loading import LoadedModel
from ...registry import resolve
from ...reporting import html, markdown, svg
from ...sources import declared
from ..invariants import Fault, Kind
from ..survey import Material, Question, Survey, survey
from . import given as new_rows
from . import joined, multiples, page, record, requests, served
from .frame import Frame, Wanted, read
from .period import Known, Order
from .requests import Log
from .served import Skew
from .told import DRIFT, UNKNOWN, About, Found, told

JSON, PAGE, TEXT = (Path("reports", f"monitor.{it}") for it in ("json", "html", "md"))
PICTURES = Path("reports", multiples.FOLDER)
_SAID = {UNKNOWN: "cannot tell yet"}
_PIECE = 100_000
"""Rows that are scored at once."""


def monitor(
    settings: Settings,
    columns: Sequence[Column],
    own: Sequence[OwnMetric],
    order: Order,
    wanted: str,
) -> Exit:
    """Look at what has come since the champion was made, write the report, and tell MLflow.

    Returns DRIFT where an alarm stands in the last whole window or after it, or where any does in
    the days that were asked for. Raises UsageError and WorldError as the parts do.
    """
    checked = params.load(settings.root)
    if order.since and order.until and order.since > order.until:
        raise UsageError(f"--from {order.since} is after --to {order.until}; change one of them")
    _check_ignored(checked, columns)
    looked = resolve.Resolver(settings, wanted)
    version, digest = looked.pointed()
    with files.scratch_folder(settings.scratch) as scratch:
        known = Known.of(looked.figures(version, scratch))
    with looked.bytes(version, digest) as (folder, origin):
        model = loading.load_copy(folder, origin)
        known_as = {it.name: it for it in columns}
        asked = Wanted(checked, known_as, _inputs(model, checked), _how(settings, order))
        log, skew = _log(settings.root, asked, known, order, model)
        frame = read(settings.root, asked, known, order, log)
        found = _survey(settings, checked, own, frame, model, order, skew)
    about = About(
        origin, looked.named(version, digest), checked, _metric(checked, own), frame, settings.in_ci
    )
    plain = told(found, about)
    paths = write(plain, settings.root)
    record.record(settings, plain, paths)
    return announce(plain)


def _check_ignored(checked: Params, columns: Sequence[Column]) -> None:
    known = [it.name for it in columns]
    for name in checked.monitor.ignore:
        if name not in known:
            raise UsageError(
                f"{FILE}: 'monitor.ignore' names {name!r}, which schema.py does not know"
                f"{nearest(name, known)}"
            )


def _log(
    root: Path, asked: Wanted, known: Known, order: Order, model: LoadedModel
) -> tuple[Log | None, Skew | None]:
    """Return the log of a server, where new rows are one, and how its answers are off."""
    if not order.data or not requests.is_log(root / order.data):
        if order.outcomes:
            raise UsageError(
                f"--outcomes: {order.data or 'data/raw'} is no folder of a server's requests, to "
                "which outcomes are joined by their ids; name the one that `nox -s serve` keeps, "
                "as in `nox -s monitor -- requests/ --outcomes FILE`"
            )
        return None, None
    log = requests.in_time(requests.read(root / order.data), asked.time.name, known.last)
    if order.outcomes:
        needed = [joined.ID, asked.target.name]
        labels = new_rows.read(order.outcomes, [asked.target], needed, asked.how, root)
        log = joined.outcomes(log, labels, asked.target, order.outcomes)
    return served.of_model(log, model, asked.time.name)


def _skewed(skew: Skew | None, frame: Frame) -> Iterator[Fault]:
    """Yield that served answers are off, where they are."""
    if skew and skew.first and skew.last:
        first, last = frame.day_of(skew.first), frame.day_of(skew.last)
        yield Fault(Kind.SKEW, "", first, last, skew.differing, skew.differing / skew.rows)


def _how(settings: Settings, order: Order) -> Reading | None:
    """Return how `source.py` says that files are written, where one is named."""
    source = settings.root / layout.CODE / settings.package / "source.py"
    return declared.reading(source) if order.data or order.outcomes else None


def _inputs(model: LoadedModel, checked: Params) -> list[str]:
    """Return the raw columns that the model takes, without the time, which no value stands for."""
    return [it.name for it in model.inputs if it.name != checked.data.time]


def _metric(checked: Params, own: Sequence[OwnMetric]) -> Metric:
    """Return the metric that is told: the primary one, or the first where that is one of calls."""
    found = selection.primary(checked.task, checked.evaluation, own)
    return METRICS[checked.task][0] if found.of_calls else found


def _survey(
    settings: Settings,
    checked: Params,
    own: Sequence[OwnMetric],
    frame: Frame,
    model: LoadedModel,
    order: Order,
    skew: Skew | None = None,
) -> Survey:
    classes = outcomes.known(model.predictor)
    score = None if frame.lacking else _score(model, frame)
    faults: list[Fault] = [*frame.faults, *_skewed(skew, frame)]
    target = _target(frame, checked, classes)
    material = Material(
        frame.rows.drop(columns=[*frame.not_kept]),
        frame.columns,
        frame.day,
        frame.days,
        frame.known,
        score,
        target,
        frame.held_out,
        classes,
        checked.evaluation.slices,
        faults,
        frame.are_requests,
    )
    first = max(frame.day_of(order.since), 0) if order.since else None
    question = Question(
        checked.task, _metric(checked, own), checked.monitor, checked.seed, first, settings.in_ci
    )
    return survey(material, question)


def _score(model: LoadedModel, frame: Frame) -> np.ndarray:
    """Return the model's scores of all rows, piece by piece."""
    rows = frame.rows
    was_served = np.zeros(len(rows), bool)
    if frame.not_kept:  # Nobody can score these again, so what was served is what is known.
        told = served.scores(rows, outcomes.known(model.predictor))
        was_served = np.isfinite(told if told.ndim == 1 else told[:, 0])
        rows = rows[~was_served].infer_objects()
    found = [
        model.predictor.scores(rows.iloc[start : start + _PIECE])
        for start in range(0, len(rows), _PIECE)
    ]
    score = np.concatenate(found)
    if frame.not_kept:
        told[~was_served] = score
        score = told
    if not np.isfinite(score).all():
        raise WorldError("the model predicts no number for some rows; go back with another one")
    return score


def _target(frame: Frame, checked: Params, classes: Sequence[str]) -> np.ndarray | None:
    """Return the outcomes (rows,) as metrics take them, NaN where none has come yet."""
    if not frame.has_target or not frame.is_new:
        return None
    given = frame.rows[checked.data.target]
    found = np.full(len(given), np.nan)
    there = given.notna().to_numpy()
    if checked.task is Task.MULTICLASS:
        codes = outcomes.numbers(given[there], tuple(classes))
        found[there] = np.where(codes >= 0, codes, np.nan)  # No class that the model knows.
    else:
        found[there] = given[there].to_numpy(np.float64)
    return found


def write(found: Found, root: Path) -> dict[str, Path]:
    """Write the report: pictures, Markdown, the page, and the JSON last; return what is kept."""
    charts = [*multiples.of_outcomes(found), *multiples.of_columns(found)]
    drawn = {it.name: it.drawn() for it in charts}
    for name, text in drawn.items():
        files.write_text(text, root / PICTURES / f"{name}.svg")
    for path in (root / PICTURES).glob("*.svg"):
        if path.stem not in drawn:
            path.unlink()
    made = page.page(found, charts)
    without = page.page(found, [it for it in charts if not it.small])
    files.write_text(markdown.render(without), root / TEXT)
    inside = {name: svg.inline(text) for name, text in drawn.items()}
    files.write_text(html.render(made, inside), root / PAGE)
    text = json.dumps(found, indent=1, allow_nan=False, ensure_ascii=False)
    files.write_text(text + "\n", root / JSON)
    return {"page": root / PAGE, "text": root / TEXT, "json": root / JSON}


def announce(found: Found) -> Exit:
    """Print the verdict and its alarms; return the exit code that it stands for."""
    rows = found["rows"]
    say(f"monitor: {_SAID.get(found['verdict'], found['verdict'])}: {found['model']['name']}")
    say(f"  looked at: {_days(rows)}; the model is known by rows up to {rows['known_to']}")
    for it in page.standing(found):
        say(f"  since {it['since']}: {it['what']}")
        if it["where"]:
            say(f"    where: {it['where']}")
        say(f"    what to do: {it['remedy']}")
    for note in found["notes"]:
        say(f"  {note}")
    say(f"  report: {PAGE}")
    return Exit.DRIFT if found["verdict"] == DRIFT else Exit.DONE


def _days(rows: Found) -> str:
    """Return which days were looked at, and from when on an alarm counts."""
    if not rows["new"]:
        return "no row"
    after = (date.fromisoformat(rows["known_to"]) + timedelta(days=1)).isoformat()
    first = min(after, rows["asked_from"])
    counts = f", alarms count from {rows['asked_from']} on" if rows["asked_from"] > first else ""
    return f"{first} to {rows['to']}{counts}"
