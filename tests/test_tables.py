"""The page of other people's tables: what counts as an ending, and what as a defect."""

from typing import Any

import pytest

from tests.tables import in_use, outcomes, page

SENTENCE = "0002.csv: column 'a|b': the target has the same value in every row (from row 1 on)"


def found(place: int, **more: Any) -> dict[str, Any]:
    base = {"place": place, "table": f"some/t{place}", "target": "y", "passed": []}
    return {**base, "ended": "adopt", "code": 0, "says": "", **more}


ABOUT = {"task": "multiclass", "by": "group", "rows": 1234}
ENDED = {
    **ABOUT,
    "passed": ["adopt", "tests", "ingest", "prepare", "train", "evaluate"],
    "ended": "evaluate",
}


def test_one_error_that_has_changed_nothing_is_an_ending() -> None:
    assert page.is_refused(found(0, code=2, says=SENTENCE, left=""))
    assert not page.is_defect(found(0, code=2, says=SENTENCE, left=""))
    assert not page.is_defect(found(0, **ENDED))


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
        found(0, ended="no table"),
        found(2, code=70, says="Traceback"),
        found(2, code=2, says=SENTENCE),
        found(4, code=2, says=SENTENCE.replace("a|b", "c")),
        *(found(place, **ENDED) for place in page.PLACES[3:]),
    ]
    text = page.written(tries)
    assert "All 1,147 were tried." in text
    assert "| the package lists it and has no such table | 1 |" in text
    assert "| refused in one sentence by `adopt` | 2 |" in text
    assert "| **a defect**: a traceback, or red tests | 0 |" in text
    assert "| multiclass | group | 1144 | 1144 |" in text
    # Of two sentences of a kind the first one stands for both, in cells that hold.
    assert r"| 2 | 0002.csv: column 'a\|b': the target" in text
    assert "## Defects" not in text


def test_the_page_says_how_many_were_tried_and_which() -> None:
    adopted = [found(place, passed=["adopt"], **ABOUT) for place in page.PLACES[::4]]
    trained = [found(place, **ENDED) for place in page.PLACES[::16]]
    text = page.written([*adopted, *trained, found(2, **ENDED), found(10, code=2, says=SENTENCE)])
    assert "Of the 1,147 so far **289** were tried: every 4th and 2 between." in text
    halves = page.written([found(place, **ENDED) for place in page.PLACES[::2]])
    assert "were tried: every 2nd. Of the" in halves
    assert "Of the 288 that were adopted\n**73** went on to their tests and stages." in text
    assert "| adopted | 288 |" in text
    assert "| of these, went on to their tests and stages | 73 |" in text
    assert "| all four stages pass | 73 of 73 |" in text


def test_a_table_with_red_tests_is_told_of() -> None:
    red = found(0, **ABOUT, passed=["adopt"], ended="tests", code=1, says="1 failed")
    text = page.written([red, *(found(place, **ENDED) for place in page.PLACES[1:])])
    assert "| the project's own tests are green | 1146 of 1147 |" in text
    assert "| **a defect**: a traceback, or red tests | 1 |" in text
    assert "| some/t0 | tests | 1 failed |" in text


def test_the_page_shows_figure_and_answer_of_each_model_in_use() -> None:
    figure = {"value": 0.51234, "low": 0.4, "high": 0.6}
    far = {"figure": figure, "answer": '{"prediction": 1}', "reproduced": "identical bytes"}
    text = page.all_the_way([found(4, **ENDED, metric="log_loss", **far), found(6)])
    assert '| 1,234 | log_loss | 0.5123 (0.4 to 0.6) | {"prediction": 1} | identical' in text
    assert "t6" not in text


def test_the_page_says_why_the_gate_let_a_model_not_pass() -> None:
    says = "promote: gate: reject: model 1, no champion, in STORE\n  floor: .5 of .6\n  Loss 3\n"
    figure = {"value": 3.1, "low": 2, "high": 4}
    stopped = page.compact_in_use(
        found(8, **ENDED, metric="log_loss", figure=figure) | {"says": says}
    )
    promoted = found(4, **ENDED, metric="m", figure=figure, answer="", reproduced="")
    text = page.all_the_way([promoted, stopped])
    assert "| some/t8 | multiclass | group | 1,234 | reject | floor: .5 of .6; Loss 3 |" in text
    assert "STORE" not in text
    assert "verdict" not in page.compact_in_use(found(8, says="promote: error: no disk"))


def test_a_run_that_is_broken_off_has_tried_a_regular_part() -> None:
    tables = [found(place) for place in page.PLACES]
    half = outcomes.spread(tables)[:574]
    assert {it["place"] for it in half} == {*page.PLACES[::2]}
    assert page.regular(half) == page.PLACES[::2]
    assert sorted(it["place"] for it in outcomes.spread(tables)) == [*page.PLACES]


def test_answers_are_alike_but_for_the_last_bits_of_their_numbers() -> None:
    said = {"prediction": "a", "probability_a": 0.3852233488594239}
    assert in_use.alike(said, said | {"probability_a": 0.38522334885942394})
    assert not in_use.alike(said, said | {"probability_a": 0.38522335})
    assert not in_use.alike(said, said | {"prediction": "b"})
    assert not in_use.alike(said, {"prediction": "a"})


def test_a_table_that_a_person_stopped_is_tried_again() -> None:
    assert not outcomes.enough(found(0, code=-15), outcomes.STEPS)
    assert outcomes.enough(found(0, code=-27), outcomes.STEPS)
    assert outcomes.enough(found(0, code=2, says=SENTENCE), outcomes.STEPS)
    assert not outcomes.enough(found(0, passed=["adopt"]), outcomes.STEPS)
    assert outcomes.enough(found(0, passed=["adopt"]), outcomes.STEPS[:1])


def test_the_page_is_what_is_drawn_of_the_outcomes() -> None:
    ends, far = page.lines(page.ENDS), page.lines(page.IN_USE)
    assert page.PAGE.read_text("utf-8") == page.written(ends, far)
    # Nothing of it is an end that none should come to.
    assert [it["table"] for it in ends if page.is_defect(it)] == []
    assert [it["table"] for it in far if not {"reproduced", "verdict"} & {*it}] == []
