"""One process at a time moves an alias: by a lock beside a file, by tickets on a server."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import fakes
import filelock
import pytest
import rows
from mlflow.exceptions import RestException

from mlrails.core import processes
from mlrails.core.errors import WorldError
from mlrails.core.processes import PROCESS, process_id
from mlrails.registry import lock
from mlrails.registry.lock import turn
from mlrails.registry.versions import Registry

HERE = process_id().rsplit("/", 2)[0]
GONE = f"{HERE}/{os.getpid()}/12345"
"""A process whose number another one has got meanwhile."""
ELSEWHERE = "elsewhere/boot/1/1/1"
TEN_MINUTES = 600_000
LOCK = lock.lock_of(rows.NAME)
HOLD = """
import sys
from mlrails.registry.lock import turn
from mlrails.registry.versions import Registry
with turn(Registry(None, {uri!r}, {model!r})):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def beside(tmp_path: Path) -> Registry:
    """Return a registry in a file; its turn asks nothing of a client."""
    return Registry(fakes.FakeClient(), f"sqlite:///{tmp_path.as_posix()}/mlflow.db", rows.NAME)


@pytest.fixture
def there(client: Any) -> Registry:
    """Return a registry on a server, as far as its turn can tell."""
    return Registry(client, "the store", rows.NAME)


def tickets(there: Registry) -> list[int]:
    found = there.client.search_model_versions(f"name = '{LOCK}'", max_results=1000)
    return sorted(int(ticket.version) for ticket in found)


def leave(there: Registry, process: str) -> Any:
    """Leave a ticket as a process does that never hands it back."""
    ticket = lock._take(there)
    there.client.set_model_version_tag(LOCK, str(ticket.version), PROCESS, process)
    return ticket


def test_a_second_holder_of_a_file_is_refused_at_once(
    beside: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("nobody should wait"))
    busy = r"mlflow.db: another process is promoting or rolling back .*; run the same command again"
    with turn(beside), pytest.raises(WorldError, match=busy), turn(beside):
        pass
    with turn(beside):
        pass


def test_a_file_is_let_go_of_when_its_holder_fails(beside: Registry) -> None:
    with pytest.raises(ZeroDivisionError), turn(beside):
        _ = 1 / 0
    with turn(beside):
        pass


def test_a_file_is_let_go_of_when_its_holder_is_killed(beside: Registry) -> None:
    code = HOLD.format(uri=beside.uri, model=rows.NAME)
    path = os.pathsep.join([str(rows.ROOT / "src"), *sys.path])
    holder = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(WorldError, match="another process"), turn(beside):
        pass
    holder.kill()
    holder.communicate()
    with turn(beside):
        pass


def test_without_the_lock_a_file_would_have_two_holders(
    beside: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filelock.FileLock, "acquire", lambda self, timeout: None)
    with turn(beside), turn(beside):
        pass


def test_a_turn_is_taken_and_handed_back_again_and_again(there: Registry) -> None:
    for number in (1, 2, 3):
        with turn(there):
            assert tickets(there) == [number]
        assert tickets(there) == []
    assert there.versions() == []


def test_a_second_holder_on_a_server_is_refused_by_name_and_takes_his_ticket_away(
    there: Registry,
) -> None:
    with turn(there):
        with pytest.raises(WorldError, match=f"^the store: process {os.getpid()} on .* promoting"):
            turn(there).__enter__()
        assert tickets(there) == [1]
    with turn(there):
        assert tickets(there) == [3]


@fakes.ALONE
def test_of_two_who_take_a_ticket_at_once_the_elder_has_the_turn(there: Registry) -> None:
    elder = lock._take(there)
    with pytest.raises(WorldError, match="is promoting"), turn(there):
        pass
    younger = lock._take(there)
    assert lock._holder(there, elder) is None
    assert lock._holder(there, younger) == process_id()


@fakes.ALONE
def test_who_has_the_lowest_ticket_does_not_care_for_later_ones(there: Registry) -> None:
    with turn(there):
        leave(there, ELSEWHERE)
        assert tickets(there) == [1, 2]
    with pytest.raises(WorldError, match="process 1 on elsewhere is promoting"), turn(there):
        pass


def test_a_ticket_of_a_process_that_is_gone_is_taken_away(there: Registry) -> None:
    leave(there, GONE)
    leave(there, GONE)
    with turn(there):
        assert tickets(there) == [3]


@fakes.ALONE
def test_a_living_ticket_counts_though_a_dead_one_is_lower(there: Registry) -> None:
    leave(there, GONE)
    leave(there, ELSEWHERE)
    with pytest.raises(WorldError, match="1 on elsewhere"), turn(there):
        pass
    assert 2 in tickets(there)


@fakes.ALONE
@pytest.mark.parametrize("part", [0, 1, 2], ids=["host", "boot", "namespace"])
def test_what_cannot_be_seen_from_here_is_taken_for_living(there: Registry, part: int) -> None:
    """As of another container on this host, which has no process of that number."""
    parts = [*HERE.split("/"), str(2**22 + 1), "1"]
    assert processes.is_gone("/".join(parts))
    parts[part] = f"{parts[part]}0"
    leave(there, "/".join(parts))
    with pytest.raises(WorldError, match="is promoting"), turn(there):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has namespaces")
def test_a_container_of_the_same_name_is_another_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = processes._where_ids_count()
    (tmp_path / "pid").touch()
    monkeypatch.setattr(processes, "_ID_NAMESPACE", tmp_path / "pid")
    there = processes._where_ids_count()
    assert there.split("/")[:2] == here.split("/")[:2] and there != here
    monkeypatch.setattr(processes, "_ID_NAMESPACE", tmp_path / "none")
    assert processes._where_ids_count().endswith("/0")


@fakes.ALONE
def test_a_turn_that_was_lost_is_told_before_anything_moves(there: Registry) -> None:
    with turn(there) as held:
        held()
        there.client.delete_model_version(LOCK, "1")
        with pytest.raises(WorldError, match=r"the turn was lost, .*; run the same command again"):
            held()


def test_the_turn_of_a_file_is_never_lost(beside: Registry) -> None:
    with turn(beside) as held:
        held()


@fakes.ALONE
def test_an_unknown_process_is_taken_for_a_living_one(there: Registry) -> None:
    leave(there, "x")
    with pytest.raises(WorldError, match=r"^the store: x is promoting"), turn(there):
        pass


@pytest.mark.parametrize(("age", "is_dead"), [(TEN_MINUTES, False), (TEN_MINUTES + 9, True)])
def test_a_ticket_dies_after_ten_minutes(age: int, is_dead: bool) -> None:
    there = Registry(fakes.FakeClient(), "the store", rows.NAME)
    elder = leave(there, ELSEWHERE)
    mine = lock._take(there)
    elder.creation_timestamp = mine.creation_timestamp - age
    assert lock._holder(there, mine) == (None if is_dead else ELSEWHERE)
    assert tickets(there) == ([2] if is_dead else [1, 2])


def test_the_age_of_a_ticket_is_known_to_every_store(
    there: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "_LIFE", -1)
    leave(there, ELSEWHERE)
    with turn(there):
        assert tickets(there) == [2]


@fakes.ALONE
def test_a_ticket_is_handed_back_when_its_holder_fails(there: Registry) -> None:
    with pytest.raises(ZeroDivisionError), turn(there):
        _ = 1 / 0
    assert tickets(there) == []


def test_a_holder_whose_ticket_has_died_meanwhile_ends_in_peace(there: Registry) -> None:
    with turn(there):
        there.client.delete_model_version(LOCK, "1")
    assert tickets(there) == []


def test_a_dead_ticket_that_somebody_else_was_faster_to_take_away_is_no_error(
    there: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(there, GONE)
    found = there.client.search_model_versions(f"name = '{LOCK}'", max_results=1000)
    there.client.delete_model_version(LOCK, "1")
    monkeypatch.setattr(there.client, "search_model_versions", lambda *_, **__: found)
    with turn(there):
        pass


def test_a_lock_that_somebody_else_was_faster_to_make_is_no_error(
    there: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with turn(there):
        pass
    monkeypatch.setattr(there.client, "search_registered_models", lambda condition: [])
    with turn(there):
        pass


@fakes.ALONE
def test_an_account_that_may_not_delete_hands_the_turn_back_and_takes_a_dead_one(
    there: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    editing = Registry(fakes.Editing(there.client), "the store", rows.NAME)
    leave(there, GONE)
    for _ in range(2):
        with turn(editing) as held:
            held()
    assert len(tickets(there)) == 3 and lock._tickets(there) == []
    with turn(there):
        pass
    assert capsys.readouterr().err == ""


@fakes.ALONE
def test_a_ticket_that_such_an_account_took_away_is_lost_to_its_holder(there: Registry) -> None:
    editing = Registry(fakes.Editing(there.client), there.uri, rows.NAME)
    with turn(there) as held:
        (mine,) = lock._tickets(there)
        lock._remove(editing, mine)
        with pytest.raises(WorldError, match="the turn was lost"):
            held()


@fakes.ALONE
def test_a_turn_that_cannot_be_handed_back_is_no_failure_of_what_was_done(
    there: Registry, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def denied(*_: object) -> None:
        raise RestException({"error_code": "PERMISSION_DENIED", "message": "no"})

    with turn(there):
        monkeypatch.setattr(there.client, "set_model_version_tag", denied)
    shown = capsys.readouterr().err
    assert "it takes EDIT on the registered model" in shown and f"{LOCK}'" in shown
    assert shown.endswith("the turn is free in ten minutes\n")


@pytest.mark.parametrize("calls", range(5))
def test_a_server_that_is_gone_is_told_in_one_sentence(calls: int) -> None:
    dying = Registry(fakes.Dying(fakes.FakeClient(), calls), "the store", rows.NAME)
    gone = "tracking at the store failed: the server is gone"
    with pytest.raises(WorldError, match=gone), turn(dying):
        dying.versions()


@fakes.ALONE
def test_without_a_look_at_the_other_tickets_there_would_be_two_holders(
    there: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "_holder", lambda client, mine: None)
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(turn(there))
        assert tickets(there) == [1, 2]
