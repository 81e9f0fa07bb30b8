"""The body of a request into rows: MLflow's scoring protocol, and ours.

See https://mlflow.org/docs/latest/genai/serving/ for theirs: one of `dataframe_split`,
`dataframe_records`, `instances`, `inputs` as JSON, or CSV with a line of names.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .. import fields
from ..errors import nearest
from .csv_rows import read_csv
from .json_body import parse_json, refuse_repeated
from .media import CSV, JSON, Content
from .refusals import LONGEST_NAME, Fault, RefusedError, bad_rows
from .rows import Row, RowSchema


def read_invocations(
    body: bytes, sent: Content, rows: RowSchema, interface: fields.Interface
) -> list[Row]:
    """Return the checked rows of `POST /invocations`; raises RefusedError."""
    if sent.kind == CSV:
        return _checked(read_csv(body, sent.header, rows, interface), b"", rows)
    if sent.kind not in {JSON, ""}:
        raise RefusedError(415, f"send {JSON} or {CSV}, not {sent.kind[:LONGEST_NAME]!r}")
    content = parse_json(body)
    name = _form(content)
    given = content[name]
    checked = _checked(_READERS[name](given, rows), body, rows)
    refuse_repeated(body, len(content) + _names_in(given))
    return checked


def _form(content: Mapping[str, Any]) -> str:
    """Return the one name of the rows; raises RefusedError that tells which name is too many."""
    found = [name for name in _READERS if name in content]
    forms = ", ".join(_READERS)
    if content.get("params"):
        raise RefusedError(422, "the model takes no 'params'; leave them out")
    if extra := set(content) - {*_READERS, "params"}:
        raise RefusedError(422, f"{_too_many(extra, _READERS)}; send exactly one of {forms}")
    if len(found) != 1:
        told = " and ".join(map(repr, found)) or "none of them"
        raise RefusedError(422, f"send exactly one of {forms}, not {told}")
    return found[0]


def _too_many(extra: Iterable[str], known: Iterable[str]) -> str:
    name = min(extra)[:LONGEST_NAME]
    return f"the name {name!r} means nothing here{nearest(name, known)}"


def read_plain(body: bytes, rows: RowSchema) -> list[Row]:
    """Return the checked rows of `POST /predict`, `{"rows": [{column: value}]}`.

    Raises RefusedError.
    """
    content = parse_json(body)
    form = 'send {"rows": [{column: value, ...}]}'
    if extra := set(content) - {"rows"}:
        raise RefusedError(422, f"{_too_many(extra, ['rows'])}; {form}, and nothing beside it")
    if not content:
        raise RefusedError(422, form)
    checked = _checked(_records(content["rows"], rows), body, rows)
    refuse_repeated(body, 1 + _names_in(content["rows"]))
    return checked


def _checked(found: Iterable[Any], body: bytes, rows: RowSchema) -> list[Row]:
    # The letters stand in hardly any body, so hardly any pays for this.
    checked = rows.check(rows.missing_for_nan(found) if b"NaN" in body else found)
    if not checked:
        raise RefusedError(422, "there is no row to predict")
    return checked


def _names_in(given: Any) -> int:
    """Return the number of names in columns, or in rows, which have the same ones."""
    if isinstance(given, dict):
        return len(given)
    return len(given) * len(given[0]) if isinstance(given[0], dict) else 0


_SPLIT = ("columns", "data", "index")


def _split(content: Any, rows: RowSchema) -> Iterable[Any]:
    if not isinstance(content, dict) or not {"columns", "data"} <= set(content):
        raise RefusedError(422, "dataframe_split must hold 'columns' and 'data'")
    if extra := set(content) - set(_SPLIT):
        raise RefusedError(422, f"dataframe_split: {_too_many(extra, _SPLIT)}")
    names = _names(content["columns"])
    rows.refuse_more(names)
    found = _list(content["data"], "data")
    index = content.get("index")
    if index is not None and len(_list(index, "index")) != len(found):
        told = f"{len(index)} labels, and data {len(found)} rows"
        raise RefusedError(422, f"dataframe_split: index has {told}; leave it out, or mend it")
    return _named(names, found)


def _records(content: Any, rows: RowSchema) -> Iterable[Any]:
    return _list(content, "the rows")


def _instances(content: Any, rows: RowSchema) -> Iterable[Any]:
    """Rows as objects, or as lists in the order of the signature."""
    found = _list(content, "instances")
    if found and isinstance(found[0], list):
        return _named(rows.names, found)
    return found


def _inputs(content: Any, rows: RowSchema) -> Iterable[Any]:
    """Columns of equal length, or rows as objects."""
    if not isinstance(content, dict):
        return _list(content, "inputs")
    rows.refuse_more(content)
    columns = {name: _list(values, f"inputs.{name}") for name, values in content.items()}
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise RefusedError(422, "the columns of inputs differ in length")
    return (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))


_READERS: Mapping[str, Callable[[Any, RowSchema], Iterable[Any]]] = {
    "dataframe_split": _split,
    "dataframe_records": _records,
    "instances": _instances,
    "inputs": _inputs,
}


def _list(content: Any, what: str) -> list[Any]:
    if not isinstance(content, list):
        raise RefusedError(422, f"{what} must be a list")
    return content


def _names(content: Any) -> Sequence[str]:
    names = _list(content, "columns")
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise RefusedError(422, "columns must be names, and none of them twice")
    return names


def _named(names: Sequence[str], rows: list[Any]) -> Iterator[Any]:
    for place, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            reason = f"must be a list of {len(names)} values"
            raise bad_rows([Fault(place, None, reason)])
        yield dict(zip(names, row, strict=True))
