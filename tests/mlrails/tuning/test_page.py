"""What is told and drawn of a search."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from searches import SPACE

from mlrails.core.params import Task
from mlrails.evaluation.metrics import METRICS
from mlrails.tuning import charts, page, words
from mlrails.tuning.page import Result
from mlrails.tuning.space import Choices, Numbers, Space
from mlrails.tuning.trial import State, Trial

METRIC = METRICS[Task.CLASSIFICATION][0]


def whole(number: int, value: float, **values: Any) -> Trial:
    told = {"rate": 0.1, "leaves": 9, "kind": "a"} | values
    return Trial(number, told, True, State.WHOLE, value, (0.5, 0.4), seconds=30.0)


TRIALS = [
    whole(0, 0.70),
    whole(1, 0.75, rate=0.03, kind="b"),
    Trial(2, {"rate": 0.9, "leaves": 2, "kind": "a"}, True, State.PRUNED, None, (0.9,)),
    Trial(3, {"rate": 0.8, "leaves": 2, "kind": "a"}, True, State.FAILED, why="<b>no</b>"),
]
MATTERS = {"rate": 0.7, "kind": 0.295, "leaves": 0.005}
RESULT = Result("Flights", "f" * 64, METRIC, SPACE, TRIALS, TRIALS[1], MATTERS)


def test_the_page_needs_nothing_beside_itself_and_tells_what_was_found(tmp_path: Path) -> None:
    where, data = page.write(RESULT, tmp_path)
    text = where.read_text("utf-8")
    assert not re.findall(r"""(?:src|href)=["'](?!#)[^"']*""", text.replace("xlink:href", "href"))
    assert text.count("<figure>") == 3
    for said in ("Trial 1 is the best", "rate 70%, kind 30%", "rate 0.03, leaves 9, kind b"):
        assert said in text
    assert "leaves 0%" not in text
    told = json.loads(data.read_text("utf-8"))
    assert (told["best"], told["metric"]) == (1, METRIC.name)
    assert [it["state"] for it in told["trials"]] == ["whole", "whole", "given up", "failed"]
    assert told["trials"][3]["why"] == "<b>no</b>"


def test_neither_tells_a_figure_of_test_rows(tmp_path: Path) -> None:
    where, data = page.write(RESULT, tmp_path)
    for path in (where, data):
        found = re.findall(r"[^.:;]*\btest\b[^.:;]*", path.read_text("utf-8"))
        assert [it for it in found if "which no trial has seen" not in it] == []


@pytest.mark.parametrize(
    "left", [TRIALS[:1], [replace(TRIALS[0], drawn=False), TRIALS[2]], [TRIALS[0], whole(1, 0.7)]]
)
def test_a_search_of_which_there_is_little_to_draw_has_a_page_all_the_same(
    tmp_path: Path, left: list[Trial]
) -> None:
    where, _ = page.write(replace(RESULT, trials=left, best=left[0], importance={}), tmp_path)
    assert "The values stay as they were" in where.read_text("utf-8")


def test_there_is_no_mark_between_two_trials() -> None:
    axes = Figure().add_subplot()
    charts._history([whole(number, 0.5 + number / 100) for number in range(4)], True, "", axes)
    assert all(float(it).is_integer() for it in axes.get_xticks())


def test_names_and_choices_cannot_become_markup(tmp_path: Path) -> None:
    space = Space({"<i>": Choices(("<u>", "b")), "n": Numbers(1, 2)}, 9, 8, True)
    trials = [replace(whole(at, 0.1 * at), values={"<i>": "<u>", "n": 1}) for at in range(3)]
    result = replace(RESULT, space=space, trials=trials, best=trials[2], importance={"<i>": 1.0})
    text = page.write(result, tmp_path)[0].read_text("utf-8")
    assert "&lt;i&gt;" in text
    assert "<i>" not in text
    assert "<u>" not in text


def test_each_kind_of_end_has_its_line() -> None:
    told = [words.line(it, "4/50", "roc_auc", TRIALS[1]) for it in TRIALS]
    best = "; best 0.75 (trial 1)"
    assert told == [
        f"[4/50] trial 0: roc_auc 0.7{best}",
        f"[4/50] trial 1: roc_auc 0.75{best}",
        f"[4/50] trial 2: given up at step 1{best}",
        f"[4/50] trial 3: failed: <b>no</b>{best}",
    ]
    assert words.line(TRIALS[2], "1/9", "roc_auc", None) == "[1/9] trial 2: given up at step 1"
    assert words.counts(TRIALS) == "4 trials (2 whole, 1 given up, 1 failed)"


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ({"rate": 1.0}, ["high"]),
        ({"rate": 0.0105, "leaves": 40}, ["low", "high"]),
        ({"rate": 0.1}, []),
        ({"rate": 7.0}, []),
    ],
)
def test_a_best_value_at_the_end_of_its_axis_is_told(values: Any, ends: list[str]) -> None:
    told = list(words.at_an_edge(whole(1, 0.7, **values), SPACE))
    assert [re.findall(r"'tune\.space\.\w+\.(\w+)'", it) for it in told] == [[it] for it in ends]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (9000, "2.5 h")],
)
def test_how_long_it_takes_is_told_roughly(seconds: float, told: str) -> None:
    assert words.left(seconds) == told
