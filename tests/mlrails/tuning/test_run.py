"""A whole search of a project: processes that fit, a kill, and the best values in the file."""

import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fakes
import pytest
import rows
import yaml

from mlrails.core import config, params
from mlrails.core.errors import UsageError, WorldError
from mlrails.core.params import FILE
from mlrails.core.settings import Settings
from mlrails.evaluation.metrics import METRICS
from mlrails.reporting import svg
from mlrails.tuning import run, space
from mlrails.tuning.page import TRIALS
from mlrails.tuning.run import Order, study_key, tune
from mlrails.tuning.search import Search

SPACE = {
    "learning_rate": {"low": 0.01, "high": 0.5, "log": True},
    "max_leaf_nodes": {"low": 2, "high": 16},
}
PACKAGE = Path("src", rows.PACKAGE)


def write(root: Path, **sections: Any) -> None:
    """Write the params of a project whose fits are short."""
    told = rows.values()
    told["estimator"] |= {"max_iter": 8, "learning_rate": 0.02}
    told |= {"tune": {"space": SPACE, "parallel": 2}} | sections
    (root / FILE).write_text(f"# Ours.\n{yaml.safe_dump(told)}", "utf-8")


@pytest.fixture
def ours(project: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return a project with all of its code and a space, whose rows are up to date."""
    shutil.rmtree(project / "src")
    shutil.copytree(rows.ROOT / PACKAGE, project / PACKAGE)
    _leave_the_engine_out(project)
    write(project)
    monkeypatch.setattr(run.pipeline, "prepare", lambda *_: None)
    monkeypatch.setattr(svg, "svg", lambda *_: "<svg></svg>")  # test_page.py draws
    return Settings(project)


def _leave_the_engine_out(root: Path) -> None:
    """Let no stage of a project depend on the engine, which is not a part of its copy here."""
    lines = (root / "dvc.yaml").read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if "src/mlrails" not in line]
    (root / "dvc.yaml").write_text("".join(kept), "utf-8")


def trials(root: Path) -> list[Any]:
    """Return the trials of a project's search, but for how long they took."""
    found = config.parse_yaml((root / TRIALS).read_text("utf-8"), "trials")["trials"]
    return [{name: it[name] for name in it if name != "seconds"} for it in found]


def test_the_best_values_get_into_the_file_and_the_search_goes_on_after(
    ours: Settings, fake: fakes.FakeClient, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (ours.root / FILE).read_text("utf-8")
    tune(ours, Order(trials=4, processes=2), ())
    said = capsys.readouterr().out
    found = trials(ours.root)
    assert [it["number"] for it in found] == [0, 1, 2, 3]
    assert found[0]["values"] == {"learning_rate": 0.02, "max_leaf_nodes": 31}
    best = max(found, key=lambda it: (it["value"], -it["number"]))
    assert best["number"] != 0
    told = params.load(ours.root)
    assert {name: told.estimator[name] for name in SPACE} == best["values"]
    after = (ours.root / FILE).read_text("utf-8")
    assert after.startswith("# Ours.\n")
    changed = {*before.splitlines()} ^ {*after.splitlines()}
    assert changed == {line[1:] for line in said.splitlines() if re.match(r"[+-] ", line)}
    assert len(re.findall(r"^\[\d/4\] trial", said, re.MULTILINE)) == 4
    assert "test" not in said.replace("test rows", "")
    tune(ours, Order(trials=4), ())
    said = capsys.readouterr().out
    assert "going on after 4 trials" in said
    assert "[" not in said.replace("[4/4]", "")
    assert "params.yaml has the best values already" in said
    assert trials(ours.root) == found
    names = [it.info.run_name for it in fake._runs.values()]
    assert sorted(names)[:4] == ["trial 0", "trial 1", "trial 2", "trial 3"]
    assert len(names) == 5


KILLED = """
    import os, sys
    from pathlib import Path
    from mlrails.core.settings import Settings
    from mlrails.tuning import record, run
    class Nobody:
        def __init__(self, *_): pass
        def __getattr__(self, name): return lambda *_: None
    run.Recorder = Nobody
    run.pipeline.prepare = lambda *_: None
    run.tune(Settings(Path.cwd()), run.Order(trials=5, processes=2), ())
"""


def _killed_after(lines: int, root: Path) -> None:
    """Search in a process of its own group, which is killed after so many trials have ended."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED)],
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    seen = 0
    for line in process.stdout:
        seen += line.startswith("[")
        if seen == lines:
            break
    os.kill(process.pid, signal.SIGKILL)  # Of those that fit each ends with its input.
    process.stdout.close()
    process.wait()


def test_a_search_that_is_killed_twice_has_lost_nothing(
    ours: Settings, fake: fakes.FakeClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Settings(tmp_path / "other")
    shutil.copytree(ours.root, other.root)
    for lines in (1, 1):
        _killed_after(lines, ours.root)
    tune(ours, Order(trials=5, processes=1), ())
    assert int(re.findall(r"going on after (\d) trials", capsys.readouterr().out)[0]) >= 2
    tune(other, Order(trials=5, processes=2), ())
    assert trials(ours.root) == trials(other.root)
    assert (ours.root / FILE).read_bytes() == (other.root / FILE).read_bytes()


Change = Callable[[Path], object]


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda root: write(root, seed=8), False),
        (lambda root: write(root, evaluation={**rows.values()["evaluation"], "primary": "brier"}),
         False),
        (lambda root: write(root, tune={"space": SPACE, "parallel": 3}), False),
        (lambda root: write(root, tune={"space": {**SPACE, "max_iter": [8, 9]}}), False),
        (lambda root: (root / PACKAGE / "features.py").open("a").write("# new\n"), False),
        (lambda root: (root / "data/prepared/train.parquet").write_bytes(b"other"), False),
        (lambda root: write(root, estimator={**rows.values()["estimator"], "patience": 3}), False),
        (lambda root: write(root, tune={"space": SPACE, "parallel": 2, "trials": 9}), True),
        (lambda root: write(root, estimator={**params.load(root).estimator, "learning_rate": 0.3}),
         True),
        (lambda root: write(root, gate={**rows.GATE, "calibration": 0.02}), True),
    ],
)  # fmt: skip
def test_another_search_begins_where_its_trials_would_be_others(
    ours: Settings, change: Change, same: bool
) -> None:
    def key() -> str:
        told = params.load(ours.root)
        primary = told.evaluation.primary
        metric = next(it for it in METRICS[told.task] if primary in {None, it.name})
        return study_key(ours, told, space.of(told), metric)

    before = key()
    change(ours.root)
    assert (key() == before) is same


@pytest.mark.parametrize(
    "order", [Order(trials=0), Order(timeout=-1.0), Order(timeout=float("nan")), Order(processes=0)]
)
def test_a_number_that_makes_no_sense_is_told_before_anything_is_done(
    ours: Settings, order: Order
) -> None:
    with pytest.raises(
        UsageError, match=r"--(trials 0|timeout -1|timeout nan|processes 0): write a number"
    ):
        tune(ours, order, ())
    assert not (ours.root / ".dvc" / "tmp" / "tune").exists()


def test_a_project_without_optuna_is_told_how_to_have_it(
    ours: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="optuna is not installed; see that the group `dev`"):
        tune(ours, Order(), ())


def test_without_a_whole_trial_there_is_no_best_one(
    ours: Settings, fake: fakes.FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Search, "run", lambda *_: None)
    before = (ours.root / FILE).read_bytes()
    with pytest.raises(WorldError, match="none is whole"):
        tune(ours, Order(), ())
    assert (ours.root / FILE).read_bytes() == before
    assert [it.info.status for it in fake._runs.values()] == ["FAILED"]


def test_an_interrupt_tells_what_is_kept(
    ours: Settings,
    fake: fakes.FakeClient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Search, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tune(ours, Order(), ())
    assert "are kept; `nox -s tune` goes on" in capsys.readouterr().out
    assert [it.info.status for it in fake._runs.values()] == ["KILLED"]
