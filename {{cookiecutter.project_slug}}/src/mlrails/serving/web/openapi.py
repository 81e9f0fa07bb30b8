"""The OpenAPI document: what FastAPI knows of its paths, and the rows of the model that answers."""

from collections.abc import Collection, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from ...data import cells
from ...modeling.signature import ENDS, Interface, promise
from ..http.body import MOST_EXPLAINED
from ..http.messages import Refusal
from ..model.current import Current

_TYPES = {"double": "number", "float": "number", "long": "integer", "integer": "integer"}
_REFUSALS = {
    "400": "The body cannot be read.",
    "401": "The token is missing or wrong.",
    "408": "The body came too slowly.",
    "413": "The body is too large.",
    "415": "The body is of another kind than is taken.",
    "422": "A row is not what the model takes; `errors` says which, where and why.",
    "503": "Too much at once; try again after `Retry-After` seconds.",
    "504": "The answer took too long.",
}
_SECURITY: list[dict[str, list[str]]] = [{}, {"token": []}]
"""A token is asked for where the server has one."""
_GUARDED = ("/metadata", "/metrics", "/version")


def describe(app: FastAPI, now: Current) -> dict[str, Any]:
    """Return the document for the model that answers now."""
    document = get_openapi(title=app.title, version=now.served.origin.version, routes=app.routes)
    schema = _timed(now.rows.schema())
    row = schema.get("$defs", {})
    example = [dict(it) for it in now.served.interface.example]
    document.setdefault("components", {}).setdefault("schemas", {}).update(row)
    document["components"]["schemas"]["Refusal"] = TypeAdapter(Refusal).json_schema(
        ref_template="#/components/schemas/{model}"
    )
    document["components"]["schemas"] |= _shapes(schema, now.served.interface)
    document["paths"] = {
        "/predict": {"post": _predict(example)},
        "/invocations": {"post": _invocations(example)},
        "/explain": {"post": _explain(example)},
        **document["paths"],
    }
    for path in _GUARDED:
        told = document["paths"][path]["get"]
        told["security"] = _SECURITY
        told["responses"] |= _refusals({"401": _REFUSALS["401"]})
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return document


def _timed(schema: Any) -> Any:
    """Return a schema whose times are those that are taken: `date-time` has a zone by RFC 3339."""
    if isinstance(schema, list):
        return [_timed(it) for it in schema]
    if not isinstance(schema, dict):
        return schema
    told = {name: _timed(it) for name, it in schema.items()}
    if told.get("format") == "date-time":
        del told["format"]
        told["pattern"] = f"^{cells.TIME}$"
    return told


def _shapes(schema: Any, interface: Interface) -> dict[str, Any]:
    """Return what goes in and out under names, by which a generated client calls its classes."""
    text, whole = {"type": "string"}, {"type": "integer"}
    rows = {"type": "array", "items": schema["items"], "minItems": 1}
    data = {"type": "array", "items": {"type": "array", "items": {}}, "minItems": 1}
    shapes: dict[str, Any] = {"dataframe_records": rows}
    shapes["inputs"] = {"anyOf": [rows, schema["items"], _ref("Columns")]}
    shapes["instances"] = {"anyOf": [*shapes["inputs"]["anyOf"], data]}
    forms = {f"Rows{it.title().replace('_', '')}": _object({it: shapes[it]}) for it in _FORMS}
    table = _object(
        {
            "columns": {"type": "array", "items": text},
            "data": data,
            "index": {"type": "array", "items": {"anyOf": [whole, text]}},
        },
        optional=("index",),
    )
    answers = {"type": "array", "items": _ref("Prediction")}
    return {
        **forms,
        "Columns": _columns(schema["$defs"]["Row"]),
        "Table": table,
        "RowsDataframeSplit": _object({"dataframe_split": _ref("Table")}),
        "Rows": _object({"rows": rows}),
        "Prediction": _answer(interface),
        "Predictions": _object({"predictions": answers}),
        "Model": _object({"version": text, "digest": text}),
        "PredictionsOfModel": _object({"predictions": answers, "model": _ref("Model")}),
        **_of_explanations(rows, interface),
    }


def _columns(row: Any) -> dict[str, Any]:
    """Return the shape of columns, which are all of one length: a schema has no word for that."""
    told = row["properties"].items()
    columns = {name: {"type": "array", "items": it, "minItems": 1} for name, it in told}
    return {"description": "Columns of one length.", **_object(columns)}


def _of_explanations(rows: Any, interface: Interface) -> dict[str, Any]:
    text, number = {"type": "string"}, {"type": "number"}
    share = {"column": text, "value": {}, "contribution": number, "error": number}
    explanation = {
        "output": text,
        "base": number,
        "prediction": number,
        **{it: number for it in ENDS if it in interface.outputs},
        "contributions": {"type": "array", "items": _ref("Contribution")},
        "exact": {"type": "boolean"},
        "outside": {"type": "array", "items": _ref("Outside")},
    }
    several = {"type": "array", "items": _ref("Explanation")}
    return {
        "RowsToExplain": _object(
            {"rows": {**rows, "maxItems": MOST_EXPLAINED}, "output": text}, optional=("output",)
        ),
        "Contribution": _object(share),
        "Outside": _object({"column": text, "reason": text}),
        "Explanation": _object(explanation),
        "Explanations": _object({"explanations": several, "model": _ref("Model")}),
    }


_FORMS = ("dataframe_records", "instances", "inputs")


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _predict(example: Any) -> dict[str, Any]:
    body = {"schema": _ref("Rows"), "example": {"rows": example}}
    return _operation(
        "predict",
        "Predict rows.",
        {"application/json": body},
        _json(_ref("PredictionsOfModel")),
    )


def _invocations(example: Any) -> dict[str, Any]:
    names = [*(f"Rows{name.title().replace('_', '')}" for name in _FORMS), "RowsDataframeSplit"]
    forms = {"oneOf": [_ref(name) for name in names]}
    body = {"schema": forms, "example": {"dataframe_records": example}}
    csv = {"schema": {"type": "string"}}
    return _operation(
        "invocations",
        "Predict rows by MLflow's scoring protocol, which SageMaker speaks as well.",
        {"application/json": body, "text/csv": csv},
        {**_json(_ref("Predictions")), "text/csv": csv},
    )


def _explain(example: Any) -> dict[str, Any]:
    body = {"schema": _ref("RowsToExplain"), "example": {"rows": example}}
    found = _operation(
        "explain",
        "Tell what moved predictions: base plus contributions is the prediction.",
        {"application/json": body},
        _json(_ref("Explanations")),
        "One explanation for each row.",
    )
    found["responses"] |= _refusals({"501": "The model carries nothing to explain it against."})
    return found


def _operation(
    name: str, summary: str, content: Any, answer: Any, told: str = "One prediction for each row."
) -> dict[str, Any]:
    good = {"description": told, "content": answer}
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["predictions"],
        "security": _SECURITY,
        "requestBody": {"required": True, "content": content},
        "responses": {"200": good, **_refusals(_REFUSALS)},
    }


def _refusals(words: Mapping[str, str]) -> dict[str, Any]:
    content = _json(_ref("Refusal"))
    return {status: {"description": it, "content": content} for status, it in words.items()}


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _answer(interface: Interface) -> dict[str, Any]:
    outputs = interface.outputs.items()
    told = _object({name: {"type": _TYPES.get(kind, kind)} for name, kind in outputs})
    level = interface.level
    return told if level is None else {"description": f"{promise(level)}.", **told}


def _object(properties: Mapping[str, Any], optional: Collection[str] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }
