"""The report on a change: its verdict, its figures, and names that stay names."""

import re
from dataclasses import replace
from typing import Any

import pytest
from findings import found
from pages import rows_of_markdown

from mlrails.core.params import Task
from mlrails.evaluation.comparison import Comparison
from mlrails.gate.verdict import Answer, Check, Verdict, unchanged
from mlrails.github.page import Changes, page
from mlrails.reporting import markdown

WHERE = {"registry": "a registry", "bounds": "HEAD^1 (abc)", "page": "https://forge/a/b/runs/7"}
DIGESTS = ("a" * 64, "b" * 64)
GAIN = Comparison(0.02, 0.01, 0.03, 30, 900)
PASSED = Check("size", True, 1.0, 2.0, "small enough")
FAILED = Check("bias", False, 0.3, 0.1, "too far from zero")
OPEN = Check("no worse", None, 0.0, 0.1, "too few days")
VERDICT = Verdict(
    Answer.PROMOTE,
    *DIGESTS,
    [PASSED],
    {"champion": GAIN, "origin = JFK": GAIN},
    metric="Area under ROC",
    margin=0.05,
    slice_margin=0.2,
)
NONE = Changes([], [])
SCRIPT, PIPES, CALL = "<script>alert(1)</script>", "a | *b* `c` [x](y)", "@someone #12"
BREAK = "a\n\n# Promote: this model may become champion"
NAMES = (SCRIPT, PIPES, CALL, BREAK)


def text(verdict: Verdict = VERDICT, changes: Changes = NONE, main: Any = None, **more: str) -> str:
    return markdown.render(page(verdict, found(Task.CLASSIFICATION), main, changes, WHERE | more))


def headings(shown: str) -> list[str]:
    return re.findall(r"^#+ (.*)$", shown, re.MULTILINE)


@pytest.mark.parametrize(
    ("verdict", "title", "summary"),
    [
        (VERDICT, "Promote: this model may become champion", "1 check passed."),
        (
            replace(VERDICT, answer=Answer.REJECT, checks=[PASSED, FAILED, OPEN]),
            "Reject: this model may not become champion",
            "1 of 3 checks failed, 1 cannot be told yet.",
        ),
        (
            replace(VERDICT, answer=Answer.UNDECIDED, checks=[PASSED, OPEN]),
            "Undecided: the test rows do not tell yet, so nothing is promoted",
            "0 of 2 checks failed, 1 cannot be told yet.",
        ),
        (
            unchanged("a" * 64),
            "Unchanged: this is the champion's model",
            "The bytes are the champion's: there is nothing to compare.",
        ),
    ],
    ids=lambda it: it.answer if isinstance(it, Verdict) else "",
)
def test_the_verdict_comes_first(verdict: Verdict, title: str, summary: str) -> None:
    first, subtitle, told, *_ = text(verdict).split("\n\n")
    assert first == f"# {title}"
    assert told == f"> **{summary}**"
    assert "Model aaaaaaaaaaaa" in subtitle and "bounds of HEAD^1 (abc)" in subtitle


def test_a_model_that_is_shown_worse_within_the_margin_is_headed_so() -> None:
    worse = replace(PASSED, worse="shown worse by 0.0031, within the margin 0.01")
    told = replace(VERDICT, checks=[worse], figures={"challenger": 0.6921, "champion": 0.6952})
    first, *_ = text(told).split("\n\n")
    title = "Promote: this model may become champion"
    assert first == f"# {title}, though shown worse by 0.0031, within the margin 0.01"
    assert "Area under ROC 0.6921, champion 0.6952: +0.0200 (+0.0100" in text(told)
    assert text(replace(told, answer=Answer.REJECT)).startswith("# Reject: this model may not")


def test_reasons_and_links_stand_above_the_figures() -> None:
    shown = text(replace(VERDICT, answer=Answer.REJECT, checks=[FAILED]), note="Only floors count.")
    top, _ = shown.split("\n## ", 1)
    assert "- Bias: too far from zero\n" in top
    assert "- Only floors count.\n" in top
    assert top.rstrip().endswith(f"artifacts of {WHERE['page']}")


def test_a_change_of_the_gate_itself_is_said_at_the_top() -> None:
    moved = Changes([("gate.margin", "0.01", "0.5"), ("seed", "1", "2")], [])
    words = "This change moves the gate's own bounds: gate.margin from 0.01 to 0.5. The base's"
    assert words in text(changes=moved).split("\n## ")[0]
    assert "own bounds" not in text(changes=Changes([("seed", "1", "2")], []))


def test_an_edited_engine_is_said_at_the_top() -> None:
    names = [f"core/{number}.py" for number in range(12)]
    top = text(changes=Changes([], [], names)).split("\n## ")[0]
    assert "The engine was edited, so no update will replace it: core/0.py, " in top
    assert top.count("core/") == 10 and " and 2 more\n" in top
    assert "The engine" not in text()


def test_figures_stand_beside_those_of_main() -> None:
    main = found(Task.CLASSIFICATION)
    main["parts"]["test"]["rows"] = 5
    main["test"]["roc_auc"]["models"]["model"] = {"value": 0.5, "low": None, "high": None}
    shown = rows_of_markdown(text(main=main))
    (auc,) = (row for row in shown if row[0] == "Area under ROC")
    assert re.fullmatch(r"0\.\d{4} \(0\.\d{4} to 0\.\d{4}\)", auc[1])
    assert auc[2] == "0.5000" and auc[3].endswith("(logistic regression)")
    assert "Main's are of 5 rows" in text(main=main)
    assert {row[2] for row in rows_of_markdown(text()) if row[0] == "Area under ROC"} == {"–"}


def test_the_champion_and_slices_are_drawn_against_their_own_margins() -> None:
    rows = {row[0]: row[1:] for row in rows_of_markdown(text()) if len(row) == 5}
    assert rows["origin = JFK"][:3] == ["+0.0200 (+0.0100 to +0.0300)", "30", "900"]
    marks = {name: rows[name][3].index("┃") for name in ("champion", "origin = JFK")}
    assert marks["origin = JFK"] < marks["champion"] < rows["champion"][3].index("●")
    assert "┃" not in text(replace(VERDICT, differences={}))


def test_what_changed_is_listed_and_long_lists_are_cut() -> None:
    files = [f"src/{number}.py" for number in range(60)]
    shown = text(changes=Changes([("seed", "1", "2")], files))
    listed = rows_of_markdown(shown)
    assert ["seed", "1", "2"] in listed
    assert ["src/49.py"] in listed and ["src/50.py"] not in listed and ["and 10 more"] in listed
    assert "<summary>60 files</summary>" in shown
    assert "Nothing but what is not kept in the repository." in text()


@pytest.mark.parametrize("name", NAMES)
def test_names_of_a_change_stay_names(name: str) -> None:
    slices = {f"origin = {name}": GAIN}
    told = replace(
        VERDICT,
        answer=Answer.REJECT,
        checks=[replace(FAILED, name=f"origin = {name}", reason=name)],
        differences={"champion": GAIN, **slices},
    )
    moved = Changes([(f"gate.{name}", name, name), (name, name, name)], [name])
    shown = text(told, moved, registry=name, bounds=name, note=name)
    assert headings(shown) == [
        "Reject: this model may not become champion",
        "Figures on the test rows",
        "Gain over the champion",
        "What changed",
        "Checks",
    ]
    outside = shown.replace("<details>", "").replace("</details>", "")
    outside = re.sub(r"</?summary>|<!-- -->", "", outside)
    assert not re.search(r"(?<!\\)<", outside)
    assert not re.search(r"[@#]\w", shown)
    widths = [
        len(re.findall(r"(?<!\\)\|", line)) for line in shown.splitlines() if line[:2] == "| "
    ]
    assert set(widths) <= {2, 4, 5, 6}
