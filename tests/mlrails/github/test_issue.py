"""The one issue of the watch: opened once, kept up to date, closed, and nobody else's."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import rows
from loopback import Answer, Asked, paged, serve

from mlrails.core.errors import UsageError, WorldError
from mlrails.core.params import FILE
from mlrails.github import issue as github_issue
from mlrails.github.issue import keep

BOT, DAY = "github-actions[bot]", "2013-12-31"
MARK = f"<!-- the watch over {rows.NAME} -->"
TEXT = 'data:\n  target: late # what\n\n  until: "2013-10-31" # the last day\nsplit:\n  until: 1\n'


class Issues:
    """The issues of a repository."""

    def __init__(self, *issues: tuple[str | None, str | None]) -> None:
        self.issues: list[dict[str, Any]] = [
            {"number": number, "state": "open", "user": who and {"login": who}, "body": body}
            for number, (who, body) in enumerate(issues)
        ]

    def __call__(self, asked: Asked) -> Answer:
        """Answer as the forge does."""
        if asked.method == "POST":
            user = {"login": BOT}
            made = {"number": len(self.issues), "state": "open", "user": user, **asked.content}
            self.issues.append(made)
            return Answer(201, made)
        if asked.method == "PATCH":
            self.issues[int(asked.path.rpartition("/")[2])] |= asked.content
            return Answer()
        return paged([it for it in self.issues if it["state"] == asked.query["state"]], asked)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a clone of the repository `a/b` of a forge in a folder."""
    bare, root = tmp_path / "a" / "b", tmp_path / "clone"
    rows.git(tmp_path, "init", "--quiet", "--bare", "--initial-branch", "main", str(bare))
    rows.git(tmp_path, "clone", "--quiet", str(bare), str(root))
    rows.write_pyproject(root)
    (root / FILE).write_text(TEXT, "utf-8")
    rows.git(root, "add", ".")
    rows.git(root, "commit", "--quiet", "--message", "first")
    rows.git(root, "push", "--quiet", "origin", "HEAD:main")
    return root


def kept(
    issues: Issues, root: Path, verdict: str = "drift", until: str = DAY, text: str = "# Drift\n"
) -> list[str]:
    """Keep the issue from a fresh checkout; return the calls that wrote."""
    rows.git(root, "checkout", "--quiet", "--force", "-B", "main", "origin/main")
    with serve(issues) as forge:
        job = forge.job(server=str(root.parent), verdict=verdict, until=until)
        keep(job, root, text)
    return [f"{it.method} {it.path}" for it in forge.asked if it.method != "GET"]


def branches(root: Path) -> dict[str, str]:
    listed = rows.git(
        root.parent / "a" / "b", "branch", "--format", "%(refname:short) %(objectname)"
    )
    return dict(line.split() for line in listed.splitlines())


def test_an_alarm_opens_one_issue_that_is_closed_when_it_is_over(clone: Path) -> None:
    issues = Issues(("somebody", "Help"))
    assert kept(issues, clone) == ["POST issues"]
    assert kept(issues, clone, text="# Drift still\n") == ["PATCH issues/1"]
    body = str(issues.issues[1]["body"])
    assert body.startswith(MARK) and body.endswith("# Drift still\n")
    assert f"/a/b/compare/main...retrain-{DAY}?expand=1" in body
    assert kept(issues, clone, "unknown", "", "# Cannot tell\n") == ["PATCH issues/1"]
    assert "cannot be told" in issues.issues[1]["body"] and issues.issues[1]["state"] == "open"
    assert kept(issues, clone, "calm", "", "# Calm\n") == ["PATCH issues/1"]
    assert issues.issues[1]["state"] == "closed" and "The alarm is over" in issues.issues[1]["body"]
    assert kept(issues, clone, "calm", "") == kept(issues, clone, "unknown", "") == []
    assert kept(issues, clone) == ["POST issues"]  # The next alarm is another one.
    assert issues.issues[0] == {
        "number": 0,
        "state": "open",
        "user": {"login": "somebody"},
        "body": "Help",
    }


def test_without_the_mark_each_run_would_open_another(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(github_issue, "_own", lambda *_: [])
    issues = Issues()
    for _ in range(2):
        kept(issues, clone)
    assert len(issues.issues) == 2


@pytest.mark.parametrize(("verdict", "left"), [("drift", ["open"]), ("calm", ["closed"])])
def test_of_several_that_are_open_the_newest_stays(
    clone: Path, verdict: str, left: list[str]
) -> None:
    """Somebody has opened an old one again, while a newer one tells of an alarm."""
    issues = Issues((BOT, f"{MARK}\nold"), ("somebody", "Help"), (BOT, f"{MARK}\nnew"))
    writes = kept(issues, clone, verdict)
    assert writes == ["PATCH issues/2", "PATCH issues/0"]
    assert [it["state"] for it in issues.issues] == ["closed", "open", *left]
    assert issues.issues[0]["body"] == f"{MARK}\nold"


@pytest.mark.parametrize(
    "other",
    [
        ("somebody", f"{MARK}\n"),
        (BOT, f"> {MARK}"),
        (BOT, "<!-- the watch over another -->\n"),
        (None, f"{MARK}\n"),
        (BOT, None),
    ],
)
def test_what_is_not_its_own_is_never_changed(
    clone: Path, other: tuple[str | None, str | None]
) -> None:
    issues = Issues(other)
    assert kept(issues, clone) == ["POST issues"]
    assert kept(issues, clone, "calm", "") == ["PATCH issues/1"]
    assert issues.issues[0]["body"] == other[1] and issues.issues[0]["state"] == "open"


def test_the_branch_holds_one_changed_line_and_main_stays(clone: Path) -> None:
    main = branches(clone)["main"]
    kept(Issues(), clone)
    found = branches(clone)
    assert found.keys() == {"main", f"retrain-{DAY}"} and found["main"] == main
    there = rows.git(clone.parent / "a" / "b", "show", f"retrain-{DAY}:{FILE}")
    assert there.strip() == TEXT.replace("2013-10-31", DAY).strip()
    changed = rows.git(clone.parent / "a" / "b", "diff", "--name-only", "main", f"retrain-{DAY}")
    assert changed.split() == [FILE]


def test_a_branch_that_is_there_is_left_to_who_works_on_it(clone: Path) -> None:
    rows.git(clone, "commit", "--quiet", "--allow-empty", "--message", "theirs")
    rows.git(clone, "push", "--quiet", "origin", f"HEAD:refs/heads/retrain-{DAY}")
    theirs = branches(clone)
    kept(Issues(), clone)
    assert branches(clone) == theirs


EVIL = '2014-01-01"\nevil: "'


@pytest.mark.parametrize(
    "until", ["2013-10-31", "2012-01-01", "main", EVIL, "../x", "20131231 ", "[x](http://evil)"]
)
def test_what_is_no_later_day_pushes_nothing_and_the_alarm_is_told(clone: Path, until: str) -> None:
    issues, before = Issues(), branches(clone)
    with pytest.raises(UsageError, match="UNTIL"):
        kept(issues, clone, until=until)
    assert branches(clone) == before
    (issue,) = issues.issues
    assert "Pushing a branch for newer rows has failed" in issue["body"]
    assert until not in issue["body"]


def test_what_is_taken_for_a_day_could_write_anything(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(github_issue, "_later", lambda _, until: until)
    monkeypatch.setattr(github_issue, "_branch", lambda _: "retrain-x")
    kept(Issues(), clone, until=EVIL)
    there = rows.git(clone.parent / "a" / "b", "show", f"retrain-x:{FILE}")
    assert 'until: "2014-01-01"\nevil: ""' in there


def test_lines_end_as_they_did(clone: Path) -> None:
    (clone / FILE).write_bytes(TEXT.replace("\n", "\r\n").encode())
    rows.git(clone, "commit", "--quiet", "--all", "--message", "of Windows")
    rows.git(clone, "push", "--quiet", "origin", "HEAD:main")
    kept(Issues(), clone)
    words = ("diff", "--numstat", "main", f"retrain-{DAY}")
    assert rows.git(clone.parent / "a" / "b", *words).split() == ["1", "1", FILE]


@pytest.mark.parametrize(
    ("until", "words"),
    [
        ("", "Training on newer rows has failed"),
        ("nothing", "no newer rows"),
        ("all", "has no `data.until`, so all rows count"),
    ],
)
def test_an_alarm_without_a_new_model_is_told_all_the_same(
    clone: Path, until: str, words: str
) -> None:
    issues, before = Issues(), branches(clone)
    assert kept(issues, clone, until=until) == ["POST issues"]
    assert words in issues.issues[0]["body"] and branches(clone) == before


def test_a_forge_that_refuses_the_branch_is_told_of_in_the_issue_too(clone: Path) -> None:
    hook = clone.parent / "a" / "b" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n", "utf-8")
    hook.chmod(0o755)
    issues = Issues()
    with pytest.raises(WorldError, match="git push failed"):
        kept(issues, clone)
    (issue,) = issues.issues
    assert "Pushing a branch for newer rows has failed" in issue["body"]
    assert issue["body"].endswith("# Drift\n")


@pytest.mark.parametrize("value", ["https://evil.example/x", "HTTP://a.b", "see www.evil.example"])
def test_a_value_of_a_row_is_no_link(clone: Path, value: str) -> None:
    """Readers trust what the forge's own account has written; its own links stay."""
    issues = Issues()
    kept(issues, clone, text=f"| shop = {value} |\n")
    _, _, table = issues.issues[0]["body"].partition("| shop")
    assert not re.search(r"://|www\.", table)
    assert table.replace("\u200b", "") == f" = {value} |\n"
    assert "/a/b/actions/runs/7)" in issues.issues[0]["body"]


def test_nobody_is_called_and_a_long_text_is_cut(clone: Path) -> None:
    issues = Issues()
    kept(issues, clone, text="cc @somebody a/b#12\n" + "\n## More\nx" * 20_000)
    body = issues.issues[0]["body"]
    assert "@somebody" not in body and "#12" not in body and "\n## More" in body
    assert len(body) <= 65_536 and "Cut here for its length" in body


def test_it_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); import mlrails.github.issue"
    command = [sys.executable, "-S", "-c", code, str(rows.ROOT / "src")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    command = [sys.executable, "-m", "mlrails.github.issue", "missing.md"]
    env = {**os.environ, "PYTHONPATH": str(rows.ROOT / "src")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "name the file to show" in done.stderr
