"""A move of the champion that is killed at any moment ends as if nothing had happened."""

from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import fakes
import pytest
import rows
from mlflow.exceptions import MlflowException, RestException

from mlrails.core.errors import DeniedError, WorldError
from mlrails.core.settings import Settings
from mlrails.registry import transitions
from mlrails.registry.ledger import Entry, Ledger
from mlrails.registry.versions import Registry

FORTH = {"action": "promotion", "version": "3", "before": "2", "reason": ""}
BACK = {"action": "rollback", "version": "1", "before": "2", "reason": "late at night"}
MOVES = pytest.mark.parametrize("told", [FORTH, BACK], ids=["promotion", "rollback"])


class World:
    """A registry and its ledger, as one process sees them."""

    def __init__(self, client: Any, root: Path) -> None:
        self.client = client
        self.registry = Registry(client, "the store", rows.NAME)
        self.ledger = Ledger(client, Settings(root))
        self.evidence = [root / "gate.html"]

    def move(self, told: Mapping[str, str]) -> None:
        transitions.move(self.registry, self.ledger, told, lambda: None, self.evidence)

    def recover(self) -> Entry | None:
        return transitions.recover(self.registry, self.ledger)

    def state(self) -> dict[str, Any]:
        """Return all that a move changes."""
        return {
            "champion": self.registry.pointed("champion"),
            "challenger": self.registry.pointed("challenger"),
            "tags": [version.tags for version in self.registry.versions()],
            "entries": [entry.told for entry in self.ledger.entries()],
            "files": [len(self.client.list_artifacts(it.run_id)) for it in self.ledger.entries()],
            "open": [entry.told for entry in self.ledger.open_entries()],
        }


def begun(client: Any, root: Path) -> World:
    """Return three versions: one was champion, one is, and one that failed once challenges it."""
    (root / "gate.html").write_text("<html>")
    world = World(client, root)
    for number in (1, 2, 3):
        world.registry.register("s3://m", "run", {"digest": f"{number}", "stage": "staging"}, "")
    for number, before in ((1, ""), (2, "1")):
        told = {"action": "promotion", "version": f"{number}", "before": before}
        transitions.move(world.registry, world.ledger, told, lambda: None, world.evidence)
    world.registry.tag(3, {"rolled_back": "slow"})
    world.registry.point("challenger", 3)
    return world


@pytest.fixture
def world(client: Any, tmp_path: Path) -> World:
    return begun(client, tmp_path)


def stages(world: World) -> list[str]:
    return [version.tags["stage"] for version in world.registry.versions()]


def test_a_promotion_moves_alias_tags_and_ledger(world: World) -> None:
    world.move(FORTH)
    assert world.state() == {
        "champion": 3,
        "challenger": None,
        "tags": [
            {"digest": "1", "stage": "archived"},
            {"digest": "2", "stage": "archived"},
            {"digest": "3", "stage": "production"},
        ],
        "entries": [
            {"action": "promotion", "version": "1", "sequence": "1"},
            {"action": "promotion", "version": "2", "before": "1", "sequence": "2"},
            {"action": "promotion", "version": "3", "before": "2", "sequence": "3"},
        ],
        "files": [1, 1, 1],
        "open": [],
    }


def test_a_rollback_says_why_and_leaves_the_challenger(world: World) -> None:
    world.move(BACK)
    assert world.registry.pointed("champion") == 1
    assert world.registry.pointed("challenger") == 3
    assert stages(world) == ["production", "archived", "staging"]
    assert world.registry.get(2).tags["rolled_back"] == "late at night"
    assert world.ledger.entries()[-1].told == BACK | {"sequence": "3"}


@fakes.ALONE
def test_a_version_that_was_rolled_back_can_come_back(world: World) -> None:
    world.move(BACK)
    world.move({"action": "promotion", "version": "2", "before": "1"})
    assert "rolled_back" not in world.registry.get(2).tags
    assert stages(world) == ["archived", "production", "staging"]


@fakes.ALONE
def test_a_rollback_without_a_reason_is_one_still(world: World) -> None:
    world.move(BACK | {"reason": ""})
    assert world.registry.get(2).tags["rolled_back"] == "no reason given"


@fakes.ALONE
def test_where_nothing_is_open_there_is_nothing_to_recover(world: World) -> None:
    before = world.state()
    assert world.recover() is None
    assert world.state() == before


@fakes.ALONE
@MOVES
def test_a_move_that_was_begun_and_has_not_happened_is_taken_back(
    world: World, told: Mapping[str, str]
) -> None:
    before = world.state()
    world.ledger.attach(world.ledger.begin(told), world.evidence)
    assert world.recover() is None
    assert world.state() == before


@fakes.ALONE
@MOVES
def test_a_move_that_has_happened_is_completed(
    world: World, told: Mapping[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    entry = world.ledger.begin(told)
    world.registry.point("champion", entry.version)
    completed = world.recover()
    assert completed
    assert "with the reason that was given then" in capsys.readouterr().out
    assert completed.run_id == entry.run_id
    assert world.ledger.entries()[-1].told == entry.told
    assert world.ledger.open_entries() == []
    assert stages(world).count("production") == 1
    assert world.registry.get(entry.version).tags["stage"] == "production"


@fakes.ALONE
def test_an_open_move_is_taken_back_though_the_champion_is_gone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ledger.begin(FORTH)
    monkeypatch.setattr(Registry, "aliases", lambda self: {"champion": "9", "challenger": "8"})
    assert world.recover() is None
    assert world.ledger.open_entries() == []
    world.move(FORTH)


@fakes.ALONE
@MOVES
def test_without_the_turn_nothing_moves_and_nothing_stays_open(
    world: World, told: Mapping[str, str]
) -> None:
    def lost() -> None:
        raise WorldError("the turn was lost")

    before = world.state()
    with pytest.raises(WorldError, match="the turn was lost"):
        transitions.move(world.registry, world.ledger, told, lost, world.evidence)
    assert world.state() == before


def again(client: Any, root: Path, told: Mapping[str, str]) -> None:
    """Do what the next process does: recover, and move unless that has happened."""
    world = World(client, root)
    if world.recover() is None and world.registry.pointed("champion") != int(told["version"]):
        world.move(told)


def dies(client: Any, root: Path, told: Mapping[str, str], calls: int) -> bool:
    """Tell whether that is cut short when the server is gone after so many calls."""
    dying = fakes.Dying(client, calls)
    with suppress(WorldError):  # Once the alias has moved, a warning is all.
        again(dying, root, told)
    return dying.is_gone


def deaths(root: Path, told: Mapping[str, str]) -> int:
    """Return after how many calls a whole move has ended."""
    return next(
        n for n in count() if not dies(begun(fakes.FakeClient(), root).client, root, told, n)
    )


@MOVES
def test_a_death_after_any_call_and_a_second_try_end_in_the_same_state(
    tmp_path: Path, told: Mapping[str, str]
) -> None:
    whole = begun(fakes.FakeClient(), tmp_path)
    whole.move(told)
    calls = deaths(tmp_path, told)
    assert calls > 10
    for first in range(calls):
        world = begun(fakes.FakeClient(), tmp_path)
        assert dies(world.client, tmp_path, told, first)
        again(world.client, tmp_path, told)
        assert world.state() == whole.state(), f"after {first} calls"


@MOVES
def test_a_death_of_the_second_try_as_well_changes_nothing(
    tmp_path: Path, told: Mapping[str, str]
) -> None:
    whole = begun(fakes.FakeClient(), tmp_path)
    whole.move(told)
    for first in range(0, deaths(tmp_path, told), 2):
        for second in count():
            world = begun(fakes.FakeClient(), tmp_path)
            dies(world.client, tmp_path, told, first)
            died = dies(world.client, tmp_path, told, second)
            again(world.client, tmp_path, told)
            assert world.state() == whole.state(), f"after {first} and {second} calls"
            if not died:
                break


def test_written_down_only_after_it_happened_a_move_could_be_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, close = Ledger.begin, Ledger.close
    world = begun(fakes.FakeClient(), tmp_path)
    monkeypatch.setattr(Ledger, "begin", lambda self, told: Entry(told))
    monkeypatch.setattr(Ledger, "attach", lambda self, entry, paths: None)
    monkeypatch.setattr(Ledger, "close", lambda self, it: close(self, begin(self, it.told)))
    monkeypatch.setattr(Registry, "tag", lambda self, number, tags: _killed())
    with pytest.raises(KeyboardInterrupt):
        world.move(FORTH)
    monkeypatch.undo()
    again(world.client, tmp_path, FORTH)
    assert world.registry.pointed("champion") == 3
    assert stages(world) == ["archived", "production", "staging"]
    assert [entry.version for entry in world.ledger.entries()] == [1, 2]


def _killed() -> None:
    raise KeyboardInterrupt


def edited(world: World, root: Path) -> World:
    """Return the world as an account with EDIT alone sees it."""
    return World(fakes.Editing(world.client), root)


@fakes.ALONE
def test_an_account_that_may_not_delete_moves_the_champion_and_is_told_what_is_left(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edited(world, tmp_path).move(FORTH)
    found = world.state()
    assert (found["champion"], found["challenger"], found["open"]) == (3, 3, [])
    assert [entry["version"] for entry in found["entries"]] == ["1", "2", "3"]
    assert "rolled_back" not in found["tags"][2]
    shown = capsys.readouterr().err
    assert shown.startswith("warning: the alias challenger stays on version 3: ")
    assert "it takes MANAGE on the registered model" in shown


@fakes.ALONE
def test_what_such_an_account_has_begun_is_taken_back_as_well(world: World, tmp_path: Path) -> None:
    there = edited(world, tmp_path)
    there.ledger.begin(FORTH)
    assert there.recover() is None
    assert world.state()["open"] == [] and len(world.ledger.entries()) == 2


class Losing:
    """A client whose server does what it is told, and whose answers to one call are lost."""

    def __init__(self, client: Any, lost: str, gone_after: bool = False) -> None:
        self._client, self._lost, self._gone_after = client, lost, gone_after
        self._gone = False

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            if self._gone:
                raise MlflowException("the server is gone")
            answer = getattr(self._client, name)(*arguments, **options)
            if name == self._lost:
                self._gone = self._gone_after
                raise MlflowException("the answer was lost")
            return answer

        return call


@fakes.ALONE
def test_an_answer_that_is_lost_does_not_make_a_failure_of_a_move(
    world: World, tmp_path: Path
) -> None:
    World(Losing(world.client, "set_registered_model_alias"), tmp_path).move(FORTH)
    assert world.state()["champion"] == 3 and world.state()["open"] == []


@fakes.ALONE
def test_where_nobody_can_say_whether_it_moved_that_is_told_and_completed_later(
    world: World, tmp_path: Path
) -> None:
    lost = World(Losing(world.client, "set_registered_model_alias", gone_after=True), tmp_path)
    with pytest.raises(WorldError, match="nobody can say just now whether version 3 became"):
        lost.move(FORTH)
    assert len(world.state()["open"]) == 1
    world.recover()
    assert world.state()["champion"] == 3 and len(world.ledger.entries()) == 3


@fakes.ALONE
@pytest.mark.parametrize(
    "lost", ["set_model_version_tag", "delete_model_version_tag", "set_terminated"]
)
def test_a_move_that_has_happened_is_told_as_one_though_the_rest_fails(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], lost: str
) -> None:
    World(Losing(world.client, lost, gone_after=True), tmp_path).move(FORTH)
    assert world.registry.pointed("champion") == 3
    assert "version 3 is the champion, but not all is written down" in capsys.readouterr().err
    world.recover()
    assert world.state()["open"] == [] and len(world.ledger.entries()) == 3


@fakes.ALONE
def test_a_move_that_is_refused_leaves_nothing_behind(world: World, tmp_path: Path) -> None:
    class Reading(fakes.Editing):
        def set_registered_model_alias(self, *_: str) -> None:
            raise RestException({"error_code": "PERMISSION_DENIED", "message": "no"})

    with pytest.raises(DeniedError, match="it takes EDIT on the registered model"):
        World(Reading(world.client), tmp_path).move(FORTH)
    assert world.state()["champion"] == 2 and world.state()["open"] == []
