"""What is known of a model after the test rows: one plain value, which the report renders.

Pure: the same rows and scores give the same figures, to the last bit on one class of CPU.
"""

import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.layout import Part
from ..core.params import Evaluation, Params, of_held_out
from ..data.arrays import Vector
from ..modeling.classes import Classes
from ..modeling.protocols import Model
from . import baselines, by_group, declared, outcomes, permutation, selection
from .bootstrap import Sample, sample
from .diagnostics import behaviour, threshold_of
from .metrics import BIAS, Metric, mean_of_rows
from .own import OwnMetric
from .scored import Scored, coded, costs_at_thresholds, described, labels, months, thresholds

if TYPE_CHECKING:
    import pandas as pd


_DIGITS = 6
"""Figures are rounded: the last bits differ between classes of CPU and mean nothing."""

_LEAST_ROWS_OF_SLICE = 100

COVERAGE = Metric("coverage", "Within the interval", True, mean_of_rows(lambda _, p: p), 0, 1)
"""Of ones and zeros in the place of scores: whether what came lies within the interval."""


MODEL = "model"
"""The name of the trained model among the scores; every other one is a baseline."""


def figures(
    metrics: Sequence[Metric], scored: Scored, rules: Evaluation, seed: int
) -> Mapping[str, Any]:
    """Return each metric of each model, and the model's gain over each baseline, with intervals.

    The gains are paired: model and baseline are compared on the same drawn blocks. A gain is above
    zero where the model is better, whichever way the metric goes.
    """
    on, sure = _sample(scored, rules, seed), rules.confidence
    result: dict[str, Any] = {}
    for metric in metrics:
        values = {
            name: scored.values(metric, score, on) for name, score in scored.given(metric).items()
        }
        sign = 1 if metric.higher_is_better else -1
        result[metric.name] = {
            "title": metric.title,
            "higher_is_better": metric.higher_is_better,
            "models": {
                name: on.alone(value, sure).within(metric.least, metric.most).rounded()
                for name, value in values.items()
            },
            "gains": {
                name: on.paired(sign * (values[MODEL] - value), sure).figure.rounded()
                for name, value in values.items()
                if name != MODEL
            },
        }
    return result


def as_good(found: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """Return for each metric the baselines that the model does not beat beyond the interval."""
    return {
        # A gain without an interval (one day only) is not shown either, so `not >`, never `<=`.
        metric: [name for name, gain in figure["gains"].items() if not gain["low"] > 0]
        for metric, figure in found.items()
    }


def groups(
    metric: Metric, scored: Scored, labels: np.ndarray, rules: Evaluation, seed: int
) -> Sequence[Mapping[str, Any]]:
    """Return the model's metric for each label of the rows, labels in order."""
    found = []
    codes, names = coded(labels)
    for code, label in enumerate(names):
        part = scored.of(codes == code)
        plain = part.plain(MODEL)
        found.append(
            {
                "name": str(label),
                "rows": len(part.target),
                "target": round(part.mean(plain.target), _DIGITS),
                "score": round(part.mean(plain.scores[MODEL]), _DIGITS),
                metric.name: _of_group(metric, part, rules, seed),
            }
        )
    return found


def _of_group(
    metric: Metric, part: Scored, rules: Evaluation, seed: int
) -> Mapping[str, float] | None:
    """Return the figure of one group, or None where it is too small to say anything."""
    if len(part.target) < _LEAST_ROWS_OF_SLICE:
        return None
    return _of_rows(metric, part, rules, seed)


def _of_rows(metric: Metric, part: Scored, rules: Evaluation, seed: int) -> Mapping[str, float]:
    on = _sample(part, rules, seed)
    return part.figure(metric, part.given(metric)[MODEL], on, rules.confidence).rounded()


def _sample(scored: Scored, rules: Evaluation, seed: int) -> Sample:
    count, drawn = len(scored.target), rules.resamples
    return sample(count, scored.times, drawn, seed, weekly=True, groups=scored.groups)


def bias(scored: Scored, rules: Evaluation, seed: int) -> Mapping[str, float]:
    """Return by how much the model's mean prediction is above the mean target."""
    return _of_rows(BIAS, scored.plain(MODEL), rules, seed)


_HELD_OUT: tuple[Part, ...] = ("validation", "test")


def of_model(
    params: Params,
    model: Model,
    rows: "Mapping[Part, pd.DataFrame]",
    own: Sequence[OwnMetric] = (),
) -> dict[str, Any]:
    """Return all that is known of the model, as plain values; `own` are the project's metrics.

    Raises UsageError for one of them that cannot be relied on.
    """
    task, rules, seed = params.task, params.evaluation, params.seed
    primary, *_ = metrics = selection.told(task, rules, own)
    scored = _judged(params, model, rows, metrics)
    test = scored["test"]
    whole: dict[str, Mapping[str, Any]] = {
        part: figures(metrics, scored[part], rules, seed) for part in _HELD_OUT
    }
    return {
        "task": task.value,
        "target": params.data.target,
        "primary": primary.name,
        "confidence": rules.confidence,
        "resamples": rules.resamples,
        "model": _of_model(params, model),
        **({"weight": params.data.weight} if params.data.weight else {}),
        "threshold_rule": rules.threshold,
        "hindsight": baselines.HINDSIGHT[task],
        "parts": described(params, rows, scored),
        **whole,
        "as_good": as_good(whole["test"]),
        **_by_group(params, rows, scored, primary),
        "bias": bias(test, rules, seed),
        **_interval(params, model, rows["test"], test),
        "behaviour": _behaviour(params, test, model.threshold),
        **of_classes(scored, outcomes.known(model), rules, seed),
        **by_group.of_sensitive(params, rows["test"], _alone(test), model.threshold, _sample),
        "importance": permutation.importance(params, model, rows["test"], primary),
    }


def _of_model(params: Params, model: Model) -> Mapping[str, Any]:
    return {
        "estimator": type(model.estimator).__name__,
        "hyperparameters": dict(params.estimator),
        "categories": getattr(model, "categories", None),  # An earlier one does not say it.
        "features": params.features.model_dump(mode="json", exclude={"background"}),
    }


def _by_group(
    params: Params,
    rows: "Mapping[Part, pd.DataFrame]",
    scored: Mapping[Part, Scored],
    metric: Metric,
) -> Mapping[str, Any]:
    how = params.evaluation, params.seed
    return {
        "slices": {
            name: groups(metric, scored["test"], labels(named), *how)
            for name, named in rows["test"][[*how[0].slices]].items()
        },
        "months": {
            part: groups(metric, scored[part], months(frame, params.data.time), *how)
            for part, frame in rows.items()
        },
    }


def _interval(
    params: Params, model: Model, rows: "pd.DataFrame", test: Scored
) -> Mapping[str, Any]:
    """Return how often what came lies within the model's interval, of a model that has one."""
    if not (ends := getattr(model, "interval", ())):
        return {}
    off = np.round(test.target - test.scores[MODEL], _DIGITS)
    within = ((off >= ends[0]) & (off <= ends[1])).astype(np.float64)
    inside = replace(test, scores={MODEL: within})
    how = params.evaluation, params.seed
    slices = {
        name: [
            {told: it[told] for told in ("name", "rows", COVERAGE.name)}
            for it in groups(COVERAGE, inside, labels(named), *how)
        ]
        for name, named in rows[[*params.evaluation.slices]].items()
    }
    promised = {"level": of_held_out(params).interval, "lower": ends[0], "upper": ends[1]}
    coverage = _of_rows(COVERAGE, inside, *how)
    return {"interval": {**promised, "coverage": coverage, "slices": slices}}


def _behaviour(params: Params, test: Scored, threshold: float | None) -> Mapping[str, Any]:
    target, score, costs = test.target, test.scores[MODEL], params.evaluation.costs
    found = behaviour(params.task, target, score, threshold, test.weight)
    if costs is None:
        return found
    at = costs_at_thresholds(target, score, threshold_of(threshold), costs, test.weight)
    return {**found, "costs": at}


def _judged(
    params: Params, model: Model, rows: "Mapping[Part, pd.DataFrame]", metrics: Sequence[Metric]
) -> Mapping[Part, Scored]:
    """Return every part with scores, and with calls where a metric is asked of them."""
    scored = score(params, model, rows)
    of_calls = next((metric for metric in metrics if metric.of_calls), None)
    if of_calls:
        scored = _called(scored, params, model, of_calls)
    test = scored["test"]
    selection.check_targets(metrics, test.target, params.data.target)
    for metric in metrics:
        given = test.given(metric)[MODEL]
        declared.check(metric, test.target, given, params.evaluation.resamples)
    return scored


def of_classes(
    scored: Mapping[Part, Scored], known: Classes, rules: Evaluation, seed: int
) -> Mapping[str, Any]:
    """Return what is found of each class of the test rows, where there are any."""
    test = scored["test"]
    if not test.classes:
        return {}
    rows = {part: it.target for part, it in scored.items()}
    return by_group.of_classes(rows, _alone(test), _sample(test, rules, seed), known, rules)


def _alone(scored: Scored) -> Scored:
    return replace(scored, scores={MODEL: scored.scores[MODEL]})


def score(
    params: Params, model: Model, rows: "Mapping[Part, pd.DataFrame]"
) -> Mapping[Part, Scored]:
    """Return every part with the scores of the model and of each baseline."""
    every = outcomes.every(model, *(frame[params.data.target] for frame in rows.values()))
    given = {part: Scored.from_rows(params.data, it, {}, every) for part, it in rows.items()}
    matrix = {part: model.encoder.encode(frame) for part, frame in rows.items()}

    def simple() -> Mapping[Part, Mapping[str, Vector]]:
        seen = matrix["train"], given["train"].target, given["train"].weight
        fitted = baselines.fit(params.task, model.encoder, *seen, len(every))
        return {
            part: {
                **{name: baseline(matrix[part]) for name, baseline in fitted.items()},
                **baselines.hindsight(params.task, it.target, it.weight, len(every)),
            }
            for part, it in given.items()
        }

    # Libraries set filters of warnings for a while; of two threads one may put the other's back.
    with warnings.catch_warnings(), ThreadPoolExecutor(1) as beside:
        # The model, which is the project's, has this thread.
        others = beside.submit(simple)
        own = {part: outcomes.scores_of(model, it, every) for part, it in matrix.items()}
    return {
        part: replace(it, scores={MODEL: own[part], **others.result()[part]})
        for part, it in given.items()
    }


def _called(
    scored: Mapping[Part, Scored], params: Params, model: Model, metric: Metric
) -> Mapping[Part, Scored]:
    """Return every part with what each model calls there."""
    seen = scored["validation"]
    own, rows = {MODEL: threshold_of(model.threshold)}, (seen.target, seen.scores, seen.weight)
    cuts = thresholds(metric, params.evaluation, *rows) | own
    return {part: it.calling(cuts) for part, it in scored.items()}
