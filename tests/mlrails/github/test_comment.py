"""The one comment of a pull request: kept up to date, never repeated, nobody else's."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rows
from loopback import Answer, Asked, paged, serve

from mlrails.core import settings
from mlrails.core.errors import UsageError, WorldError
from mlrails.github import comment as github_comment
from mlrails.github.api import Job
from mlrails.github.comment import comment, cut, expected

OURS = settings.read_identity(rows.ROOT)
BOT, MARK = "github-actions[bot]", f"<!-- the review of {OURS.name} -->"
MOST = 65_536
PAGE = "https://forge/a/b/actions/runs/7"


class Thread:
    """The comments of a pull request."""

    def __init__(self, *comments: tuple[str | None, str | None]) -> None:
        self.comments: list[dict[str, Any]] = [
            {"id": number, "user": login and {"login": login}, "body": body}
            for number, (login, body) in enumerate(comments)
        ]
        self.changed: list[str] = []

    def __call__(self, asked: Asked) -> Answer:
        """Answer as the forge does."""
        if asked.method == "POST":
            made = {"id": len(self.comments), "user": {"login": BOT}, **asked.content}
            self.comments.append(made)
            return Answer(201, made)
        if asked.method == "PATCH":
            self.comments[int(asked.path.rpartition("/")[2])] |= asked.content
            return Answer()
        if asked.path.endswith("/files"):
            return paged([{"filename": name} for name in self.changed], asked)
        return paged(self.comments, asked)

    def bodies(self) -> list[str | None]:
        return [it["body"] for it in self.comments]


def written(thread: Callable[[Asked], Answer], text: str, number: str = "12") -> list[str]:
    """Comment; return the methods and paths of the calls that wrote."""
    with serve(thread) as forge:
        comment(forge.job(pull_request=number), text, rows.ROOT)
    return [f"{it.method} {it.path}" for it in forge.asked if it.method != "GET"]


def test_the_first_time_it_is_written_and_then_brought_up_to_date() -> None:
    thread = Thread(("somebody", "Looks good"))
    assert written(thread, "# First\n") == ["POST issues/12/comments"]
    assert written(thread, "# Second\n") == ["PATCH issues/comments/1"]
    assert thread.bodies() == ["Looks good", f"{MARK}\n# Second\n"]


@pytest.mark.parametrize(
    "other",
    [
        ("somebody", f"{MARK}\n# Promote"),
        ("github-actions", f"{MARK}\n# Promote"),
        (BOT, f"> {MARK}\n# Another workflow's"),
        (BOT, "<!-- the review of another -->\n"),
        (None, f"{MARK}\n# Of somebody who has left"),
        (BOT, None),
    ],
)
def test_what_is_not_its_own_is_never_changed(other: tuple[str | None, str | None]) -> None:
    thread = Thread(other)
    assert written(thread, "# Here\n") == ["POST issues/12/comments"]
    assert thread.bodies()[0] == other[1]


def test_it_is_found_on_a_later_page() -> None:
    thread = Thread(*[("somebody", "more")] * 230, (BOT, f"{MARK}\nold"))
    assert written(thread, "# New\n") == ["PATCH issues/comments/230"]
    assert len(thread.comments) == 231


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (["params.yaml", "docs/a.md", f"src/{OURS.package}/estimator.py"], ""),
        (["dvc.yaml", "tests/a.py"], "`dvc.yaml`. Read"),
        ([f"src/{OURS.package}/steps/prepare.py", f"src/{OURS.package}/source.py"], ""),
        ([f"src/{OURS.package}/steps/train.py"], "/steps/train.py`. Read"),  # It refits.
        ([f"src/{OURS.package}/steps/evaluate.py"], "/steps/evaluate.py`. Read"),
        ([f"src/{OURS.package}/__init__.py"], "/__init__.py`. Read"),
        (["src/mlrails/data/splits.py"], "`src/mlrails/data/splits.py`. Read"),
        (["src/p/estimator.py", "requirements.lock"], "`src/p/estimator.py`, `requirements.lock`"),
        ([f"docs/{number}" for number in range(3000)], "`files beyond those"),
        (["src/p/gate.py"], "`src/p/gate.py`. Read"),
        ([".github/workflows/`train`.yaml"], "`.github/workflows/train.yaml`. Read"),
        ([f"src/p/{number}.py" for number in range(12)], "`src/p/9.py` and 2 more. Read"),
        (["src/mlrails/cli/app.py"], "that first. `src/mlrails/` was edited by hand"),
        (["src/mlrails/cli/app.py", "src/mlrails/MANIFEST"], "`src/mlrails/MANIFEST`. Read"),
    ],
)
def test_a_change_of_the_code_that_judges_it_is_told_first(changed: list[str], told: str) -> None:
    thread = Thread()
    thread.changed = changed
    written(thread, "# Promote, says a page that was changed\n")
    first, *_ = str(thread.bodies()[0]).removeprefix(f"{MARK}\n").splitlines()
    assert first.startswith("> **This change touches") is bool(told) and told in first


def test_nobody_is_called_by_a_mention() -> None:
    thread = Thread()
    written(thread, "cc @somebody")
    assert "@somebody" not in str(thread.bodies()[0])


@pytest.mark.parametrize("number", ["", "1/../2", "12 "])
def test_without_a_pull_request_nothing_is_asked(number: str) -> None:
    with serve(Thread()) as forge, pytest.raises(UsageError, match="PULL_REQUEST: names no"):
        comment(forge.job(pull_request=number), "text", rows.ROOT)
    assert forge.asked == []


def test_outside_of_a_job_it_is_said_where_it_belongs() -> None:
    with pytest.raises(UsageError, match="GITHUB_REPOSITORY is not set: a job on GitHub has both"):
        comment(Job(pull_request="12"), "text", rows.ROOT)


def test_what_the_forge_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Answer(403, {"message": "Resource not accessible by integration"})
    with serve(lambda _: refused) as forge, pytest.raises(WorldError, match="files failed: 403"):
        comment(forge.job(pull_request="12"), "text", rows.ROOT)


def sections(count: int, size: int) -> str:
    parts = (f"\n## Section {number}\n\n" + "word " * (size // 5) for number in range(count))
    return "# Title\n" + "".join(parts)


def test_a_long_report_is_cut_at_a_section_and_says_where_the_rest_is() -> None:
    thread = Thread()
    text = sections(10, 10_000)
    written(thread, text)
    body = str(thread.comments[0]["body"])
    kept, pointer = body.removeprefix(f"{MARK}\n").split("\n\n*Cut here for its length;")
    assert len(body) <= MOST
    assert text.startswith(kept) and text[len(kept) :].startswith("\n## Section 6\n")
    assert pointer == f" the whole is in the [summary of the run]({PAGE}).*\n"


@pytest.mark.parametrize("size", [0, 1])
def test_it_is_cut_only_where_it_must_be(size: int) -> None:
    room = MOST - len(MARK) - 1
    text = sections(3, 1000).ljust(room + size, "x")
    thread = Thread()
    written(thread, text)
    assert ("*Cut here" in str(thread.bodies()[0])) is bool(size)
    assert len(str(thread.bodies()[0])) <= MOST


@pytest.mark.parametrize("text", ["line\n" * 20_000, "x" * 70_000])
def test_a_text_without_sections_is_short_enough_as_well(text: str) -> None:
    found = cut(text, PAGE, MOST)
    assert len(found) <= MOST
    assert f"({PAGE})" in found


def program(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run it as the workflow does: with no environment but Python's own."""
    command = [sys.executable, "-I", "-S", "-c", BARE, *words]
    return subprocess.run(
        command,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        cwd=rows.ROOT,
    )


BARE = f"""
import runpy, sys
sys.path.insert(0, {str(rows.ROOT / "src")!r})
runpy.run_module("{github_comment.__name__}", run_name="__main__", alter_sys=True)
"""


def test_it_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    (tmp_path / "review.md").write_text("# Review\n")
    thread = Thread()
    with serve(thread) as forge:
        told = {"GITHUB_API_URL": forge.address, "GITHUB_REPOSITORY": "a/b", "PULL_REQUEST": "12"}
        done = program(str(tmp_path / "review.md"), **told)
    assert (done.returncode, done.stderr) == (0, "")
    assert thread.bodies() == [f"{MARK}\n# Review\n"]


@pytest.mark.parametrize("words", [(), ("missing.md",), ("a", "b")])
def test_a_file_that_is_not_there_is_a_usage_error(words: tuple[str, ...]) -> None:
    done = program(*words)
    assert done.returncode == 2
    assert done.stderr == "error: comment: name the file to show, as in `nox -s comment -- FILE`\n"


def test_a_module_that_a_stage_of_main_reads_is_expected_and_no_other_one(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "dvc.yaml"):
        text = (rows.ROOT / name).read_text("utf-8")
        own, new = f"src/{OURS.package}/schema.py", f"src/{OURS.package}/weather.py"
        (tmp_path / name).write_text(
            text.replace(f"      - {own}\n", f"      - {own}\n      - {new}\n")
        )
    assert expected(tmp_path) - expected(rows.ROOT) == {new}
    (tmp_path / "dvc.yaml").unlink()
    assert expected(tmp_path) == {"params.yaml", "dvc.lock"}
