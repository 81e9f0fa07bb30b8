"""Releases: the changelog is made of fragments, and says what an update asks for."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from baking import ROOT


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A template with two fragments and a note of what was measured."""
    shutil.copy(ROOT / "release.py", tmp_path)
    changes = tmp_path / "changes"
    changes.mkdir()
    (changes / "0001-gate.md").write_text("A gate.\nIt is shut.\n", "utf-8")
    (changes / "0002-gate.md").write_text("When you update: open it.\n\nIt opens.\n", "utf-8")
    (changes / "log-gate.md").write_text("3 s.\n", "utf-8")
    return tmp_path


def release(house: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "release.py", *words]
    return subprocess.run(command, cwd=house, capture_output=True, text=True)


def test_a_release_gathers_fragments_and_can_be_repeated(house: Path) -> None:
    assert release(house, "1.0.0").returncode == 0
    text = (house / "CHANGELOG.md").read_text("utf-8")
    to_do = "## 1.0.0\n\n### What to do when you update\n\nopen it.\n\n"
    assert text.endswith(to_do + "### Gate\n\nA gate.\nIt is shut.\n\nIt opens.\n")
    assert (house / "VERSION").read_text("utf-8") == "1.0.0\n"
    assert [path.name for path in (house / "changes").glob("*.md")] == ["log-gate.md"]

    (house / "changes" / "0003-late.md").write_text("Late.\n", "utf-8")
    assert release(house, "1.0.0").returncode == 0
    assert (house / "CHANGELOG.md").read_text("utf-8") == text + "\n### Late\n\nLate.\n"
    (house / "changes" / "0004-more.md").write_text("More.\n", "utf-8")
    assert release(house, "1.10.0").returncode == 0
    assert release(house, "1.2.0").stderr.startswith("error: 1.2.0 is older than 1.10.0")
    newest, oldest = (house / "CHANGELOG.md").read_text("utf-8").split("\n## ")[1:]
    assert newest.startswith("1.10.0\n\n### What to do when you update\n\nNothing.\n\n### More")
    assert oldest.startswith("1.0.0\n")


@pytest.mark.parametrize("words", [(), ("1.0",), ("v1.0.0",), ("1.0.0", "2.0.0")])
def test_what_is_no_version_is_refused(house: Path, words: tuple[str, ...]) -> None:
    done = release(house, *words)
    assert done.returncode == 1 and "nox -s release -- 1.2.3" in done.stderr
    assert "Traceback" not in done.stderr and not (house / "VERSION").exists()


def test_the_changelog_is_that_of_the_fragments_and_ends_at_the_version() -> None:
    code = "import release, pathlib; print(release.changelog(pathlib.Path()), end='')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert done.stdout == text
    assert f"\n## {(ROOT / 'VERSION').read_text('utf-8')}" in text
