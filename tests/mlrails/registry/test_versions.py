"""The registered model: one version for each digest, whoever comes second, dies or races."""

import json
import multiprocessing
import sys
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fakes
import pytest
import rows

from mlrails.core.errors import UsageError, WorldError
from mlrails.core.settings import Settings
from mlrails.registry import versions
from mlrails.registry.versions import CHAMPION, Registry, Version

DIGEST, OTHER = "ab" * 32, "cd" * 32
RACERS = 4


@pytest.fixture
def there(client: Any) -> Registry:
    return Registry(client, "the store", rows.NAME)


def register(there: Registry, digest: str = DIGEST, **tags: str) -> Version:
    return there.register("s3://models/m", "run", {"digest": digest, **tags}, "A model.")


def numbers(there: Registry) -> list[int]:
    return [version.number for version in there.versions()]


def test_an_empty_registry_is_no_error(there: Registry) -> None:
    assert numbers(there) == []
    assert there.of_digest(DIGEST) is None
    assert there.aliased(CHAMPION) is None
    there.unpoint(CHAMPION)


def test_a_digest_that_is_registered_twice_is_one_version(there: Registry) -> None:
    first = register(there)
    assert register(Registry(there.client, "the store", rows.NAME)) == first
    assert numbers(there) == [1]
    assert (first.digest, first.run_id) == (DIGEST, "run")


def logged(there: Registry, tags: dict[str, str] | None = None) -> str:
    """Return the id of a logged model."""
    run_id = there.client.create_run("0").info.run_id
    made = there.client.create_logged_model("0", "model", run_id, tags=tags or {}, params={})
    there.client.finalize_logged_model(made.model_id, "READY")
    return str(made.model_id)


def known(there: Registry, model_id: str) -> Any:
    return json.loads(there.client.get_logged_model(model_id).tags["mlflow.modelVersions"])


def test_a_logged_model_knows_its_version_and_what_others_have_made_of_it(there: Registry) -> None:
    theirs = {"name": "theirs", "version": 4}
    model_id = logged(there, {"mlflow.modelVersions": json.dumps([theirs])})
    for _ in range(2):
        there.register(f"models:/{model_id}", "run", {"digest": DIGEST}, "A model.")
    assert known(there, model_id) == [theirs, {"name": rows.NAME, "version": 1}]


def test_a_version_of_before_is_told_to_its_logged_model_when_it_moves(there: Registry) -> None:
    model_id = logged(there)
    there.client.create_registered_model(rows.NAME)
    there.client.create_model_version(rows.NAME, f"models:/{model_id}", tags={"digest": DIGEST})
    there.link(1)
    assert known(there, model_id) == [{"name": rows.NAME, "version": 1}]


def test_a_version_whose_logged_model_is_gone_is_registered_all_the_same(there: Registry) -> None:
    model_id = logged(there)
    register(there)
    there.register(f"models:/{model_id}", "run", {"digest": OTHER}, "A model.")
    there.client.delete_logged_model(model_id)
    there.link(2)
    assert numbers(there) == [1, 2]


def test_the_registered_model_says_what_it_is_for_unless_somebody_has_said_it(
    there: Registry,
) -> None:
    def described() -> str:
        return str(there.client.get_registered_model(rows.NAME).description)

    there.client.create_registered_model(rows.NAME)
    for about in ("late flights", "something else"):
        there.register("s3://m", "run", {"digest": DIGEST}, "A model.", about)
        assert described() == "late flights"


def test_another_digest_is_another_version(there: Registry) -> None:
    made = [register(there, digest) for digest in (DIGEST, OTHER)]
    assert there.versions() == made
    assert [there.of_digest(digest) for digest in (OTHER, DIGEST)] == made[::-1]
    assert there.of_digest("ef" * 32) is None


def test_the_tags_of_a_version_that_is_there_are_set_anew(there: Registry) -> None:
    register(there, commit="a", dirty="true")
    found = register(there, commit="b")
    assert found.tags == {"digest": DIGEST, "commit": "b", "dirty": "true"}
    assert there.get(1) == found


def test_a_description_is_cut_to_what_every_database_holds(there: Registry) -> None:
    there.register("s3://models/m", "run", {"digest": DIGEST}, "ä" * 6000)
    (found,) = there.client.search_model_versions(f"name = '{rows.NAME}'", max_results=9)
    assert found.description == "ä" * 5000


def test_a_digest_whose_version_was_deleted_gets_a_new_number(there: Registry) -> None:
    register(there)
    there.client.delete_model_version(rows.NAME, "1")
    assert register(there).number == 2
    assert numbers(there) == [2]


@fakes.ALONE
def test_a_version_is_found_by_its_number(there: Registry) -> None:
    made = [register(there, digest) for digest in (DIGEST, OTHER)]
    assert [there.get(1), there.get(2)] == made


@fakes.ALONE
def test_an_unknown_version_is_refused_with_those_that_are_known(there: Registry) -> None:
    with pytest.raises(UsageError, match=r"^there is no version 7 in the store; .*: none yet$"):
        there.get(7)
    register(there)
    register(there, OTHER)
    with pytest.raises(UsageError, match=r"^there is no version 7 in the store; .*: 1, 2$"):
        there.get(7)


def test_an_alias_points_to_one_version_at_a_time(there: Registry) -> None:
    first, second = (register(there, digest) for digest in (DIGEST, OTHER))
    for version in (first, second, second):
        there.point(CHAMPION, version.number)
        assert there.aliased(CHAMPION) == version
        assert there.pointed(CHAMPION) == version.number
    there.unpoint(CHAMPION)
    assert there.aliased(CHAMPION) is None
    there.unpoint(CHAMPION)


@fakes.ALONE
def test_an_alias_that_points_to_nothing_is_told_in_one_sentence(
    there: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(there)
    left = SimpleNamespace(aliases={CHAMPION: "7"})
    monkeypatch.setattr(there.client, "get_registered_model", lambda name: left)
    assert there.pointed(CHAMPION) == 7
    with pytest.raises(WorldError, match=r"'champion' points to version 7, .* `nox -s rollback"):
        there.aliased(CHAMPION)


def test_an_alias_of_a_version_that_is_deleted_goes_with_it(there: Registry) -> None:
    there.point(CHAMPION, register(there).number)
    there.client.delete_model_version(rows.NAME, "1")
    assert there.pointed(CHAMPION) is None


def test_a_tag_is_set_and_taken_away_as_often_as_one_likes(there: Registry) -> None:
    register(there)
    for _ in range(2):
        there.tag(1, {"stage": "staging", "note": "fine"})
        assert there.get(1).tags["stage"] == "staging"
    for _ in range(2):
        there.untag(1, "stage")
        assert there.get(1).tags == {"digest": DIGEST, "note": "fine"}


def test_a_password_in_the_address_is_not_told() -> None:
    there = Registry(SimpleNamespace(), "postgresql://me:secret@host/db", rows.NAME)
    assert there.name == "postgresql://***@host/db"


def test_a_store_that_fails_is_told_in_one_sentence(there: Registry) -> None:
    acts: list[Callable[[], object]] = [
        lambda: there.tag(7, {"a": "b"}),
        lambda: there.point(CHAMPION, 7),
    ]
    for act in acts:
        with pytest.raises(WorldError, match=r"^tracking at the store failed: .* not found"):
            act()


@pytest.fixture
def late(there: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return the registry of one who looked before somebody else's version was made."""
    register(there)
    second = Registry(there.client, "the store", rows.NAME)
    looks = iter([None])
    monkeypatch.setattr(second, "of_digest", lambda it: next(looks, there.of_digest(it)))
    return second


@fakes.ALONE
def test_of_two_who_make_a_version_each_the_later_takes_his_away(
    there: Registry, late: Registry
) -> None:
    assert register(late, note="late").number == 1
    assert numbers(there) == [1]
    assert there.get(1).tags["note"] == "late"


@fakes.ALONE
def test_without_a_second_look_two_would_stay(
    there: Registry, late: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late, "_of_digest", lambda it: [Version(2, {}, "")])
    register(late)
    assert numbers(there) == [1, 2]


@fakes.ALONE
def test_a_version_that_is_deleted_meanwhile_is_told_in_one_sentence(
    there: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(there, "_of_digest", lambda digest: [])
    with pytest.raises(WorldError, match=r"^the store: the version of abababababab was deleted"):
        register(there)


def race(root: Path, number: int, barrier: Barrier) -> None:
    """Register two digests when all the others do: one that is theirs as well, and one's own."""
    there, looked = versions.connect(Settings(root)), set()
    look = Registry.of_digest

    def of_digest(self: Registry, digest: str) -> Version | None:
        found = look(self, digest)
        if digest not in looked:
            looked.add(digest)
            barrier.wait(30)
        return found

    Registry.of_digest = of_digest  # type: ignore[method-assign]
    for digest in (DIGEST, f"{number}" * 64):
        register(there, digest)


def test_processes_that_race_leave_one_version_for_each_digest(settings: Settings) -> None:
    # A fork has imported MLflow already; elsewhere than on Linux it is not safe.
    context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    barrier = context.Barrier(RACERS)
    racers = [
        context.Process(target=race, args=(settings.root, number, barrier))
        for number in range(RACERS)
    ]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert [racer.exitcode for racer in racers] == [0] * RACERS
    there = versions.connect(settings)
    digests = [version.digest for version in there.versions()]
    assert sorted(digests) == sorted([DIGEST, *(f"{number}" * 64 for number in range(RACERS))])
    # All of them had found nothing and made one: the numbers are never given again.
    assert register(there, OTHER).number == 2 * RACERS + 1


def twins(there: Registry) -> None:
    """Let two versions bear one digest, as somebody's hand in the pages of MLflow does."""
    register(there)
    register(there, OTHER)
    there.tag(1, {"digest": OTHER})


@pytest.mark.parametrize("use", ["alias", "production", "archived"])
def test_a_twin_that_is_or_was_in_use_is_never_deleted(there: Registry, use: str) -> None:
    twins(there)
    if use == "alias":
        there.point(CHAMPION, 2)
    else:
        there.tag(2, {"stage": use})
    with pytest.raises(WorldError, match=r"versions 1 and 2 have the same digest, .*; delete 1"):
        register(there, OTHER)
    assert numbers(there) == [1, 2]


@fakes.ALONE
def test_a_twin_that_nobody_uses_is_deleted(there: Registry) -> None:
    twins(there)
    there.point(CHAMPION, 1)
    there.tag(2, {"stage": "staging"})
    assert register(there, OTHER).number == 1
    assert numbers(there) == [1]
