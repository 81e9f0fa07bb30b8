"""The gate's files: what they say, and what a name in the data cannot do to them."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contests import DIGESTS, bounds, contest, of_scores
from pages import Reader, rows_of_markdown

from mlrails.core.errors import Exit
from mlrails.gate import report
from mlrails.gate import verdict as gate_verdict
from mlrails.gate.checks import judge
from mlrails.gate.verdict import CHALLENGER, CHAMPION, Answer
from mlrails.reporting import svg

REGISTRY, REVISION = "sqlite:///mlflow.db", "origin/main"
SCRIPT, PIPES = "<script>alert(1)</script>", "a | *b* @someone"
PICTURE = Path("reports/gate/differences.svg")


def verdict(challenger: float = 2.0, champion: float | None = None) -> gate_verdict.Verdict:
    """Return a verdict on models of these errors; the best champion is as good as the champion."""
    rivals = {} if champion is None else {CHAMPION: champion, gate_verdict.BEST: champion}
    met = contest({CHALLENGER: challenger, **rivals})
    names = (DIGESTS[0], DIGESTS[1] if rivals else "")
    return judge(met, bounds(floors={"r2": 0.5}), [], names)


def no_rows() -> gate_verdict.Verdict:
    none = np.empty(0)
    names = (gate_verdict.CONSTANT, CHALLENGER, CHAMPION)
    return judge(of_scores(none, dict.fromkeys(names, none), 0), bounds(), [], DIGESTS)


def other_target() -> gate_verdict.Verdict:
    checks = [gate_verdict.Check("same target", False, None, None, "the champion predicts 'late'")]
    return gate_verdict.Verdict(Answer.REJECT, *DIGESTS, checks, {})


VERDICTS = {
    "promote": lambda: verdict(2.0, 2.1),
    "reject": lambda: verdict(3.0, 2.0),
    "undecided": lambda: verdict(2.5, 2.0),
    "first": verdict,
    "unchanged": lambda: gate_verdict.unchanged(DIGESTS[0]),
    "no rows": no_rows,
    "other target": other_target,
}
COMPARED = {"promote", "reject", "undecided"}
WITH_CHAMPION = {*COMPARED, "no rows", "other target"}


@pytest.fixture(params=VERDICTS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def written(found: gate_verdict.Verdict, root: Path) -> tuple[Any, str, str]:
    """Write a verdict; return its JSON, its Markdown and its HTML."""
    report.write(found, REGISTRY, REVISION, root)
    told, text, page = ((root / path).read_text("utf-8") for path in report.EVIDENCE)
    return json.loads(told), text, page


def plain(text: str) -> str:
    """Return what a reader sees, without the marks of the format."""
    return re.sub(r"\\|<[^>]*>|&[a-z#0-9]*;|[\"'`]", "", text)


def test_every_verdict_is_told_whole(kind: str, tmp_path: Path) -> None:
    found = VERDICTS[kind]()
    told, text, page = written(found, tmp_path)
    keys = ["verdict", "registry", "challenger", "champion", "bounds", "checks"]
    assert list(told)[: len(keys)] == keys
    assert told == found.to_json(REGISTRY, REVISION)
    assert gate_verdict.Verdict.from_json(told) == found
    for check in told["checks"]:
        assert list(check) == ["name", "passed", "value", "bound", "reason", "worse"]
    for shown in (plain(text), plain(page)):
        assert f"{found.answer.capitalize()}: " in shown
        assert REGISTRY in shown and f"bounds of {REVISION}" in shown
        assert DIGESTS[0][:12] in shown and (DIGESTS[1][:12] in shown) is (kind in WITH_CHAMPION)
        assert not re.search(r"\b(nan|None|inf)\b", shown)


def test_reasons_stand_at_the_top_and_every_check_in_the_table(kind: str, tmp_path: Path) -> None:
    found = VERDICTS[kind]()
    _, text, page = written(found, tmp_path)
    tables = Reader(page).rows, rows_of_markdown(text)
    for shown, table in zip((page, text), tables, strict=True):
        top = plain(shown.split("<h2>")[0].split("\n## ")[0])
        assert all(plain(reason)[1:] in top for reason in found.reasons())
        names = [row[0] for row in table]
        assert all(check.name in names for check in found.checks)


def test_the_picture_is_there_where_models_were_compared(kind: str, tmp_path: Path) -> None:
    _, text, page = written(VERDICTS[kind](), tmp_path)
    assert (tmp_path / PICTURE).is_file() is ("<svg" in page) is (kind in COMPARED)
    assert ("](gate/differences.svg)" in text) is (kind in COMPARED)


def test_without_a_picture_it_is_said_why(tmp_path: Path) -> None:
    _, first, _ = written(verdict(), tmp_path)
    _, other, _ = written(other_target(), tmp_path)
    assert "There is no champion to compare with" in first
    assert "Nothing could be compared" in other and "no champion" not in other


def test_the_page_asks_for_nothing(tmp_path: Path) -> None:
    *_, page = written(verdict(2.0, 2.0), tmp_path)
    reader = Reader(page)
    assert not {"script", "link", "img", "iframe", "object", "base"} & reader.tags
    assert all(reference.startswith("#") for reference in reader.references)
    assert not re.search(r"url\(|@import|https?:", page)


def test_a_model_that_is_shown_worse_within_the_margin_is_headed_so_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = verdict(2.2, 2.0)
    assert found.answer is Answer.PROMOTE
    by = -found.differences[CHAMPION].value
    words = f"hown worse by {by:.4f}, within the margin 0.5"
    _, text, page = written(found, tmp_path)
    assert f"- S{words}" not in plain(text)  # Once at the head is enough.
    for shown in (plain(text), plain(page)):
        assert f"Promote: this model may become champion, though s{words}" in shown
    report.announce(found, REGISTRY)
    _, second, *_ = capsys.readouterr().out.splitlines()
    assert second == f"  s{words}"


def test_a_name_of_several_lines_gives_the_forge_no_order(
    capsys: pytest.CaptureFixture[str],
) -> None:
    check = gate_verdict.Check("no slice worse", False, None, None, "a = b\n::stop-commands::c: d")
    report.announce(gate_verdict.Verdict(Answer.REJECT, *DIGESTS, [check], {}), REGISTRY)
    said = capsys.readouterr().out
    assert "::stop" in said and not any(it.startswith("::") for it in said.splitlines())


def test_slices_that_tell_nothing_are_listed(tmp_path: Path) -> None:
    found = replace(verdict(2.0, 2.1), undecided_slices={"origin = JFK": "90 rows, 500 are asked"})
    _, text, page = written(found, tmp_path)
    for table in (Reader(page).rows, rows_of_markdown(text)):
        assert ["origin = JFK", "90 rows, 500 are asked"] in [row[:2] for row in table]


def test_where_there_are_no_days_none_are_shown(tmp_path: Path) -> None:
    met = contest({CHALLENGER: 2.0, CHAMPION: 2.1})
    met = replace(met, scored=replace(met.scored, times=None))
    told, text, page = written(judge(met, bounds(), [], DIGESTS), tmp_path)
    assert told["differences"][CHAMPION]["days"] is None
    assert "on 1,600 rows" in text and "on 200 days" not in text + page
    assert "Days" not in text and "Days" not in page


def test_a_verdict_of_before_is_read_without_what_it_did_not_tell(kind: str) -> None:
    """A bundle may be older than the keys that were added."""
    told = VERDICTS[kind]().to_json(REGISTRY, REVISION)
    for name in ("figures", "undecided_slices", "remarks", "looks"):
        del told[name]
    for it in told["checks"]:
        del it["worse"]
    for it in told["differences"].values():
        del it["error"]
    found = gate_verdict.Verdict.from_json(told)
    assert (found.answer, found.figures, found.looks) == (told["verdict"], {}, None)


def test_names_in_the_data_stay_names(tmp_path: Path) -> None:
    met = contest({CHALLENGER: 3.5, CHAMPION: 2.0})
    labels = np.where(met.slices["half"] == "0", SCRIPT, PIPES)
    met = replace(met, slices={"half": labels})
    found = judge(met, bounds(), [], DIGESTS)
    _, text, page = written(found, tmp_path)
    reader = Reader(page)
    assert SCRIPT in " ".join(found.reasons())
    assert "script" not in reader.tags and SCRIPT not in (tmp_path / PICTURE).read_text("utf-8")
    assert not re.search(r"@\w|(?<!\\)<script", text)
    for rows in (reader.rows, rows_of_markdown(text)):
        assert {f"half = {SCRIPT}", f"half = {PIPES}"} <= {row[0] for row in rows}


def test_the_same_verdict_is_written_the_same(tmp_path: Path) -> None:
    found = verdict(2.0, 2.0)
    assert written(found, tmp_path / "a") == written(found, tmp_path / "b")


def test_the_verdict_is_written_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_short(*_: object) -> str:
        raise MemoryError

    monkeypatch.setattr(svg, "svg", cut_short)
    with pytest.raises(MemoryError):
        report.write(verdict(2.0, 2.0), REGISTRY, REVISION, tmp_path)
    assert not (tmp_path / report.VERDICT).exists()


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("promote", Exit.DONE),
        ("first", Exit.DONE),
        ("unchanged", Exit.DONE),
        ("reject", Exit.REJECT),
        ("undecided", Exit.UNDECIDED),
    ],
)
def test_it_is_said_in_a_few_lines(
    kind: str, code: Exit, capsys: pytest.CaptureFixture[str]
) -> None:
    found = VERDICTS[kind]()
    assert report.announce(found, REGISTRY) is code
    first, *reasons = capsys.readouterr().out.splitlines()
    assert first.startswith(f"gate: {found.answer}: model {DIGESTS[0][:12]}, ")
    assert ("no champion" in first) is (kind == "first")
    assert [line.strip() for line in reasons] == [*found.reasons(), *found.notes()]
