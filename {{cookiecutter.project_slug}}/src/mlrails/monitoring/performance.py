"""Looks at outcomes, window by window, and the figures of each window: what came, what was guessed.

Only days count whose time is over: fast outcomes are not like slow ones, so a day of which some
have come tells a tale of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.params import Task
from ..data.arrays import Vector
from ..evaluation import outcomes
from ..evaluation.metrics import METRICS, Metric
from . import estimate, labels
from .days import Days, Runs
from .estimate import Record
from .labels import Comparison, Ratio
from .windows import Plan


@dataclass(frozen=True, eq=False)
class Known:
    """Rows with their scores, and with outcomes as far as they are known."""

    task: Task
    metric: Metric
    day: Days
    score: np.ndarray
    target: Vector
    """(rows,); NaN where it is not known."""
    held_out: np.ndarray
    """Rows (rows,) that the model was judged by, and has not learnt from."""
    days: int
    known: int
    """The first day after those that the model is known by."""
    due: int
    """The first day whose outcomes need not be there yet."""

    @property
    def counts(self) -> np.ndarray:
        """Which rows (rows,) tell how good the model is."""
        fresh = self.held_out | (self.day >= self.known)
        found: np.ndarray = np.isfinite(self.target) & fresh & (self.day < self.due)
        return found

    @property
    def shown(self) -> Metric:
        """The metric that is told: one of scores, which can be estimated."""
        return METRICS[self.task][0] if self.metric.of_calls else self.metric


@dataclass(frozen=True)
class OutcomeLook:
    """What the outcomes of a window say, and those of all days since the reference."""

    start: int
    end: int
    alone: Comparison
    together: Comparison

    @property
    def alarm(self) -> bool | None:
        """Whether one of both alarms; None where neither can be told."""
        found = [it.alarm for it in (self.alone, self.together) if it.alarm is not None]
        return any(found) if found else None

    @property
    def strongest(self) -> Comparison:
        """The one that is the less likely by chance."""
        return min(
            (self.alone, self.together), key=lambda it: 2 if it.chance is None else it.chance
        )


def look(of: Known, windows: Runs, how: Plan, seed: int) -> list[OutcomeLook]:
    """Look at the outcomes of each whole window after the reference, once its time is over."""
    found = _ratios(of)
    day = np.arange(of.days)
    reference = day < of.known
    error = how.error_of_outcomes / 2
    looks = []
    for start, end in windows[(windows[:, 0] >= of.known) & (windows[:, 1] <= of.due)].tolist():
        new, since = (day >= start) & (day < end), (day >= of.known) & (day < end)
        alone = labels.compare(found, reference, new, error, seed)
        first = start == of.known
        together = alone if first else labels.compare(found, reference, since, error, seed)
        looks.append(OutcomeLook(start, end, alone, together))
    return looks


def _ratios(of: Known) -> list[Ratio]:
    rows = of.counts
    target, score, day = of.target[rows], of.score[rows], of.day[rows]
    plain = outcomes.plain(target, score)
    reference = plain.score[day < of.known]
    center = float(reference.mean()) if len(reference) else 0.0
    return labels.ratios(of.task, target, score, day, of.days, center)


@dataclass(frozen=True)
class Window:
    """The figures of one window."""

    start: int
    end: int
    rows: int
    labelled: int
    predicted: float
    actual: float
    came: float
    estimated: float


def figures(of: Known, windows: Runs) -> list[Window]:
    """Return the figures of windows; a window without outcomes has NaN in their place.

    In-sample rows say nothing of how good a model is, so only held-out and new ones count.
    """
    fresh = of.held_out | (of.day >= of.known)
    plain, counts = outcomes.plain(np.nan_to_num(of.target), of.score), of.counts
    found = []
    for start, end in windows.tolist():
        within = (of.day >= start) & (of.day < end)
        rows, told = within & fresh, within & counts
        actual = float(plain.target[told].mean()) if told.any() else float("nan")
        found.append(
            Window(
                *(start, end, int(within.sum()), int(told.sum())),
                float(plain.score[rows].mean()) if rows.any() else float("nan"),
                actual,
                estimate.came(of.shown, of.target[told], of.score[told]),
                _estimated(of, rows),
            )
        )
    return found


def _estimated(of: Known, rows: np.ndarray) -> float:
    if not estimate.is_tenable(of.task, of.shown):
        return float("nan")
    return estimate.estimate(of.task, of.shown, of.score[rows])


def record(found: Sequence[Window]) -> Record | None:
    """Return how good the estimates of windows were whose outcomes have come."""
    return estimate.record([it.estimated for it in found], [it.came for it in found])
