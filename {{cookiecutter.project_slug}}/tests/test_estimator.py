"""The contract of the seam, whichever library fills it: run this after every change of it.

It fits, learns, and tells of it; it scores as one float each, of several classes as one for each:
few rows and none, unknown, missing and enormous values; what it saves loads and scores the same,
holds no pickle, and is the same bytes for the same fit, also where that was broken off.
"""

import io
import math
import pickletools
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flight_delays import estimator as seam
from mlrails.core import hashing
from mlrails.core.config import validated
from mlrails.core.errors import UsageError
from mlrails.core.params import FILE, Task, of_estimator
from mlrails.modeling import classes
from mlrails.modeling.dataset import weights
from mlrails.modeling.epochs import Arrays, Watch

import made_up

SECTION = {**of_estimator(made_up.params())}
ESTIMATOR, ENCODER = made_up.fitted().estimator, made_up.fitted().encoder
CLASSES = made_up.fitted().classes
SHAPE = (len(CLASSES),) if CLASSES else ()  # Of the scores of a row.


class Listener(Watch):
    """Writes down what it is told, and can break the fit off as a kill would."""

    def __init__(self, kept: Arrays | None = None, broken_in: int = -1) -> None:
        self.kept, self.broken_in = kept or {}, broken_in
        self.told: list[tuple[int, Mapping[str, float]]] = []

    def step(self, number: int, figures: Mapping[str, float]) -> None:
        if number == self.broken_in:
            raise KeyboardInterrupt
        self.told.append((number, figures))

    def recall(self) -> Arrays:
        return self.kept

    def keep(self, checkpoint: Arrays) -> None:
        self.kept = checkpoint


GIVEN, DATA = made_up.params(), made_up.params().data
PARTS = {
    part: classes.labelled(ENCODER.encode(it), it[DATA.target], CLASSES, weights(it, DATA.weight))
    for part, it in made_up.parts().items()
}
TEST = PARTS["test"]
SCORES = seam.scores(ESTIMATOR, TEST.matrix)


def fit(watch: Watch) -> Any:
    section = validated(seam.Hyperparameters, SECTION, FILE, "estimator")
    how = GIVEN.task, section, GIVEN.seed, ENCODER.sizes
    return seam.fit(*how, PARTS["train"], PARTS["validation"], watch)


@cache
def watched() -> tuple[Any, list[tuple[int, Mapping[str, float]]]]:
    """Fit once more, and return the estimator with the steps that it told of."""
    watch = Listener()
    return fit(watch), watch.told


def saved(estimator: Any, folder: Path) -> str:
    folder.mkdir()
    seam.save(estimator, folder)
    return hashing.of_folder(folder)


def test_the_section_of_the_params_is_held_to_its_own_rules() -> None:
    name, value = next(iter(SECTION.items()))
    with pytest.raises(UsageError, match=rf"unknown key 'estimator\.{name}x' \(did you mean"):
        validated(seam.Hyperparameters, SECTION | {f"{name}x": value}, FILE, "estimator")
    for name in [name for name, it in SECTION.items() if isinstance(it, float)]:
        with pytest.raises(UsageError, match=rf"'estimator\.{name}'"):
            validated(seam.Hyperparameters, SECTION | {name: math.inf}, FILE, "estimator")


def test_scores_are_one_finite_float_for_each_row() -> None:
    assert SCORES.shape == (len(TEST.target), *SHAPE)
    assert SCORES.dtype == np.float64
    assert np.isfinite(SCORES).all()
    assert GIVEN.task is Task.REGRESSION or (SCORES.min() >= 0 and SCORES.max() <= 1)


def test_it_learns() -> None:
    target, seen = TEST.target, PARTS["train"].target
    if CLASSES:
        target, seen = (classes.indicator(it, len(CLASSES)) for it in (target, seen))
    error, of_constant = (np.square(it - target).mean() for it in (SCORES, seen.mean(axis=0)))
    assert error < of_constant


def test_it_tells_of_every_step_once_and_in_order() -> None:
    _, told = watched()
    assert told
    assert [step for step, _ in told] == list(range(len(told)))
    assert all(set(figures) == set(told[0][1]) for _, figures in told)
    assert all(np.isfinite(list(figures.values())).all() for _, figures in told)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_rows_are_scored_as_in_a_crowd(count: int) -> None:
    few = seam.scores(ESTIMATOR, TEST.matrix[:count])
    np.testing.assert_allclose(few, SCORES[:count], rtol=1e-5)


@pytest.mark.parametrize("value", [np.nan, 0, 1, 1e30, -1e30])
def test_missing_unknown_and_enormous_values_give_finite_scores(value: float) -> None:
    assert np.isfinite(seam.scores(ESTIMATOR, np.full((3, len(ENCODER.sizes)), value))).all()


def test_what_was_saved_loads_and_scores_the_same(tmp_path: Path) -> None:
    seam.save(ESTIMATOR, tmp_path)
    np.testing.assert_array_equal(seam.scores(seam.load(tmp_path), TEST.matrix), SCORES)


def test_the_same_fit_gives_the_same_bytes(tmp_path: Path) -> None:
    first = saved(ESTIMATOR, tmp_path / "a")
    assert saved(watched()[0], tmp_path / "b") == first
    assert saved(seam.load(tmp_path / "a"), tmp_path / "c") == first


def test_a_fit_that_was_broken_off_ends_as_it_would_have(tmp_path: Path) -> None:
    estimator, told = watched()
    broken = Listener(broken_in=len(told) - 1)
    with pytest.raises(KeyboardInterrupt):
        fit(broken)
    again = Listener(broken.kept)
    assert saved(fit(again), tmp_path / "a") == saved(estimator, tmp_path / "b")
    assert again.told == told


def members(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield a file, and what is inside of it where it is an archive."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert {it.date_time[0] for it in archive.infolist()} <= {1980}, f"{name}: has a date"
            for member in archive.namelist():
                yield from members(f"{name}/{member}", archive.read(member))
    else:
        yield name, content


def is_pickle(content: bytes) -> bool:
    try:
        return any(operation.name == "STOP" for operation, *_ in pickletools.genops(content))
    except Exception:  # Whatever else it is.
        return False


def test_nothing_that_is_saved_is_a_pickle_or_bears_a_date(tmp_path: Path) -> None:
    seam.save(ESTIMATOR, tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    found = [it for path in files for it in members(path.name, path.read_bytes())]
    assert found and [name for name, content in found if is_pickle(content)] == []


def test_the_native_flavor_points_to_files_that_are_there(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "model"
    folder.mkdir(parents=True)
    seam.save(ESTIMATOR, folder)
    for flavor in seam.flavor("data/model").values():
        named = [value for value in flavor.values() if str(value).startswith("data/model")]
        assert all((tmp_path / path).exists() for path in named)


def test_the_platform_is_told_in_words_and_always_the_same() -> None:
    told = seam.platform()
    assert isinstance(told, str)
    assert told == seam.platform()
