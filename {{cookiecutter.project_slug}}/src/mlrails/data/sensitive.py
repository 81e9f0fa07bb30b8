"""Columns that never reach the model, and by whose groups its figures are told.

How to change this: `validation` refuses such a feature, `splits.divided` keeps the column from the
rows that a fit reads, and the gate looks at what the challenger's signature asks for.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.config import Gaps, Measure
from ..core.errors import UsageError, nearest
from ..core.params import FILE, Params, Task
from .schema import Column

if TYPE_CHECKING:
    import pandas as pd

_KEY = "'data.sensitive'"
MOST = 1000
"""Groups of one column; what has more of them is a name or a number of its own of each row."""
_OF_CALLS: tuple[Measure, ...] = ("selection_rate", "tpr", "fpr")


def check(params: Params, known: Mapping[str, Column]) -> None:
    """Raise UsageError for a sensitive column that has no groups, or is something else as well."""
    check_features(params)
    for name, edges in params.data.sensitive.items():
        column = known.get(name)
        if column is None:
            hint = nearest(name, known)
            raise UsageError(f"{FILE}: {_KEY} names {name!r}, which schema.py does not know{hint}")
        if column.kind == "time":
            raise UsageError(
                f"{FILE}: {_KEY} names {name!r}, a time; make groups of it in source.py"
            )
        if column.kind == "number" and not edges:
            raise UsageError(
                f"{FILE}: {_KEY} names {name!r}, a number, without the edges between its groups; "
                f"write them as `{name}: [25, 45]`, or call it a category in schema.py"
            )
        if column.kind != "number" and edges:
            raise UsageError(
                f"{FILE}: {_KEY} has edges for {name!r}, a {column.kind}, each of whose values is "
                f"a group; write `{name}: []`"
            )


def check_features(params: Params) -> None:
    """Raise UsageError for a column that is sensitive and a feature, or has another role."""
    features, data = params.features, params.data
    named = {
        **dict.fromkeys(features.numeric, "features.numeric"),
        **dict.fromkeys(features.categorical, "features.categorical"),
        **{getattr(data, role): f"data.{role}" for role in ("target", "time", "group", "weight")},
    }
    for name in data.sensitive:
        if name in named:
            raise UsageError(
                f"{FILE}: '{named[name]}' names {name!r}, which {_KEY} keeps from the model; take "
                "it out of one of them"
            )


def check_bounds(params: Params) -> None:
    """Raise UsageError for bounds of what nobody measures."""
    bounds = params.gate.fairness
    if not bounds:
        return
    if not params.data.sensitive:
        raise UsageError(
            f"{FILE}: 'gate.fairness' bounds the gaps of groups, and {_KEY} names no column; name "
            "one, or take the bounds out"
        )
    for name in {name: None for named in bounds.values() for name in named}:
        if name in _OF_CALLS and params.task is not Task.CLASSIFICATION:
            raise UsageError(f"{FILE}: 'gate.fairness' bounds {name}, and {_WHY_NOT[params.task]}")
    if params.task is not Task.REGRESSION:
        _check_shares(bounds)


def _check_shares(bounds: Gaps) -> None:
    """Raise UsageError for a bound that no gap between two shares can be beyond."""
    for kind, named in bounds.items():
        for name, bound in named.items():
            if bound >= 1:
                raise UsageError(
                    f"{FILE}: 'gate.fairness.{kind}.{name}' = {bound:g} stops no model, as rates "
                    "and probabilities lie between 0 and 1; write 0.05 for five percentage points"
                )


_WHY_NOT = {
    Task.REGRESSION: "regression calls nobody; bound 'calibration', the mean prediction minus the "
    "mean outcome, in the target's unit",
    Task.MULTICLASS: "of several classes none is the one that is called; bound 'calibration', or "
    "make the class that counts a yes/no target in source.py",
}


def of_many_values(rows: "pd.DataFrame", params: Params) -> Iterator[str]:
    """Yield the columns whose rows would fall into more groups than anybody looks at."""
    for name, edges in params.data.sensitive.items():
        if not edges and rows[name].nunique() > MOST:
            yield name


def groups(rows: "pd.DataFrame", params: Params) -> Mapping[str, np.ndarray]:
    """Return the group of each row (rows,) by each sensitive column, None where it is missing."""
    found = params.data.sensitive.items()
    for name, edges in found:
        if (rows[name].dtype.kind in "iuf") is not bool(edges):
            raise UsageError(
                f"{FILE}: {_KEY} asks for {'numbers' if edges else 'categories'} in {name!r}, and "
                "it holds others; bring schema.py and that line into line"
            )
    return {name: _groups(rows[name], edges) for name, edges in found}


def _groups(column: "pd.Series[Any]", edges: tuple[float, ...]) -> np.ndarray:
    missing = column.isna().to_numpy()
    if edges:
        names = np.array(_between(edges), dtype=object)
        place = np.searchsorted(edges, column.to_numpy(np.float64), side="right")
        found = names[np.minimum(place, len(edges))]
    else:
        values = column.astype(object)
        named = values.map({True: "yes", False: "no"}.get) if _is_yes_no(values) else values
        found = np.array(named, dtype=object)
    found[missing] = None
    return found


def _is_yes_no(values: "pd.Series[Any]") -> bool:
    return bool(values.dropna().map(lambda it: isinstance(it, bool | np.bool_)).all())


def _between(edges: tuple[float, ...]) -> list[str]:
    """Name what lies between edges: a group has its lower one, and not its upper one."""
    told = [np.format_float_positional(it, trim="-") for it in edges]
    middle = [f"{low} to {high}" for low, high in pairwise(told)]
    return [f"under {told[0]}", *middle, f"{told[-1]} and over"]
