"""The page on metrics: made of what the engine knows, with examples that work."""

import re
from dataclasses import replace
from typing import Any

import metric_page
import numpy as np
import pytest
import yaml
from metric_page import PAGE, drawn, listed

from mlrails.core.params import Evaluation, Task
from mlrails.evaluation import selection

TEXT = PAGE.read_text("utf-8")
USUAL = {"confidence": 0.95, "resamples": 1000}


def blocks(kind: str) -> list[str]:
    return re.findall(rf"(?s)```{kind}\n(.*?)```", TEXT)


def test_the_page_on_metrics_tells_todays() -> None:
    # Where not: `nox -s docs` draws it anew.
    assert drawn(TEXT) == TEXT
    for task in Task:
        table = TEXT.partition(f"<!-- {task} -->")[2].partition("<!-- end")[0]
        assert re.findall(r"(?m)^\| `(\w+)`", table) == [*listed(task)]


def test_of_each_metric_it_says_when_to_choose_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert metric_page.missing() == []
    others = {name: it for name, it in metric_page.WHEN[Task.REGRESSION].items() if name != "mae"}
    monkeypatch.setitem(metric_page.WHEN, Task.REGRESSION, {**others, "mape": "never"})
    assert metric_page.missing() == ["regression: mae", "regression: mape"]


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("title", "Another"),
        ("unit", "others"),
        ("least", 0.5),
        ("most", 2),
        ("higher_is_better", False),
        ("of_calls", True),
    ],
)
def test_a_metric_that_changes_is_seen(
    what: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = listed(Task.CLASSIFICATION)["roc_auc"]
    monkeypatch.setattr(
        metric_page,
        "listed",
        lambda task: {**listed(task), "roc_auc": replace(first, **{what: value})},
    )
    assert drawn(TEXT) != TEXT


def test_its_params_are_params() -> None:
    found = [yaml.safe_load(it)["evaluation"] for it in blocks("yaml")]
    rules = [Evaluation(**USUAL, **it) for it in found]
    primary = [selection.primary(Task.CLASSIFICATION, it).name for it in rules]
    assert primary == ["average_precision", "cost", "roc_auc"]
    assert rules[-1].refits == 5  # as the page goes on to say
    costs = rules[1].costs
    assert costs == metric_page.COSTS
    assert f"{costs.false_alarm / (costs.false_alarm + costs.miss):.2f} here" in TEXT


def test_its_metric_of_one_s_own_is_one() -> None:
    (code,) = blocks("python")
    told: dict[str, Any] = {}
    exec(code, told)  # noqa: S102 - the page's own
    rules = Evaluation(**USUAL, primary="lopsided")
    metric = selection.primary(Task.REGRESSION, rules, told["METRICS"])
    target, prediction = np.array([1.0, 5.0]), np.array([3.0, 4.0])
    assert metric.whole(target, prediction) == (2 + 2 * 1) / 2
    assert f"`evaluation.primary: {metric.name}`" in TEXT
