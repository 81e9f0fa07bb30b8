"""Metrics that a project declares itself, made into metrics of draws, and their faults in words.

The clock is looked at to tell who is slow; no figure depends on it.
"""

import re
import traceback
import warnings
from collections.abc import Collection, Iterator, Sequence
from time import process_time
from typing import Any

import numpy as np

from ..core.console import warn
from ..core.errors import UsageError
from ..core.params import Task
from ..data.arrays import Vector
from .bootstrap import Draws, Numbers, OfDraws
from .metrics import Metric, mean_of_rows
from .own import OwnMetric

FILE = "metrics.py"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_ROWS_TO_REPEAT = 500
_SLOW = 60.0
_MODELS = 10
"""A report asks for about so many models and parts, a gate for as many slices."""


def metrics(own: Sequence[OwnMetric], taken: Collection[str], task: Task) -> Sequence[Metric]:
    """Return the metrics that are declared; raises UsageError for a name that cannot be one.

    `taken` are the names of the engine's metrics.
    """
    names: list[str] = []
    for it in own:
        if not isinstance(it, OwnMetric):
            raise UsageError(
                f"{FILE}: METRICS holds {type(it).__name__}; make each with `mean_of` or `of_rows`"
            )
        if not _NAME.fullmatch(str(it.name)):
            raise UsageError(
                f"{FILE}: {it.name!r:.60} is no name; write small letters, digits and _, as in "
                "'late_share'"
            )
        if it.name in (*taken, *names):
            raise UsageError(f"{FILE}: {it.name}: there is a metric of that name; choose another")
        if it.of_calls and task is Task.REGRESSION:
            raise UsageError(f"{FILE}: {it.name}: is of calls, and {task} makes none")
        names.append(it.name)
    return [_metric(it) for it in own]


def _metric(own: OwnMetric) -> Metric:
    by_block = mean_of_rows(lambda target, score: _losses(own, target, score))
    title = own.title if isinstance(own.title, str) and own.title.strip() else own.name
    return Metric(
        own.name,
        title,
        own.higher_is_better,
        by_block if own.by_row else _Asked(own),
        own.least,
        own.most,
        own.unit,
        own.of_calls,
        is_own=True,
    )


class _Asked:
    """A function of rows with weights, asked anew for each draw."""

    def __init__(self, own: OwnMetric) -> None:
        self.own = own

    def __call__(
        self, target: Vector, score: Vector, block: Numbers, weight: Vector | None = None, /
    ) -> OfDraws:
        """Return what gives the metric of any draws of the blocks."""
        return lambda drawn: np.array(list(self._values(target, score, block, weight, drawn)))

    def _values(
        self, target: Vector, score: Vector, block: Numbers, weight: Vector | None, drawn: Draws
    ) -> Iterator[float]:
        for counts in drawn:
            often = counts[block] if weight is None else counts[block] * weight
            there = often > 0
            if not there.any():
                yield float("nan")
                continue
            value = _ask(self.own, target[there], score[there], sample_weight=often[there])
            yield _number(self.own, value)


def _losses(own: OwnMetric, target: Vector, score: Vector) -> Vector:
    found = _array(own, _ask(own, target.copy(), score.copy()))
    if found.shape != target.shape:
        raise _fault(
            own.name,
            f"gives an array of shape {found.shape} for {len(target):,} rows; give one number for "
            "each row",
        )
    if lacking := int(np.sum(~np.isfinite(found))):
        raise _fault(own.name, f"gives no number for {lacking:,} of {len(target):,} rows")
    return found


def _number(own: OwnMetric, value: Any) -> float:
    found = _array(own, value)
    if found.shape != ():
        raise _fault(own.name, f"gives an array of shape {found.shape}; give one number")
    return float(found)


def _array(own: OwnMetric, value: Any) -> Vector:
    try:
        return np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise _fault(own.name, f"gives {type(value).__name__}, which is no number") from None


def _ask(own: OwnMetric, *rows: Vector, **weights: Vector) -> Any:
    """Call a user's function; raises UsageError that names its line, and no value of a row."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of one-sided draws scikit-learn has one for each.
            return own.function(*rows, **weights)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)[1:]
        ours = [frame for frame in frames if frame.filename.endswith(FILE)] or frames[:1]
        where = f" in line {ours[-1].lineno} (`{ours[-1].line}`)" if ours else ""
        call = "" if ours else "; it is called as function(target, prediction, sample_weight=…)"
        kind = type(error).__name__
        raise _fault(own.name, f"raises {kind}{where}{'' if own.by_row else call}") from None


def _fault(name: str, words: str) -> UsageError:
    return UsageError(f"{FILE}: {name}: {words}")


def check(metric: Metric, target: Vector, score: Vector, resamples: int) -> None:
    """Raise UsageError for a declared metric that cannot be relied on, and tell one that is slow.

    Twice the same, a number, and the same of rows with weights as of rows that are there as often:
    else its interval would mean nothing.
    """
    if not metric.is_own or not len(target) or target.min() == target.max():
        return
    start = process_time()
    first = metric.whole(target, score)
    seconds = process_time() - start
    if not np.isfinite(first):
        raise _fault(metric.name, f"is {first} for {len(target):,} rows; a number is needed")
    if metric.whole(target, score) != first:
        raise _fault(metric.name, "gives another number the second time; make it deterministic")
    _check_weights(metric, target, score)
    _tell_slow(metric, len(target), seconds * resamples * _MODELS)


def _check_weights(metric: Metric, target: Vector, score: Vector) -> None:
    rng = np.random.default_rng(1)
    some = rng.permutation(len(target))[:_ROWS_TO_REPEAT]
    often = rng.integers(0, 3, len(some))
    weighed = metric.whole(target[some], score[some], often.astype(np.float64))
    repeated = metric.whole(np.repeat(target[some], often), np.repeat(score[some], often))
    if not np.isclose(weighed, repeated, rtol=1e-6, atol=1e-12, equal_nan=True):
        raise _fault(
            metric.name,
            "a row of weight 2 does not count as two rows; use `sample_weight`, by which rows are "
            "drawn for the interval",
        )


def _tell_slow(metric: Metric, rows: int, seconds: float) -> None:
    if seconds > _SLOW and isinstance(metric.by_block, _Asked):
        warn(
            f"{FILE}: {metric.name}: its interval takes about {seconds / 60:,.0f} minutes on "
            f"{rows:,} rows, since it is asked for each draw; declare it with `mean_of`, or lower "
            "`resamples` in params.yaml"
        )
