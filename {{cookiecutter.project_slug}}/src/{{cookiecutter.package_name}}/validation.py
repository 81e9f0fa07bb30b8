"""Every rule that rows must keep, checked at once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import UsageError, counted, nearest
from .params import FILE, Params
from .schema import BY_NAME, COLUMNS, DTYPES, Column, Kind
from .task import Task

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

_ROWS_SHOWN = 3

_TARGETS: dict[Task, Kind] = {Task.CLASSIFICATION: "boolean", Task.REGRESSION: "number"}


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


def violations(rows: "pd.DataFrame", columns: Sequence[Column] = COLUMNS) -> list[Violation]:
    """Return every violation of the schema, by column."""
    from pandera.errors import SchemaErrors

    try:
        _schema(columns).validate(rows, lazy=True)
    except SchemaErrors as error:
        return _collected(error.failure_cases, rows)
    return []


def check(rows: "pd.DataFrame", where: str, with_rows: bool) -> None:
    """Raise UsageError that lists all violations of the schema, one in a line."""
    found = violations(rows)
    if found:
        lines = "\n".join(f"  {violation.in_words(with_rows)}" for violation in found)
        raise UsageError(
            f"{where}: rules of schema.py that are broken: {len(found)}; mend the source "
            f"(source.py) or the rule (schema.py):\n{lines}"
        )


def _schema(columns: Sequence[Column]) -> "pa.DataFrameSchema":
    import pandera.pandas as pa

    return pa.DataFrameSchema(
        {
            column.name: pa.Column(
                None if _has_gaps(column) else DTYPES[column.kind],
                list(_bounds(column)),
                nullable=column.nullable,
            )
            for column in columns
        }
    )


def _bounds(column: Column) -> "Iterator[pa.Check]":
    import pandera.pandas as pa

    if column.minimum is not None:
        yield pa.Check.ge(column.minimum, error=f"less than {column.minimum:g}")
    if column.maximum is not None:
        yield pa.Check.le(column.maximum, error=f"more than {column.maximum:g}")
    if column.kind == "number":
        yield pa.Check(lambda values: ~np.isinf(values), error="infinite")
    if _has_gaps(column):
        yield pa.Check.isin([True, False], error="no boolean")


def _has_gaps(column: Column) -> bool:
    """Tell whether numpy has no type for a column: its booleans cannot be missing."""
    return column.kind == "boolean" and column.nullable


def _collected(failures: "pd.DataFrame", rows: "pd.DataFrame") -> list[Violation]:
    """Fold pandera's failure cases, one for each value, into one violation for each rule."""
    failures = failures.assign(
        column=failures["column"].astype(object).fillna(failures["failure_case"]).astype(str),
        check=failures["check"].astype(str),
    )
    # A case without a row is a check that stumbled over the wrong type, which is told already.
    told = failures[failures["index"].notna() | failures["check"].str.match("dtype|column_in")]
    return [
        _violation(str(column), str(check), cases, rows)
        for (column, check), cases in told.groupby(["column", "check"], sort=True)
    ]


def _violation(column: str, check: str, cases: "pd.DataFrame", rows: "pd.DataFrame") -> Violation:
    if check == "column_in_dataframe":
        return Violation(column, "the column is missing", 0)
    if check.startswith("dtype"):
        wanted = DTYPES[BY_NAME[column].kind]
        return Violation(column, f"the type is {rows[column].dtype}, not {wanted}", 0)
    rule = {"not_nullable": "a value is missing"}.get(check, check)
    first = cases.head(_ROWS_SHOWN)
    examples = zip(first["index"], first["failure_case"], strict=True)
    return Violation(column, rule, len(cases), tuple(examples))


def check_columns(params: Params) -> None:
    """Raise UsageError when params.yaml names a column that is unknown, leaks or has no such kind.

    Nothing that becomes known after the moment of prediction may reach a feature.
    """
    data, features = params.data, params.features
    expected: list[tuple[str, str | None, tuple[Kind, ...]]] = [
        ("data.target", data.target, (_TARGETS[params.task],)),
        ("data.time", data.time, ("time",)),
        *(("features.numeric", name, ("number", "boolean")) for name in features.numeric),
        *(("features.categorical", name, ("category",)) for name in features.categorical),
        *(("evaluation.slices", name, ("category",)) for name in params.evaluation.slices),
    ]
    for key, name, kinds in expected:
        if key.startswith("features") and name == data.target:
            raise UsageError(f"{FILE}: '{key}' names {name!r}, the target itself; take it out")
        if name is not None:
            _check_column(key, name, kinds, may_leak=not key.startswith("features"))
    for key, name in (("data.target", data.target), ("data.time", data.time)):
        if name is not None and BY_NAME[name].nullable:
            raise UsageError(
                f"{FILE}: '{key}' names {name!r}, whose values may be missing; "
                "fill them in source.py and say so in schema.py, or choose another"
            )
    if features.calendar and data.time is None:
        raise UsageError(f"{FILE}: 'features.calendar' needs a column in 'data.time'; name one")


def _check_column(key: str, name: str, kinds: Iterable[Kind], may_leak: bool) -> None:
    column = BY_NAME.get(name)
    if column is None:
        hint = nearest(name, BY_NAME)
        raise UsageError(f"{FILE}: '{key}' names {name!r}, which schema.py does not know{hint}")
    if column.leaks and not may_leak:
        raise UsageError(f"{FILE}: '{key}' names {name!r}, but {column.leaks}; take it out")
    if key == "data.target" and (column.kind, *kinds) == ("category", "boolean"):
        raise UsageError(
            f"{FILE}: 'data.target' names {name!r}, a category, and a model tells two classes "
            f"apart, not more; make a yes/no column of each class in source.py, as rows['is_a'] = "
            f"rows[{name!r}] == 'a', call it a boolean in schema.py, and take one as target"
        )
    if column.kind not in kinds:
        wanted = " or ".join(kinds)
        raise UsageError(f"{FILE}: '{key}' names {name!r}, a {column.kind}; it takes a {wanted}")
