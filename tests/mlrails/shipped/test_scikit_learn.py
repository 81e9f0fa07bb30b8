"""What only scikit-learn's estimator promises."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import mlflow.sklearn
import numpy as np
import pytest
import rows
import yaml
from skops.io.exceptions import UntrustedTypesFoundException

from flight_delays import estimator as seam
from flight_delays.steps import train
from mlrails.core.params import Task
from mlrails.modeling import epochs, trees
from mlrails.modeling import skops as modeling_skops
from mlrails.modeling.epochs import Watch


def matrix(task: Task) -> np.ndarray:
    return rows.fitted(task).encoder.encode(rows.parts()["test"])


def test_mlflow_loads_the_native_model(task: Task, model: Path) -> None:
    native = mlflow.sklearn.load_model(str(model))
    np.testing.assert_array_equal(
        seam.scores(native, matrix(task)), seam.scores(rows.fitted(task).estimator, matrix(task))
    )


def saved(estimator: seam.Estimator, folder: Path) -> bytes:
    seam.save(estimator, folder)
    return (folder / "model.skops").read_bytes()


def test_the_number_of_cores_would_show_in_the_bytes(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimator = rows.fitted(task).estimator
    before = saved(estimator, tmp_path)
    monkeypatch.setattr(estimator._bin_mapper, "n_threads", 2)
    assert saved(estimator, tmp_path) != before


def test_skops_alone_would_write_other_bytes_each_time(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modeling_skops, "canonical", lambda archive: archive)
    first = saved(rows.fitted(task).estimator, tmp_path)
    again = saved(seam.load(tmp_path), tmp_path)
    assert again != first


def test_a_type_that_the_model_alone_trusts_is_refused(tmp_path: Path) -> None:
    """Here the list is ours; MLflow's loader takes that of the MLmodel (GHSA-w582-9x45-8mpx)."""
    import skops.io

    archive = tmp_path / "model.skops"
    archive.write_bytes(skops.io.dumps(partial(print)))
    told = {"flavors": seam.flavor("")}
    told["flavors"]["sklearn"]["skops_trusted_types"] = skops.io.get_untrusted_types(file=archive)
    (tmp_path / "MLmodel").write_text(yaml.safe_dump(told))
    with pytest.raises(UntrustedTypesFoundException):
        seam.load(tmp_path)
    assert skops.io.load(archive, told["flavors"]["sklearn"]["skops_trusted_types"]) is not None


def test_exactly_one_type_beyond_skops_own_is_trusted(model: Path) -> None:
    import skops.io

    archive = next(model.rglob("model.skops"))
    assert skops.io.get_untrusted_types(file=archive) == seam._TRUSTED


@pytest.mark.parametrize("count", [1, 2, 64, 65, 1000])
def test_one_walk_of_all_trees_gives_the_same_bits(task: Task, tmp_path: Path, count: int) -> None:
    saved(rows.fitted(task).estimator, tmp_path)
    joined = seam.load(tmp_path)
    assert trees.join(joined)
    sent = matrix(task)[:count]
    expected = seam.scores(rows.fitted(task).estimator, sent)
    np.testing.assert_array_equal(seam.scores(joined, sent), expected)


def test_trees_that_would_answer_otherwise_are_not_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(rows.fitted(Task.REGRESSION).estimator, tmp_path)
    estimator, halve = seam.load(tmp_path), trees._halve

    def wrong(nodes: np.ndarray, starts: np.ndarray, feature: int) -> None:
        halve(nodes, starts, feature)
        nodes["right"][0] = nodes["left"][0]

    monkeypatch.setattr(trees, "_halve", wrong)
    before = estimator._predict_iterations
    assert not trees.join(estimator) and estimator._predict_iterations == before


def test_an_unknown_category_scores_as_a_missing_one(task: Task) -> None:
    model, seen = rows.fitted(task), rows.parts()["test"]
    unknown, missing = (model.scores(seen.assign(carrier=it)) for it in ("??", None))
    np.testing.assert_array_equal(unknown, missing)
    assert not np.array_equal(unknown, model.scores(seen))


def test_a_fit_that_whoever_looks_on_gives_up_stops_long_before_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Enough(Exception):  # noqa: N818 - no error
        pass

    class Impatient(Watch):
        def step(self, number: int, figures: Mapping[str, float]) -> None:
            raise Enough

    monkeypatch.setattr(epochs, "_SECONDS_BETWEEN_LOOKS", 0.001)
    made: list[Any] = []
    classifier, loss = seam._MADE["classification"]

    def make(**how: Any) -> Any:
        made.append(classifier(**how))
        return made[-1]

    monkeypatch.setitem(seam._MADE, "classification", (make, loss))
    long = {**rows.values()["estimator"], "max_iter": 20_000, "patience": 20_000}
    with pytest.raises(Enough):
        train.fit(rows.parameters(), seam.Hyperparameters(**long), rows.parts(), Impatient())
    assert 1 <= made[0].n_iter_ < 10_000
