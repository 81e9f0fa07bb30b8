"""The verdict: each sentence stands exactly when the figures say so."""

from typing import Any

import pytest

from mlrails.reporting.wording import metric_verdict, verdict

PART = {"rows": 5562, "from": "2013-09-01", "to": "2013-10-31"}
GAINS = {"beaten": (0.02, 0.04), "as good": (-0.01, 0.03), "better": (-0.04, -0.02)}


def findings(**gains: tuple[float | None, float | None]) -> dict[str, Any]:
    """Return findings in which the model's gain over each baseline has this interval."""

    def figure(low: float | None, high: float | None) -> dict[str, float | None]:
        return {"value": ((low or 0.0) + (high or 0.0)) / 2, "low": low, "high": high}

    metric = {
        "title": "Area under ROC",
        "models": {"model": figure(0.68, 0.72)},
        "gains": {name.replace("_", " "): figure(*ends) for name, ends in gains.items()},
    }
    return {"primary": "a", "confidence": 0.9, "parts": {"test": PART}, "test": {"a": metric}}


def test_a_victory_names_the_closest_baseline_and_the_rows() -> None:
    assert verdict(findings(constant_rate=(0.14, 0.24), ridge_regression=(0.02, 0.04))) == (
        "Beats all 2 baselines on area under ROC, the closest of them, ridge regression, by 0.030 "
        "(90% interval 0.020 to 0.040), on 5,562 rows from 1 September to 31 October 2013."
    )


def test_one_beaten_baseline_is_named_alone() -> None:
    assert verdict(findings(constant_rate=(0.14, 0.24))).startswith(
        "Beats the constant rate by 0.190 area under ROC (90% interval 0.140 to 0.240) on 5,562"
    )


@pytest.mark.parametrize("relation", GAINS)
def test_as_good_is_said_exactly_when_a_baseline_is_as_good(relation: str) -> None:
    found = findings(constant_rate=(0.1, 0.2), ridge_regression=GAINS[relation])
    for said in (verdict(found), metric_verdict(found["test"]["a"])):
        assert ("Ridge regression is as good on area under ROC." in said) == (relation == "as good")
        assert ("Ridge regression is better on area under ROC." in said) == (relation == "better")
    every = metric_verdict(found["test"]["a"]) == "The model beats every baseline."
    assert every == (relation == "beaten")


def test_a_defeat_is_called_one() -> None:
    said = verdict(findings(constant_rate=GAINS["as good"], mean_of_the_hour=GAINS["as good"]))
    assert said.startswith("Beats no baseline: area under ROC is 0.700 (0.680 to 0.720) on 5,562")
    assert said.endswith(
        "The constant rate and the mean of the hour are as good on area under ROC."
    )


def test_without_an_interval_no_baseline_is_called_beaten_or_as_good() -> None:
    said = verdict(findings(constant_rate=(None, None)))
    assert said.startswith("Whether a baseline is beaten nobody can tell without an interval:")
    assert "as good" not in said


def test_a_gain_that_is_barely_above_zero_is_not_written_as_zero() -> None:
    said = verdict(findings(constant_rate=(0.00012, 0.00042)))
    assert "by 0.0003 area under ROC (90% interval 0.0001 to 0.0004)" in said
