"""The page of other people's tables: what counts as an ending, and what as a defect."""

from typing import Any

import pytest

from tests.tables import page

SENTENCE = "0002.csv: column 'a|b': the target has the same value in every row (from row 1 on)"


def found(place: int, **more: Any) -> dict[str, Any]:
    base = {"place": place, "table": f"some/t{place}", "target": "y", "passed": []}
    return {**base, "ended": "adopt", "code": 0, "says": "", **more}


TRAINED = found(
    4,
    passed=["adopt", "tests", "ingest", "prepare", "train", "evaluate"],
    ended="evaluate",
    task="multiclass",
    by="group",
    rows=1234,
    metric="log_loss",
    figure={"value": 0.51234, "low": 0.4, "high": 0.6},
)


def test_one_error_that_has_changed_nothing_is_an_ending() -> None:
    assert page.is_refused(found(0, code=2, says=SENTENCE, left=""))
    assert not page.is_defect(found(0, code=2, says=SENTENCE, left=""))
    assert not page.is_defect(TRAINED)


@pytest.mark.parametrize(
    "more",
    [
        {"code": 2, "says": SENTENCE, "left": " M params.yaml"},
        {"code": 1, "says": "1 failed", "ended": "tests"},
        {"code": 70, "says": "Traceback (most recent call last):"},
        {"code": 1, "says": "Traceback (most recent call last):", "ended": "train"},
        {"code": -14, "says": ""},
    ],
)
def test_what_is_no_sentence_or_leaves_something_is_a_defect(more: dict[str, Any]) -> None:
    assert page.is_defect(found(0, **more))


def test_the_page_counts_the_last_try_of_each_table() -> None:
    tries = [
        found(2, code=70, says="Traceback"),
        found(2, code=2, says=SENTENCE),
        found(6, code=2, says=SENTENCE.replace("a|b", "c")),
        found(8, ended="no table"),
        TRAINED,
    ]
    text = page.written(tries)
    assert "| tried | 4 |" in text
    assert "| refused in one sentence by `adopt` | 2 |" in text
    assert "| **a defect**: a traceback, or red tests | 0 |" in text
    assert "| multiclass | group | 1 | 1 |" in text
    assert "| 1,234 | log_loss | 0.5123 (0.4 to 0.6) |" in text
    # Of two sentences of a kind the first one stands for both, in cells that hold.
    assert r"| 2 | 0002.csv: column 'a\|b': the target" in text
    assert "## Defects" not in text
