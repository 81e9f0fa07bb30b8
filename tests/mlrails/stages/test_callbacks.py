"""Who watches a fit: the history, the run, and checkpoints that are its own or refused by name."""

import io
import os
import pickle
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mlrails.core.errors import WorldError
from mlrails.core.settings import Settings
from mlrails.stages.callbacks import Watcher

KEY, OTHER = "a" * 64, "b" * 64
CHECKPOINT = {"now/weights": np.array([1.5, 2.5]), "names": np.array(["validation_loss"])}


class Told:
    """A run that writes down the metrics that it is told."""

    def __init__(self) -> None:
        self.metrics_of: dict[int, dict[str, float]] = {}

    def log_metrics(self, figures: Mapping[str, float], step: int) -> None:
        self.metrics_of.setdefault(step, {}).update(figures)


def watcher(folder: Path, key: str = KEY, log: Told | None = None) -> Watcher:
    return Watcher((log or Told()).log_metrics, Settings(folder), key)


def path(folder: Path, key: str = KEY) -> Path:
    return folder / ".dvc" / "tmp" / "checkpoints" / f"{key[:16]}.checkpoint"


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
    assert [it for it in tmp_path.rglob("*") if it.is_file()] == []


def test_a_copy_of_the_project_keeps_its_checkpoints_with_the_project(tmp_path: Path) -> None:
    copied = replace(Settings(tmp_path / "copy"), project=tmp_path)
    Watcher(Told().log_metrics, copied, KEY).keep(CHECKPOINT)
    assert [it for it in copied.root.rglob("*") if it.is_file()] == []
    assert watcher(tmp_path).recall()


def test_what_a_kill_left_half_written_is_written_over(tmp_path: Path) -> None:
    left = tmp_path / ".dvc" / "tmp" / "checkpoint.partial"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    assert watcher(tmp_path).recall() == {}
    watcher(tmp_path).keep(CHECKPOINT)
    assert not left.exists()


def test_of_other_fits_the_newest_is_named_and_few_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for age, letter in enumerate("fedcb"):
        watcher(tmp_path, letter * 64).keep(CHECKPOINT)
        os.utime(path(tmp_path, letter * 64), (age, age))
    assert watcher(tmp_path).recall() == {}
    said = capsys.readouterr()
    assert said.out == (
        f"train: beginning anew; {path(tmp_path, OTHER)} is of other params, rows, code or "
        "machine\n"
    )
    assert said.err == ""
    kept = {it.name[0] for it in path(tmp_path).parent.iterdir()}
    assert kept == set("dcb")
    watcher(tmp_path).done()
    assert watcher(tmp_path, OTHER).recall()
    assert "beginning anew" not in capsys.readouterr().out


def test_what_earlier_versions_left_is_removed(tmp_path: Path) -> None:
    watcher(tmp_path).keep(CHECKPOINT)
    old = [path(tmp_path).with_name(name) for name in ("a.npz", "a.npz.partial", "b.partial")]
    for left in old:
        left.write_bytes(b"old")
    assert watcher(tmp_path).recall()
    assert list(path(tmp_path).parent.iterdir()) == [path(tmp_path)]


def rewritten(save: Callable[..., None], *one: np.ndarray, **arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    save(file, *one, **arrays)
    return file.getvalue()


OTHER_ARRAYS = CHECKPOINT | {"now/weights": np.ones(2)}
MORE_ARRAYS = CHECKPOINT | {"now/more": np.ones(2)}


MUTATIONS: Mapping[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "its beginning": lambda it: it[:10],
    "half": lambda it: it[: len(it) // 2],
    "without its seal": lambda it: it[32:],
    "another bit": lambda it: it[:200] + bytes([it[200] ^ 1]) + it[201:],
    "one byte more": lambda it: it + b"\0",
    "another number": lambda it: it[:32] + rewritten(np.savez, **OTHER_ARRAYS),
    "one array more": lambda it: it[:32] + rewritten(np.savez, **MORE_ARRAYS),
    "compressed": lambda it: it[:32] + rewritten(np.savez_compressed, **CHECKPOINT),
    "one array": lambda it: it[:32] + rewritten(np.save, np.ones(2)),
    "a pickle": lambda it: it[:32] + pickle.dumps({"now/weights": np.ones(2)}),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_what_the_fit_has_not_written_is_refused_by_name_and_left_there(
    tmp_path: Path, mutation: str
) -> None:
    watcher(tmp_path).keep(CHECKPOINT)
    changed = MUTATIONS[mutation](path(tmp_path).read_bytes())
    path(tmp_path).write_bytes(changed)
    with pytest.raises(WorldError, match=rf"{path(tmp_path)}: not what a fit of .*; delete it"):
        watcher(tmp_path).recall()
    assert path(tmp_path).read_bytes() == changed


def test_a_checkpoint_under_the_name_of_another_fit_is_refused(tmp_path: Path) -> None:
    watcher(tmp_path, OTHER).keep(CHECKPOINT)
    path(tmp_path, OTHER).rename(path(tmp_path))
    with pytest.raises(WorldError, match=rf"{path(tmp_path)}: not what a fit of these params"):
        watcher(tmp_path).recall()


def test_a_checkpoint_that_does_not_fit_is_named(tmp_path: Path) -> None:
    words = rf"{path(tmp_path)}: now/weights is missing; delete it, and the fit begins anew"
    with pytest.raises(WorldError, match=words):
        raise watcher(tmp_path).refusal("now/weights is missing")


def test_a_checkpoint_holds_no_objects_that_would_run_code(tmp_path: Path) -> None:
    watcher(tmp_path).keep({"now/weights": np.array([{}], dtype=object)})
    with pytest.raises(ValueError, match="allow_pickle=False"):
        watcher(tmp_path).recall()
