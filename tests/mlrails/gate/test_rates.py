"""How often the gate is wrong, by simulation of holdouts whose truth is known by construction.

    GATE_SIMULATIONS=2000 nox -s engine -- gate/test_rates.py

Rows without a time may be in a file that is sorted. Nothing of the project makes a holdout or
knows its truth: `holdouts.py` does, and scikit-learn's metrics vouch for it.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from holdouts import (
    ALIKE,
    AR,
    EQUALS_PROMOTED,
    HOLDOUTS,
    LEAST_DAYS,
    MARGIN,
    SIMULATIONS,
    SIZE,
    USUAL,
    World,
    asked,
    most,
)
from scipy import stats
from sklearn import metrics as reference

from mlrails.core.params import Task
from mlrails.evaluation import bootstrap
from mlrails.evaluation.metrics import METRICS

MEASURED = {
    Task.CLASSIFICATION: (0.0022, -0.8),
    Task.REGRESSION: (0.1, -1.4),
    Task.MULTICLASS: (0.002, -1.1),
}
"""A difference's standard error on 61 days, and the skew of what each day adds to it."""
RARE = {
    task: {"skewed": World(shape), "both": World(shape, AR)}
    for task, shape in zip(HOLDOUTS, (0.35, 0.7, 0.7), strict=True)
}
"""Days that give a difference a skew of −2.3."""


def passed(world: World, task: Task, days: int, gap: float, seed: int) -> bool | None:
    """Ask the gate about one holdout."""
    drawn = HOLDOUTS[task](world, days, gap, np.random.default_rng([seed, days]))
    return judged(task, *drawn)


def judged(task: Task, *rows: Any) -> bool | None:
    """Ask the gate by the task's first metric: target, scores, days and groups of rows."""
    return asked(METRICS[task][0], MARGIN[task], *rows)


def answers(world: World, task: Task, days: int, gap: float) -> Counter[bool | None]:
    """Count the gate's answers on holdouts whose true gap is known."""
    found = Counter(passed(world, task, days, gap, seed) for seed in range(SIMULATIONS))
    print(f"{task} {days} days, {world}, gap {gap}: {dict(found)} of {SIMULATIONS}")
    return found


@pytest.mark.parametrize(
    ("world", "days"), [(USUAL, LEAST_DAYS), (USUAL, 61), (ALIKE, 61)], ids=str
)
def test_of_challengers_worse_by_the_margin_at_most_one_in_twenty_is_promoted(
    task: Task, world: World, days: int
) -> None:
    assert answers(world, task, days, MARGIN[task])[True] <= most(0.05)


@pytest.mark.parametrize("days", [LEAST_DAYS, 61])
def test_equal_challengers_are_promoted_and_hardly_ever_rejected(task: Task, days: int) -> None:
    found = answers(USUAL, task, days, 0)
    assert found[False] <= most(0.01)
    assert SIMULATIONS - found[True] <= most(1 - EQUALS_PROMOTED)


@pytest.mark.parametrize(("world", "rate"), [("skewed", 0.06), ("both", 0.13)])
def test_with_days_of_a_rare_skew_the_promise_is_missed_by_what_is_said(
    task: Task, world: str, rate: float
) -> None:
    """Decision 0027 tells these rates: a quarter of similar pairs has such a skew."""
    found = answers(RARE[task][world], task, 61, MARGIN[task])
    assert found[True] <= most(rate)


def test_days_that_are_alike_would_break_the_promise_if_they_were_taken_for_independent(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same holdouts with the widening and without it; neighbours are very much alike here."""
    world, gap = World(alike=0.85), MARGIN[task]
    widened = answers(world, task, 61, gap)[True]
    monkeypatch.setattr(bootstrap, "stretch", lambda added: 1.0)
    assert max(widened, most(0.05)) < answers(world, task, 61, gap)[True]


def test_drawing_rows_instead_of_days_would_break_the_promise(task: Task) -> None:
    """A row's own number in the place of its day's: every row is a block of its own."""
    seen = Counter[bool | None]()
    for seed in range(SIMULATIONS // 2):
        rng = np.random.default_rng(seed)
        target, champion, challenger, day = HOLDOUTS[task](USUAL, 61, MARGIN[task], rng)
        group = rng.permutation(len(day)) % 200
        seen[judged(task, target, champion, challenger, group)] += 1
    assert seen[True] > 0.1 * SIMULATIONS / 2


Grouping = Callable[[np.ndarray], np.ndarray | None]
"""From the true group of each row to what the gate is told of it."""
GROUPS = {"61 groups": (61, 60), "200 groups": (200, 20), "731 groups": (731, 5)}
"""How many groups, of how many rows each."""
ALONE = (4000, 1)
"""Rows that share nothing: each is a group of its own."""


def of_groups(
    task: Task, size: tuple[int, int], gap: float, told: Grouping, by_target: bool = False
) -> Counter[bool | None]:
    """Count the answers on rows without a time, shuffled or sorted by their target."""
    seen = Counter[bool | None]()
    for seed in range(SIMULATIONS):
        rng = np.random.default_rng([seed, *size])
        target, *scores, group = HOLDOUTS[task](USUAL, size[0], gap, rng, size[1])
        order = rng.permutation(len(target))
        if by_target:
            order = np.lexsort((scores[0] if scores[0].ndim == 1 else scores[0][:, 0], target))
        rows = (it[order] for it in (target, *scores))
        seen[judged(task, *rows, None, told(group[order]))] += 1
    print(f"{task} {size}, gap {gap}, sorted {by_target}: {dict(seen)} of {SIMULATIONS}")
    return seen


def nothing(group: np.ndarray) -> None:
    """Tell the gate of no groups: it draws rows."""


def in_turn(group: np.ndarray) -> np.ndarray:
    """Number rows in the order of the file, as was done before there were groups."""
    return np.arange(len(group)) % 200


@pytest.mark.parametrize("size", GROUPS.values(), ids=GROUPS)
def test_of_challengers_worse_by_the_margin_groups_promote_at_most_one_in_twenty(
    task: Task, size: tuple[int, int]
) -> None:
    found = of_groups(task, size, MARGIN[task], lambda group: group)
    assert found[True] <= most(0.05)


@pytest.mark.parametrize("size", GROUPS.values(), ids=GROUPS)
def test_groups_promote_equal_challengers_and_hardly_ever_reject_them(
    task: Task, size: tuple[int, int]
) -> None:
    found = of_groups(task, size, 0, lambda group: group)
    assert found[False] <= most(0.01)
    assert SIMULATIONS - found[True] <= most(1 - EQUALS_PROMOTED)


def test_rows_of_groups_that_are_not_told_would_break_the_promise() -> None:
    """What the gate did of 200 patients before it knew of them."""
    task = Task.REGRESSION
    told = of_groups(task, (200, 20), MARGIN[task], lambda group: group)[True]
    untold = of_groups(task, (200, 20), MARGIN[task], nothing)[True]
    assert untold > max(told, 0.1 * SIMULATIONS)


@pytest.mark.parametrize("by_target", [False, True], ids=["shuffled", "sorted"])
def test_of_rows_that_share_nothing_the_promise_holds_whatever_their_order(
    task: Task, by_target: bool
) -> None:
    found = of_groups(task, ALONE, MARGIN[task], nothing, by_target)
    assert found[True] <= most(0.05)


def stretched(told: Grouping) -> Counter[bool | None]:
    """Count the answers on a file that is sorted by what the challenger gets wrong.

    Its error is the champion's and a little more, so the gap is known of every row, and a file is
    as bad for it as its rows are large.
    """
    task, seen = Task.REGRESSION, Counter[bool | None]()
    for seed in range(SIMULATIONS):
        error = np.sort(SIZE * np.random.default_rng(seed).normal(size=ALONE[0]))
        group = told(np.arange(len(error)))
        more = -MARGIN[task] / SIZE * error
        seen[judged(task, error, np.zeros(len(error)), more, None, group)] += 1
    print(f"sorted, gap {MARGIN[task]}: {dict(seen)} of {SIMULATIONS}")
    return seen


def test_blocks_in_the_order_of_a_sorted_file_would_break_the_promise() -> None:
    """Blocks that are all alike have intervals as narrow as if nothing were by chance."""
    assert stretched(nothing)[True] <= most(0.05)
    assert stretched(in_turn)[True] > 0.2 * SIMULATIONS


def area(target: np.ndarray, scores: np.ndarray) -> float:
    """Return the area under ROC from the ranks of the events."""
    ranks, events = stats.rankdata(scores)[target > 0], np.sum(target > 0)
    return float((ranks.mean() - (events + 1) / 2) / (len(target) - events))


def figure(task: Task, target: np.ndarray, scores: np.ndarray) -> float:
    """Return the metric, higher where the model is better."""
    if task is Task.CLASSIFICATION:
        return area(target, scores)
    if task is Task.MULTICLASS:
        return float(np.log(scores[np.arange(len(target)), target.astype(int)]).mean())
    return -float(np.sqrt(np.mean((target - scores) ** 2)))


def test_the_figures_here_are_scikit_learns(task: Task) -> None:
    target, champion, challenger, _ = HOLDOUTS[task](USUAL, 61, 0.0, np.random.default_rng(1))
    ours = [figure(task, target, it) for it in (champion, challenger)]
    of_task = {
        Task.CLASSIFICATION: reference.roc_auc_score,
        Task.REGRESSION: lambda *it: -reference.root_mean_squared_error(*it),
        Task.MULTICLASS: lambda *it: -reference.log_loss(*it),
    }
    theirs = [of_task[task](target, it) for it in (champion, challenger)]
    assert ours == pytest.approx(theirs)


def test_the_holdouts_are_as_uncertain_and_as_skewed_as_the_flights(task: Task) -> None:
    """By the jackknife: what each day adds to the difference, as far as leaving it out tells."""

    def added(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        target, *scores, day = HOLDOUTS[task](USUAL, 61, MARGIN[task], rng)

        def gain(keep: np.ndarray) -> float:
            champion, challenger = (figure(task, target[keep], it[keep]) for it in scores)
            return challenger - champion

        whole = gain(day >= 0)
        return np.array([60 * (whole - gain(day != it)) for it in range(61)])

    found = [added(seed) for seed in range(15)]
    error, skew = MEASURED[task]
    assert np.mean([np.std(it, ddof=1) for it in found]) / 61**0.5 == pytest.approx(error, rel=0.15)
    assert np.median(stats.skew(found, axis=1)) == pytest.approx(skew, abs=0.5)


@pytest.mark.parametrize("world", [USUAL, World(0.35), World(alike=0.85)], ids=str)
def test_the_gap_is_the_truth(task: Task, world: World) -> None:
    """On very many days the difference is the gap but for its own error."""
    rng = np.random.default_rng(1)
    target, champion, challenger, _ = HOLDOUTS[task](world, 4000, MARGIN[task], rng)
    found = figure(task, target, challenger) - figure(task, target, champion)
    error = 2 * MEASURED[task][0] * np.sqrt(61 / 4000)
    assert found == pytest.approx(-MARGIN[task], abs=4 * error)
