"""The report's pages: what a name in the data cannot do, and what a page asks for."""

import re
from pathlib import Path
from typing import get_args

import pytest
from findings import drawn, found
from pages import Reader, rows_of_markdown

from mlrails.core.params import Task
from mlrails.reporting import blocks, charts, report
from mlrails.reporting import html as reporting_html
from mlrails.reporting import markdown as reporting_markdown

SCRIPT = "<script>alert(1)</script>"
NAMES = ("a | b", "*b* _i_ `c` [x](http://x.y)", "@someone #12 $x^2$ &lt; \\", "hm\x07 \u202eback")
LONG = "long " * 30


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the charts out, which saves the test's time."""
    monkeypatch.setattr(charts, "draw_charts", lambda _, names: dict.fromkeys(names, "<svg></svg>"))


def pages(folder: Path, task: Task, names: tuple[str, ...], **what: object) -> tuple[str, str]:
    """Write the report and return its Markdown and its HTML."""
    report.write({**found(task, names=names), **what}, folder)
    return (folder / "report.md").read_text("utf-8"), (folder / "report.html").read_text("utf-8")


def test_names_in_the_data_stay_names(tmp_path: Path) -> None:
    names = (SCRIPT, *NAMES, LONG)
    importance = {name: {"mean": 0.1, "sd": 0.01} for name in names}
    task = Task.CLASSIFICATION
    markdown, html = pages(tmp_path, task, names, target=SCRIPT, importance=importance)
    reader = Reader(html)
    assert "script" not in reader.tags
    for rows in (reader.rows, rows_of_markdown(markdown)):
        shown = {row[0] for row in rows}
        assert {SCRIPT, *NAMES[:3], "hm� �back"} <= shown
        (cut,) = (name for name in shown if name.startswith("long"))
        assert cut.endswith("…")
        assert len(cut) == 40


@pytest.mark.usefixtures("undrawn")
def test_markdown_calls_nobody_and_marks_nothing_up(tmp_path: Path) -> None:
    markdown, _ = pages(tmp_path, Task.CLASSIFICATION, NAMES)
    assert not re.search(r"[@#]\w", markdown)
    assert r"| \*b\* \_i\_ \`c\` \[x\](http://x.y) |" in markdown
    assert r"| a \| b |" in markdown


@pytest.mark.parametrize("task", Task)
def test_html_is_whole_and_asks_for_nothing(task: Task) -> None:
    html = (drawn(task) / "report.html").read_text("utf-8")
    reader = Reader(html)
    assert not {"script", "link", "img", "iframe", "object", "base"} & reader.tags
    assert {f"#{name}" for name in reader.ids} == set(reader.references)
    assert len(reader.ids) == len(set(reader.ids))
    assert not re.search(r"url\(|@import|https?:", html)
    assert len(html.encode()) < 300_000


@pytest.mark.usefixtures("undrawn")
def test_many_groups_are_cut_to_the_largest_and_the_rest_is_counted(tmp_path: Path) -> None:
    names = tuple(f"g{number:03}" for number in range(50))
    markdown, html = pages(tmp_path, Task.REGRESSION, names)
    assert "the 20 largest; 30 more are in metrics.json" in markdown
    for rows in (Reader(html).rows, rows_of_markdown(markdown)):
        groups = [row for row in rows if row[0] in names]
        assert len(groups) == 20
        assert all(row[-2:] == ["too few rows", ""] for row in groups)


@pytest.mark.usefixtures("undrawn")
def test_a_group_with_one_outcome_is_said_to_have_no_figure(tmp_path: Path) -> None:
    slices = found(Task.CLASSIFICATION)["slices"]
    slices["region"][0]["roc_auc"] = dict.fromkeys(("value", "low", "high"), float("nan"))
    markdown, _ = pages(tmp_path, Task.CLASSIFICATION, ("north", "south"), slices=slices)
    (north,) = (row for row in rows_of_markdown(markdown) if row[0] == "north")
    assert north[-2:] == ["one outcome only", ""]


EACH_KIND: list[blocks.Block] = [
    blocks.Text(SCRIPT),
    blocks.Remarks([SCRIPT]),
    blocks.Tiles([blocks.Tile(SCRIPT, SCRIPT, SCRIPT, alarm=True)]),
    blocks.Pictures([blocks.Picture("drawn", SCRIPT, SCRIPT)]),
    blocks.Table([SCRIPT], [[blocks.Tint(SCRIPT, 1.0, good=True)]], SCRIPT, SCRIPT, folded=True),
    blocks.Table([SCRIPT] * 2, [[SCRIPT, SCRIPT]], spans=[blocks.Span(1, 0, 2, 0)], mark=SCRIPT),
]


def test_every_kind_of_block_is_written_and_escaped_on_both_pages() -> None:
    assert {type(block) for block in EACH_KIND} == set(get_args(blocks.Block))
    for block in EACH_KIND:
        page = blocks.Page("t", "s", "v", [block], [])
        written = reporting_html.render(page, {"drawn": "<svg></svg>"})
        assert "script" not in Reader(written).tags
        assert "alert(1)" in written
        assert "<script>" not in reporting_markdown.render(page)
