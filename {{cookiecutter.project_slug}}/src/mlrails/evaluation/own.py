"""Metrics of your own, as your package's `metrics.py` declares them: a name, a title, a function.

Nothing heavy is imported here, since every call of the command line reads the declarations;
`declared.py` makes metrics of them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class OwnMetric:
    """A metric that is declared and not yet asked."""

    name: str
    title: str
    function: Callable[..., Any]
    by_row: bool
    """Whether the function gives each row a number, whose mean counts; else it gives one number."""
    higher_is_better: bool
    unit: str = ""
    least: float = -math.inf
    most: float = math.inf
    of_calls: bool = False


@dataclass(frozen=True)
class Own:
    """The metrics that a project hands over, and the name of the package that declares them."""

    package: str = ""
    metrics: Sequence[OwnMetric] = ()
    note: str = ""
    """What has to be told of where they are from."""


def mean_of(
    name: str,
    title: str,
    loss: Callable[[Any, Any], Any],
    *,
    higher_is_better: bool,
    unit: str = "",
    least: float = -math.inf,
    most: float = math.inf,
    of_calls: bool = False,
) -> OwnMetric:
    """Declare the mean over the rows of what `loss(target, prediction)` gives each, (rows,).

    `prediction` is a probability or a number; with `of_calls` it is what is called at the model's
    threshold, 0 or 1. Tell `least` and `most` where the metric ends, and what `unit` it is in.
    """
    return OwnMetric(name, title, loss, True, higher_is_better, unit, least, most, of_calls)


def of_rows(
    name: str,
    title: str,
    function: Callable[..., Any],
    *,
    higher_is_better: bool,
    unit: str = "",
    least: float = -math.inf,
    most: float = math.inf,
    of_calls: bool = False,
) -> OwnMetric:
    """Declare what `function(target, prediction, sample_weight=…)` gives all rows: one number.

    That is how scikit-learn's metrics are called. It is asked anew for each draw of the rows, a
    thousand times and more, so `mean_of` is much faster where it will do.
    """
    return OwnMetric(name, title, function, False, higher_is_better, unit, least, most, of_calls)
