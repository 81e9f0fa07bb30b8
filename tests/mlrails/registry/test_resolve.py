"""Which model is taken: never the folder's own in silence where a registry has, or had, another."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import fakes
import pytest
import rows

from mlrails.batch import predict
from mlrails.core.errors import Exit, OutageError, ProjectError, UsageError, WorldError
from mlrails.core.settings import Settings
from mlrails.lifecycle import history, promote, rollback
from mlrails.registry import download, git_branch, resolve, versions
from mlrails.registry.ledger import Ledger
from mlrails.registry.resolve import Resolver
from mlrails.registry.versions import CHAMPION, FOLDER, LOCAL, named
from mlrails.tracking import store

Change = Callable[[Settings], Settings | None]
JOB = predict.Job("data/prepared/test.parquet", "out.parquet")


def alias_is_lost(here: Settings) -> None:
    versions.connect(here).client.delete_registered_model_alias(rows.NAME, CHAMPION)


def model_is_deleted(here: Settings) -> None:
    versions.connect(here).client.delete_registered_model(rows.NAME)


def versions_are_deleted(here: Settings) -> None:
    versions.connect(here).client.delete_model_version(rows.NAME, "1")


def all_is_archived(here: Settings) -> None:
    alias_is_lost(here)
    there = versions.connect(here)
    there.tag(1, {"stage": "archived"})
    for entry in Ledger(there.client, here).entries():
        there.client.delete_run(entry.run_id)


def another_database(here: Settings) -> Settings:
    """Return the settings of a registry that is there and empty, as that of another team is."""
    elsewhere = f"sqlite:///{here.root / 'theirs.db'}"
    there = replace(here, tracking_uri=elsewhere)
    store.connect(there)
    versions.connect(there).client.create_registered_model("their-model")
    return there


def mistyped_path(here: Settings) -> Settings:
    return replace(here, tracking_uri=f"sqlite:///{here.root}/misstyped/mlflow.db")


def key_is_there(here: Settings) -> None:
    forget(here)
    (here.root / "signing.pub").write_text("a key\n", "utf-8")


def branch_is_there(here: Settings) -> None:
    forget(here)
    rows.git(here.root, "update-ref", "refs/remotes/origin/registry", "HEAD")


def server_is_named(here: Settings) -> Settings:
    forget(here)
    return replace(here, server_named=True)


def database_is_gone(here: Settings) -> None:
    (here.root / "mlflow.db").unlink()


def forget(here: Settings) -> None:
    """Let the registry be as if it was never used."""
    (here.root / "mlflow.db.turn").unlink()
    model_is_deleted(here)
    there = versions.connect(here)
    for entry in Ledger(there.client, here).entries():
        there.client.delete_run(entry.run_id)


LOST: dict[Change, str] = {
    alias_is_lost: "no version has the alias 'champion'; there are: 1",
    model_is_deleted: "its ledger tells of champions",
    versions_are_deleted: "has no version",
    all_is_archived: "no version has the alias 'champion'; there are: 1",
    database_is_gone: "it is new, and mlflow.db.turn tells of another one in its place",
    another_database: "theirs.db: .* holds no model 'project'",
    mistyped_path: "misstyped/mlflow.db: there is no database; check MLFLOW_TRACKING_URI",
    key_is_there: "signing.pub asks for signatures",
    branch_is_there: "the branch registry: say --registry branch",
    server_is_named: "MLFLOW_TRACKING_URI names another registry",
}


@pytest.mark.usefixtures("promoted")
@pytest.mark.parametrize("change", LOST, ids=lambda change: change.__name__)
def test_a_champion_that_is_lost_is_not_replaced_by_the_folder_s_model(
    here: Settings, change: Change
) -> None:
    there = change(here) or here
    with pytest.raises(WorldError, match=LOST[change]) as caught:
        predict.predict(there, JOB, CHAMPION)
    assert "\n" not in str(caught.value) and not (here.root / "out.parquet").exists()
    assert not (here.root / "misstyped").exists()
    if change is not mistyped_path:
        assert "--local takes the model of this folder" in str(caught.value)
    # Who says so takes it all the same, and nobody is asked.
    assert Resolver(there, FOLDER).pointed()[0] == LOCAL


@pytest.mark.usefixtures("promoted")
@pytest.mark.parametrize(
    "change", [alias_is_lost, database_is_gone, another_database, key_is_there]
)
def test_without_the_guard_an_ungated_model_would_answer(
    here: Settings, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = change(here) or here
    monkeypatch.setattr(resolve, "_used", lambda *_: iter(()))
    assert Resolver(there).pointed()[0] == LOCAL
    assert predict.predict(there, JOB, CHAMPION) is Exit.DONE


def test_without_the_guard_a_mistyped_path_would_become_an_empty_registry(
    here: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(store, "require", lambda settings: None)
    with pytest.raises(WorldError, match="holds no model"):
        Resolver(mistyped_path(here)).pointed()
    assert (here.root / "misstyped" / "mlflow.db").exists()
    assert "there is no database; a new one is made" in capsys.readouterr().err


@pytest.mark.parametrize("act", [promote.gate, history.history, rollback.rollback])
def test_who_only_reads_makes_no_database(here: Settings, act: Callable[[Settings], Any]) -> None:
    with pytest.raises(OutageError, match="there is no database"):
        act(mistyped_path(here))
    assert not (here.root / "misstyped").exists()


@pytest.mark.parametrize("wanted", [CHAMPION, FOLDER])
def test_the_folder_s_model_answers_where_there_never_was_a_registry_and_is_named_so(
    here: Settings, wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict.predict(here, JOB, wanted) is Exit.DONE
    shown = capsys.readouterr().out
    assert "predict: version local (" in shown and "of this folder, which no gate has let" in shown
    said = "as --local says" if wanted == FOLDER else "nothing was ever promoted in sqlite:///"
    assert said in shown


@pytest.mark.usefixtures("promoted")
def test_a_champion_is_named_with_its_registry(
    here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    predict.predict(here, JOB, CHAMPION)
    assert f") of sqlite:///{here.root}/mlflow.db: " in capsys.readouterr().out


@pytest.mark.usefixtures("registered")
def test_a_model_that_no_gate_has_let_pass_is_no_champion(here: Settings) -> None:
    with pytest.raises(WorldError, match="no version has the alias 'champion'; there are: 1"):
        Resolver(here).pointed()
    assert Resolver(here, "challenger").pointed()[0] == "1"


@pytest.mark.usefixtures("promoted")
@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("chalenger", r"no version has the alias 'chalenger'; there are: champion"),
        ("7", "there is no version 7 in .*; there are: 1"),
    ],
)
def test_what_is_asked_for_by_name_is_never_replaced(
    here: Settings, wanted: str, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        Resolver(here, wanted).pointed()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((1, "champion", False), "--version and --alias: name one"),
        ((None, "champion", True), "--alias and --local: name one"),
        ((1, None, True), "--version and --local: name one"),
        ((None, "7", False), "a number is a --version"),
        ((None, FOLDER, False), "no alias is called that"),
        ((None, "", False), "no alias is called that"),
    ],
)
def test_only_one_thing_can_be_wanted(words: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        named(*words)
    assert (named(7, None), named(None, "a-b"), named(None, None)) == ("7", "a-b", CHAMPION)
    assert named(None, None, local=True) == FOLDER


@pytest.mark.usefixtures("promoted")
def test_the_gate_and_promote_do_not_take_a_lost_champion_for_the_first_model(
    here: Settings, another: Any
) -> None:
    all_is_archived(here)
    another("second")
    for act in (promote.gate, promote.promote):
        with pytest.raises(WorldError, match="there were champions, but no version is champion"):
            act(here)


def test_a_remote_that_does_not_answer_is_no_empty_registry(
    clone: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = clone("ann")
    rows.git(there.root, "remote", "set-url", "origin", str(there.root / "gone"))
    with pytest.raises(OutageError, match="git cannot read it"):
        git_branch.act_on(there, lambda it: versions.connect(it).versions(), writes=False)
    # Without the guard there would be a registry, and nothing in it.
    monkeypatch.setattr(git_branch, "fetch", lambda *_: None)
    assert git_branch.act_on(there, lambda it: versions.connect(it).versions(), writes=False) == []


@pytest.mark.usefixtures("promoted")
def test_bytes_that_cannot_be_had_are_not_told_as_another_model(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> Path:
        raise ConnectionError("the bucket is away")

    monkeypatch.setattr("mlflow.artifacts.download_artifacts", refused)
    there = versions.connect(here)
    with pytest.raises(OutageError, match=r"the bytes of version 1 cannot be had .*bucket is away"):
        download.check(there, there.get(1))


def test_what_a_server_hides_is_told_as_refused_and_not_as_missing() -> None:
    class Denied(fakes.FakeClient):
        def get_registered_model(self, name: str) -> Any:
            from mlflow.exceptions import RestException

            raise RestException({"error_code": "PERMISSION_DENIED", "message": "no"})

    there: Any = versions.Registry(Denied(), "http://server", rows.NAME)
    words = r"may not do this; it takes READ on the registered model 'project'"
    for act in (lambda: there.get(1), there.aliases, there.exists):
        with pytest.raises(WorldError, match=words):
            act()


def test_an_alias_that_is_gone_is_a_problem_of_one_line(here: Settings) -> None:
    with pytest.raises(ProjectError) as caught:
        Resolver(here, "champion2").pointed()
    assert str(caught.value).endswith("there are: none yet")
