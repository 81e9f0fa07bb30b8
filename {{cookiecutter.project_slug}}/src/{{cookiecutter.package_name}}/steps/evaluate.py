"""python -m {{ cookiecutter.package_name }}.steps.evaluate

The model's figures, and the report.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from .. import baselines, carried, data, diagnostics, digests, evaluation, layout, report
from .. import estimator as seam
from ..behaviour import behaviour
from ..console import say
from ..evaluation import MODEL, Scored
from ..features import Rows, Vector
from ..layout import Part
from ..metrics import METRICS
from ..params import Params
from ..predictor import Predictor
from ..stage import Stage, run

if TYPE_CHECKING:
    import pandas as pd

_ROWS_FOR_IMPORTANCE = 5_000
"""Enough to rank columns, and a tenth of the time that all rows would take."""


def evaluate(stage: Stage) -> None:
    """Write `reports/`: `metrics.json`, the report as Markdown and HTML, and its plots."""
    folder = stage.root / layout.MODEL
    digest = layout.model_digest(stage.root)
    predictor = carried.load(folder, digest)
    with threadpool_limits(1, user_api="blas"):
        found = figures(stage.params, predictor, data.read_parts(stage.root))
    found["digest"] = digest
    found["data_digest"] = digests.of_folder(stage.root / layout.PREPARED, links=True)
    report.write(found, stage.root / layout.METRICS.parent)
    if stage.settings.project is None:  # Files of a copy are gone before anybody can look.
        say(f"evaluate: {layout.METRICS} and {layout.REPORT}")


def figures(
    params: Params, predictor: Predictor, rows: "Mapping[Part, pd.DataFrame]"
) -> dict[str, Any]:
    """Return all that is known of the model, as plain values."""
    task, rules, seed = params.task, params.evaluation, params.seed
    scored = score(params, predictor, rows)
    test = scored["test"]
    held_out: tuple[Part, ...] = ("validation", "test")
    whole: dict[str, Mapping[str, Any]] = {
        part: evaluation.figures(task, scored[part], rules, seed) for part in held_out
    }
    return {
        "task": task.value,
        "target": params.data.target,
        "primary": METRICS[task][0].name,
        "confidence": rules.confidence,
        "resamples": rules.resamples,
        "model": {
            "estimator": type(predictor.estimator).__name__,
            "hyperparameters": dict(params.estimator),
            "categories": getattr(seam, "CATEGORIES", None),  # An older seam does not say it.
            "features": params.features.model_dump(mode="json"),
        },
        "threshold_rule": rules.threshold,
        "parts": {part: _describe(params, frame) for part, frame in rows.items()},
        **whole,
        "as_good": evaluation.as_good(whole["test"]),
        "slices": {
            name: evaluation.groups(task, test, evaluation.labels(labels), rules, seed)
            for name, labels in rows["test"][[*rules.slices]].items()
        },
        "months": {
            part: evaluation.groups(task, scored[part], _months(params, frame), rules, seed)
            for part, frame in rows.items()
        },
        "bias": evaluation.bias(test, rules, seed),
        "behaviour": behaviour(task, test.target, test.scores[MODEL], predictor.threshold),
        "importance": importance(params, predictor, rows["test"]),
    }


def score(
    params: Params, predictor: Predictor, rows: "Mapping[Part, pd.DataFrame]"
) -> Mapping[Part, Scored]:
    """Return every part with the scores of the model and of each baseline."""
    target = {part: frame[params.data.target].to_numpy(np.float64) for part, frame in rows.items()}
    matrix = {part: predictor.encoder.encode(frame) for part, frame in rows.items()}
    simple = baselines.fit(params.task, predictor.encoder, matrix["train"], target["train"])
    time = params.data.time
    return {
        part: Scored(
            target[part],
            frame[time].to_numpy() if time else None,
            {
                MODEL: predictor.scores_of(matrix[part]),
                **{name: baseline(matrix[part]) for name, baseline in simple.items()},
                **baselines.hindsight(params.task, target[part]),
            },
        )
        for part, frame in rows.items()
    }


def importance(params: Params, predictor: Predictor, rows: "pd.DataFrame") -> Mapping[str, Any]:
    """Return the permutation importance of each raw column on a sample of the test rows."""
    sample = rows.sample(min(len(rows), _ROWS_FOR_IMPORTANCE), random_state=params.seed)
    target = sample[params.data.target].to_numpy(np.float64)
    metric = METRICS[params.task][0]
    sign = -1 if metric.higher_is_better else 1
    one_block = np.zeros(len(sample), dtype=np.int64)

    def worse(scores: Vector) -> float:
        return sign * float(metric.by_day(target, scores, one_block)(np.ones((1, 1)))[0])

    # What is made of one raw column is shuffled together, so rows need to be encoded only once.
    encoder, encoded = predictor.encoder, predictor.encoder.encode(sample)
    sources = np.array([encoder.source(name) for name in encoder.names])
    places = {column: np.flatnonzero(sources == column) for column in encoder.columns}

    def predict(blocks: Rows) -> Vector:
        matrix = encoded.copy()
        for column, place in places.items():
            matrix[:, place] = blocks[column]
        return predictor.scores_of(matrix)

    blocks = {column: encoded[:, place] for column, place in places.items()}
    return diagnostics.importance(blocks, encoder.columns, predict, worse, params.seed)


def _describe(params: Params, rows: "pd.DataFrame") -> Mapping[str, Any]:
    times = rows[params.data.time] if params.data.time else None
    return {
        "rows": len(rows),
        "target": round(float(rows[params.data.target].mean()), 6),
        "from": None if times is None else f"{times.min():%Y-%m-%d}",
        "to": None if times is None else f"{times.max():%Y-%m-%d}",
        "days": None if times is None else int(times.dt.normalize().nunique()),
    }


def _months(params: Params, rows: "pd.DataFrame") -> np.ndarray:
    if params.data.time is None:
        return np.full(len(rows), "all")
    return np.asarray(rows[params.data.time].dt.strftime("%Y-%m"), dtype=object)


if __name__ == "__main__":
    run(evaluate)
