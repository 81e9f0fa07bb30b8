"""Every rule that rows must keep, checked at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError, counted, nearest
from ..core.layout import Part
from ..core.params import FILE, Params, Task
from . import sensitive, splits, values
from .schema import DTYPES, Column, Kind

if TYPE_CHECKING:
    import pandas as pd


_ROWS_SHOWN = 3

TARGETS: dict[Task, Kind] = {
    Task.CLASSIFICATION: "boolean",
    Task.REGRESSION: "number",
    Task.MULTICLASS: "category",
}
"""The kind of column that each task predicts."""
_MOST_CLASSES = 1_000
_INSTEAD: dict[Kind, str] = {
    "boolean": "; two classes are `task: classification`",
    "number": "; a number is `task: regression`, and one that only names a class is a category in "
    "schema.py",
}
"""What to do about a target of several classes that is of another kind."""


@dataclass(frozen=True)
class Violation:
    """One rule that some rows of one column break."""

    column: str
    rule: str
    count: int
    rows: tuple[tuple[Any, Any], ...] = ()
    """The first offending (row, value) pairs."""

    def in_words(self, with_rows: bool) -> str:
        """Return one line; values of rows are shown only where logs are private."""
        shown = ", ".join(f"row {row}: {value!r}" for row, value in self.rows)
        examples = f" ({shown})" if with_rows and shown else ""
        where = f" in {counted(self.count, 'row')}" if self.count else ""
        return f"column {self.column!r}: {self.rule}{where}{examples}"


def violations(rows: "pd.DataFrame", columns: Sequence[Column]) -> list[Violation]:
    """Return every violation of the schema, by column."""
    found = [it for column in columns for it in _violations(rows, column)]
    return sorted(found, key=lambda it: (it.column, it.rule))


def check(rows: "pd.DataFrame", columns: Sequence[Column], where: str, with_rows: bool) -> None:
    """Raise UsageError that lists all violations of the schema, one in a line."""
    found = violations(rows, columns)
    if found:
        lines = "\n".join(f"  {violation.in_words(with_rows)}" for violation in found)
        raise UsageError(
            f"{where}: rules of schema.py that are broken: {len(found)}; mend the source "
            f"(source.py) or the rule (schema.py):\n{lines}"
        )


def _violations(rows: "pd.DataFrame", column: Column) -> Iterator[Violation]:
    import pandas as pd

    if column.name not in rows:
        yield Violation(column.name, "the column is missing", 0)
        return
    given, wanted = rows[column.name], DTYPES[column.kind]
    empty = given.isna().to_numpy()
    broken = [] if column.nullable else [("a value is missing", empty)]
    if column.kind == "boolean" and column.nullable:  # For which numpy has no type.
        broken.append(("no boolean", ~given.isin([True, False]).to_numpy() & ~empty))
    elif given.dtype != pd.api.types.pandas_dtype(wanted):
        yield Violation(column.name, f"the type is {given.dtype}, not {wanted}", 0)
    elif column.kind == "number":
        numbers = given.to_numpy()
        broken += [(limit.found, limit.breaks(numbers)) for limit in values.limits(column)]
    for rule, wrong in broken:
        if wrong.any():
            yield Violation(column.name, rule, int(wrong.sum()), _first(given, wrong))


def _first(column: "pd.Series[Any]", wrong: values.Mask) -> tuple[tuple[Any, Any], ...]:
    shown = column[wrong].head(_ROWS_SHOWN)
    return tuple(zip(shown.index.tolist(), shown.tolist(), strict=True))


def check_columns(params: Params, columns: Sequence[Column]) -> None:
    """Raise UsageError when params.yaml names a column that is unknown, leaks or has no such kind.

    Nothing that becomes known after the moment of prediction may reach a feature.
    """
    data, features, known = params.data, params.features, {it.name: it for it in columns}
    expected: list[tuple[str, str | None, tuple[Kind, ...]]] = [
        ("data.target", data.target, (TARGETS[params.task],)),
        ("data.time", data.time, ("time",)),
        ("data.group", data.group, ("category", "number")),
        ("data.weight", data.weight, ("number",)),
        *(("features.numeric", name, ("number", "boolean")) for name in features.numeric),
        *(("features.categorical", name, ("category",)) for name in features.categorical),
        *(("evaluation.slices", name, ("category",)) for name in params.evaluation.slices),
    ]
    for key, name, kinds in expected:
        if key.startswith("features") and name == data.target:
            raise UsageError(f"{FILE}: '{key}' names {name!r}, the target itself; take it out")
        if key.startswith("features") and name == data.weight:
            raise UsageError(f"{FILE}: '{key}' names {name!r}, the weight of rows; take it out")
        if name is not None:
            _check_column(key, name, kinds, known, may_leak=not key.startswith("features"))
    for key, name, _ in expected[:_ROLES]:
        if name is not None and known[name].nullable:
            raise UsageError(
                f"{FILE}: '{key}' names {name!r}, whose values may be missing; "
                "fill them in source.py and say so in schema.py, or choose another"
            )
    sensitive.check(params, known)
    if features.calendar and data.time is None:
        raise UsageError(f"{FILE}: 'features.calendar' needs a column in 'data.time'; name one")


_ROLES = 4
"""The first of the columns that params.yaml names: every row has a target, a time and so on."""


def _check_column(
    key: str, name: str, kinds: Iterable[Kind], known: Mapping[str, Column], may_leak: bool
) -> None:
    column = known.get(name)
    if column is None:
        hint = nearest(name, known)
        raise UsageError(f"{FILE}: '{key}' names {name!r}, which schema.py does not know{hint}")
    if column.leaks and not may_leak:
        raise UsageError(f"{FILE}: '{key}' names {name!r}, but {column.leaks}; take it out")
    if key == "data.target" and (column.kind, *kinds) == ("category", "boolean"):
        raise UsageError(
            f"{FILE}: 'data.target' names {name!r}, a category, and `task: classification` tells "
            "two classes apart; write `task: multiclass` for several, or for one of them make a "
            f"yes/no column in source.py, as rows['is_a'] = rows[{name!r}] == 'a', call it a "
            "boolean in schema.py, and take that as target"
        )
    if column.kind not in kinds:
        wanted = " or ".join(kinds)
        of_classes = key == "data.target" and "category" in kinds
        more = _INSTEAD.get(column.kind, "") if of_classes else ""
        raise UsageError(
            f"{FILE}: '{key}' names {name!r}, a {column.kind}; it takes a {wanted}{more}"
        )


def needed(params: Params) -> list[str]:
    """Return the columns that later stages read, each once."""
    data, features = params.data, params.features
    named = [*features.categorical, *features.numeric, *params.evaluation.slices, data.target]
    first, last = ([data.time], [data.group, data.weight, *data.sensitive])
    return [it for it in dict.fromkeys([*first, *named, *last]) if it]


def check_calendar(params: Params, known: Iterable[str]) -> None:
    """Raise UsageError where params.yaml asks for a part of the calendar that nobody makes."""
    sensitive.check_features(params)
    for name in params.features.calendar:
        if name not in known:
            raise UsageError(
                f"{FILE}: 'features.calendar' names {name!r}, which features.py does not make"
                f"{nearest(name, known)}; it makes {', '.join(known)}"
            )


@dataclass(frozen=True)
class Fault:
    """Why nothing can be learnt from a part of the rows, or measured by it."""

    what: str
    remedy: str
    """What to do about it in a project that has its data."""
    column: str | None = None
    """The feature or weight that it is about; None where it is the split."""


def check_parts(parts: "Mapping[Part, pd.DataFrame]", rows: "pd.DataFrame", params: Params) -> None:
    """Raise UsageError where nothing can be learnt from a part of the rows, or measured by it."""
    for it in faults(parts, rows, params):
        raise UsageError(f"{FILE}: {it.what}; {it.remedy}")


def faults(
    parts: "Mapping[Part, pd.DataFrame]", rows: "pd.DataFrame", params: Params
) -> Iterator[Fault]:
    """Yield what is wrong with the parts of some rows, the gravest first."""
    yield from _of_weights(rows, params)
    for name in sensitive.of_many_values(parts["test"], params):
        most = f"more than {sensitive.MOST:,} different values among the test rows"
        what = f"'data.sensitive' names {name!r}, which has {most}, and each is a group"
        yield Fault(what, "make a column of fewer groups in source.py, and name that one")
    for part, chosen in parts.items():
        if chosen.empty:
            yield _no_rows(part, rows, params)
        elif chosen[params.data.target].nunique() < 2:
            yield Fault(
                f"the {part} rows have only one value of {params.data.target!r}, so nothing can be "
                "learnt or measured",
                _OTHERWISE,
            )
    if params.split.final is not None and splits.final(rows, params).empty:
        yield _no_rows(splits.FINAL, rows, params)
    if params.task is Task.MULTICLASS:
        yield from _of_classes(parts, params.data.target)
    features = {"numeric": params.features.numeric, "categorical": params.features.categorical}
    for kind, name in ((kind, name) for kind, names in features.items() for name in names):
        if parts["train"][name].isna().all():
            what = f"'features.{kind}' names {name!r}, which no train row has"
            yield Fault(what, "take it out, or change 'split'", name)


_OTHERWISE = "change 'split' or 'data.until'"


def _of_weights(rows: "pd.DataFrame", params: Params) -> Iterator[Fault]:
    """Yield what is wrong with weights below zero, or that are zero in every row."""
    name = params.data.weight
    if name is None or rows.empty:
        return
    below = int((rows[name] < 0).sum())
    if below:
        yield Fault(
            f"'data.weight' names {name!r}, which is below zero in {counted(below, 'row')}",
            "mend it in source.py: a row counts by its weight, and one of weight 0 is left out",
            name,
        )
    elif not rows[name].any():
        what = f"'data.weight' names {name!r}, which is 0 in every row, so that none counts"
        yield Fault(what, "mend it in source.py, or take the key out", name)


def _of_classes(parts: "Mapping[Part, pd.DataFrame]", target: str) -> Iterator[Fault]:
    known, held_out = (set(parts[part][target].unique()) for part in ("train", "validation"))
    if len(known) > _MOST_CLASSES:
        yield Fault(
            f"'data.target' names {target!r}, which has {len(known):,} classes, and "
            f"{_MOST_CLASSES:,} are told apart at most",
            "if it names rows, choose another, else put rare classes together in source.py",
        )
    elif not known & held_out:
        yield Fault(
            f"no validation row has a class of {target!r} that a train row has, so nobody knows "
            "when to stop learning",
            _OTHERWISE,
        )


def _no_rows(part: str, rows: "pd.DataFrame", params: Params) -> Fault:
    by, data = params.split.by, params.data
    if by == "group" and data.group:
        count = counted(rows[data.group].nunique(), "group")
        return Fault(
            f"'split' leaves no {part} rows: they are of {count} of {data.group!r}, and whole "
            "groups go into each part",
            "bring more of them, or change the shares",
        )
    if by == "random" and data.until is None and len(rows):
        what = f"'split' leaves no {part} rows, of {len(rows):,} in all"
        return Fault(what, "bring more of them, or change the shares")
    where = ""
    if data.time and len(rows):
        times = rows[data.time]
        where = f"; the rows reach from {times.min():%Y-%m-%d} to {times.max():%Y-%m-%d}"
    what = f"'split' and 'data.until' leave no {part} rows{where}"
    return Fault(what, "change the lengths, or the last day")
