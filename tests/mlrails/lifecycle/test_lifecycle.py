"""The acts on the registry, on small rows and a real store of the project's own."""

import importlib.util
import json
import marshal
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rows
import yaml

from mlrails.core import layout, params
from mlrails.core.errors import Exit, UsageError, WorldError
from mlrails.core.hashing import of_folder
from mlrails.core.params import Task
from mlrails.core.settings import Settings
from mlrails.data import parquet
from mlrails.gate.report import VERDICT
from mlrails.lifecycle import history, promote, rebuild, register, reproduce, rollback
from mlrails.modeling import equivalence, isolation
from mlrails.pipeline import dvc
from mlrails.registry import download, versions
from mlrails.registry.ledger import Ledger, experiment_of
from mlrails.registry.versions import Version
from mlrails.tracking import store
from mlrails.tracking.origin import cpu_class


def verdict(settings: Settings) -> dict[str, object]:
    told: dict[str, object] = json.loads((settings.root / VERDICT).read_text("utf-8"))
    return told


def failed(settings: Settings) -> list[dict[str, str]]:
    checks: Any = verdict(settings)["checks"]
    return [check for check in checks if check["passed"] is False]


def champion(settings: Settings) -> int | None:
    return versions.connect(settings).pointed("champion")


def moves(settings: Settings) -> list[tuple[str, int, int | None]]:
    found = Ledger(versions.connect(settings).client, settings).entries()
    return [(entry.action, entry.version, entry.before) for entry in found]


def test_a_model_is_registered_once_with_its_lineage_and_its_card(here: Settings) -> None:
    register.register(here)
    register.register(here)
    there = versions.connect(here)
    (version,) = there.versions()
    commit = rows.git(here.root, "rev-parse", "HEAD")
    assert version.tags["digest"] == of_folder(here.root / layout.MODEL)
    assert version.tags["git_commit"] == commit and version.tags["git_dirty"] == "false"
    assert version.tags["stage"] == "staging" and version.tags["seen_until"] < "2013-09-01"
    assert there.pointed("challenger") == version.number
    card = card_of(there)
    for words in ("## Intended use", "## Limits", commit, "`late`", "Weakest slices"):
        assert words in card


def test_a_model_made_of_uncommitted_files_gets_the_commit_that_holds_them(here: Settings) -> None:
    path = here.root / "src" / rows.PACKAGE / "features.py"
    path.write_text(path.read_text("utf-8") + "# new\n", "utf-8")
    register.register(here)
    there = versions.connect(here)
    assert there.versions()[0].tags["git_dirty"] == "true"
    rows.git(here.root, "commit", "--all", "--quiet", "--message", "now it is kept")
    register.register(here)
    (version,) = there.versions()
    assert version.tags["git_dirty"] == "false"
    assert version.tags["git_commit"] == rows.git(here.root, "rev-parse", "HEAD")
    assert version.tags["git_commit"] in card_of(there)


def card_of(there: versions.Registry) -> str:
    return str(there.client.get_model_version(rows.NAME, "1").description)


@pytest.mark.parametrize("act", [register.register, promote.gate, promote.promote])
def test_what_is_no_candidate_is_refused(
    here: Settings, act: Callable[[Settings], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dvc, "is_stale", lambda root: True)
    with pytest.raises(UsageError, match="not of these params and files"):
        act(here)
    described = here.root / layout.MODEL / "MLmodel"
    described.write_text(described.read_text("utf-8").replace("signature:", "was:"), "utf-8")
    rows.tell_figures(here.root)
    with pytest.raises(UsageError, match="has no signature"):
        act(here)
    (here.root / layout.METRICS).unlink()
    with pytest.raises(UsageError, match="no report yet"):
        act(here)
    assert versions.connect(here).versions() == []


def test_the_first_model_becomes_champion_and_again_nothing_changes(here: Settings) -> None:
    assert promote.gate(here) is Exit.DONE
    assert verdict(here)["verdict"] == "promote" and champion(here) is None
    assert promote.promote(here) is Exit.DONE
    assert verdict(here)["champion"] is None
    assert promote.promote(here) is Exit.DONE
    assert verdict(here)["verdict"] == "unchanged"
    assert champion(here) == 1 and moves(here) == [("promotion", 1, None)]


@pytest.mark.usefixtures("succeeded")
def test_there_and_back_again(here: Settings) -> None:
    rollback.rollback(here, reason="a bad night")
    assert champion(here) == 1
    assert promote.promote(here) is Exit.REJECT
    (check,) = failed(here)
    assert check["name"] == "not rolled back" and "a bad night" in check["reason"]
    with pytest.raises(UsageError, match=r"no earlier champion .* since the rollback of 20"):
        rollback.rollback(here)
    with pytest.raises(UsageError, match="champion already"):
        rollback.rollback(here, 1)
    assert promote.promote(here, again="it was not the model") is Exit.DONE
    assert "rolled_back" not in versions.connect(here).get(2).tags
    assert moves(here) == [
        ("promotion", 1, None),
        ("promotion", 2, 1),
        ("rollback", 1, 2),
        ("promotion", 2, 1),
    ]


@pytest.mark.usefixtures("succeeded")
def test_a_rollback_that_a_kill_cut_short_goes_back_once(
    here: Settings, another: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    another("third")
    promote.promote(here)
    with monkeypatch.context() as patch:
        patch.setattr(versions.Registry, "tag", lambda *_: (_ for _ in ()).throw(MemoryError()))
        with pytest.raises(MemoryError):
            rollback.rollback(here)
    assert champion(here) == 2
    rollback.rollback(here)
    assert champion(here) == 2
    rollback.rollback(here)
    assert champion(here) == 1


def test_only_a_clean_main_is_promoted_unless_it_is_said(here: Settings) -> None:
    (here.root / "src" / rows.PACKAGE / "notes.py").write_text("new", "utf-8")
    with pytest.raises(UsageError, match="not committed"):
        promote.promote(here)
    rows.git(here.root, "switch", "--quiet", "--create", "try")
    promote.promote(here)
    assert [it["git_dirty"] for it in ledger_of(here)] == ["true"]


def test_a_file_that_no_stage_reads_stops_nobody(here: Settings) -> None:
    (here.root / "nohup.out").write_text("a log", "utf-8")
    (here.root / "README.md").write_text("new words", "utf-8")
    promote.promote(here)
    assert [it["git_dirty"] for it in ledger_of(here)] == ["false"]
    assert versions.connect(here).get(1).tags["git_dirty"] == "false"


def ledger_of(settings: Settings) -> list[dict[str, str]]:
    found = Ledger(versions.connect(settings).client, settings).entries()
    return [dict(entry.told) for entry in found]


@pytest.mark.usefixtures("promoted")
def test_the_best_champion_stays_the_best_while_the_next_is_only_as_good(
    here: Settings, another: Callable[[str], str]
) -> None:
    another("as good")
    promote.promote(here)
    assert [entry["best"] for entry in ledger_of(here)] == ["1", "1"]


def test_the_history_tells_who_and_why(
    here: Settings, another: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    history.history(here)
    assert "nobody has been champion yet" in capsys.readouterr().out
    promote.promote(here)
    another("second")
    promote.promote(here)
    rollback.rollback(here, reason="a bad night")
    capsys.readouterr()
    history.history(here)
    table = capsys.readouterr().out
    assert "a bad night" in table and "somebody" in table and "3 moves" in table
    history.history(here, as_json=True)
    assert [entry["version"] for entry in json.loads(capsys.readouterr().out)] == ["1", "2", "1"]
    history.history(here, commit=rows.git(here.root, "rev-parse", "HEAD"))
    assert capsys.readouterr().out.splitlines()[1].split()[0] == "2"
    history.history(here, commit="0123456")
    assert "no version comes from" in capsys.readouterr().out


def test_the_history_tells_which_job_vouches_for_who_acted(
    here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    page = "https://forge/team/project/actions/runs/7"
    promote.promote(replace(here, actor="ann", job=page))
    capsys.readouterr()
    history.history(here)
    assert "ann (run 7)" in capsys.readouterr().out
    history.history(here, as_json=True)
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["actor"], told["vouched_by"]) == ("ann", page)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("of_another", "answer", "code"),
    [
        ("nothing", "identical bytes", Exit.DONE),
        ("its name alone", "identical predictions", Exit.DONE),
        ("its trees", "different: train", Exit.REJECT),
    ],
)
def test_a_version_made_again_is_compared(
    here: Settings, monkeypatch: pytest.MonkeyPatch, of_another: str, answer: str, code: Exit
) -> None:
    task = Task.CLASSIFICATION

    def stages(root: Path, interpreter: Path, left_out: set[str]) -> None:
        shutil.copytree(here.root / "data", root / "data", dirs_exist_ok=True)
        shutil.copytree(here.root / "reports", root / "reports", dirs_exist_ok=True)
        shutil.copytree(here.root / "models", root / "models")
        if of_another == "its name alone":
            rows.write_model(task, root / layout.MODEL, "another")
        if of_another == "its trees":
            file = next((root / layout.MODEL).rglob("predictor.json"))
            file.write_text(file.read_text("utf-8").replace('"EV"', '"XX"'), "utf-8")

    monkeypatch.setattr(rebuild, "stages", stages)
    assert reproduce.reproduce(here, "1") is code
    told = versions.connect(here).get(1).tags["reproduced"]
    assert told.startswith(answer) and cpu_class() in told


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("made_on", ["this class", "another class", "this GPU"])
def test_what_a_cpu_of_this_class_has_made_may_not_be_merely_near(
    here: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    made_on: str,
) -> None:
    def stages(root: Path, *_: object) -> None:
        shutil.copytree(here.root / "data", root / "data", dirs_exist_ok=True)
        rows.write_model(Task.CLASSIFICATION, root / layout.MODEL, "another")

    def near(ours: Path, theirs: Path, frame: object, exact: bool) -> str | None:
        return None if exact else "within tolerance"

    monkeypatch.setattr(rebuild, "stages", stages)
    monkeypatch.setattr(equivalence, "likeness", near)
    tags = {"this class": cpu_class(), "another class": "another", "this GPU": "h100-cuda-13-0"}
    if made_on == "this GPU":
        monkeypatch.setattr(reproduce, "_fitted_on", lambda root: tags[made_on])
    versions.connect(here).tag(1, {"cpu_class": tags[made_on]})
    refused = made_on == "this class"
    assert reproduce.reproduce(here, "1") is (Exit.REJECT if refused else Exit.DONE)
    told = versions.connect(here).get(1).tags["reproduced"]
    assert told.startswith("different: train" if refused else "within tolerance; ")
    said = "made on another class of machine (another)" in capsys.readouterr().out
    assert said is (made_on == "another class")


def test_what_was_never_committed_cannot_be_made_again(here: Settings) -> None:
    with pytest.raises(UsageError, match="no alias 'champion'; there are: none yet"):
        reproduce.reproduce(here)
    register.register(here)
    versions.connect(here).tag(1, {"git_commit": "none"})
    with pytest.raises(UsageError, match="never committed"):
        reproduce.reproduce(here, "1")


def test_byte_code_beside_the_model_is_never_run(here: Settings) -> None:
    """Python prefers it to the source, and the digest does not see it (see test_verified.py)."""
    code = here.root / layout.MODEL / "code" / rows.PACKAGE
    with (code / "model.py").open("a") as file:
        file.write("# so that no other test has loaded it\n")
    rows.tell_figures(here.root)
    planted = code / "__pycache__"
    planted.mkdir()
    source = f"raise SystemExit('byte code of {code} was run')"
    for name in ("model", "estimator", "features"):
        path = planted / f"{name}.cpython-{sys.version_info[0]}{sys.version_info[1]}.pyc"
        compiled = marshal.dumps(compile(source, name, "exec"))
        path.write_bytes(
            importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + b"0" * 8 + compiled
        )
    assert promote.gate(here) is Exit.DONE


def test_a_holdout_that_was_written_over_is_not_believed(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    register.register(here)
    monkeypatch.setattr(dvc, "is_stale", lambda root: True)
    assert promote.gate(here) is Exit.DONE
    parquet.write(rows.flights().assign(late=False), here.root / layout.RAW)
    with pytest.raises(UsageError, match="not of these params and files"):
        promote.gate(here)


@pytest.mark.usefixtures("promoted")
def test_a_champion_that_got_lost_is_no_first_model(here: Settings) -> None:
    versions.connect(here).unpoint("champion")
    with pytest.raises(WorldError, match="no version is champion"):
        promote.promote(here)
    rollback.rollback(here, 1)
    assert champion(here) == 1


@pytest.mark.usefixtures("succeeded")
def test_a_blank_reason_is_none(here: Settings) -> None:
    rollback.rollback(here)
    assert promote.promote(here, again=" ") is Exit.REJECT


@pytest.mark.usefixtures("succeeded")
@pytest.mark.parametrize("number", [None, 1])
def test_a_champion_of_before_that_asks_for_a_sensitive_column_stays_where_it_is(
    here: Settings, number: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = yaml.safe_load((here.root / params.FILE).read_text("utf-8"))
    values["data"]["sensitive"] = ["carrier", "tailnum"]
    values["features"]["categorical"].remove("carrier")
    (here.root / params.FILE).write_text(yaml.safe_dump(values), "utf-8")
    before = moves(here)
    words = r"^version 1 asks for 'carrier', which `data\.sensitive` of params\.yaml keeps from"
    with monkeypatch.context() as patched, pytest.raises(UsageError, match=words):
        patched.setattr(isolation, "load_copy", lambda *_: pytest.fail("its code was run"))
        rollback.rollback(here, number)
    assert champion(here) == 2 and moves(here) == before
    values["data"]["sensitive"] = ["tailnum"]
    (here.root / params.FILE).write_text(yaml.safe_dump(values), "utf-8")
    rollback.rollback(here, number)
    assert champion(here) == 1


@pytest.mark.usefixtures("promoted")
def test_only_a_former_champion_can_be_gone_back_to(
    here: Settings, another: Callable[[str], str]
) -> None:
    another("second")
    register.register(here)
    with pytest.raises(UsageError, match="version 2 was never champion"):
        rollback.rollback(here, 2)


@pytest.mark.parametrize("revision", ["", ":0", "HEAD:params.yaml", "--output=x", "nowhere"])
def test_bounds_come_from_a_commit_only(here: Settings, revision: str) -> None:
    with pytest.raises(UsageError, match="git knows no"):
        promote.gate(here, revision)
    assert not (here.root / "x").exists()
    promote.gate(here, "HEAD")
    commit = rows.git(here.root, "rev-parse", "HEAD")
    assert verdict(here)["bounds"] == f"HEAD ({commit[:12]})"
    promote.gate(here, commit)
    assert verdict(here)["bounds"] == commit


@pytest.mark.usefixtures("promoted")
def test_what_somebody_else_ran_among_the_moves_is_left_out(here: Settings) -> None:
    there = versions.connect(here)
    moved = store.experiment(there.client, here, experiment_of(here.name))
    there.client.create_run(moved, tags={"made": "by hand"})
    assert promote.promote(here) is Exit.DONE and len(moves(here)) == 1


def dirty(here: Settings) -> versions.Registry:
    """Register a model that was made of uncommitted changes; return the registry."""
    path = here.root / "src" / rows.PACKAGE / "features.py"
    path.write_text(path.read_text("utf-8") + "# new\n", "utf-8")
    register.register(here)
    rows.git(here.root, "checkout", "--quiet", ".")
    return versions.connect(here)


def rebuilt(here: Settings, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the stages do nothing but bring what is here, and tell what code they would run."""
    seen: list[str] = []

    def stages(root: Path, interpreter: Path, left_out: set[str]) -> None:
        seen.append((root / "src" / rows.PACKAGE / "features.py").read_text("utf-8"))
        for name in ("data", "reports", "models"):
            shutil.copytree(here.root / name, root / name, dirs_exist_ok=True)

    monkeypatch.setattr(rebuild, "stages", stages)
    return seen


def test_uncommitted_changes_are_run_only_where_nobody_asks_for_a_signature(
    here: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dirty(here)
    seen = rebuilt(here, monkeypatch)
    assert reproduce.reproduce(here, "1") is Exit.DONE
    assert seen[0].endswith("# new\n")
    told = capsys.readouterr()
    assert "and its uncommitted changes" in told.out and "input_key" not in told.err
    (here.root / "signing.pub").write_text("a key", "utf-8")
    monkeypatch.setattr(download, "check", lambda *_: None)
    with pytest.raises(UsageError, match=r"uncommitted changes that nobody signed, and signing"):
        reproduce.reproduce(here, "1")
    assert len(seen) == 1


@pytest.mark.usefixtures("registered")
def test_a_version_that_does_not_verify_is_not_made_again(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = rebuilt(here, monkeypatch)
    (here.root / "signing.pub").write_text("a key", "utf-8")
    with pytest.raises(WorldError, match="version 1 is not signed"):
        reproduce.reproduce(here, "1")
    assert seen == []


@pytest.mark.usefixtures("registered")
def test_what_is_no_commit_never_reaches_git(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "at", lambda *_: pytest.fail("git was asked"))
    for commit in ("--upload-pack=x", "HEAD", "main", "0" * 39, "0" * 41, ""):
        versions.connect(here).tag(1, {"git_commit": commit})
        with pytest.raises(WorldError, match=r"made of commit .*, which is none; set its tag"):
            reproduce.reproduce(here, "1")


@pytest.mark.usefixtures("registered")
def test_a_version_of_other_inputs_than_it_says_is_told(
    here: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    versions.connect(here).tag(1, {"input_key": "another"})
    rebuilt(here, monkeypatch)
    reproduce.reproduce(here, "1")
    assert "not what the version says that it was made of" in capsys.readouterr().err


@pytest.mark.usefixtures("registered")
def test_an_alias_that_is_none_is_told_with_those_that_there_are(here: Settings) -> None:
    with pytest.raises(UsageError, match=r"no alias 'nope'; there are: challenger; name"):
        reproduce.reproduce(here, "nope")


@pytest.mark.usefixtures("promoted")
def test_an_unchanged_champion_has_to_verify_too(here: Settings) -> None:
    assert ledger_of(here)[0]["signature"] == "not asked for"
    (here.root / "signing.pub").write_text("a key", "utf-8")
    with pytest.raises(WorldError, match="version 1 is not signed"):
        promote.gate(here)


def test_a_link_in_a_model_is_refused(here: Settings) -> None:
    (here.root / layout.MODEL / "link").symlink_to(here.root / "params.yaml")
    with pytest.raises(WorldError, match=r"models/model/link: a link, or no plain file"):
        promote.gate(here)


def test_a_branch_cannot_choose_its_own_test_rows(here: Settings) -> None:
    promoted = promote.gate(here, "HEAD")
    params = here.root / "params.yaml"
    text = params.read_text("utf-8")
    assert promoted is Exit.DONE
    params.write_text(text.replace("test: 1 month", "test: 3 weeks"), "utf-8")
    assert promote.gate(here, "HEAD") is Exit.REJECT
    (check,) = failed(here)
    assert check["name"] == "same holdout" and "`split`" in check["reason"]


@pytest.mark.usefixtures("promoted")
def test_a_champion_whose_tags_change_meanwhile_is_no_challenger(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = versions.Registry.of_digest

    def before(there: versions.Registry, digest: str) -> Version | None:
        found = look(there, digest)
        return found and replace(found, tags={**found.tags, "reproduced": "yesterday"})

    monkeypatch.setattr(versions.Registry, "of_digest", before)
    register.register(here)
    assert versions.connect(here).pointed("challenger") is None
