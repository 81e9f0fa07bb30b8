"""What every verb does the same way: which registry, who may push to it, how it ends."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rows
from typer.testing import CliRunner

from mlrails.cli import app
from mlrails.cli.leaving import Handed
from mlrails.core.errors import Exit
from mlrails.core.settings import Settings
from mlrails.data.schema import Column
from mlrails.evaluation.own import Own, mean_of
from mlrails.lifecycle import history, holdout, promote, register, reproduce, rollback
from mlrails.registry import git_branch
from mlrails.serving import serve
from mlrails.serving.requests.pieces import Rules
from mlrails.serving.serve import ServeOptions
from mlrails.tracking import pages

WRITE = {
    "register": register,
    "promote": promote,
    "rollback": rollback,
    "reproduce": reproduce,
}
READ = {"gate": promote, "history": history, "holdout": holdout}
Call = tuple[Settings, tuple[Any, ...], bool]
SERVER = "http://127.0.0.1:9"


@pytest.fixture
def met(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """Return what each act was given, and whether it may push."""
    calls: list[Call] = []

    def noted(there: Settings, *words: Any) -> Exit:
        calls.append((there, words, may_push.pop()))
        return Exit.UNDECIDED

    def at(settings: Settings, act: Callable[[Settings], object], writes: bool = True) -> object:
        may_push.append(writes)
        return act(settings)

    may_push: list[bool] = []
    monkeypatch.setattr(git_branch, "act_on", at)
    monkeypatch.setattr(pages, "show", noted)
    for name, room in (WRITE | READ).items():
        monkeypatch.setattr(room, name, noted)
    return calls


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app.app, list(words))
    return done.exit_code, done.stderr


@pytest.mark.parametrize("verb", [*WRITE, *READ, "ui"])
@pytest.mark.parametrize("kind", ["local", "branch", "server"])
def test_every_verb_meets_the_registry_that_is_asked_for(
    project: Path, met: list[Call], monkeypatch: pytest.MonkeyPatch, verb: str, kind: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", SERVER)
    assert run(verb, "--registry", kind) == (Exit.UNDECIDED, "")
    ((there, _, writes),) = met
    assert there.on_branch is (kind == "branch")
    assert there.tracking_uri == (SERVER if kind == "server" else None)
    assert writes is (verb in WRITE)


def test_a_registry_that_is_none_ends_with_a_sentence(project: Path, met: list[Call]) -> None:
    code, words = run("history", "--registry", "brunch")
    assert (code, met) == (Exit.USAGE, [])
    assert words == "error: --registry 'brunch': choose local, branch or server\n"


def test_what_is_handed_over_and_the_tip_are_passed_on(project: Path, met: list[Call]) -> None:
    run("promote", "--candidate", "candidate", "--tip", "main", "--dirty")
    ((_, words, _),) = met
    assert words == (None, None, True, Path("candidate"), "main", Own())


def test_to_open_the_final_rows_is_asked_for_and_pushes(project: Path, met: list[Call]) -> None:
    run("holdout")
    run("holdout", "--open", "--again", "a reviewer asks")
    assert [(words[:2], writes) for _, words, writes in met] == [
        ((False, None), False),
        ((True, "a reviewer asks"), True),
    ]


@pytest.mark.parametrize("verb", ["gate", "promote"])
def test_the_metrics_of_the_package_are_handed_to_the_gate(
    project: Path, met: list[Call], verb: str
) -> None:
    metric = mean_of("mine", "Mine", abs, higher_is_better=True)
    CliRunner().invoke(app.app, [verb], obj=Handed("flights", (), (metric,)))
    ((_, words, _),) = met
    assert words[-1] == Own("flights", (metric,))


def test_a_number_that_is_none_is_a_usage_error(project: Path, met: list[Call]) -> None:
    assert run("rollback", "previous", "--reason", "a bad night")[0] == Exit.UNDECIDED
    assert run("rollback", "last")[0] == Exit.USAGE
    assert [words for _, words, _ in met] == [(None, "a bad night")]
    code, words = run("serve", "--every", "-1")
    assert code == Exit.USAGE and "--every" in words
    code, words = run("serve", "--port", "99999")
    known = "99999 is no port; choose one from 0 (any) to 65535"
    assert (code, words) == (Exit.USAGE, f"error: --port: {known}\n")


def test_a_registry_on_a_branch_needs_a_remote(project: Path) -> None:
    code, words = run("history", "--registry", "branch")
    assert code == Exit.USAGE
    assert "the repository has no remote 'origin'" in words
    rows.git(project, "remote", "add", "origin", str(project / "gone.git"))
    code, words = run("promote", "--registry", "branch")
    assert code == Exit.WORLD and "git cannot read it" in words and "Traceback" not in words


def test_serve_keeps_the_columns_that_the_schema_lets_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[ServeOptions] = []
    monkeypatch.setattr(serve, "serve", lambda _, wanted, package: taken.append(wanted))
    columns = (Column("carrier", "category"), Column("dest", "category", logged=False))
    words = ["serve", "--requests", "asked", "--requests-share", "0.5", "--requests-mib", "7"]
    done = CliRunner().invoke(app.app, words, obj=Handed("flight_delays", columns))
    assert done.exit_code == Exit.DONE
    rules = Rules(Path("asked"), frozenset({"carrier"}), 0.5, 7 * 2**20)
    assert taken[0].manner.rules == rules
    assert CliRunner().invoke(app.app, ["serve"], obj=Handed()).exit_code == Exit.DONE
    assert taken[1].manner.rules is None


def test_serve_refuses_a_folder_before_anything_starts(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "elsewhere").mkdir(mode=0o700)
    (project / "asked").symlink_to("elsewhere")
    monkeypatch.setattr(serve, "started", lambda _: pytest.fail("it has begun"))
    code, words = run("serve", "--requests", "asked")
    assert code == Exit.USAGE
    assert words == "error: asked: is a link; name the folder itself, where requests are kept\n"
