"""Processes that fit, which may die, hang or never begin."""

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mlrails.core.errors import UsageError, WorldError
from mlrails.tuning import pool
from mlrails.tuning.pool import Pool
from mlrails.tuning.trial import Bounds, State, Trial

STAND_IN = """
    import json, os, sys, time
    def say(**told): print(json.dumps(told), flush=True)
    say(ready=True)
    for line in sys.stdin:
        asked = json.loads(line)
        values, number = asked["values"], asked["number"]
        told = {"number": number, "losses": [1.0], "why": "", "seconds": 0.5}
        if values.get("dies"):
            os._exit(3)
        if values.get("dies_once") and not os.path.exists("died"):
            open("died", "w").close()
            os.kill(os.getpid(), 9)
        if values.get("hangs"):
            say(state="given up", value=None, **told)
            time.sleep(600)
        within = asked["bounds"] and asked["bounds"]["first"]
        say(state="whole", value=[os.getpid(), within, os.environ["OMP_NUM_THREADS"]], **told)
        say(ready=True)
"""


def of(code: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(code)]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[list[Pool]]:
    """Return where pools are put that have to be closed."""
    found: list[Pool] = []
    yield found
    for it in found:
        it.close()


def made(tmp_path: Path, opened: list[Pool], count: int = 1, code: str = STAND_IN) -> Pool:
    opened.append(Pool(tmp_path, tmp_path, count, 4, of(code)))
    return opened[-1]


def trial(number: int, **values: object) -> Trial:
    return Trial(number, values, drawn=True)


def test_a_trial_is_fitted_with_its_bounds_and_a_share_of_the_cores(
    tmp_path: Path, opened: list[Pool]
) -> None:
    there = made(tmp_path, opened, count=2)
    there.give(trial(5), Bounds(3, [0.1]))
    assert (there.running, there.free) == (1, True)
    done = there.wait()
    assert (done.number, done.state, done.losses, done.seconds) == (5, State.WHOLE, [1.0], 0.5)
    assert isinstance(done.value, list)
    assert done.value[1:] == [3, "2"]
    assert there.running == 0


def test_one_process_fits_one_trial_after_the_other(tmp_path: Path, opened: list[Pool]) -> None:
    there = made(tmp_path, opened)
    processes = set()
    for number in range(3):
        there.give(trial(number), None)
        assert not there.free
        value = there.wait().value
        assert isinstance(value, list)
        processes.add(value[0])
    assert len(processes) == 1


def test_what_a_killed_process_was_busy_with_is_done_once_more(
    tmp_path: Path, opened: list[Pool]
) -> None:
    there = made(tmp_path, opened)
    there.give(trial(0, dies_once=True), None)
    assert there.wait().state is State.WHOLE
    assert (tmp_path / "died").exists()


def test_what_ends_its_process_each_time_has_failed_and_the_next_is_fitted(
    tmp_path: Path, opened: list[Pool]
) -> None:
    there = made(tmp_path, opened)
    there.give(trial(0, dies=True), None)
    done = there.wait()
    assert (done.state, done.value) == (State.FAILED, None)
    assert "its process ended: 3" in done.why
    assert ".log may tell more" in done.why
    there.give(trial(1), None)
    assert there.wait().state is State.WHOLE


def test_a_process_that_does_not_stop_what_is_given_up_is_ended(
    tmp_path: Path, opened: list[Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_SECONDS_TO_STOP", 0.1)
    there = made(tmp_path, opened)
    there.give(trial(0, hangs=True), None)
    assert there.wait().state is State.PRUNED
    (stuck,) = [it.process for it in there._workers]
    there.give(trial(1), None)
    assert there.wait().state is State.WHOLE
    assert stuck.wait() != 0


@pytest.mark.parametrize(("usage", "kind"), [(True, UsageError), (False, WorldError)])
def test_what_keeps_a_process_from_its_work_is_told_as_it_says_it(
    tmp_path: Path, opened: list[Pool], usage: bool, kind: type[Exception]
) -> None:
    told = f'import json; print(json.dumps({{"error": "no rows", "usage": {usage}}}))'
    there = made(tmp_path, opened, code=told)
    there.give(trial(0), None)
    with pytest.raises(kind, match=r"^no rows$"):
        there.wait()


def test_a_process_that_cannot_begin_is_told_with_the_file_that_says_why(
    tmp_path: Path, opened: list[Pool]
) -> None:
    there = made(tmp_path, opened, code="raise ImportError('no such library')")
    there.give(trial(0), None)
    with pytest.raises(WorldError, match=r"cannot begin; .*process-0\.log tells why"):
        there.wait()
    assert "no such library" in (tmp_path / "process-0.log").read_text()


def test_a_closed_pool_leaves_no_process(tmp_path: Path, opened: list[Pool]) -> None:
    there = made(tmp_path, opened, count=2)
    for number in range(2):
        there.give(trial(number, hangs=True), None)
    there.wait()
    ours = [it.process.pid for it in there._workers]
    assert len(ours) == 2
    there.close()
    assert not any(psutil.pid_exists(it) for it in ours)
