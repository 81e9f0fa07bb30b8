"""Who watches a fit: the history, the run, and checkpoints that fit or are refused by name."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from flight_delays.errors import WorldError
from flight_delays.watching import FOLDER, Watcher

KEY, OTHER = "a" * 64, "b" * 64
CHECKPOINT = {"now/weights": np.array([1.5, 2.5]), "names": np.array(["validation_loss"])}


class Told:
    """A run that writes down the metrics that it is told."""

    def __init__(self) -> None:
        self.metrics_of: dict[int, dict[str, float]] = {}

    def metrics(self, step: int, figures: Mapping[str, float]) -> None:
        self.metrics_of.setdefault(step, {}).update(figures)


def watcher(folder: Path, key: str = KEY, log: Told | None = None) -> Watcher:
    return Watcher(log or Told(), folder, key)  # type: ignore[arg-type]


def path(folder: Path, key: str = KEY) -> Path:
    return folder / FOLDER / f"{key[:16]}.npz"


def test_figures_go_rounded_into_the_history_and_to_the_run(tmp_path: Path) -> None:
    log = Told()
    watch = watcher(tmp_path, log=log)
    watch.step(0, {"loss": 1 / 3})
    assert watch.history == {"loss": {0: 0.333333333}}
    assert log.metrics_of == {0: {"loss": 0.333333333}}


def test_every_batch_is_passed_on_and_its_time_is_not_history(tmp_path: Path) -> None:
    log = Told()
    watch = watcher(tmp_path, log=log)
    batches = [np.array([1, 2]), np.array([3])]
    assert list(watch.batches(batches, 4)) == batches
    assert [list(log.metrics_of), list(log.metrics_of[4])] == [[4], ["epoch_seconds"]]
    assert watch.history == {}


def test_a_checkpoint_comes_back_until_the_fit_is_done(tmp_path: Path) -> None:
    assert watcher(tmp_path).recall() == {}
    watcher(tmp_path).keep({"now/weights": np.zeros(2)})
    watcher(tmp_path).keep(CHECKPOINT)
    again = watcher(tmp_path).recall()
    assert again.keys() == CHECKPOINT.keys()
    assert all((again[name] == values).all() for name, values in CHECKPOINT.items())
    watcher(tmp_path).done()
    assert watcher(tmp_path).recall() == {}
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_checkpoint_of_another_fit_is_named_and_neither_used_nor_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watcher(tmp_path, OTHER).keep(CHECKPOINT)
    assert watcher(tmp_path).recall() == {}
    assert f"{path(tmp_path, OTHER)}: of other params, rows or code" in capsys.readouterr().err
    watcher(tmp_path).done()
    assert watcher(tmp_path, OTHER).recall()


def test_a_checkpoint_under_the_name_of_another_fit_is_refused(tmp_path: Path) -> None:
    watcher(tmp_path, OTHER).keep(CHECKPOINT)
    path(tmp_path, OTHER).rename(path(tmp_path))
    with pytest.raises(WorldError, match=rf"{path(tmp_path)}: of other params, .*delete it"):
        watcher(tmp_path).recall()


@pytest.mark.parametrize("rest", [0, 10, 300])
def test_half_a_checkpoint_is_refused_by_name(tmp_path: Path, rest: int) -> None:
    watcher(tmp_path).keep(CHECKPOINT)
    path(tmp_path).write_bytes(path(tmp_path).read_bytes()[:rest])
    with pytest.raises(WorldError, match=rf"{path(tmp_path)}: not a whole checkpoint; delete it"):
        watcher(tmp_path).recall()


def test_a_checkpoint_holds_no_objects_that_would_run_code(tmp_path: Path) -> None:
    watcher(tmp_path).keep({"now/weights": np.array([{}], dtype=object)})
    with pytest.raises(WorldError, match="not a whole checkpoint"):
        watcher(tmp_path).recall()
