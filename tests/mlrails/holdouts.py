"""Holdouts of two made-up models whose truth is known by construction, for the gate to judge.

Days differ in how much worse the challenger is, with a skew to the bad side, and rows of one day
share it; bad days may follow each other. Groups, such as patients, differ as days do, and follow
nobody; a row that shares nothing is a group of its own. Standard errors and skew are those of
similar models on 61 days of flights. What a model loses on all days together is an integral.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import optimize, stats

from mlrails.core.params import Task
from mlrails.evaluation import comparison
from mlrails.evaluation.metrics import Metric
from mlrails.gate import verdict

SIMULATIONS = int(os.environ.get("GATE_SIMULATIONS", "40"))
MARGIN = {Task.CLASSIFICATION: 0.01, Task.REGRESSION: 0.5, Task.MULTICLASS: 0.01}
CONFIDENCE, RESAMPLES, LEAST_DAYS = 0.98, 300, 35
"""As in the `params.yaml` that this project began with, but for fewer resamples."""
EQUALS_PROMOTED = 0.75
"""How many of the equal challengers at the least."""
ROWS_OF_DAY = 60

SEPARATION, SPREAD, NOISE = 0.8, 0.055, 0.05
"""Of events from others in standard deviations, and how it differs by day and by row."""
SIZE, SLIP = 34.0, 0.019
"""Of errors in minutes, and how it differs by day."""
CLASSES, NATS, NATS_OF_ROW = 3, 0.0155, 0.01
"""How many are told apart, and how what a row loses, in nats, differs by day and by row."""

Holdout = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Target, champion's scores, challenger's scores, each row's day."""


@dataclass(frozen=True)
class World:
    """How days are: the shape of their gamma distribution, and how alike neighbours are."""

    shape: float = 3.0
    alike: float = 0.0

    def bad_days(self, days: int, rng: np.random.Generator) -> np.ndarray:
        """Return by how much each day is worse than most: mean 0, deviation 1, skewed.

        A normal AR(1) process, each value of which is put in the gamma's place of its own rank: so
        a single day is distributed alike, whatever the one before was.
        """
        normal = rng.normal(size=days)
        for day in range(1, days):
            before = self.alike * normal[day - 1]
            normal[day] = before + np.sqrt(1 - self.alike**2) * normal[day]
        return self.standard(stats.gamma.ppf(stats.norm.cdf(normal), self.shape))

    def standard(self, values: np.ndarray) -> np.ndarray:
        """Return gamma variates with mean 0 and deviation 1."""
        found: np.ndarray = (values - self.shape) / np.sqrt(self.shape)
        return found

    def area(self, loss: float) -> float:
        """Return the challenger's area under ROC in the population, by quadrature.

        Scores of others have deviation 1 on any day, those of events are further up by what the
        day leaves of the separation.
        """
        left = SEPARATION - loss - SPREAD * self.every_day()
        return float(np.mean(stats.norm.cdf(left / np.sqrt(2 + 2 * NOISE**2))))

    def every_day(self, count: int = 4000) -> np.ndarray:
        """Return by how much days are worse, at ranks that are equally far apart."""
        return self.standard(stats.gamma.ppf((np.arange(count) + 0.5) / count, self.shape))


@cache
def loss_of(world: World, gap: float) -> float:
    """Return what costs the challenger this much of the champion's area under ROC."""
    asked = stats.norm.cdf(SEPARATION / np.sqrt(2)) - gap
    return float(optimize.brentq(lambda loss: world.area(loss) - asked, -1, 1, xtol=1e-10))


def classified(
    world: World, days: int, gap: float, rng: np.random.Generator, rows: int = ROWS_OF_DAY
) -> Holdout:
    """Return a holdout on which the challenger's true area is smaller by the gap."""
    return ranked(world, days, loss_of(world, gap), rng, rows)


def ranked(
    world: World, days: int, loss: float, rng: np.random.Generator, rows: int = ROWS_OF_DAY
) -> Holdout:
    """Return a holdout on which the challenger parts events from others by so much less."""
    day = np.repeat(np.arange(days), rows)
    late = (rng.random(len(day)) < rng.beta(1.8, 10, days)[day]).astype(float)
    score = SEPARATION * late + rng.normal(size=len(day))
    off = (loss + SPREAD * world.bad_days(days, rng))[day] * late
    return late, score, score - off + NOISE * rng.normal(size=len(day)), day


def estimated(
    world: World, days: int, gap: float, rng: np.random.Generator, rows: int = ROWS_OF_DAY
) -> Holdout:
    """Return a holdout on which the challenger's true RMSE is larger by the gap."""
    return erring(world, days, np.sqrt((1 + gap / SIZE) ** 2 - SLIP**2) - 1, rng, rows)


def erring(
    world: World, days: int, loss: float, rng: np.random.Generator, rows: int = ROWS_OF_DAY
) -> Holdout:
    """Return a holdout on which the challenger's errors are the champion's times 1 + slip.

    The slip is the day's own, and the loss on the average.
    """
    day = np.repeat(np.arange(days), rows)
    slip = loss + SLIP * world.bad_days(days, rng)
    error = SIZE * np.sqrt(rng.gamma(3, size=days) / 3)[day] * rng.normal(size=len(day))
    return error, np.zeros(len(day)), -slip[day] * error, day


def told_apart(
    world: World, days: int, gap: float, rng: np.random.Generator, rows: int = ROWS_OF_DAY
) -> Holdout:
    """Return a holdout on which the challenger's true log-loss is larger by the gap.

    The champion gives the true chances; what the challenger gives to the class that came true is
    as much less as the day's own slip, in nats, and the others share the rest.
    """
    day = np.repeat(np.arange(days), rows)
    odds = rng.gamma(1.5, size=(len(day), CLASSES))
    champion = 0.05 + (1 - 0.05 * CLASSES) * odds / odds.sum(axis=1, keepdims=True)
    target = (rng.random((len(day), 1)) > champion.cumsum(axis=1)[:, :-1]).sum(axis=1)
    slip = (gap + NATS * world.bad_days(days, rng))[day] + NATS_OF_ROW * rng.normal(size=len(day))
    place = np.arange(len(day)), target
    right, kept = champion[place], champion[place] * np.exp(-slip)
    challenger = champion * ((1 - kept) / (1 - right))[:, None]
    challenger[place] = kept
    return target.astype(float), champion, challenger, day


HOLDOUTS: dict[Task, Callable[..., Holdout]] = {
    Task.CLASSIFICATION: classified,
    Task.REGRESSION: estimated,
    Task.MULTICLASS: told_apart,
}
AR = 0.53
"""Of the normal process; that of the skewed days themselves is .5."""
USUAL, ALIKE = World(), World(alike=AR)


def asked(
    metric: Metric,
    margin: float,
    target: np.ndarray,
    champion: np.ndarray,
    challenger: np.ndarray,
    day: np.ndarray | None,
    group: np.ndarray | None = None,
    weight: np.ndarray | None = None,
) -> bool | None:
    """Ask the gate whether the challenger is no worse than the champion by more than the margin."""
    times = None
    if day is not None:
        times = np.asarray(np.datetime64("2013-01-01") + day.astype("timedelta64[D]"))
    on = comparison.rows(target, times, RESAMPLES, 1, group, weight)
    found = comparison.gain(metric, challenger, champion, on, CONFIDENCE)
    return verdict.no_worse("", found, margin, LEAST_DAYS).passed


def most(rate: float) -> float:
    """Return the count that a rate which is kept exceeds in one of a thousand runs only."""
    return float(stats.binom.ppf(0.999, SIMULATIONS, rate))
