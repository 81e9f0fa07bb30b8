"""What many looks at the same rows cost, by simulation."""

from functools import cache

import numpy as np
import pytest
from scipy import special, stats

from mlrails.evaluation import bootstrap
from mlrails.gate import judge

HOLDOUTS, DAYS, MOST = 200, 61, 50
ERROR, MARGIN, SHAPE = 0.0022, 0.01, 3
"""Of a difference of areas under ROC on these days, and the shape of what each day adds to it."""
ALIKE = 0.3
"""How far what a day adds to one challenger is what it adds to another: four flights' models."""


@cache
def passed() -> np.ndarray:
    """Tell which of 50 challengers, all worse by the margin, pass on a holdout. (holdouts, 50)."""
    rng = np.random.default_rng(1)
    shared, own = rng.normal(size=(HOLDOUTS, 1, DAYS)), rng.normal(size=(HOLDOUTS, MOST, DAYS))
    rank = special.ndtr(np.sqrt(ALIKE) * shared + np.sqrt(1 - ALIKE) * own)
    ranks = (np.arange(2000) + 0.5) / 2000
    bad = (np.interp(rank, ranks, stats.gamma.ppf(ranks, SHAPE)) - SHAPE) / np.sqrt(SHAPE)
    daily = -MARGIN - ERROR * np.sqrt(DAYS) * bad
    return np.array([[low(challenger) > -MARGIN for challenger in rows] for rows in daily])


def low(daily: np.ndarray) -> float:
    """Return the lower end of the gate's interval of a difference that is a mean of days."""
    wider = bootstrap.stretch(daily)
    error = float(daily.std(ddof=1)) / np.sqrt(DAYS) * wider
    return bootstrap.interval(float(daily.mean()), error, DAYS / wider**2, 0.98).low


@pytest.mark.parametrize("challengers", judge.CHANCES)
def test_one_of_so_many_worse_challengers_passes_as_often_as_is_told(challengers: int) -> None:
    found = int(passed()[:, :challengers].any(axis=1).sum())
    least, most = stats.binom.ppf([0.001, 0.999], HOLDOUTS, judge.CHANCES[challengers])
    assert least <= found <= most


def test_between_two_numbers_the_lower_one_counts() -> None:
    assert judge.cost_of_looks(1).chance == judge.cost_of_looks(4).chance == judge.CHANCES[1]
    assert (
        judge.cost_of_looks(5).chance == judge.CHANCES[5]
        and judge.cost_of_looks(999).chance == judge.CHANCES[50]
    )
