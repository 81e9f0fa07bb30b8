"""The trials of a search: the same on any number of processes, and however often it is killed."""

from pathlib import Path

import pytest
from searches import PRESENT, SEED, SPACE, Formula, figure, search, searched

from mlrails.core.errors import UsageError, WorldError
from mlrails.tuning.search import Search
from mlrails.tuning.study import FILE, Study
from mlrails.tuning.trial import State, Trial


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[Trial]:
    """Return the trials of a search that one process has made in one go."""
    return list(searched(tmp_path_factory.mktemp("one"), Formula(1)))


def test_a_search_finds_what_is_better_and_gives_up_what_is_not(whole: list[Trial]) -> None:
    assert [it.number for it in whole] == [*range(24)]
    assert {it.state for it in whole} == {State.WHOLE, State.PRUNED}
    assert whole[0].values == PRESENT
    by_chance = [figure(it) for it in whole[1:11]]
    assert min(map(figure, whole[14:])) < min(by_chance)


@pytest.mark.parametrize(("count", "last_first"), [(2, False), (4, True), (9, False)])
def test_what_is_tried_hangs_on_no_number_of_processes(
    whole: list[Trial], tmp_path: Path, count: int, last_first: bool
) -> None:
    processes = Formula(count, last_first)
    assert searched(tmp_path, processes) == whole
    assert processes.at_once == min(count, SPACE.parallel)


def test_one_that_learnt_of_all_that_have_ended_would_hang_on_it(
    whole: list[Trial], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(self: Search, number: int) -> list[Trial]:
        return [it for it in self.trials[:number] if it.ended]

    monkeypatch.setattr(Search, "known", ended)
    assert searched(tmp_path, Formula(4, last_first=True)) != whole


def test_a_search_that_is_killed_twice_ends_as_one_that_was_not(
    whole: list[Trial], tmp_path: Path
) -> None:
    for ended in (5, 6):
        with pytest.raises(KeyboardInterrupt):
            searched(tmp_path, Formula(3, dies_after=ended))
    kept = search(tmp_path).trials
    assert [it for it in kept if it.ended] == [it for it in whole[: len(kept)] if it in kept]
    assert sum(it.ended for it in kept) == 11
    assert any(not it.ended for it in kept)
    assert searched(tmp_path, Formula(2)) == whole


def test_more_trials_go_on_after_those_that_are_there(whole: list[Trial], tmp_path: Path) -> None:
    assert searched(tmp_path, Formula(2), wanted=10) == whole[:10]
    assert searched(tmp_path, Formula(2), wanted=10) == whole[:10]
    assert searched(tmp_path, Formula(2)) == whole


def test_no_trial_begins_when_the_time_is_over_and_those_that_run_are_ended(
    tmp_path: Path,
) -> None:
    found = search(tmp_path)
    found.run(24, Formula(3), lambda: len(found.trials) < 5)
    assert [it.ended for it in found.trials] == [True] * 5


def test_the_projects_own_values_are_tried_also_where_they_lie_outside(tmp_path: Path) -> None:
    outside = {**PRESENT, "rate": 7.0, "kind": None}
    study = Study(tmp_path, "key", SPACE, higher=False)
    found = Search(study, outside, SEED, lambda *_: None)
    found.run(14, Formula(1), lambda: True)
    assert found.trials[0].values == outside
    assert not found.trials[0].drawn
    assert all(SPACE.holds(it.values) for it in found.trials[1:])
    assert Search(study, outside, SEED, lambda *_: None).trials == found.trials


def test_three_failures_and_nothing_else_end_the_search(tmp_path: Path) -> None:
    class Failing(Formula):
        def wait(self) -> Trial:
            trial = super().wait()
            return Trial(trial.number, trial.values, trial.drawn, State.FAILED, why="no such thing")

    found = search(tmp_path)
    with pytest.raises(
        UsageError, match="each of 3 trials has failed, the last one: no such thing"
    ):
        found.run(24, Failing(1), lambda: True)
    kept = search(tmp_path).trials
    assert [it.why for it in kept if it.ended] == ["no such thing"] * 3


def test_failures_among_others_are_kept_and_told_and_the_search_goes_on(tmp_path: Path) -> None:
    class Odd(Formula):
        def wait(self) -> Trial:
            trial = super().wait()
            odd = trial.number % 2 == 1
            return Trial(trial.number, trial.values, True, State.FAILED) if odd else trial

    told: list[Trial] = []
    found = search(tmp_path, lambda trial, every: told.append(trial))
    found.run(16, Odd(1), lambda: True)
    assert told == found.trials
    assert {it.state for it in found.trials[1::2]} == {State.FAILED}
    assert found.best() == min(
        (it for it in found.trials if it.value is not None), key=lambda it: it.value or 0.0
    )


def test_what_matters_is_told_once_there_is_enough_to_tell_it_by(
    whole: list[Trial], tmp_path: Path
) -> None:
    study = Study(tmp_path, "other", SPACE, higher=False)
    told = study.importance(whole)
    assert {*told} == {*SPACE.axes}
    assert sum(told.values()) == pytest.approx(1)
    assert list(told.values()) == sorted(told.values(), reverse=True)
    assert study.importance(whole[:9]) == {}


@pytest.mark.parametrize("written", [b"", b"no database, and long enough to be one" * 9])
def test_a_database_that_is_none_is_told_in_a_sentence(tmp_path: Path, written: bytes) -> None:
    (tmp_path / FILE).write_bytes(written)
    if not written:  # As a kill leaves it before the first table.
        assert search(tmp_path).trials == []
        return
    with pytest.raises(WorldError, match=r"trials\.db: not the trials of this release of Optuna"):
        search(tmp_path)
    assert (tmp_path / FILE).read_bytes() == written
