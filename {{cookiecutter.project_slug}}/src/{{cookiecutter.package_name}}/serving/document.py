"""The OpenAPI document: what FastAPI knows of its paths, and the rows of the model that answers."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from .. import cells
from .current import Current
from .refusals import Refusal

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
_PLAIN = {name: words for name, words in _REFUSALS.items() if name != "415"}
_GUARDED = ("/metadata", "/metrics", "/version")


def of(app: FastAPI, now: Current) -> dict[str, Any]:
    """Return the document for the model that answers now."""
    document = get_openapi(title=app.title, version=now.served.origin.version, routes=app.routes)
    schema = _timed(now.rows.schema())
    row = schema.get("$defs", {})
    example = [dict(it) for it in now.served.interface.example]
    document.setdefault("components", {}).setdefault("schemas", {}).update(row)
    document["components"]["schemas"]["Refusal"] = TypeAdapter(Refusal).json_schema(
        ref_template="#/components/schemas/{model}"
    )
    rows = {"type": "array", "items": schema["items"], "minItems": 1}
    answers = {"type": "array", "items": _answer(now.served.interface.outputs)}
    document["paths"] = {
        "/predict": {"post": _predict(rows, answers, example)},
        "/invocations": {"post": _invocations(rows, answers, example)},
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


def _predict(rows: Any, answers: Any, example: Any) -> dict[str, Any]:
    model = _object({"version": {"type": "string"}, "digest": {"type": "string"}})
    body = {"schema": _object({"rows": rows}), "example": {"rows": example}}
    return _operation(
        "Predict rows.",
        {"application/json": body},
        _json(_object({"predictions": answers, "model": model})),
        _PLAIN,
    )


def _invocations(rows: Any, answers: Any, example: Any) -> dict[str, Any]:
    forms = [_object({name: rows}) for name in ("dataframe_records", "instances", "inputs")]
    split = {
        "columns": {"type": "array", "items": {"type": "string"}},
        "data": {"type": "array", "items": {"type": "array"}, "minItems": 1},
    }
    forms.append(_object({"dataframe_split": _object(split)}))
    body = {"schema": {"oneOf": forms}, "example": {"dataframe_records": example}}
    csv = {"schema": {"type": "string"}}
    return _operation(
        "Predict rows by MLflow's scoring protocol, which SageMaker speaks as well.",
        {"application/json": body, "text/csv": csv},
        {**_json(_object({"predictions": answers})), "text/csv": csv},
        _REFUSALS,
    )


def _operation(
    summary: str, content: Any, answer: Any, refusals: Mapping[str, str]
) -> dict[str, Any]:
    good = {"description": "One prediction for each row.", "content": answer}
    return {
        "summary": summary,
        "tags": ["predictions"],
        "security": _SECURITY,
        "requestBody": {"required": True, "content": content},
        "responses": {"200": good, **_refusals(refusals)},
    }


def _refusals(words: Mapping[str, str]) -> dict[str, Any]:
    content = _json({"$ref": "#/components/schemas/Refusal"})
    return {status: {"description": it, "content": content} for status, it in words.items()}


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _answer(outputs: Mapping[str, str]) -> dict[str, Any]:
    return _object({name: {"type": _TYPES.get(kind, kind)} for name, kind in outputs.items()})


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
