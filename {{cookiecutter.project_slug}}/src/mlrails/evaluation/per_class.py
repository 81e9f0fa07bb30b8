"""How a model does on each of its classes against the rest, with intervals."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..core.layout import Part
from ..core.params import Evaluation
from ..data.arrays import Vector
from ..modeling import classes
from ..modeling.classes import Classes
from . import outcomes
from .bootstrap import Sample
from .diagnostics import calibration, calibration_error
from .metrics import BIAS, OF_CLASS, Metric
from .scored import Scored

_DIGITS = 6


def of_classes(
    rows: Mapping[Part, Vector], test: Scored, on: Sample, known: Classes, rules: Evaluation
) -> Mapping[str, Any]:
    """Return what is found of every class, in order of their numbers, and which are not `known`.

    `rows` are the numbers of classes of each part's rows (rows,); `test` are the test rows with the
    probabilities (rows, classes) of one model.
    """
    every, (score,) = test.classes, test.scores.values()
    called = classes.likeliest(score)
    counts = {
        part: np.bincount(it.astype(np.int64), minlength=len(every)).tolist()
        for part, it in rows.items()
    }
    found = []
    for place, name in enumerate(every):
        event, call = ((it == place).astype(np.float64) for it in (test.target, called))
        one = replace(test, target=event, scores={}, classes=())
        about = _of_class(one, call, score[:, place], on, rules)
        found.append(
            {"name": name, "rows": {part: counts[part][place] for part in counts}, **about}
        )
    return {"classes": found, "strangers": outcomes.strangers(known, every, test.target)}


def _of_class(
    rows: Scored, call: Vector, score: Vector, on: Sample, rules: Evaluation
) -> Mapping[str, Any]:
    def figure(metric: Metric, of: Vector) -> Mapping[str, float]:
        return rows.figure(metric, of, on, rules.confidence).rounded()

    curve = calibration(rows.target, score)
    return {
        "target": round(rows.mean(rows.target), _DIGITS),
        "score": round(rows.mean(score), _DIGITS),
        "called": int(call.sum()),
        "bias": figure(BIAS, score),
        **{it.name: figure(it, score if it.name == "roc_auc" else call) for it in OF_CLASS},
        "calibration": curve,
        "calibration_error": round(calibration_error(curve), _DIGITS),
    }
