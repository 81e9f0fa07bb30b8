"""When a fit is given up, and which trial is the best."""

import pytest

from mlrails.tuning.trial import Bounds, State, Trial, best, bounds
from mlrails.tuning.watch import GivenUpError, Losses


def whole(number: int, value: float, losses: tuple[float, ...] = (1.0,)) -> Trial:
    return Trial(number, {}, True, State.WHOLE, value, losses)


def curves(*last: float, steps: int = 9) -> list[Trial]:
    """Return whole trials whose losses fall in a line from 1 to these."""
    return [
        whole(number, end, tuple(1 + (end - 1) * step / (steps - 1) for step in range(steps)))
        for number, end in enumerate(last)
    ]


def test_nothing_is_given_up_before_five_trials_are_whole() -> None:
    four = curves(0.1, 0.2, 0.3, 0.4)
    others = [Trial(4, {}, True, State.PRUNED, None, (1.0,) * 9), Trial(5, {}, True, State.FAILED)]
    assert bounds([*four, *others]) is None
    assert bounds([*four, whole(6, 0.5, four[0].losses)]) is not None


def test_a_fit_is_given_up_that_is_worse_than_three_of_four_were_at_its_step() -> None:
    found = bounds(curves(0.1, 0.2, 0.3, 0.4, 0.5))
    assert found is not None
    assert found.losses[8] == pytest.approx(0.4)
    assert not found.give_up(8, 0.4)
    assert found.give_up(8, 0.41)


def test_none_is_given_up_in_the_first_third_of_a_usual_fit() -> None:
    found = bounds(curves(0.1, 0.2, 0.3, 0.4, 0.5))
    assert found is not None
    assert [step for step in range(12) if found.give_up(step, 9.0)] == [*range(3, 12)]


def test_what_was_given_up_counts_so_that_not_ever_more_is_given_up() -> None:
    whole, worse = curves(0.1, 0.2, 0.3, 0.4, 0.5), curves(0.9)[0].losses[:4]
    given_up = [Trial(number, {}, True, State.PRUNED, None, worse) for number in (5, 6, 7)]
    alone, among = bounds(whole), bounds([*whole, *given_up])
    assert alone is not None
    assert among is not None
    assert among.first == alone.first
    assert among.losses[8] > alone.losses[8]


def test_a_trial_that_ended_early_counts_with_its_last_loss() -> None:
    found = bounds([*curves(0.1, 0.2, 0.3, 0.4), whole(4, 0.9, (0.9,))])
    assert found is not None
    assert len(found.losses) == 9
    assert found.losses[8] == pytest.approx(0.4)


def test_the_least_loss_counts_and_who_waits_is_told_before_anything_is_raised() -> None:
    told: list[str] = []
    watch = Losses(Bounds(1, [0.0, 0.5]), lambda: told.append("given up"))
    watch.step(0, {"validation_loss": 0.4})
    watch.step(1, {"validation_loss": 0.9, "train_loss": 7.0})
    assert (watch.kept, watch.given_up, told) == ([0.4, 0.4], False, [])
    watch = Losses(Bounds(1, [0.0, 0.5]), lambda: told.append("given up"))
    watch.step(0, {"validation_loss": 0.6})
    with pytest.raises(GivenUpError):
        watch.step(1, {"validation_loss": 0.6})
    assert (watch.given_up, told) == (True, ["given up"])
    with pytest.raises(GivenUpError):
        watch.step(2, {"validation_loss": 0.1})
    assert told == ["given up"]


def test_a_fit_that_tells_no_loss_of_validation_rows_is_never_given_up() -> None:
    watch = Losses(Bounds(0, [0.0]), lambda: None)
    watch.step(0, {"train_loss": 9.0})
    assert (watch.kept, watch.given_up) == ([], False)


@pytest.mark.parametrize(("higher", "number"), [(True, 1), (False, 0)])
def test_the_best_is_the_first_of_equals(higher: bool, number: int) -> None:
    trials = [whole(0, 0.1), whole(1, 0.9), whole(2, 0.9), whole(3, 0.1)]
    trials.append(Trial(4, {}, True, State.PRUNED, None, (0.0,)))
    found = best(trials, higher)
    assert found is not None
    assert found.number == number
    assert best(trials[4:], higher) is None
