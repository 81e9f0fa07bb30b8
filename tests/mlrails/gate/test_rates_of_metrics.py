"""How often the gate is wrong where models are compared by another metric than the task's first.

    GATE_SIMULATIONS=1000 nox -s engine -- gate/test_rates_of_metrics.py

The holdouts are those of `holdouts.py`; what their loss takes from a metric is an integral again.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import holdouts
import numpy as np
import pytest
from holdouts import (
    ALIKE,
    EQUALS_PROMOTED,
    LEAST_DAYS,
    NOISE,
    ROWS_OF_DAY,
    SEPARATION,
    SIMULATIONS,
    SPREAD,
    USUAL,
    Holdout,
    World,
    asked,
    most,
)
from scipy import optimize, stats
from sklearn import metrics as reference

from mlrails.core.params import Costs, Evaluation, Task
from mlrails.evaluation import selection
from mlrails.evaluation.metrics import Metric
from mlrails.modeling import classes

EVENTS = 1.8 / 11.8
"""How many of the rows are events, by the beta distribution of days."""
CUT = 0.8
"""The score from which on an event is called."""
COSTS = Costs(false_alarm=1, miss=5)
PERCENT, QUANTILE = 90, 45.0
"""Which quantile is predicted, and what the champion says that it is."""
RULES = Evaluation(confidence=0.98, resamples=300, costs=COSTS)


def separation(world: World, loss: float | None) -> tuple[np.ndarray, float]:
    """Return how far up events are on each kind of day, and the deviation of scores on a day.

    Of the champion's without a loss.
    """
    if loss is None:
        return np.array([SEPARATION]), 1.0
    return SEPARATION - loss - SPREAD * world.every_day(400), float(np.hypot(1, NOISE))


def called(world: World, loss: float | None) -> tuple[float, float]:
    """Return which shares of all rows are events that are called, and false alarms."""
    up, wide = separation(world, loss)
    hits = EVENTS * stats.norm.sf((CUT - up) / wide).mean()
    return float(hits), float((1 - EVENTS) * stats.norm.sf(CUT / wide))


def f1(world: World, loss: float | None) -> float:
    hits, alarms = called(world, loss)
    return 2 * hits / (hits + alarms + EVENTS)


def cost(world: World, loss: float | None) -> float:
    hits, alarms = called(world, loss)
    return -(COSTS.false_alarm * alarms + COSTS.miss * (EVENTS - hits))


def average_precision(world: World, loss: float | None) -> float:
    """Integrate the precision at each score over the scores of events."""
    up, wide = separation(world, loss)
    at = np.linspace(-6, 8, 800)
    events = EVENTS * stats.norm.sf((at[:, None] - up) / wide).mean(axis=1)
    others = (1 - EVENTS) * stats.norm.sf(at / wide)
    density = stats.norm.pdf((at[:, None] - up) / wide).mean(axis=1) / wide
    return float(np.trapezoid(density * events / (events + others), at))


def pinball(world: World, loss: float | None) -> float:
    """Average over days, which differ in the size of errors; a loss makes all errors larger."""
    size = holdouts.SIZE * np.sqrt(stats.gamma.ppf((np.arange(400) + 0.5) / 400, 3) / 3)
    off = QUANTILE / size
    above = size * (stats.norm.pdf(off) - off * stats.norm.sf(off))
    below = above + QUANTILE  # as the mean error is −QUANTILE
    share = PERCENT / 100
    return -(1 + (loss or 0.0)) * float(np.mean(share * above + (1 - share) * below))


@cache
def lead() -> np.ndarray:
    """Return how many nats what came true is ahead of the likeliest other class, by the champion.

    A class of probability p that loses s nats to the others in proportion is behind another one
    of probability q from s = −log(q / (p(1 − p + q))) on. The rows are many, and drawn apart.
    """
    target, champion, *_ = holdouts.told_apart(USUAL, 4000, 0.0, np.random.default_rng(99), 100)
    place = np.arange(len(target)), target.astype(int)
    right, others = champion[place], champion.copy()
    others[place] = 0
    other = others.max(axis=1)
    return np.asarray(-np.log(other / (right * (1 - right + other))))


def macro_f1(world: World, loss: float | None) -> float:
    """Classes that are all alike have an F1 each that is the share of right calls."""
    if loss is None:
        return float(np.mean(lead() > 0))
    at = np.linspace(-0.5, 1, 1501)
    slip = loss + holdouts.NATS * world.every_day(400)
    below = stats.norm.cdf((at[:, None] - slip) / holdouts.NATS_OF_ROW).mean(axis=1)
    return float(np.interp(lead(), at, below).mean())


def of_quantile(*how: object) -> Holdout:
    """Return a holdout on which both say a quantile, the challenger with larger errors."""
    target, _, more, day = holdouts.erring(*how)
    champion = np.full(len(day), QUANTILE)
    return target, champion, champion + more / target * (target - champion), day


def calls(*how: object) -> Holdout:
    """Return a holdout of events with what is called in the place of scores."""
    target, champion, challenger, day = holdouts.ranked(*how)
    return target, *(np.where(it >= CUT, 1.0, 0.0) for it in (champion, challenger)), day


@dataclass(frozen=True)
class Chosen:
    """A metric that counts: whose holdouts, the population's figure, and what may be lost of it."""

    name: str
    task: Task
    drawn: Callable[..., Holdout]
    truth: Callable[[World, float | None], float]
    """Higher where the model is better."""
    theirs: Callable[[np.ndarray, np.ndarray], float]
    """The same of a sample, by scikit-learn."""
    error: float
    """The standard error of a difference on 61 days."""

    @property
    def metric(self) -> Metric:
        """The project's."""
        return selection.named(self.name, "", self.task, RULES)

    @property
    def margin(self) -> float:
        """As many standard errors as those of the tasks' first metrics are."""
        return 5 * self.error


def theirs_of_cost(target: np.ndarray, called: np.ndarray) -> float:
    (_, alarms), (missed, _) = reference.confusion_matrix(target, called, normalize="all")
    return -(COSTS.false_alarm * alarms + COSTS.miss * missed)


EVENT, NUMBER, SEVERAL = Task.CLASSIFICATION, Task.REGRESSION, Task.MULTICLASS
CHOSEN = (
    Chosen(
        "average_precision",
        EVENT,
        holdouts.ranked,
        average_precision,
        reference.average_precision_score,
        0.003,
    ),
    Chosen("f1", EVENT, calls, f1, reference.f1_score, 0.0046),
    Chosen("cost", EVENT, calls, cost, theirs_of_cost, 0.0057),
    Chosen(
        f"pinball_{PERCENT}",
        NUMBER,
        of_quantile,
        pinball,
        lambda *it: -reference.mean_pinball_loss(*it, alpha=PERCENT / 100),
        0.016,
    ),
    Chosen(
        "macro_f1",
        SEVERAL,
        holdouts.told_apart,
        macro_f1,
        lambda target, it: reference.f1_score(target, classes.likeliest(it), average="macro"),
        0.0022,
    ),
)


@cache
def loss(world: World, truth: Callable[[World, float | None], float], gap: float) -> float:
    """Return what costs the challenger so much of the champion's figure."""
    asked = truth(world, None) - gap
    return float(optimize.brentq(lambda it: truth(world, it) - asked, -0.4, 0.8, xtol=1e-9))


@pytest.fixture(params=CHOSEN, ids=lambda it: it.name)
def chosen(request: pytest.FixtureRequest) -> Chosen:
    """Return each metric in turn."""
    found: Chosen = request.param
    return found


def judged(
    chosen: Chosen, world: World, size: tuple[int, int], gap: float, by: str, seed: int
) -> bool | None:
    rng = np.random.default_rng([seed, *size])
    lost = loss(world, chosen.truth, gap)
    *rows, block = chosen.drawn(world, size[0], lost, rng, size[1])
    blocks = (block,) if by == "days" else (None, block)
    return asked(chosen.metric, chosen.margin, *rows, *blocks)


def answers(
    chosen: Chosen, cell: tuple[World, tuple[int, int], str], gap: float
) -> Counter[bool | None]:
    """Count the gate's answers on holdouts whose true gap is known."""
    world, size, by = cell
    found = Counter(judged(chosen, world, size, gap, by, it) for it in range(SIMULATIONS))
    print(f"{chosen.name}, {size} {by}, {world}, gap {gap}: {dict(found)} of {SIMULATIONS}")
    return found


CELLS = {
    "61 days": (USUAL, (61, ROWS_OF_DAY), "days"),
    f"{LEAST_DAYS} days": (USUAL, (LEAST_DAYS, ROWS_OF_DAY), "days"),
    "61 groups": (USUAL, (61, ROWS_OF_DAY), "groups"),
    "200 groups": (USUAL, (200, 20), "groups"),
    "61 days that are alike": (ALIKE, (61, ROWS_OF_DAY), "days"),
}
"""Days or groups, how many of them, and of how many rows each; `nox -s proof` tries all."""
TRIED = [*CELLS] if SIMULATIONS > 40 else [*CELLS][:1]
QUICK = [it for it in CHOSEN if SIMULATIONS > 40 or it.name in ("f1", "macro_f1", "pinball_90")]
each = pytest.mark.parametrize("chosen", QUICK, ids=lambda it: it.name)


@each
@pytest.mark.parametrize("cell", TRIED)
def test_of_challengers_worse_by_the_margin_at_most_one_in_twenty_is_promoted(
    chosen: Chosen, cell: str
) -> None:
    assert answers(chosen, CELLS[cell], chosen.margin)[True] <= most(0.05)


@each
@pytest.mark.parametrize("cell", TRIED[:4])
def test_equal_challengers_are_promoted_and_hardly_ever_rejected(chosen: Chosen, cell: str) -> None:
    found = answers(chosen, CELLS[cell], 0)
    assert found[False] <= most(0.01)
    assert SIMULATIONS - found[True] <= most(1 - EQUALS_PROMOTED)


@pytest.mark.parametrize("gap", [0, 1], ids=["equal", "worse"])
def test_the_gap_is_the_truth(chosen: Chosen, gap: int) -> None:
    """On very many days the difference is the gap but for its own error."""
    lost = loss(USUAL, chosen.truth, gap * chosen.margin)
    target, *scores, _ = chosen.drawn(USUAL, 4000, lost, np.random.default_rng(1))
    champion, challenger = (chosen.theirs(target, it) for it in scores)
    error = chosen.error * np.sqrt(61 / 4000)
    assert challenger - champion == pytest.approx(-gap * chosen.margin, abs=4 * error)


def test_the_metrics_are_scikit_learns(chosen: Chosen) -> None:
    target, *scores, _ = chosen.drawn(USUAL, 61, 0.0, np.random.default_rng(1))
    sign = 1 if chosen.metric.higher_is_better else -1
    ours = [sign * chosen.metric.whole(target, it) for it in scores]
    assert ours == pytest.approx([chosen.theirs(target, it) for it in scores])


def test_a_difference_is_as_uncertain_as_is_said(chosen: Chosen) -> None:
    lost = loss(USUAL, chosen.truth, chosen.margin)
    found = []
    for seed in range(40):
        target, *scores, _ = chosen.drawn(USUAL, 61, lost, np.random.default_rng(seed))
        champion, challenger = (chosen.theirs(target, it) for it in scores)
        found.append(challenger - champion)
    assert np.std(found, ddof=1) == pytest.approx(chosen.error, rel=0.3)
