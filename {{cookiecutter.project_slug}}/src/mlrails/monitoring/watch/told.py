"""What was found, as plain values: the JSON that programs read, and that the page is made of."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from ...core.errors import counted
from ...core.params import Params
from ...evaluation.metrics import Metric
from ...modeling.loading import ModelOrigin
from ...reporting import wording
from .. import distances, windows
from ..alarms import Alarm
from ..days import Daily
from ..distances import Respect
from ..drift import Look
from ..labels import Comparison
from ..performance import OutcomeLook, Window
from ..survey import PREDICTIONS, Survey
from . import level
from .frame import Frame

Found = dict[str, Any]
DRIFT, CALM, UNKNOWN = "drift", "calm", "unknown"
_SHOWN = 60
"""Windows that a picture has room for: more than a year of weeks."""
_SHARES = 3
"""Categories whose shares are told by window."""
_DIGITS = 6


@dataclass(frozen=True)
class About:
    """What the survey is of."""

    origin: ModelOrigin
    name: str
    """What outputs call the model."""
    params: Params
    metric: Metric
    frame: Frame
    in_public: bool = False
    """Whether no value of a row may be told but those of slices."""

    def date(self, day: int) -> str:
        """Return the date of a day."""
        return (self.frame.first + timedelta(days=day)).isoformat()


def told(of: Survey, about: About) -> Found:
    """Return all that was found."""
    standing = of.standing
    verdict = DRIFT if standing else CALM if of.is_told else UNKNOWN
    found = {
        "verdict": verdict,
        "model": {"name": about.name, "version": about.origin.version, **_digest(about)},
        "rows": _rows(of, about),
        "window": {"days": of.how.length, "merged": of.how.merged, "trailing": of.how.trailing},
        "budget": {
            "false_alarms": about.params.monitor.false_alarms,
            "error": of.how.error,
            "error_of_outcomes": of.how.error_of_outcomes,
            "past": of.how.past,
        },
        "metric": {
            "name": about.metric.name,
            "title": about.metric.title,
            "higher_is_better": about.metric.higher_is_better,
        },
        "alarms": [_alarm(it, it in standing, about) for it in of.alarms],
        "windows": list(_windows(of, about)),
        "columns": list(_columns(of, about)),
        "record": vars(of.record) if of.record else None,
        "notes": [*map(wording.printable, _notes(of, about))],
    }
    plain: Found = _plain(found)
    return plain


def _digest(about: About) -> dict[str, str]:
    return {"digest": about.origin.digest}


def _rows(of: Survey, about: About) -> Found:
    frame = about.frame
    return {
        "from": about.date(0),
        "to": about.date(frame.days - 1),
        "known_to": frame.known_to.isoformat(),
        "asked_from": about.date(of.first),
        "known": int(np.sum(frame.day < frame.known)),
        "new": int(np.sum(frame.day >= frame.known)),
    }


def _alarm(alarm: Alarm, counts: bool, about: About) -> Found:
    return {
        "source": alarm.source.value,
        "counts": counts,
        "since": about.date(alarm.since),
        "until": about.date(alarm.until),
        "what": wording.printable(alarm.what),
        "where": wording.printable(alarm.where),
        "remedy": _remedy(alarm, about),
        "columns": [*alarm.columns],
        "chance": alarm.chance,
    }


def _remedy(alarm: Alarm, about: About) -> str:
    if not alarm.of_level:
        return alarm.remedy
    first, newest = about.frame.first, about.frame.days - 1
    since, last = (first + timedelta(days=it) for it in (alarm.since, newest))
    return level.remedy(alarm.remedy, since, last, about.params)


def _windows(of: Survey, about: About) -> Iterator[Found]:
    """Yield each whole window, the last of them, with all that is known of it."""
    looks = {it.start: it for it in of.looks}
    outcomes = {it.start: it for it in of.outcome_looks}
    figures = {it.start: it for it in of.figures}
    for start, end in of.windows[-_SHOWN:].tolist():
        yield {
            "from": about.date(start),
            "to": about.date(end - 1),
            "day": start - about.frame.known,
            "is_new": start >= about.frame.known,
            **_figures(figures.get(start)),
            "look": _look(looks.get(start)),
            "outcomes": _outcomes(outcomes.get(start)),
        }


def _figures(found: Window | None) -> Found:
    names = ("rows", "labelled", "predicted", "actual", "came", "estimated")
    return {name: getattr(found, name) if found else None for name in names}


def _look(found: Look | None) -> Found | None:
    if found is None:
        return None
    names = ("alarm", "why", "chance", "score", "past", "rows")
    movers = [
        {
            "column": it.measure.column,
            "respect": it.measure.respect.value,
            "distance": it.distance,
            "usual": it.usual,
            "score": it.score,
        }
        for it in found.movers
    ]
    return {**{name: getattr(found, name) for name in names}, "movers": movers}


def _outcomes(found: OutcomeLook | None) -> Found | None:
    if found is None:
        return None
    parts = {"alone": found.alone, "together": found.together}
    return {"alarm": found.alarm, **{name: _comparison(it) for name, it in parts.items()}}


def _comparison(found: Comparison) -> Found:
    names = ("alarm", "why", "chance", "days")
    return {
        **{name: getattr(found, name) for name in names},
        "changes": [vars(it) for it in found.changes],
    }


def _columns(of: Survey, about: About) -> Iterator[Found]:
    """Yield each column: how far the last window is from others, and what it was like over time."""
    named = {*PREDICTIONS, *about.params.evaluation.slices}
    shown = of.windows[-_SHOWN:]
    for column in of.columns:
        counts = column.of(shown)
        with np.errstate(invalid="ignore", divide="ignore"):
            missing = counts.missing / counts.rows
        may_tell = column.kind == "number" or not about.in_public or column.name in named
        yield {
            "name": column.name,
            "kind": column.kind,
            "is_prediction": column.name in PREDICTIONS,
            "distances": _distances(of, column),
            "series": {
                **(_series(column, of) if may_tell else {}),
                "missing": missing.tolist(),
            },
        }


def _distances(of: Survey, column: Daily) -> Found:
    """Return how far the last whole window is from the weeks before it, and what is usual."""
    every = of.windows[windows.before(of.windows, of.how)[:, 0] >= 0]
    if len(every) < 2:
        return {}
    found = distances.between([column], every, windows.before(every, of.how))
    named = distances.measures([column])
    return {
        it.respect.value: {"last": float(row[-1]), "usual": float(np.nanmedian(row[:-1]))}
        for it, row in zip(named, np.nan_to_num(found), strict=True)
    }


def _series(column: Daily, of: Survey) -> Found:
    counts = column.of(of.windows[-_SHOWN:])
    with np.errstate(invalid="ignore", divide="ignore"):
        if column.kind == "number":
            repeated = (counts.repeated / counts.known).tolist()
            return {"mean": (counts.total / counts.known).tolist(), "repeated": repeated}
        shares = counts.bins / counts.known[:, None]
    low = np.where(np.isnan(shares), np.inf, shares).min(axis=0, initial=np.inf)
    high = np.where(np.isnan(shares), -np.inf, shares).max(axis=0, initial=-np.inf)
    order = np.argsort(-np.maximum(high - low, 0), kind="stable")[:_SHARES]
    return {"shares": {column.labels[it]: shares[:, it].tolist() for it in order.tolist()}}


def _notes(of: Survey, about: About) -> Iterator[str]:
    yield from about.frame.notes
    if of.how.merged > 1:
        yield (
            f"{of.how.merged} windows of the params are one here, since each alone has fewer than "
            f"{of.how.rows:,} rows"
        )
    whole = int(of.windows[-1, 1]) if len(of.windows) else about.frame.known
    if left := about.frame.days - max(whole, about.frame.known):
        yield (
            f"{counted(left, 'day')} after the last whole window of {of.how.length}: only what is "
            "wrong at once is told there"
        )
    for name, (unknown, rows) in of.strangers.items():
        words = counted(len(unknown), "value")
        yield f"{name!r} has {words} that came after the model, in {counted(rows, 'row')}"
    last = of.looks[-1] if of.looks else None
    if last and last.alarm is None:
        yield f"whether the last window's rows have changed cannot be told yet: {last.why}"


def _plain(value: Any) -> Any:
    """Round, and write None for what is no number: JSON has no other word for it."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, str) or value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float | np.floating):
        return round(float(value), _DIGITS) if math.isfinite(value) else None
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, date):
        return value.isoformat()
    return [_plain(inner) for inner in value] if isinstance(value, Sequence) else str(value)


RESPECTS = {it.value: it for it in Respect}
