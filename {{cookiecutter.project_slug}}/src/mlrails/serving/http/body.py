"""The body of a request into rows: JSON, CSV, MLflow's scoring protocol, and ours.

See https://mlflow.org/docs/latest/genai/serving/ for theirs: one of `dataframe_split`,
`dataframe_records`, `instances`, `inputs` as JSON, or CSV with a line of names.
"""

import json
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from pydantic_core import from_json

from ...core.errors import nearest
from ...data.reading import Reading
from ...modeling import signature
from .csv_rows import read_csv
from .media import CSV, JSON, Content
from .messages import LONGEST_NAME, Fault, RefusedError, bad_rows
from .rows import Row, RowSchema

_MARKS_OF_UTF_16 = (BOM_UTF16_BE, BOM_UTF16_LE)
_APART = (b" :", b"\t:", b"\r:", b"\n:")
"""A colon that does not follow its name at once, or one in a text."""


def parse_json(body: bytes) -> dict[str, Any]:
    """Return the object; raises RefusedError where the body is none."""
    if body.startswith(_MARKS_OF_UTF_16):
        raise RefusedError(400, "the body is not JSON in UTF-8, but UTF-16 by its mark")
    try:
        content = from_json(body.removeprefix(BOM_UTF8))
    except ValueError as error:
        raise RefusedError(400, f"the body is not JSON ({error})") from None
    except RecursionError:
        raise RefusedError(400, "the body is not JSON (nested too deeply)") from None
    if not isinstance(content, dict):
        raise RefusedError(422, "the body must be a JSON object")
    return content


def refuse_repeated(body: bytes, names: int) -> None:
    """Raise RefusedError for a name that stands twice in an object.

    `names` is how many the quick parser has kept, which is silent about those that it has not:
    where as many stand in the body, as good as all bodies are, there is no need to look again.
    """
    if body.count(b'":') != names or any(it in body for it in _APART):
        with suppress(ValueError):  # What Python's parser cannot read, the other one has read.
            json.loads(body.removeprefix(BOM_UTF8), object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((name, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise RefusedError(422, f"the name {name[:LONGEST_NAME]!r} stands twice in one object")
    return found


def read_invocations(
    body: bytes,
    sent: Content,
    rows: RowSchema,
    interface: signature.Interface,
    how: Reading | None = None,
) -> list[Row]:
    """Return the checked rows of `POST /invocations`; raises RefusedError."""
    if sent.kind == CSV:
        return _checked(read_csv(body, sent.header, rows, interface, how), b"", rows)
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
    checked = _checked(_list(content["rows"], "the rows"), body, rows)
    refuse_repeated(body, 1 + _names_in(content["rows"]))
    return checked


MOST_EXPLAINED = 16
"""Rows of one request to explain: each costs a thousand predictions."""


def read_explain(body: bytes, rows: RowSchema) -> tuple[list[Row], str | None]:
    """Return the checked rows of `POST /explain`, and the output that is named, if one is.

    Raises RefusedError.
    """
    content, known = parse_json(body), ("rows", "output")
    form = 'send {"rows": [{column: value, ...}]}'
    if extra := set(content) - {*known}:
        raise RefusedError(422, f'{_too_many(extra, known)}; {form}, and "output" beside it')
    output = content.get("output")
    if "rows" not in content or not isinstance(output, str | None):
        raise RefusedError(422, f'{form}, and "output" as the name of what is to be explained')
    found = _list(content["rows"], "the rows")
    if len(found) > MOST_EXPLAINED:
        raise RefusedError(
            413,
            f"at most {MOST_EXPLAINED} rows are explained at once, not {len(found):,}; send fewer",
        )
    checked = _checked(found, body, rows)
    refuse_repeated(body, len(content) + _names_in(found))
    return checked, output


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
        form = '{"columns": [column, ...], "data": [[value, ...], ...]}'
        raise RefusedError(422, f"dataframe_split must hold 'columns' and 'data'; send {form}")
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


_ROWS = "[{column: value, ...}, ...]"
_COLUMNS = "{column: [value, ...], ...}"
_ONE_ROW = "{column: value, ...}"


def _records(content: Any, rows: RowSchema) -> Iterable[Any]:
    if not isinstance(content, list):
        raise RefusedError(422, f"dataframe_records must be a list of rows; send {_ROWS}")
    return content


def _instances(content: Any, rows: RowSchema) -> Iterable[Any]:
    """What `inputs` may be, or rows as lists in the order of the signature."""
    if isinstance(content, list) and content and isinstance(content[0], list):
        return _named(rows.names, content)
    return _rows_or_columns(content, rows, "instances")


def _inputs(content: Any, rows: RowSchema) -> Iterable[Any]:
    return _rows_or_columns(content, rows, "inputs")


def _rows_or_columns(content: Any, rows: RowSchema, form: str) -> Iterable[Any]:
    """Rows as objects, columns of equal length, or a single row.

    One value beside lists, which MLflow's own server repeats, may be meant or forgotten.
    """
    if isinstance(content, list):
        return content
    if not isinstance(content, dict):
        raise RefusedError(422, f"{form} must be {_ROWS}, {_COLUMNS}, or one row, {_ONE_ROW}")
    rows.refuse_more(content)
    lists = [name for name, it in content.items() if isinstance(it, list)]
    if content and not lists:
        return [content]
    if len(lists) < len(content):
        told = f"{form} has lists and single values side by side"
        raise RefusedError(422, f"{told}; send columns, {_COLUMNS}, or one row, {_ONE_ROW}")
    if len(set(map(len, content.values()))) > 1:
        raise RefusedError(422, f"the columns of {form} differ in length")
    return (dict(zip(content, row, strict=True)) for row in zip(*content.values(), strict=True))


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
