"""The loop of what learns in epochs: the best of them, an end in time, and a way back in."""

import math
from collections.abc import Iterator, Mapping, Sequence
from threading import Event
from typing import Any, SupportsFloat

import numpy as np
import pytest

from mlrails.core.errors import UsageError, WorldError
from mlrails.modeling import epochs
from mlrails.modeling.epochs import Arrays, Indices, Schedule, Watch, in_epochs, watched

SCHEDULE = Schedule(epochs=8, patience=2, batch_size=4, learning_rate=0.5)
ROWS, SEED = 10, 7


class Walk:
    """A learner whose state is all that it has gone through, and whose losses are given."""

    def __init__(self, losses: list[float], bad_batch: int = -1) -> None:
        self.losses, self.bad_batch = losses, bad_batch
        self.epochs, self.all = 0, np.full(SCHEDULE.epochs * (1 + ROWS), -1)
        self.rates: list[float] = []

    def begin(self, seed: int, learning_rate: float) -> None:
        self.epochs += 1
        self.rates.append(learning_rate)
        self._see(np.array([seed]))

    def learn(self, rows: Indices) -> SupportsFloat:
        assert len(rows) <= SCHEDULE.batch_size
        self._see(rows)
        return math.nan if self.epochs == self.bad_batch else float(len(rows))

    def validate(self) -> Mapping[str, float]:
        return {"validation_loss": self.losses[self.epochs - 1], "other": 1.0}

    def state(self) -> Arrays:
        return {"all": self.all.copy(), "epochs": np.array(self.epochs)}

    def restore(self, state: Arrays) -> None:
        self.all, self.epochs = np.array(state["all"]), int(state["epochs"])

    def _see(self, it: np.ndarray) -> None:
        start = len(self.seen)
        self.all[start : start + len(it)] = it

    @property
    def seen(self) -> np.ndarray:
        """The seed of each epoch, and the rows that came after it."""
        return self.all[self.all >= 0]


class Shelf(Watch):
    """Keeps checkpoints in memory, and can be broken off in an epoch."""

    def __init__(self, kept: Arrays | None = None, broken_in: int = 99) -> None:
        self.kept, self.broken_in = kept or {}, broken_in
        self.told: list[tuple[int, Mapping[str, float]]] = []

    def step(self, number: int, figures: Mapping[str, float]) -> None:
        self.told.append((number, figures))

    def batches(self, batches: Any, epoch: int) -> Any:
        if epoch == self.broken_in:
            raise KeyboardInterrupt
        return batches

    def recall(self) -> Arrays:
        return self.kept

    def keep(self, checkpoint: Arrays) -> None:
        self.kept = checkpoint


def walked(losses: list[float], watch: Watch | None = None) -> Walk:
    walk = Walk(losses)
    in_epochs(walk, SCHEDULE, ROWS, SEED, watch or Watch())
    return walk


FALLING = [8.0, 7, 6, 5, 4, 3, 2, 1]


def test_every_epoch_goes_through_all_rows_in_another_order() -> None:
    passes = walked(FALLING).seen.reshape(SCHEDULE.epochs, 1 + ROWS)
    assert [sorted(rows) for rows in passes[:, 1:]] == [list(range(ROWS))] * SCHEDULE.epochs
    assert len({tuple(it) for it in passes}) == len(set(passes[:, 0])) == SCHEDULE.epochs


def test_another_seed_gives_another_course() -> None:
    other = Walk(FALLING)
    in_epochs(other, SCHEDULE, ROWS, SEED + 1, Watch())
    assert (other.seen != walked(FALLING).seen).any()


def test_the_learning_rate_falls_in_a_straight_line() -> None:
    assert walked(FALLING).rates == pytest.approx(np.linspace(0.5, 0, 9)[:-1])


def test_the_figures_of_each_epoch_are_told() -> None:
    watch = Shelf()
    walked(FALLING, watch)
    assert [step for step, _ in watch.told] == list(range(8))
    assert watch.told[2][1] == {
        "train_loss": pytest.approx((4 * 4 + 4 * 4 + 2 * 2) / ROWS),
        "validation_loss": 6,
        "other": 1,
        "learning_rate": pytest.approx(0.375),
    }


@pytest.mark.parametrize(
    ("losses", "epochs", "best"),
    [
        (FALLING, 8, 8),
        ([5, 4, 6, 6, 1, 1, 1, 1], 4, 2),
        ([5, 4, 6, 3, 6, 6, 1, 1], 6, 4),
        ([1, 1, 1, 1, 1, 1, 1, 1], 3, 1),
    ],
)
def test_it_stops_without_a_gain_and_leaves_the_best(
    losses: list[float], epochs: int, best: int
) -> None:
    watch = Shelf()
    assert walked(losses, watch).epochs == best
    assert len(watch.told) == epochs


@pytest.mark.parametrize("broken_in", range(1, 6))
@pytest.mark.parametrize("losses", [FALLING, [5, 4, 6, 3, 6, 6, 1, 1]])
def test_a_fit_that_was_broken_off_ends_as_it_would_have(
    losses: list[float], broken_in: int
) -> None:
    whole, broken = Shelf(), Shelf(broken_in=broken_in)
    expected = walked(losses, whole)
    with pytest.raises(KeyboardInterrupt):
        walked(losses, broken)
    assert len(broken.told) == broken_in
    again = Shelf(broken.kept)
    found = walked(losses, again)
    np.testing.assert_array_equal(found.seen, expected.seen)
    assert again.told == whole.told
    assert len(found.rates) == len(whole.told) - broken_in


def test_a_checkpoint_that_does_not_fit_is_refused_before_the_learner_sees_it() -> None:
    watch = Shelf(broken_in=3)
    with pytest.raises(KeyboardInterrupt):
        walked(FALLING, watch)
    walk = Walk(FALLING)
    again = Shelf({name: it for name, it in watch.kept.items() if name != "now/all"})
    with pytest.raises(WorldError, match="the checkpoint does not fit: now/all is missing"):
        in_epochs(walk, SCHEDULE, ROWS, SEED, again)
    assert (walk.epochs, again.told) == (0, [])


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_checkpoint() -> None:
    watch, walk = Shelf(), Walk(FALLING, bad_batch=3)
    with pytest.raises(
        UsageError, match=r"loss is nan on batch 0 of epoch 2.*estimator.learning_rate"
    ):
        in_epochs(walk, SCHEDULE, ROWS, SEED, watch)
    assert int(watch.kept["now/epochs"]) == len(watch.told) == 2


def test_nobody_waits_for_the_loss_of_a_batch_before_the_end_of_its_epoch() -> None:
    """A GPU would do nothing in the meantime; what it still does then is of the epoch's time."""
    happened: list[str] = []

    class Loss:
        def __float__(self) -> float:
            happened.append("wait")
            return 1.0

    class Lazy(Walk):
        def learn(self, rows: Indices) -> SupportsFloat:
            happened.append("learn")
            return Loss()

    class Clock(Watch):
        def batches(self, batches: Sequence[Indices], epoch: int) -> Iterator[Indices]:
            yield from batches
            happened.append("time")

    in_epochs(Lazy(FALLING), SCHEDULE, ROWS, SEED, Clock())
    assert happened == [*["learn"] * 3, *["wait"] * 3, "time"] * SCHEDULE.epochs


def test_a_validation_loss_that_is_no_number_stops_as_well() -> None:
    with pytest.raises(UsageError, match="loss is inf on the validation rows after epoch 1"):
        walked([1, math.inf])


def test_a_fit_in_a_thread_is_looked_at_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epochs, "_SECONDS_BETWEEN_LOOKS", 0.001)
    seen, enough = [], Event()

    def look(before: int) -> int:
        seen.append(before)
        if before == 2:
            enough.set()
        return before + 1

    watched(enough.wait, look, enough.set)
    assert seen[:3] == [0, 1, 2]
    assert seen == [*range(len(seen))]


def test_a_fit_is_asked_to_stop_where_whoever_looks_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epochs, "_SECONDS_BETWEEN_LOOKS", 0.001)
    enough, done = Event(), []

    def look(before: int) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watched(lambda: done.append(enough.wait(60)), look, enough.set)
    assert done == [True]


def test_what_a_fit_in_a_thread_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        watched(lambda: 1 // 0, lambda before: before, lambda: None)
