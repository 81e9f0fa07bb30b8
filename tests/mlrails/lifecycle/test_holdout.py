"""Rows that are kept for the end: nothing hangs on them until they are opened, once."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rows
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flight_delays import estimator
from flight_delays.steps import prepare, train
from mlrails.core import hashing, layout
from mlrails.core.errors import UsageError
from mlrails.core.params import FILE, Params, Task, Unit, acknowledgement
from mlrails.core.settings import Settings
from mlrails.data import parquet, splits, validation
from mlrails.evaluation.bootstrap import Figure
from mlrails.gate import contest, final
from mlrails.gate.bounds import advice, choices, load_bounds
from mlrails.lifecycle import history, holdout, promote
from mlrails.lifecycle.holdout import Kept
from mlrails.pipeline.candidate import Candidate
from mlrails.registry import versions
from mlrails.registry.ledger import HOLDOUTS, Entry, Ledger
from mlrails.registry.versions import JUDGED_UNTIL
from mlrails.stages.stage import Stage
from mlrails.tracking.origin import Project
from mlrails.tuning.watch import Losses
from mlrails.tuning.worker import Fitter

BY_TIME = {"by": "time", "validation": "2 weeks", "test": "2 weeks", "final": "2 weeks"}
FIRST = "2013-09-17"
SHARES = {"validation": 0.2, "test": 0.2, "final": 0.2}
BY_GROUP = {
    "data": {"target": "late", "time": None, "group": "dest"},
    "features": {"numeric": ["distance"], "categorical": ["carrier"]},
    "split": {"by": "group", **SHARES},
}
RANDOM = {
    "data": {"target": "late", "time": "scheduled_departure"},
    "split": {"by": "random", "acknowledge": acknowledgement([Unit.DAY]), **SHARES},
}
WAYS = pytest.mark.parametrize(
    "sections", [{"split": BY_TIME}, BY_GROUP, RANDOM], ids=["time", "group", "random"]
)


def table() -> pd.DataFrame:
    """Return the rows with enough groups for four parts."""
    frame = rows.flights()
    return frame.assign(dest=[f"D{it % 40}" for it in range(len(frame))])


def turned(frame: pd.DataFrame, params: Params) -> pd.DataFrame:
    """Return the rows with other values in the final ones, their part left as it is."""
    mask = frame.index.isin(splits.final(frame, params).index)
    assert 0 < mask.sum() < len(frame) / 2
    return frame.assign(
        late=frame["late"] ^ mask,
        distance=frame["distance"] + mask,
        carrier=frame["carrier"].mask(mask, "AA"),
    )


def prepared(root: Path, params: Params, raw: pd.DataFrame) -> str:
    """Return the digest of all that the stage writes."""
    parquet.write(raw, root / layout.RAW)
    prepare.prepare(Stage(Settings(root), params))
    return hashing.of_folder(root / layout.PREPARED)


def trial(root: Path, params: Params) -> float:
    """Return the figure of a trial on what the stage has written."""
    parts = parquet.read_parts(root, ("train", "validation"))
    fitter = Fitter(params, parts, train.fit, estimator.Hyperparameters, ())
    return fitter.trial({}, Losses(None, lambda: None))


@WAYS
def test_no_byte_of_a_stage_and_no_trial_hangs_on_the_final_rows(
    sections: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = rows.parameters(**sections)
    plain, other = table(), turned(table(), params)
    before, figure = prepared(tmp_path, params, plain), trial(tmp_path, params)
    assert prepared(tmp_path, params, other) == before
    assert trial(tmp_path, params) == figure
    # Without the label of their own they are read: by the stage, and by a trial.
    monkeypatch.setattr(splits, "FINAL", "validation")
    monkeypatch.setattr(validation, "splits", type("_", (), {"final": lambda *_: plain}))
    assert prepared(tmp_path, params, plain) != prepared(tmp_path, params, other) != before
    assert trial(tmp_path, params) != figure


@WAYS
def test_every_row_is_in_one_part_and_the_gate_has_the_test_rows(
    sections: Any, tmp_path: Path
) -> None:
    params, frame = rows.parameters(**sections), table()
    prepared(tmp_path, params, frame)
    parts = splits.divided(frame, params, list(frame))
    kept = splits.final(frame, params)
    assert sorted([*kept.index, *(i for it in parts.values() for i in it.index)]) == [*frame.index]
    here = Candidate(tmp_path, "", params, "", {}, Project(tmp_path))
    assert contest.rows(frame, here, ()).index.equals(parts["test"].index)
    assert len(splits.seen(frame, params)) == len(frame) - len(kept)
    if params.split.by == "time":
        assert str(kept["scheduled_departure"].min().date()) == FIRST
        assert str(parts["test"]["scheduled_departure"].max().date()) == "2013-09-16"


def test_who_asks_for_none_has_the_labels_and_the_digests_of_before() -> None:
    for sections in ({}, BY_GROUP, RANDOM):
        split = {**rows.values(), **sections}["split"]
        without = {name: it for name, it in split.items() if name != "final"}
        params = rows.parameters(**{**sections, "split": without})
        told = params.split.model_dump(mode="json")
        assert list(told) == ["by", "validation", "test", "acknowledge"]
        assert params.model_dump(mode="json")["split"] == told
        frame = table()
        assert splits.final(frame, params).empty and splits.seen(frame, params) is frame
        assert set(splits.label(frame, params)) == {*layout.PARTS}
    assert "final" in rows.parameters(split=BY_TIME).split.model_dump(mode="json")


@given(st.integers(0, 2**32 - 1), st.sampled_from([BY_GROUP, RANDOM]))
def test_a_final_share_is_taken_from_training_and_no_test_row_of_before(
    seed: int, sections: Any
) -> None:
    split = {name: it for name, it in sections["split"].items() if name != "final"}
    before = splits.label(table(), rows.parameters(**{**sections, "split": split, "seed": seed}))
    now = splits.label(table(), rows.parameters(**{**sections, "seed": seed}))
    for part in ("test", "validation"):
        assert ((before == part) == (now == part)).all()
    assert {*before[now == splits.FINAL]} == {"train"}


@pytest.mark.parametrize(
    ("split", "words"),
    [
        (BY_TIME | {"final": 0.1}, "validation, test and final are lengths such as '2 months'"),
        (RANDOM["split"] | {"final": "1 week"}, "validation, test and final are shares such as"),
        (RANDOM["split"] | {"final": 0.6}, "validation, test and final together leave no rows"),
        (BY_TIME | {"final": "soon"}, "write a length such as '2 months'"),
    ],
)
def test_a_final_part_that_cannot_be_is_refused(split: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        rows.parameters(split=split)


def test_a_final_part_without_rows_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    frame = table()
    gone = frame[frame["scheduled_departure"] < FIRST]
    with pytest.raises(
        UsageError, match=r"'split' and 'data\.until' leave no final rows; the rows"
    ):
        prepared(tmp_path, rows.parameters(split=BY_TIME), gone)
    assert not (tmp_path / layout.PREPARED).exists()


@pytest.mark.parametrize(("ours", "base"), [(BY_TIME, None), (None, BY_TIME)])
def test_a_change_cannot_choose_which_rows_are_kept(ours: Any, base: Any, tmp_path: Path) -> None:
    """A base without the key has decided on none, where its file does not name it."""
    rows.git(tmp_path, "init", "--quiet")
    for split in (base, ours):
        told = rows.values() | {
            "split": split or {k: v for k, v in BY_TIME.items() if k != "final"}
        }
        (tmp_path / FILE).write_text(yaml.safe_dump(told), "utf-8")
        rows.git(tmp_path, "add", ".")
        rows.git(tmp_path, "commit", "--quiet", "--message", "x")
    bounds, _ = load_bounds(tmp_path, "HEAD~1")
    asked = rows.parameters(split=ours or {k: v for k, v in BY_TIME.items() if k != "final"})
    assert "`split` is another one" in advice(list(choices(asked, bounds, None)))


@pytest.fixture
def kept(here: Settings) -> Settings:
    """Return the settings of a project that keeps its last two weeks."""
    told = rows.values() | {"split": BY_TIME, "gate": rows.GATE | {"calibration": 0.01, "days": 10}}
    (here.root / FILE).write_text(yaml.safe_dump(told), "utf-8")
    params = rows.parameters(split=BY_TIME)
    for part, frame in splits.divided(rows.flights(), params, validation.needed(params)).items():
        parquet.write(frame, here.root / layout.prepared(part))
    path = here.root / layout.METRICS
    figures = json.loads(path.read_text("utf-8"))
    figures["parts"]["test"]["to"] = "2013-09-16"
    path.write_text(json.dumps(figures), "utf-8")
    rows.git(here.root, "commit", "--quiet", "--all", "--message", "keep two weeks")
    return here


def book(settings: Settings) -> list[Entry]:
    found = Ledger(versions.connect(settings).client, settings, HOLDOUTS)
    return [*found.entries(), *found.open_entries()]


def test_they_are_opened_once_and_that_is_written_down(
    kept: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    promote.promote(kept)
    there = versions.connect(kept)
    assert there.get(1).tags[JUDGED_UNTIL] == "2013-09-16"
    capsys.readouterr()
    holdout.holdout(kept)
    words = capsys.readouterr().out
    count = len(splits.final(rows.flights(), rows.parameters(split=BY_TIME)))
    assert f"{count} rows, {FIRST} to 2013-09-30, which no stage" in words
    assert "nobody has opened them" in words and "ROC" not in words and not book(kept)

    holdout.holdout(kept, opens=True)
    words = capsys.readouterr().out
    (entry,) = book(kept)
    told = entry.told
    assert (told["opening"], told["version"], told["actor"]) == ("1", "1", "somebody")
    assert (told["first"], told["last"], told["seen_by"]) == (FIRST, "2013-09-30", "0")
    assert f"version 1: {told['found']}" in words and "opening 2" not in words
    assert re.fullmatch(
        r"Area under ROC 0\.\d+ \(0\.\d+ to [01][.\d]*\) on the final rows, 0\.\d+ \(.*\) on the "
        "test rows",
        told["found"],
    )
    assert re.fullmatch(r"[-\d]{10} [:\d]{8} by somebody", there.get(1).tags["holdout_opened"])
    artifact = there.client.download_artifacts(entry.run_id, "holdout.json")
    assert set(json.loads(Path(artifact).read_text())["figures"]) == {"final", "test"}
    assert len(Ledger(there.client, kept).entries()) == 1  # Nothing was promoted by it.

    holdout.holdout(kept)
    words = capsys.readouterr().out
    assert f"these were opened on {entry.time} (UTC) by somebody" in words
    assert told["found"] in words


def test_they_are_opened_again_with_a_reason_alone_and_that_is_told(
    kept: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    promote.promote(kept)
    holdout.holdout(kept, opens=True)
    for reason in (None, " "):
        with pytest.raises(UsageError, match=r"these were opened on .* they are unseen no more"):
            holdout.holdout(kept, opens=True, again=reason)
    assert len(book(kept)) == 1
    holdout.holdout(kept, opens=True, again="the paper's reviewer asks")
    assert "this is opening 2 of rows that nobody had seen" in capsys.readouterr().out
    assert [it.told.get("reason", "") for it in book(kept)] == ["", "the paper's reviewer asks"]


def test_the_history_tells_of_openings_as_of_moves(
    kept: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    promote.promote(kept)
    history.history(kept)
    assert capsys.readouterr().out.rstrip().endswith(f"1 move in {versions.connect(kept).name}")
    holdout.holdout(kept, opens=True)
    holdout.holdout(kept, opens=True, again="the paper's reviewer asks")
    capsys.readouterr()
    history.history(kept)
    said = capsys.readouterr().out
    assert [it.split()[3] for it in said.splitlines()[1:4]] == ["promotion", "opening", "opening"]
    assert "somebody (self-declared)  Area under ROC 0." in said and "reviewer asks" in said
    assert "1 move, 2 openings of final rows in " in said
    history.history(kept, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert [it["action"] for it in told] == ["promotion", "opening", "opening"]


@pytest.mark.usefixtures("promoted")
def test_a_champion_of_another_split_may_have_seen_them(kept: Settings) -> None:
    with pytest.raises(UsageError, match="version 1, the champion, is of another split or other"):
        holdout.holdout(kept, opens=True)
    assert not book(kept)


def test_without_a_champion_or_without_the_key_nothing_is_opened(kept: Settings) -> None:
    with pytest.raises(UsageError, match="there is no champion to judge; `nox -s promote`"):
        holdout.holdout(kept, opens=True)
    (kept.root / FILE).write_text(yaml.safe_dump(rows.values()), "utf-8")
    for opens in (False, True):
        with pytest.raises(UsageError, match="no rows are kept for the end; write `final` below"):
            holdout.holdout(kept, opens=opens)


def test_an_opening_that_fails_has_told_nobody_and_one_that_is_killed_is_in_the_book(
    kept: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    promote.promote(kept)
    capsys.readouterr()
    for where, name, left in ((final, "figures", 0), (Ledger, "close", 1)):
        with monkeypatch.context() as patch:
            patch.setattr(where, name, lambda *_: (_ for _ in ()).throw(MemoryError()))
            with pytest.raises(MemoryError):
                holdout.holdout(kept, opens=True)
        assert len(book(kept)) == left and "ROC" not in capsys.readouterr().out
    with pytest.raises(UsageError, match="they are unseen no more"):
        holdout.holdout(kept, opens=True)


def test_versions_that_may_have_been_judged_by_them_are_counted(
    kept: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    promote.promote(kept)
    there = versions.connect(kept)
    others = [{"split_digest": "a"}, {"split_digest": "b", JUDGED_UNTIL: FIRST},
              {"split_digest": "c", JUDGED_UNTIL: "2013-09-16"}]  # fmt: skip
    for number, tags in enumerate(others):
        there.client.create_model_version(rows.NAME, "s", tags={"digest": str(number), **tags})
    for opens in (False, True):  # Who asks before the opening is told as well.
        capsys.readouterr()
        holdout.holdout(kept, opens)
        assert "2 versions of other splits may have learnt of them" in capsys.readouterr().out
    assert book(kept)[0].told["seen_by"] == "2"


HERE = Kept("here", 9, None, "2013-09-17", "2013-09-30")


@pytest.mark.parametrize(
    ("told", "here", "shared"),
    [
        ({"split_digest": "here"}, HERE, True),
        ({"split_digest": "x", "first": "2013-08-01", "last": "2013-09-16"}, HERE, False),
        ({"split_digest": "x", "first": "2013-08-01", "last": "2013-09-17"}, HERE, True),
        ({"split_digest": "x", "first": "2013-10-01", "last": "2013-10-31"}, HERE, False),
        ({"split_digest": "x"}, HERE, True),
        ({"split_digest": "x"}, replace(HERE, first="", last=""), True),
    ],
)
def test_days_tell_whether_rows_were_opened_before_and_else_they_may_have_been(
    told: Mapping[str, str], here: Kept, shared: bool
) -> None:
    assert here.shares(told) is shared


def test_their_figures_are_those_of_the_report_on_the_same_rows(model_of: Any) -> None:
    """The same rows, model, metric and draws give what `evaluate` tells of the test rows."""
    from mlrails.evaluation import figures, selection
    from mlrails.modeling.checked_copy import Model

    params, folder = rows.parameters(), model_of(Task.CLASSIFICATION)
    metrics = selection.told(params.task, params.evaluation)
    of_report = figures.of_model(params, rows.fitted(Task.CLASSIFICATION), rows.parts())["test"]
    found = final.figures(
        Model(folder, hashing.of_folder(folder)), rows.parts()["test"], params, metrics
    )
    assert list(found) == list(of_report)
    for name, it in found.items():
        told = of_report[name]["models"]["model"]
        assert it.rounded() == pytest.approx(told, nan_ok=True), name
    assert all(isinstance(it, Figure) and np.isfinite(it.value) for it in found.values())
