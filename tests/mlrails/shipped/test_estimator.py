"""The contract of the seam, whichever framework fills it: run this after every change of it.

It fits, learns, and tells of it; it scores as one float each: few rows and none, whole numbers,
unknown, missing and enormous values, columns in any order and more of them; what it saves loads
and scores the same; and the same fit is the same bytes, also where it was broken off.
"""

import math
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rows

from flight_delays import estimator as seam
from mlrails.core import hashing
from mlrails.core.config import validated
from mlrails.core.errors import UsageError
from mlrails.core.params import FILE, Task
from mlrails.modeling import classes
from mlrails.modeling.dataset import Labelled
from mlrails.modeling.epochs import Arrays, Watch

SECTION = rows.values()["estimator"]
HYPERPARAMETERS = validated(seam.Hyperparameters, SECTION, FILE, "estimator")

pytestmark = pytest.mark.parametrize("task", Task)


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


def labelled(task: Task, part: str) -> Labelled:
    frame = {str(name): frame for name, frame in rows.parts().items()}[part]
    known, target = rows.fitted(task).classes, frame[rows.parameters(task).data.target]
    return classes.labelled(rows.fitted(task).encoder.encode(frame), target, known)


def fit(task: Task, watch: Watch) -> Any:
    train, validation = labelled(task, "train"), labelled(task, "validation")
    sizes = rows.fitted(task).encoder.sizes
    return seam.fit(task, HYPERPARAMETERS, 7, sizes, train, validation, watch)


@cache
def watched(task: Task) -> tuple[Any, list[tuple[int, Mapping[str, float]]]]:
    """Fit once more, and return the estimator with the steps that it told of."""
    watch = Listener()
    return fit(task, watch), watch.told


def test_the_section_of_the_params_is_held_to_its_own_rules(task: Task) -> None:
    name, value = next(iter(SECTION.items()))
    with pytest.raises(UsageError, match=rf"unknown key 'estimator\.{name}x' \(did you mean"):
        validated(seam.Hyperparameters, SECTION | {f"{name}x": value}, FILE, "estimator")
    with pytest.raises(UsageError, match=rf"params\.yaml: 'estimator\.{name}' = 'many'"):
        validated(seam.Hyperparameters, SECTION | {name: "many"}, FILE, "estimator")


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_no_number_of_the_section_may_be_without_end(task: Task, value: float) -> None:
    for name in [name for name, it in SECTION.items() if isinstance(it, float)]:
        with pytest.raises(UsageError, match=rf"'estimator\.{name}'.*finite number"):
            validated(seam.Hyperparameters, SECTION | {name: value}, FILE, "estimator")


def shape(task: Task) -> tuple[int, ...]:
    """Return how many scores a row has, where it is more than one."""
    return (3,) if task is Task.MULTICLASS else ()


def test_scores_are_one_float_for_each_row(task: Task) -> None:
    matrix = labelled(task, "test").matrix
    scores = seam.scores(rows.fitted(task).estimator, matrix)
    assert scores.shape == (len(matrix), *shape(task))
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    if task is not Task.REGRESSION:
        assert 0 <= scores.min() < scores.max() <= 1
    if task is Task.MULTICLASS:
        np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-6)


def test_it_learns(task: Task) -> None:
    test = labelled(task, "test")
    scores = seam.scores(rows.fitted(task).estimator, test.matrix)
    target, seen = test.target, labelled(task, "train").target
    if task is Task.MULTICLASS:
        target, seen = (classes.indicator(it, 3) for it in (target, seen))
    error, of_constant = (np.square(it - target).mean() for it in (scores, seen.mean(axis=0)))
    assert error < 0.8 * of_constant


def test_it_tells_of_every_iteration_once_and_in_order(task: Task) -> None:
    _, told = watched(task)
    assert [step for step, _ in told] == list(range(len(told)))
    assert told
    names = set(told[0][1])
    assert all(set(figures) == names for _, figures in told)
    assert all(np.isfinite(list(figures.values())).all() for _, figures in told)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_rows_are_scored_as_in_a_crowd(task: Task, count: int) -> None:
    estimator, matrix = rows.fitted(task).estimator, labelled(task, "test").matrix
    few = seam.scores(estimator, matrix[:count])
    assert few.shape == (count, *shape(task))
    np.testing.assert_allclose(few, seam.scores(estimator, matrix)[:count], rtol=1e-5)


def test_whole_numbers_are_taken_for_floats(task: Task) -> None:
    estimator = rows.fitted(task).estimator
    whole = np.nan_to_num(np.floor(labelled(task, "test").matrix[:5]))
    scores = seam.scores(estimator, whole.astype(np.int64))
    np.testing.assert_array_equal(scores, seam.scores(estimator, whole))


def test_a_category_without_a_place_is_scored_and_a_missing_one_matters(task: Task) -> None:
    estimator, encoder = rows.fitted(task).estimator, rows.fitted(task).encoder
    known = labelled(task, "test").matrix[:5]
    unknown, missing = known.copy(), known.copy()
    for column, size in enumerate(encoder.sizes):
        if size:
            unknown[:, column], missing[:, column] = size, np.nan
    assert np.isfinite(seam.scores(estimator, unknown)).all()
    assert (seam.scores(estimator, missing) != seam.scores(estimator, known)).any()


@pytest.mark.parametrize("value", [np.nan, 0.0, 1e30, -1e30])
def test_odd_values_give_finite_scores(task: Task, value: float) -> None:
    matrix = np.full((3, labelled(task, "test").matrix.shape[1]), value)
    assert np.isfinite(seam.scores(rows.fitted(task).estimator, matrix)).all()


def test_neither_order_nor_number_of_columns_reaches_the_estimator(task: Task) -> None:
    model, frame = rows.fitted(task), rows.parts()["test"]
    turned = frame[sorted(frame.columns, reverse=True)].assign(more="x")
    np.testing.assert_array_equal(model.scores(turned), model.scores(frame))


def test_what_was_saved_loads_and_scores_the_same(task: Task, tmp_path: Path) -> None:
    estimator, matrix = rows.fitted(task).estimator, labelled(task, "test").matrix
    seam.save(estimator, tmp_path)
    again = seam.load(tmp_path)
    np.testing.assert_array_equal(seam.scores(again, matrix), seam.scores(estimator, matrix))


def saved(estimator: Any, folder: Path) -> str:
    folder.mkdir()
    seam.save(estimator, folder)
    return hashing.of_folder(folder)


def test_the_same_fit_gives_the_same_bytes(task: Task, tmp_path: Path) -> None:
    first = saved(rows.fitted(task).estimator, tmp_path / "a")
    assert saved(watched(task)[0], tmp_path / "b") == first
    assert saved(seam.load(tmp_path / "a"), tmp_path / "c") == first


def test_a_fit_that_was_broken_off_ends_as_it_would_have(task: Task, tmp_path: Path) -> None:
    estimator, told = watched(task)
    broken = Listener(broken_in=2)
    with pytest.raises(KeyboardInterrupt):
        fit(task, broken)
    again = Listener(broken.kept)
    assert saved(fit(task, again), tmp_path / "a") == saved(estimator, tmp_path / "b")
    assert again.told == told


def test_archives_bear_no_time_of_day(task: Task, tmp_path: Path) -> None:
    seam.save(rows.fitted(task).estimator, tmp_path)
    archives = [path for path in tmp_path.rglob("*") if zipfile.is_zipfile(path)]
    members = [member for path in archives for member in zipfile.ZipFile(path).infolist()]
    assert {member.date_time[0] for member in members} <= {1980}


def test_the_native_flavor_points_to_files_that_are_there(task: Task, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "model"
    folder.mkdir(parents=True)
    seam.save(rows.fitted(task).estimator, folder)
    (flavor,) = seam.flavor("data/model").values()
    named = [value for value in flavor.values() if str(value).startswith("data/model")]
    assert named
    assert all((tmp_path / path).exists() for path in named)
