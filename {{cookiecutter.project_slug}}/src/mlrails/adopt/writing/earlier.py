"""A plan for data that a project knows already: what a person has decided before stands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...data.schema import Column, Kind
from ..plan import Plan, Planned, Role
from .spelling import code

_ROLES: Mapping[Kind, Role] = {
    "number": "number",
    "boolean": "number",
    "category": "category",
    "time": "left out",
}
_FEATURES = {"number", "category"}


def kept(plan: Plan, before: Sequence[Column]) -> Plan:
    """Return the plan with what `schema.py` says of the columns that are still there.

    Reasons and units stay, and so do ranges that hold what was seen, and a category that looks like
    a number. What no log may keep stays out of all. What was known in time stays so; what was not
    comes back only by another role.
    """
    said = {it.name: it for it in before}
    columns = (_kept(it, said.get(it.column.name)) for it in plan.columns)
    return replace(plan, columns=tuple(columns))


def _kept(it: Planned, before: Column | None) -> Planned:
    if before is None:
        return it
    column = replace(
        it.column,
        kind=_kind(it, before),
        nullable=before.nullable or it.column.nullable,
        unit=before.unit or it.column.unit,
        known=before.known or it.column.known,
        logged=before.logged and it.column.logged,
    )
    if _holds(it, before):
        column = replace(column, minimum=before.minimum, maximum=before.maximum)
    if it.role not in {*_FEATURES, "left out"}:
        return replace(it, column=column)
    leaks = None if column.known else before.leaks or it.column.leaks
    role: Role = "left out" if leaks or _stays_out(it, column) else "number"
    column = replace(column, leaks=leaks)
    return replace(it, column=column, role=_ROLES[column.kind] if role == "number" else role)


def _stays_out(it: Planned, column: Column) -> bool:
    return it.role == "left out" and not column.known


def _kind(it: Planned, before: Column) -> Kind:
    """Return the kind of before where the values can still be of it."""
    is_number = before.kind == "number" and it.seen is not None
    return before.kind if before.kind == "category" or is_number else it.column.kind


def _holds(it: Planned, before: Column) -> bool:
    """Tell whether a range of before holds all numbers that were seen."""
    if it.seen is None:
        return before.kind == it.column.kind
    least, most = it.seen
    above = before.minimum is None or before.minimum <= least
    return above and (before.maximum is None or before.maximum >= most)


def changes(plan: Plan, before: Sequence[Column]) -> Iterator[str]:
    """Yield what is other than before, a sentence for each column."""
    said = {it.name: it for it in before}
    now = {it.column.name: it for it in plan.columns}
    for name, it in now.items():
        if name not in said:
            yield f"{code(name)} is new: {it.role}."
            continue
        if said[name].kind != it.column.kind:
            yield f"{code(name)} was a {said[name].kind} and is a {it.column.kind} now."
        if _range(said[name]) != _range(it.column):
            yield f"{code(name)} is {_range(it.column)} now, and was {_range(said[name])}."
    yield from (f"{code(name)} is gone." for name in said if name not in now)


def _range(it: Column) -> str:
    least = "" if it.minimum is None else f"from {it.minimum:g}"
    most = "" if it.maximum is None else f"up to {it.maximum:g}"
    return " ".join(filter(None, (least, most))) or "without bounds"


def features(
    plan: Plan, before: Sequence[Column], named: Mapping[str, Any]
) -> Mapping[str, list[str]]:
    """Return the section `features` anew: what was chosen stays chosen, what is new comes in.

    `named` is the section as it stands. A column that was known and not chosen stays out.
    """
    known = {it.name for it in before}
    chosen = [*(named.get("categorical") or ()), *(named.get("numeric") or ())]
    found = {}
    for key, role in (("categorical", "category"), ("numeric", "number")):
        there = dict.fromkeys(plan.named(role))  # type: ignore[arg-type]
        new = [name for name in there if name not in known]
        found[key] = [*dict.fromkeys([*(name for name in chosen if name in there), *new])]
    return found
