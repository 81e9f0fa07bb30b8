"""How far refits lie apart, and when a gate's margin is less than that."""

import math

import pytest
from scipy import stats

from mlrails.refits import spread
from mlrails.refits.draws import Kind

SEEDS, SAMPLES = [0.72, 0.70, 0.71], [0.6, 0.66, 0.63]


def found(seeds: list[float]) -> dict[str, object]:
    return {"variation": spread.summary({Kind.SEED: seeds, Kind.SAMPLE: SAMPLES}, 0.95)}


def test_the_reach_is_that_of_an_interval_of_the_same_confidence() -> None:
    told = spread.summary({Kind.SEED: SEEDS, Kind.SAMPLE: SAMPLES}, 0.9)
    assert told["seed"]["mean"] == 0.71 and told["seed"]["sd"] == 0.01
    assert told["seed"]["reach"] == pytest.approx(stats.t.ppf(0.95, 2) * 0.01, abs=1e-6)
    assert told["sample"]["reach"] == pytest.approx(3 * told["seed"]["reach"], abs=3e-6)


def test_nobody_is_told_which_seed_was_the_lucky_one() -> None:
    assert found(SEEDS) == found(SEEDS[::-1])


def test_of_a_figure_that_is_not_defined_nothing_is_told() -> None:
    assert spread.summary({Kind.SEED: [0.7, math.nan, 0.7], Kind.SAMPLE: SAMPLES}, 0.95) == {}


def test_a_margin_that_the_seed_exceeds_is_told() -> None:
    reach = found(SEEDS)["variation"]["seed"]["reach"]  # type: ignore[index]
    told = spread.beyond(found(SEEDS), 0.01)
    assert f"±{reach:.4f}" in told and "the margin 0.01 is less" in told
    assert spread.beyond(found(SEEDS), reach) == ""
    assert spread.beyond(found([0.7] * 3), 1e-9) == ""
    assert spread.beyond({}, 0.01) == spread.beyond({"variation": {"refits": 5}}, 0.01) == ""
