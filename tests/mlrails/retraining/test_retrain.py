"""Moving on, training and gating, in that order; killed between any two, the next one goes on."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import rows
import yaml
from typer.testing import CliRunner

from flight_delays.schema import COLUMNS
from mlrails.cli import app
from mlrails.core import layout, params
from mlrails.core.errors import Exit, UsageError, WorldError
from mlrails.core.params import FILE
from mlrails.core.settings import Settings
from mlrails.data import parquet
from mlrails.gate import report
from mlrails.lifecycle import promote
from mlrails.registry import git_branch
from mlrails.retraining import level, run
from mlrails.retraining.run import Order, retrain

AUGUST, SEPTEMBER = date(2013, 8, 31), date(2013, 9, 30)


def write(root: Path, **data: Any) -> None:
    """Write params whose rows end in August, where nothing else is said."""
    told = rows.values()
    told["data"] |= {"until": AUGUST.isoformat()} | data
    told["data"] = {name: it for name, it in told["data"].items() if it is not ...}
    text = yaml.safe_dump(told, sort_keys=False).replace("08-31'", "08-31' # the last day")
    (root / FILE).write_text(f"# Ours.\n{text}", "utf-8")


def last_day(root: Path) -> date | None:
    return params.load(root).data.until


@pytest.fixture
def done(project: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the pipeline and the gate only tell what they were asked for, and of which last day."""
    write(project)
    found: list[str] = []

    def told(name: str) -> Any:
        return lambda *_: found.append(f"{name} {last_day(project)}")

    monkeypatch.setattr(run.pipeline, "bring", told("bring"))
    monkeypatch.setattr(run.pipeline, "train", told("train"))
    return found


def retrained(root: Path, answer: Exit = Exit.DONE, until: date | None = None) -> Exit:
    return retrain(Settings(root), Order(COLUMNS, lambda: answer, until=until))


def test_new_rows_are_read_counted_and_trained_with(
    project: Path, done: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = (project / FILE).read_text("utf-8")
    assert retrained(project, Exit.REJECT) is Exit.REJECT
    assert done == ["bring 2013-08-31", "train 2013-09-30"]
    after = (project / FILE).read_text("utf-8")
    assert after == before.replace("'2013-08-31' # the last day", '"2013-09-30" # the last day')
    said = capsys.readouterr().out
    month = rows.flights()["scheduled_departure"].dt.month
    assert f"up to 2013-09-30 now, not 2013-08-31: {sum(month == 9):,} rows more" in said
    assert "nothing moves" in said


def test_a_day_that_is_asked_for_is_taken_and_another_refused(
    project: Path, done: list[str]
) -> None:
    retrained(project, until=date(2013, 9, 14))
    assert last_day(project) == date(2013, 9, 14)
    before = (project / FILE).read_bytes()
    for day in (AUGUST, date(2013, 10, 1)):
        with pytest.raises(UsageError, match=f"--until {day}"):
            retrained(project, until=day)
    assert (project / FILE).read_bytes() == before and done.count("train 2013-09-14") == 1


def test_outcomes_that_take_time_are_waited_for(project: Path, done: list[str]) -> None:
    text = (project / FILE).read_text("utf-8")
    (project / FILE).write_text(f"{text}monitor: {{horizon: 10 days}}\n", "utf-8")
    retrained(project)
    assert last_day(project) == AUGUST


def test_what_was_killed_after_moving_on_still_trains_and_asks_the_gate(
    project: Path, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise WorldError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(run.pipeline, "train", killed)
        with pytest.raises(WorldError, match="killed"):
            retrained(project)
    assert last_day(project) == SEPTEMBER and "train 2013-09-30" not in done
    assert retrained(project, Exit.UNDECIDED) is Exit.UNDECIDED
    assert last_day(project) == SEPTEMBER and done[-1] == "train 2013-09-30"


def stage_of(project: Path, text: str) -> None:
    path = project / "src" / "package" / "steps" / "train.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def judged(
    root: Path,
    champion: str | None = "b" * 64,
    off: float | None = -0.012,
    answer: Exit = Exit.DONE,
) -> Exit:
    """Write what the gate has found of the mean prediction, as it does."""
    checks = [{"name": "size", "value": 1.0}, {"name": "mean prediction", "value": off}]
    verdict = root / report.VERDICT
    verdict.parent.mkdir(exist_ok=True)
    verdict.write_text(json.dumps({"champion": champion, "checks": checks}), "utf-8")
    return answer


@pytest.mark.parametrize(
    ("champion", "off", "words"),
    [
        ("b" * 64, -0.012, "0.0120 nearer to what came than the champion's"),
        ("b" * 64, 0.0091, "0.0091 further off than the champion's"),
        ("b" * 64, None, "the gate has not held its level against the champion's"),
        (None, 0.05, "no champion whose level"),
    ],
)
def test_whether_a_level_is_nearer_is_told_whatever_the_gate_allows(
    project: Path, champion: str | None, off: float | None, words: str
) -> None:
    """A gate that says promote allows some bias; who moves a level wants less of it."""
    judged(project, champion, off)
    told, nearer = level.came(project)
    assert words in told and nearer is (off != 0.0091)
    assert nearer or "take 'estimator.calibration' out" in told


def test_a_level_that_is_further_off_is_not_sent_to_promote(
    project: Path, done: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    stage_of(project, "of_estimator(params)\n")
    for off, sent in ((0.0091, False), (-0.012, True)):
        gate = partial(judged, project, off=off)
        retrain(Settings(project), Order(COLUMNS, gate, recalibrate=True))
        assert ("nox -s promote" in capsys.readouterr().out) is sent


def test_a_level_is_asked_for_by_one_line_which_stays_as_a_person_wrote_it(
    project: Path, done: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    stage_of(project, "of_estimator(params)\n")
    before = (project / FILE).read_text("utf-8").splitlines()
    order = Order(COLUMNS, lambda: judged(project), recalibrate=True)
    retrain(Settings(project), order)
    after = (project / FILE).read_text("utf-8").splitlines()
    (line,) = (it for it in after if "calibration: 0.5" in it)
    assert len([it for it in before if it not in after]) == 1 and len(after) == len(before) + 1
    assert params.of_held_out(params.load(project)).calibration == 0.5
    said = capsys.readouterr().out
    assert done[-1] == "train 2013-09-30" and "'estimator.calibration' is 0.5" in said
    assert "0.0120 nearer to what came" in said
    text = (project / FILE).read_text("utf-8").replace(line, "  calibration: 1.0 # ours")
    (project / FILE).write_text(text, "utf-8")
    retrain(Settings(project), order)
    assert (project / FILE).read_text("utf-8") == text


def test_a_stage_of_before_there_were_levels_is_told_of_before_anything_is_written(
    project: Path, done: list[str]
) -> None:
    before = (project / FILE).read_bytes()
    for text in ("params.estimator\n", None):
        if text:
            stage_of(project, text)
        with pytest.raises(UsageError, match=r"steps/train\.py: sets no level.*nox -s update"):
            retrain(Settings(project), Order(COLUMNS, lambda: Exit.DONE, recalibrate=True))
        (project / "src" / "package" / "steps" / "train.py").unlink(missing_ok=True)
    assert (project / FILE).read_bytes() == before and not done


@pytest.mark.parametrize(("left_out", "key"), [({"until": ...}, "until"), ({"time": None}, "time")])
def test_where_all_rows_count_nothing_moves_and_all_are_trained_with(
    project: Path,
    done: list[str],
    capsys: pytest.CaptureFixture[str],
    left_out: dict[str, Any],
    key: str,
) -> None:
    write(project, **left_out)
    before = (project / FILE).read_bytes()
    retrained(project)
    assert (project / FILE).read_bytes() == before and len(done) == 2
    assert f"has no 'data.{key}', so all rows count" in capsys.readouterr().out
    with pytest.raises(UsageError, match=f"has no 'data.{key}'"):
        retrained(project, until=SEPTEMBER)


def test_rows_without_a_time_move_nothing(project: Path, done: list[str]) -> None:
    frame = rows.flights().assign(scheduled_departure=pd.Series(pd.NaT, range(3000)))
    parquet.write(frame, project / layout.RAW)
    retrained(project)
    assert last_day(project) == AUGUST


def test_the_verb_ends_with_the_answer_of_the_gate_and_moves_nobody(
    project: Path, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promote, "gate", lambda *_, **__: judged(project, answer=Exit.UNDECIDED))
    words = ["retrain", "--until", "2013-09-30", "--recalibrate"]
    assert CliRunner().invoke(app.app, words).exit_code == Exit.UNDECIDED
    assert params.of_held_out(params.load(project)).calibration == 0.5
    assert done == ["bring 2013-08-31", "train 2013-09-30"]
    wrong = CliRunner().invoke(app.app, ["retrain", "--until", "tomorrow"])
    assert wrong.exit_code == Exit.USAGE and "is no day" in wrong.stderr


def test_the_gate_asks_the_registry_that_was_meant_whatever_mlflow_has_set_meanwhile(
    project: Path, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Settings] = []

    def train(*_: object) -> None:
        os.environ["MLFLOW_TRACKING_URI"] = "sqlite:////elsewhere.db"  # As set_tracking_uri does.

    def gate(settings: Settings, **_: object) -> Exit:
        asked.append(settings)
        return Exit.DONE

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(run.pipeline, "train", train)
    monkeypatch.setattr(promote, "gate", gate)
    assert CliRunner().invoke(app.app, ["retrain"]).exit_code == Exit.DONE
    assert [it.tracking_uri for it in asked] == [None]


def test_the_champion_of_the_branch_is_asked_and_its_registry_left_as_it_is(
    here: Settings, another: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = here.root.with_name("bare.git")
    rows.git(here.root, "init", "--quiet", "--bare", str(bare))
    rows.git(here.root, "remote", "add", "origin", str(bare))
    on_branch = replace(here, on_branch=True)
    assert git_branch.act_on(on_branch, promote.promote) is Exit.DONE
    registry = git_branch.tip(on_branch, git_branch.BRANCH)
    write(here.root)
    monkeypatch.setattr(run.pipeline, "bring", lambda *_: None)
    monkeypatch.setattr(run.pipeline, "train", lambda *_: another("newer"))
    done = CliRunner().invoke(app.app, ["retrain", "--registry", "branch"])
    assert (done.exit_code, last_day(here.root)) == (Exit.DONE, SEPTEMBER)
    assert "gate: promote: model" in done.output and "in branch registry of" in done.output
    assert git_branch.tip(on_branch, git_branch.BRANCH) == registry
