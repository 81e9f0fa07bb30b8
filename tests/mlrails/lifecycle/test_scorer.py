"""Models of a contest predict in a process of their own: the same numbers, and no orphan."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import psutil
import pytest
import rows

from mlrails.core import hashing, processes
from mlrails.core.errors import Exit, UsageError
from mlrails.core.params import Task
from mlrails.core.settings import Settings
from mlrails.gate import predictions
from mlrails.gate.predictions import Given
from mlrails.gate.verdict import CHALLENGER, CHAMPION
from mlrails.lifecycle import promote, scorer
from mlrails.lifecycle.scorer import Scorer
from mlrails.modeling.checked_copy import Model

TEST = rows.parts()["test"]


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Scorer]:
    with Scorer(Settings(tmp_path, package=rows.PACKAGE)) as process:
        yield process
    assert not psutil.Process().children(recursive=True)


@pytest.fixture
def met(model: Path) -> dict[str, Model]:
    digest = hashing.of_folder(model)
    return {CHALLENGER: Model(model, digest), CHAMPION: Model(model, digest)}


def never(*_: object) -> None:
    raise AssertionError("it has been asked here")


def test_the_numbers_are_those_of_this_process(
    process: Scorer, met: dict[str, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = dict(predictions.of_models(met, TEST, {}))
    monkeypatch.setattr(predictions, "of_models", never)
    found = dict(process.of_models(met, TEST, {}))
    assert list(found) == list(expected)
    for role, given in expected.items():
        assert found[role].scores.tobytes() == given.scores.tobytes()
        assert found[role].classes == given.classes
        assert (found[role].calls is None) == (given.calls is None)
        if given.calls is not None:
            assert found[role].calls.tobytes() == given.calls.tobytes()


@pytest.mark.parametrize("task", [Task.REGRESSION])
def test_where_it_has_been_killed_this_process_looks_itself(
    process: Scorer, met: dict[str, Model]
) -> None:
    process._process.kill()
    given = dict(process.of_models(met, TEST, {}))
    assert [*given] == [CHALLENGER, CHAMPION]


@pytest.mark.parametrize("task", [Task.REGRESSION])
def test_what_is_wrong_is_said_by_this_process_and_once(
    process: Scorer, met: dict[str, Model], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="'carrier' that the challenger needs"):
        dict(process.of_models(met, TEST.drop(columns="carrier"), {}))
    assert capfd.readouterr().err == ""


LEAVES = """
import os, time
from pathlib import Path
if process := os.fork():
    Path("left").write_text(str(process))
else:
    time.sleep(600)
    os._exit(0)
"""


if sys.platform == "linux":

    @pytest.mark.parametrize("task", [Task.REGRESSION])
    def test_what_a_model_has_begun_and_left_keeps_nobody_waiting(
        tmp_path: Path, met: dict[str, Model], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "leaving").mkdir()
        (tmp_path / "leaving" / "model.py").write_text(LEAVES, "utf-8")
        monkeypatch.setattr(predictions, "of_models", never)
        with Scorer(Settings(tmp_path, package="leaving")) as process:
            assert [*dict(process.of_models(met, TEST, {}))] == [CHALLENGER, CHAMPION]
        left = psutil.Process(int((tmp_path / "left").read_text()))
        assert left.is_running()
        left.kill()


def test_nothing_that_a_model_s_code_has_made_is_run_here() -> None:
    file = BytesIO()
    hostile = np.array([Given(np.zeros(1))], dtype=object)
    np.savez(file, **{f"scores of {CHALLENGER}": hostile})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="allow_pickle=False"):
        dict(scorer._read(file.getvalue(), [CHALLENGER]))


@pytest.mark.parametrize("act", [promote.gate, promote.promote])
def test_gate_and_promote_ask_it(
    here: Settings, act: Callable[[Settings], Exit], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scorer, "Scorer", Scorer)
    monkeypatch.setattr(predictions, "of_models", never)
    assert act(replace(here, package=rows.PACKAGE)) is Exit.DONE
    assert not psutil.Process().children(recursive=True)


WAITS = """
import sys, time
from pathlib import Path
from mlrails.core.settings import Settings
from mlrails.lifecycle.scorer import Scorer
with Scorer(Settings(Path.cwd(), package="flight_delays")) as process:
    print(process._process.pid, flush=True)
    time.sleep(60)
"""


def waiting(folder: Path) -> tuple["subprocess.Popen[str]", psutil.Process]:
    """Start who waits beside a scorer, in a group of their own; return both."""
    caller = subprocess.Popen(
        [sys.executable, "-c", WAITS],
        cwd=folder,
        env=processes.same_code(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert caller.stdout is not None
    return caller, psutil.Process(int(caller.stdout.readline()))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_whoever_has_started_it(tmp_path: Path, how: signal.Signals) -> None:
    caller, process = waiting(tmp_path)
    caller.send_signal(how)
    caller.wait()
    process.wait(timeout=60)
    assert not process.is_running()


def test_an_interrupt_is_told_by_who_asks_and_ends_both(tmp_path: Path) -> None:
    """As from a terminal: all of the group get it, also one that has just begun."""
    caller, process = waiting(tmp_path)
    os.killpg(caller.pid, signal.SIGINT)
    told = caller.communicate(timeout=60)[1]
    assert told.count("KeyboardInterrupt") == 1 and not process.is_running()
