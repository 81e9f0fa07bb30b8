"""Has the distribution of any column, or of the prediction, changed more than it does by itself?

Each window of days is held against the eight weeks before the one before it: a change that begins
within a window would else be among the days that the next is held against. How far columns are from
there is scaled by how far they use to be, and the largest of all counts: one test, however many
columns. It must stand out twice. Among all runs of days as long as the window, each told from the
rest of it and its eight weeks together: so nothing is taken for a change that is within them as
well. And among the same figures of past windows: they changed with the seasons too. While an alarm
stands, windows are held against the weeks before it, and are no past of each other: or a change
that stays would be told once, and then pass for usual. After eight weeks it is what is usual.

The chance that a window of nothing new ranks so high is at most one over the number of those that
it is ranked among, so with too few of them it is not said that all is well.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..data.arrays import Matrix, Vector
from . import distances, windows
from .days import Daily, Runs
from .distances import Measure
from .windows import Plan

_YEAR, _SEASON = 364, 21
"""Days: a year of whole weeks, and how far around that day last year's season reaches."""
_NOISE = 0.25
"""Of a share's error: a distance that never differs is not scaled by less."""
_TYPICAL, _HIGH = 0.5, 0.9
_LEAP = 1.65
"""How many times as far as nine in ten the farthest of some forty is, where none makes leaps."""


@dataclass(frozen=True)
class Mover:
    """What has moved: how far, and how far it usually is."""

    measure: Measure
    distance: float
    usual: float
    score: float
    """How often as far beyond the usual as nine in ten windows keep to."""


@dataclass(frozen=True)
class Look:
    """What was seen of one window, from its first day to the one after its last."""

    start: int
    end: int
    rows: int
    alarm: bool | None
    """None where it cannot be told yet, and `why`."""
    why: str = ""
    chance: float | None = None
    """How likely it is that a window of nothing new stands out like this."""
    score: float | None = None
    past: int = 0
    movers: Sequence[Mover] = ()
    against: tuple[int, int] = (0, 0)
    """The days that it is held against: the first, and the one after the last."""


def look(columns: Sequence[Daily], how: Plan, days: int, anchor: int) -> list[Look]:
    """Look at every whole window from the anchor on."""
    every = windows.grid(days, anchor, how)
    if not len(every) or not columns:
        return []
    found = distances.between(columns, every, windows.before(every, how))
    rows = _rows(columns[0], every)
    known = (rows >= how.rows) & (_rows(columns[0], windows.before(every, how)) >= how.rows)
    history = _History(columns, how, every, np.nan_to_num(found), rows, known)
    looks: list[Look] = []
    began: int | None = None
    for place in np.flatnonzero(every[:, 0] >= anchor).tolist():
        start = int(every[place, 0])
        if began is not None and start - began >= how.trailing:
            began = None
        looks.append(_look(history, place, looks, start if began is None else began))
        began = (start if began is None else began) if looks[-1].alarm else None
    return looks


def _rows(column: Daily, runs: Runs) -> Vector:
    return column.of(runs).rows


@dataclass(frozen=True)
class _History:
    columns: Sequence[Daily]
    how: Plan
    windows: Runs
    distances: Matrix
    rows: Vector
    known: np.ndarray
    """Which windows have rows enough."""

    def past(self, place: int, looks: Sequence[Look]) -> np.ndarray:
        """Return the places of the windows that one is ranked among."""
        start, trailing = self.windows[place, 0], self.how.trailing
        standing = {it.start for it in looks if it.alarm and it.end > start - trailing}
        return np.array(
            [
                it
                for it in range(place)
                if self.known[it] and int(self.windows[it, 0]) not in standing
            ],
            dtype=np.int64,
        )


def _look(history: _History, place: int, looks: Sequence[Look], base: int) -> Look:
    """Look at one window, which is held against the weeks before the day `base`."""
    how, rows = history.how, int(history.rows[place])
    start, end = map(int, history.windows[place])
    past = history.past(place, looks)
    if not history.known[place]:
        return Look(start, end, rows, None, _too_few_rows(rows, how), past=len(past))
    if len(past) < how.past:
        why = f"{len(past)} of the {how.past} past windows that it takes"
        return Look(start, end, rows, None, why, past=len(past))
    reference = windows.before(np.array([[base, base + how.length]]), how)
    own = distances.between(history.columns, history.windows[[place]], reference)
    among = np.concatenate([history.distances[:, past], np.nan_to_num(own)], axis=1)
    scores = _scores(among, rows)
    highest = scores.max(axis=0)
    score = float(highest[-1])
    chance = max(_among_past(highest), _within(history, place, reference))
    season = np.abs(history.windows[past, 0] - (start - _YEAR)) <= _SEASON
    alarm = chance <= how.error and score > highest[:-1][season].max(initial=-np.inf)
    movers = _movers(history, among, scores, highest) if alarm else []
    days = int(reference[0, 0]), int(reference[0, 1])
    return Look(start, end, rows, bool(alarm), "", chance, score, len(past), movers, days)


def _too_few_rows(rows: int, how: Plan) -> str:
    if rows < how.rows:
        return f"{rows:,} of the {how.rows:,} rows that it takes"
    return f"fewer than {how.rows:,} rows in the weeks before"


def _scores(found: Matrix, rows: float) -> Matrix:
    """Return distances (measures, windows) on one scale: by the way to where nine in ten are.

    A distance ends at 1, where nothing is in common; on the scale of its logarithm it has no end,
    or columns that swing with the season could never stand out. And one that makes leaps is scaled
    by the farthest of the other windows, or its leaps would hide what moves in all other columns.
    """
    far = -np.log1p(-np.minimum(found, 1 - 1 / max(rows, 2)))
    middle, high = (it[:, None] for it in np.quantile(far, (_TYPICAL, _HIGH), axis=1))
    first, second = np.sort(far, axis=1)[:, :-3:-1].T[:, :, None]
    others = np.where(far == first, second, first)
    scale = np.maximum(high - middle, (others - middle) / _LEAP)
    scores: Matrix = (far - middle) / np.maximum(scale, _NOISE / np.sqrt(max(rows, 1)))
    return scores


def _among_past(highest: Vector) -> float:
    """Return how many are as high as the last one, itself among them: a share."""
    return float(np.mean(highest >= highest[-1]))


def _within(history: _History, place: int, reference: Runs) -> float:
    """Return the window's rank among all runs of days in the weeks before, and itself: a share."""
    window, runs = history.windows[[place]], windows.within(reference, history.how)
    found = distances.each_from_the_rest(history.columns, window, reference, runs)
    highest = _scores(np.nan_to_num(found), history.rows[place]).max(axis=0)
    return float(np.mean(highest >= highest[0]))


def _movers(history: _History, among: Matrix, scores: Matrix, highest: Vector) -> list[Mover]:
    """Return what stands out by itself, the farthest first: above all past windows' highest."""
    last, bound = scores[:, -1], highest[:-1].max()
    named = distances.measures(history.columns)
    order = [int(it) for it in np.argsort(-last, kind="stable") if last[it] > bound]
    return [
        Mover(
            named[it],
            float(among[it, -1]),
            float(np.quantile(among[it, :-1], _TYPICAL)),
            float(last[it]),
        )
        for it in order or [int(np.argmax(last))]
    ]


def since(looks: Sequence[Look]) -> Iterator[tuple[Look, int]]:
    """Yield each look that alarms, and the first day of the alarms that it stands with."""
    began = None
    for it in looks:
        began = (it.start if began is None else began) if it.alarm else None
        if began is not None:
            yield it, began
