"""The watch in a job: the alarm is handed over first, then what the retraining came to."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rows
import yaml
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from mlrails.cli import app
from mlrails.core import files
from mlrails.core.errors import Exit, WorldError
from mlrails.core.params import FILE
from mlrails.core.settings import Settings
from mlrails.gate import report
from mlrails.github import issue
from mlrails.github.api import Job
from mlrails.github.watch import PAGE, SHOWN, advance, watch
from mlrails.lifecycle import promote
from mlrails.monitoring.watch import run
from mlrails.registry import git_branch
from mlrails.reporting import markdown
from mlrails.retraining import run as retraining


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, str]]:
    """Let a project lie in a folder; return what reads the answers of its job."""
    (tmp_path / FILE).write_text(yaml.safe_dump(rows.values()), "utf-8")
    output = tmp_path / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    return lambda: dict(line.split("=") for line in output.read_text("utf-8").splitlines())


def found(verdict: str, where: str = "Carrier = UA") -> dict[str, Any]:
    """Return what a look has found: in case of drift, one alarm."""
    alarm = {"source": "rows", "counts": True, "since": "2013-12-06", "what": "'temp' changed"}
    alarm |= {"where": where, "remedy": "run `nox -s something`", "chance": 0.01}
    return {
        "verdict": verdict,
        "model": {"name": "version 1"},
        "rows": {"from": "2013-01-01", "to": "2013-12-31", "known_to": "2013-10-31", "new": 9},
        "window": {"days": 7, "trailing": 56},
        "budget": {"false_alarms": 3, "error": 0.04, "error_of_outcomes": 0.02, "past": 26},
        "metric": {"title": "Area under ROC"},
        "alarms": [alarm] if verdict == "drift" else [],
        "windows": [],
        "columns": [],
        "record": None,
        "notes": ["the last window's rows cannot be told yet"],
    }


def looked(root: Path, verdict: str, where: str = "Carrier = UA") -> Callable[[], Exit]:
    def look() -> Exit:
        files.write_text(json.dumps(found(verdict, where)), root / run.JSON)
        files.write_text("<html>", root / run.PAGE)
        return Exit.DRIFT if verdict == "drift" else Exit.DONE

    return look


def body(root: Path) -> str:
    """Return the text of the issue that the page in a folder comes to."""
    return issue._body(Job(), "<!-- head -->", (root / PAGE).read_text("utf-8"))


def failing() -> Exit:
    raise WorldError("no rows came")


@pytest.mark.parametrize("verdict", ["calm", "unknown", "drift"])
def test_what_was_found_is_handed_over_without_pictures(
    tmp_path: Path, told: Callable[[], dict[str, str]], verdict: str
) -> None:
    assert watch(Settings(tmp_path), looked(tmp_path, verdict)) is Exit.DONE
    assert told() == {"verdict": verdict}
    page = (tmp_path / PAGE).read_text("utf-8")
    assert page.startswith("# ") and "![" not in page and "Dots are" not in page
    assert (tmp_path / SHOWN).read_text("utf-8") == "<html>"
    told_of = ["6 December 2013", "'temp' changed", "Carrier = UA", "Run nox -s something"]
    assert [it in page for it in told_of] == [verdict == "drift"] * 4


NAMES = [
    '<img src="x" onerror="alert(1)">',
    "<!-- x -->",
    "</details><h1>Calm</h1>",
    "![x](http://evil/x.png)",
    "[Promote](http://evil)",
    "**Calm** | x |",
    "a\n# Calm\n\n- x",
    "$x$ ~~x~~",
    "&lt;script&gt;",
]
TAGS = re.compile(r"<(\w+|!)")


@pytest.mark.parametrize("name", NAMES)
def test_a_category_is_a_name_in_the_issue_whatever_it_says(
    tmp_path: Path, told: Callable[[], dict[str, str]], name: str
) -> None:
    def shown(text: str) -> str:
        watch(Settings(tmp_path), looked(tmp_path, "drift", f"Carrier = {text}"))
        return MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(body(tmp_path))

    page = shown(name)
    assert TAGS.findall(page) == TAGS.findall(shown("UA"))
    plain = " ".join(name.splitlines()).replace("&", "&amp;")
    escaped = plain.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    seen = re.sub(r"<td [^>]*>", "<td>", page).replace("\u200b", "")
    assert f"<td>Carrier = {escaped.strip()}</td>" in seen


@pytest.mark.parametrize("name", NAMES[:-1])
def test_unescaped_it_would_be_more(
    tmp_path: Path,
    told: Callable[[], dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    monkeypatch.setattr(markdown, "escaped", lambda text: text)
    pages = []
    for text in (name, "UA"):
        watch(Settings(tmp_path), looked(tmp_path, "drift", f"Carrier = {text}"))
        pages.append(
            MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(body(tmp_path))
        )
    assert TAGS.findall(pages[0]) != TAGS.findall(pages[1])


def test_nobody_is_called_and_no_direction_turned_by_a_category(
    tmp_path: Path, told: Callable[[], dict[str, str]]
) -> None:
    watch(Settings(tmp_path), looked(tmp_path, "drift", "cc @everyone a/b#12 \u202eback"))
    assert [text for text in ("@everyone", "b#12", "\u202e") if text in body(tmp_path)] == []


def test_rows_without_a_time_are_no_failure_each_monday(
    tmp_path: Path, told: Callable[[], dict[str, str]]
) -> None:
    values = rows.values()
    values["data"] |= {"time": None, "until": None}
    values["split"] = {"by": "random", "validation": 0.2, "test": 0.2}
    (tmp_path / FILE).write_text(yaml.safe_dump(values), "utf-8")
    assert watch(Settings(tmp_path), failing) is Exit.DONE
    assert told() == {"verdict": "unknown"} and "data.time" in (tmp_path / PAGE).read_text("utf-8")


@pytest.mark.parametrize(
    ("registry", "there"), [("server", "http://127.0.0.1:9"), ("local", None), ("branch", None)]
)
def test_it_trains_where_no_right_to_write_is_needed(
    project: Path,
    told: Callable[[], dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    registry: str,
    there: str | None,
) -> None:
    tracked: list[object] = []
    watch(Settings(project), looked(project, "drift"))
    (project / report.TEXT).write_text("# Reject\n", "utf-8")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setattr(retraining.pipeline, "bring", lambda *_: None)

    def train(settings: Settings, *_: object) -> None:
        told = dict(os.environ) | retraining.pipeline.told_to_stages(settings)
        tracked.append((settings.tracking_uri, told.get("MLFLOW_TRACKING_URI")))

    monkeypatch.setattr(retraining.pipeline, "train", train)

    def gate(settings: Settings, **_: object) -> Exit:
        tracked.append(settings.tracking_uri)
        return Exit.REJECT

    monkeypatch.setattr(promote, "gate", gate)
    monkeypatch.setattr(git_branch, "act_on", lambda here, act, writes: act(here))
    done = CliRunner().invoke(app.app, ["watch", "--retrain", "--registry", registry])
    assert done.exit_code == 0, done.output
    assert tracked == [(None, None), there]


@pytest.mark.parametrize(("day", "until"), [("2013-10-31", "2013-10-31"), (None, "nothing")])
def test_on_an_alarm_the_gate_s_answer_and_the_new_day_are_handed_over(
    tmp_path: Path, told: Callable[[], dict[str, str]], day: str | None, until: str
) -> None:
    def retrain() -> Exit:
        path = tmp_path / FILE
        if day:
            path.write_text(path.read_text("utf-8").replace(rows.LAST, day), "utf-8")
        files.write_text("# Reject\n", tmp_path / report.TEXT)
        return Exit.REJECT

    watch(Settings(tmp_path), looked(tmp_path, "drift"))
    assert advance(Settings(tmp_path), retrain) is Exit.DONE
    assert told() == {"verdict": "drift", "until": until}
    page = (tmp_path / PAGE).read_text("utf-8")
    assert page.startswith("# Drift") and page.endswith(
        f"gate says of a model of rows up to {day or rows.LAST}:**\n\n# Reject\n"
    )


def test_where_all_rows_count_no_day_is_handed_over(
    tmp_path: Path, told: Callable[[], dict[str, str]]
) -> None:
    values = rows.values()
    del values["data"]["until"]
    (tmp_path / FILE).write_text(yaml.safe_dump(values), "utf-8")
    watch(Settings(tmp_path), looked(tmp_path, "drift"))
    files.write_text("# Promote\n", tmp_path / report.TEXT)
    advance(Settings(tmp_path), lambda: Exit.DONE)
    assert told()["until"] == "all"


def test_an_alarm_is_told_of_before_a_training_that_fails(
    tmp_path: Path, told: Callable[[], dict[str, str]]
) -> None:
    watch(Settings(tmp_path), looked(tmp_path, "drift"))
    with pytest.raises(WorldError, match="no rows came"):
        advance(Settings(tmp_path), failing)
    assert told() == {"verdict": "drift"} and (tmp_path / PAGE).is_file()
