"""DVC in this process: it runs our Python and our code, and does not repeat what a stage said."""

import errno
import io
import logging
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import rows
from dvc.lock import LockError
from dvc.utils.serialize import _toml, _yaml

from mlrails.core.errors import Exit, WorldError
from mlrails.core.settings import Settings
from mlrails.lifecycle import rebuild
from mlrails.pipeline import dvc


@pytest.mark.parametrize("before", ["", "/usr/bin:HERE", "HERE:/usr/bin", "/usr/bin"])
def test_our_own_folder_comes_first_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", before.replace("HERE", str(tmp_path)))
    found = dvc._with_first("PYTHONPATH", tmp_path).split(os.pathsep)
    assert found == [str(tmp_path), *(["/usr/bin"] if "/usr/bin" in before else [])]


def test_a_command_runs_in_the_projects_folder_with_its_code(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.parent)
    assert dvc.run(project, "config", "--local", "cache.dir", "/somewhere") == 0
    assert dvc.run(project, "config", "cache.dir") == 0
    assert capsys.readouterr().out.strip() == "/somewhere"
    assert dvc.run(project, "no-such-command") != 0


@pytest.mark.parametrize("fails", [False, True])
def test_folder_and_environment_are_dvcs_while_it_runs_and_ours_again_after(
    project: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    monkeypatch.chdir(project.parent)
    monkeypatch.setenv("KNOWN", "before")
    seen: list[tuple[Path, dict[str, str]]] = []

    def main(_: list[str]) -> int:
        seen.append((Path.cwd(), dict(os.environ)))
        if fails:
            raise KeyboardInterrupt
        return 0

    monkeypatch.setattr("dvc.cli.main", main)
    before = Path.cwd(), dict(os.environ)
    with pytest.raises(KeyboardInterrupt) if fails else nullcontext():
        dvc.run(project, "repro", KNOWN="now", NEW="too")
    ((where, found),) = seen
    assert where == project
    assert found["PYTHONPATH"].split(os.pathsep)[0] == str(project / "src")
    assert found["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert [found[it] for it in ("DVC_NO_ANALYTICS", "KNOWN", "NEW")] == ["true", "now", "too"]
    assert (Path.cwd(), dict(os.environ)) == before


@pytest.mark.parametrize("form", [_yaml, _toml])
def test_a_text_is_parsed_once_and_whoever_asks_has_values_of_his_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Any
) -> None:
    name = form.__name__.rpartition("_")[2]
    path, asked = tmp_path / f"params.{name}", []
    load, modify = getattr(form, f"load_{name}"), getattr(form, f"modify_{name}")
    parse = getattr(form, f"parse_{name}")

    def counted(text: str, *how: Any, **named: Any) -> Any:
        asked.append(text)
        return parse(text, *how, **named)

    monkeypatch.setattr(form, f"parse_{name}", counted)
    first, second = (f"# mine\n{it}" for it in ONE_AND_TWO[name])
    with dvc._parsed_once():
        path.write_text(first, "utf-8")
        load(path)["a"]["b"] = 7
        assert load(path) == {"a": {"b": 1}} and len(asked) == 1
        path.write_text(second, "utf-8")
        assert load(path) == {"a": {"b": 2}} and len(asked) == 2
        with modify(path) as values:
            values["a"]["b"] = 3
        assert path.read_text("utf-8").startswith("# mine") and load(path) == {"a": {"b": 3}}
    assert getattr(form, f"parse_{name}") is counted


ONE_AND_TWO = {
    "yaml": ("a:\n  b: 1\n", "a:\n  b: 2\n"),
    "toml": ("[a]\nb = 1\n", "[a]\nb = 2\n"),
}


def record(reason: Exception) -> logging.LogRecord:
    """Return what DVC logs of a stage that has failed."""
    problem = Exception("failed to reproduce 'train'")
    problem.__cause__ = reason
    failed = (Exception, problem, None)
    return logging.LogRecord("dvc", logging.ERROR, "", 0, "", None, failed)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Return what DVC's log shows."""
    shown = io.StringIO()
    monkeypatch.setattr(logging.getLogger("dvc"), "handlers", [logging.StreamHandler(shown)])
    return shown


def answering(problem: BaseException) -> Callable[[list[str]], int]:
    """Return a DVC that logs a problem and fails."""

    def main(_: list[str]) -> int:
        logging.getLogger("dvc").error("", exc_info=problem)
        return 255

    return main


@pytest.mark.parametrize("code", [Exit.WORLD, Exit.USAGE])
def test_what_a_stage_has_said_is_not_said_again_and_its_code_is_passed_on(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    log: io.StringIO,
    code: Exit,
) -> None:
    said = Exception(f"failed to run: python -m x.train, exited with {code}")
    monkeypatch.setattr("dvc.cli.main", answering(said))
    with pytest.raises(dvc.StageFailedError) as caught:
        dvc.run(project, "repro")
    assert (caught.value.exit_code, str(caught.value)) == (code, "")
    assert log.getvalue() == ""


def test_what_a_stage_said_counts_for_nothing_where_all_went_well(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = answering(Exception("failed to run: python -m x.train, exited with 2"))
    monkeypatch.setattr("dvc.cli.main", lambda words: 0 * failing(words))
    assert dvc.run(project, "repro") == 0


@pytest.mark.parametrize(
    "problem",
    [KeyboardInterrupt(), *(Exception(f"failed to run: x, exited with {it}") for it in (-2, 130))],
)
def test_an_interrupt_is_one_wherever_it_struck(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    log: io.StringIO,
    problem: BaseException,
) -> None:
    monkeypatch.setattr("dvc.cli.main", answering(problem))
    with pytest.raises(KeyboardInterrupt):
        dvc.run(project, "repro")
    assert log.getvalue() == ""


@pytest.mark.parametrize("reason", ["failed to run: x, exited with -9", "the lock is held"])
def test_what_no_stage_has_said_is_told(reason: str) -> None:
    assert dvc._Ours().filter(record(Exception(reason)))
    plain = logging.LogRecord("dvc", logging.ERROR, "", 0, reason, None, None)
    assert dvc._Ours().filter(plain)


def test_advice_on_other_commands_and_what_a_kill_left_are_not_told(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    log: io.StringIO,
) -> None:
    from dvc.ui import ui

    def main(_: list[str]) -> int:
        ui.enable()
        ui.write("Use `dvc push` to send your updates to remote storage.")
        ui.error_write("Having any troubles? Hit us up")
        ui.write("up to date")
        lost = "Process '%s' had been killed. Auto removed it from the lock file."
        logging.getLogger("dvc").warning(lost, "dvc repro")
        logging.getLogger("dvc").warning("worth a look")
        return 0

    monkeypatch.setattr("dvc.cli.main", main)
    dvc.run(project, "repro")
    assert capsys.readouterr() == ("up to date\n", "")
    assert log.getvalue() == "worth a look\n"


def test_what_the_system_refuses_is_told_in_our_words(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "cache/ab")
    monkeypatch.setattr("dvc.cli.main", answering(full))
    with pytest.raises(WorldError, match="cache/ab: the disk is full; free some space"):
        dvc.run(project, "repro")


def test_dvc_at_work_elsewhere_is_told_in_one_sentence(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(self: object) -> None:
        raise LockError("Unable to acquire lock")

    monkeypatch.setattr("dvc.repo.Repo.status", locked)
    with pytest.raises(WorldError, match=r"another process is at work with DVC .*; run the same"):
        dvc.is_stale(project)


def by_digest(project: Path) -> Path:
    """Let DVC keep a file of rows that git knows by its digest alone."""
    rows.git(project, "init", "--quiet")
    (project / ".dvc" / "config").write_text("", "utf-8")
    file = project / "mine.csv"
    file.write_text("a\n1\n", "utf-8")
    assert dvc.run(project, "add", "--quiet", str(file)) == 0
    file.unlink()
    return file


def test_data_that_git_knows_by_its_digest_is_brought_where_it_lacks(
    project: Path, tmp_path: Path
) -> None:
    file = by_digest(project)
    dvc.bring(project)
    assert file.read_text("utf-8") == "a\n1\n"
    # What is there stays, as it may be newer than the digest.
    file.unlink()
    file.write_text("a\n2\n", "utf-8")
    dvc.bring(project)
    assert file.read_text("utf-8") == "a\n2\n"


def test_data_that_the_cache_has_lost_comes_from_the_remote(project: Path, tmp_path: Path) -> None:
    file, cache = by_digest(project), project / ".dvc" / "cache"
    dvc.run(project, "remote", "add", "--quiet", "--default", "there", str(tmp_path / "remote"))
    assert dvc.run(project, "push", "--quiet") == 0
    shutil.rmtree(cache)
    dvc.bring(project)
    assert file.read_text("utf-8") == "a\n1\n"
    file.unlink()
    shutil.rmtree(cache)
    shutil.rmtree(tmp_path / "remote")
    dvc.bring(project)
    assert not file.exists()


def test_a_version_has_the_data_that_git_knows_by_its_digest(project: Path) -> None:
    file, here = by_digest(project), Settings(project)
    rows.git(project, "add", "--all")
    rows.git(project, "commit", "--quiet", "--message", "mine")
    with rebuild.at(here, rows.git(project, "rev-parse", "HEAD"), "") as copy:
        assert (copy / file.name).read_text("utf-8") == "a\n1\n"


def test_what_a_command_imports_may_be_begun_earlier_and_refuses_nothing() -> None:
    dvc.begin("no.such.module").join()
    assert {"dvc.repo", "networkx"} <= {*sys.modules}
