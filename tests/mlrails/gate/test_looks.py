"""What many looks at the same rows cost, by simulation."""

from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest
import rows
from scipy import special, stats

from mlrails.core.params import Gate
from mlrails.evaluation import bootstrap
from mlrails.gate.looks import CHANCES, SPENT, cost_of_looks, with_looks

HOLDOUTS, DAYS, MOST = 200, 61, 50
ERROR, MARGIN, SHAPE = 0.0022, 0.01, 3
"""Of a difference of areas under ROC on these days, and the shape of what each day adds to it."""
ALIKE = 0.3
"""How far what a day adds to one challenger is what it adds to another: four flights' models."""


@cache
def passed(looks: str) -> np.ndarray:
    """Tell which of 50 challengers, all worse by the margin, pass on a holdout. (holdouts, 50)."""
    gate = Gate(**rows.GATE | {"confidence": 0.98, "calibration": 0.02, "looks": looks})
    bounds = rows.parameters().model_copy(update={"gate": gate})
    asked = [with_looks(bounds, cost_of_looks(number + 1)) for number in range(MOST)]
    sure = [params.gate.confidence for params, _ in asked]
    return np.array(
        [
            [low(daily, at) > -MARGIN for daily, at in zip(challengers, sure, strict=True)]
            for challengers in worse()
        ]
    )


@cache
def worse() -> np.ndarray:
    """Return the daily differences of challengers that are worse by the margin."""
    rng = np.random.default_rng(1)
    shared, own = rng.normal(size=(HOLDOUTS, 1, DAYS)), rng.normal(size=(HOLDOUTS, MOST, DAYS))
    rank = special.ndtr(np.sqrt(ALIKE) * shared + np.sqrt(1 - ALIKE) * own)
    ranks = (np.arange(2000) + 0.5) / 2000
    bad = (np.interp(rank, ranks, stats.gamma.ppf(ranks, SHAPE)) - SHAPE) / np.sqrt(SHAPE)
    daily: np.ndarray = -MARGIN - ERROR * np.sqrt(DAYS) * bad
    return daily


def low(daily: np.ndarray, confidence: float) -> float:
    """Return the lower end of the gate's interval of a difference that is a mean of days."""
    wider = bootstrap.stretch(daily)
    error = float(daily.std(ddof=1)) / np.sqrt(DAYS) * wider
    return bootstrap.interval(float(daily.mean()), error, DAYS / wider**2, confidence).low


@pytest.mark.parametrize("challengers", CHANCES)
@pytest.mark.parametrize(("looks", "chances"), [("told", CHANCES), ("spent", SPENT)])
def test_one_of_so_many_worse_challengers_passes_as_often_as_is_told(
    challengers: int, looks: str, chances: Mapping[int, float]
) -> None:
    found = int(passed(looks)[:, :challengers].any(axis=1).sum())
    least, most = stats.binom.ppf([0.001, 0.999], HOLDOUTS, chances[challengers])
    assert least <= found <= most


def test_between_two_numbers_the_lower_one_counts() -> None:
    assert cost_of_looks(1).chance == cost_of_looks(4).chance == CHANCES[1]
    assert cost_of_looks(5).chance == CHANCES[5] and cost_of_looks(999).chance == CHANCES[50]
