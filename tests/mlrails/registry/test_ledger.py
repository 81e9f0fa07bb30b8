"""The ledger: what happened in its order, and what was only begun apart from it."""

import re
from pathlib import Path
from typing import Any

import fakes
import pytest
import rows

from mlrails.core.errors import WorldError
from mlrails.core.settings import Settings
from mlrails.registry.ledger import Entry, Ledger, experiment_of
from mlrails.tracking import store

EXPERIMENT = experiment_of(rows.NAME)


@pytest.fixture
def book(client: Any, tmp_path: Path) -> Ledger:
    return Ledger(client, Settings(tmp_path))


def told(version: int, **more: str) -> dict[str, str]:
    return {"action": "promotion", "version": str(version), **more}


def write(book: Ledger, version: int, **more: str) -> Entry:
    entry = book.begin(told(version, **more))
    book.close(entry)
    return entry


def versions(book: Ledger) -> list[int]:
    return [entry.version for entry in book.entries()]


@fakes.ALONE
def test_an_empty_ledger_is_no_error(book: Ledger) -> None:
    assert book.entries() == []
    assert book.open_entries() == []


def test_entries_come_in_the_order_in_which_they_were_written(
    book: Ledger, client: Any, tmp_path: Path
) -> None:
    for version in (2, 1, 3, 1):
        write(book, version)
    assert versions(book) == [2, 1, 3, 1]
    assert versions(Ledger(client, Settings(tmp_path))) == [2, 1, 3, 1]


def test_the_order_does_not_hang_on_clocks(book: Ledger, client: Any, tmp_path: Path) -> None:
    experiment = store.experiment(client, Settings(tmp_path), EXPERIMENT)
    for start, sequence in ((3000, 1), (1000, 3), (2000, 2)):
        tags = told(sequence, sequence=str(sequence))
        made = client.create_run(experiment, start_time=start, tags=tags)
        client.set_terminated(made.info.run_id, "FINISHED")
    assert versions(book) == [1, 2, 3]


@fakes.ALONE
def test_an_entry_that_somebody_deleted_does_not_upset_the_order(book: Ledger) -> None:
    for version in (1, 2, 3):
        write(book, version)
    book.discard(book.entries()[1])
    write(book, 4)
    assert versions(book) == [1, 3, 4]
    assert [entry.told["sequence"] for entry in book.entries()] == ["1", "3", "4"]


def test_what_is_open_stands_apart_until_it_is_closed(book: Ledger) -> None:
    write(book, 1)
    begun = book.begin(told(2))
    assert versions(book) == [1]
    (found,) = book.open_entries()
    assert (found.run_id, found.told) == (begun.run_id, begun.told)
    book.close(found)
    assert versions(book) == [1, 2]
    assert book.open_entries() == []


def test_what_is_discarded_is_gone_and_its_number_free(book: Ledger) -> None:
    write(book, 1)
    book.discard(book.begin(told(2)))
    assert book.open_entries() == []
    write(book, 3)
    assert [entry.told["sequence"] for entry in book.entries()] == ["1", "2"]


def test_what_is_empty_is_left_out(book: Ledger) -> None:
    write(book, 1, before="", reason="", actor="ann")
    (found,) = book.entries()
    assert found.told == told(1, actor="ann", sequence="1")
    assert found.before is None
    assert found.best == 1


@fakes.ALONE
def test_an_entry_tells_what_moved(book: Ledger) -> None:
    write(book, 2, before="1", best="1", action="rollback")
    (found,) = book.entries()
    assert (found.action, found.version, found.before, found.best) == ("rollback", 2, 1, 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", found.time)


def test_an_entry_has_a_title_in_the_pages_of_mlflow(book: Ledger, client: Any) -> None:
    entry = write(book, 2, action="rollback")
    assert client.get_run(entry.run_id).info.run_name == "rollback of version 2"


def test_evidence_is_kept_with_an_entry(book: Ledger, client: Any, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("gate.html", "verdict.json")]
    for path in paths:
        path.write_text(path.name)
    entry = book.begin(told(1))
    book.attach(entry, paths)
    kept = sorted(it.path for it in client.list_artifacts(entry.run_id))
    assert kept == ["gate.html", "verdict.json"]


@fakes.ALONE
def test_the_ledger_is_an_experiment_of_its_own(
    book: Ledger, client: Any, experiment: str, tmp_path: Path
) -> None:
    client.create_run(experiment, tags=told(9))
    assert book.open_entries() == []
    assert store.experiment(client, Settings(tmp_path), EXPERIMENT) != experiment


def test_who_only_reads_makes_nothing(book: Ledger, client: Any) -> None:
    assert book.entries() == book.open_entries() == []
    assert client.get_experiment_by_name(EXPERIMENT) is None
    book.begin(told(1))
    assert client.get_experiment_by_name(EXPERIMENT) is not None


def test_a_server_that_is_gone_is_told_in_one_sentence(tmp_path: Path) -> None:
    book = Ledger(fakes.Dying(fakes.FakeClient(), 0), Settings(tmp_path))
    for act in (book.entries, lambda: book.begin(told(1)), lambda: book.close(Entry(told(1)))):
        with pytest.raises(WorldError, match="failed: the server is gone"):
            act()


@pytest.mark.parametrize("name", ["version", "sequence", "best", "before"])
@pytest.mark.parametrize("value", ["abc", "-1", "²", "", "9" * 5000])
@fakes.ALONE
def test_a_number_that_is_none_is_told_with_its_run(
    book: Ledger, client: Any, tmp_path: Path, name: str, value: str
) -> None:
    tags = told(1, sequence="1") | {name: value}
    experiment = store.experiment(client, Settings(tmp_path), EXPERIMENT)
    run = client.create_run(experiment, tags=tags).info.run_id
    for act in (book.open_entries, lambda: book.begin(told(2))):
        with pytest.raises(WorldError, match=f"run {run} has {name} .*no number; delete"):
            act()
        client.set_terminated(run, "FINISHED")
