"""`params.yaml` changed line by line: what is not named stays to the letter, comments included."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from ...core.params import Task
from ...data.schema import Column
from ..plan import Plan
from ..sizes import GATES
from .earlier import features
from .spelling import scalar

_WIDTH = 100
_BLOCKS_OF_INTERVAL = 12
"""The fewest days, groups or rows of validation that an interval is left to."""
_COMMENT = re.compile(r"\s+#\s.*$")


_EVENT = """\
# `margin` and `slice_margin` are in the unit of the primary metric, area under ROC (0.5 to 1), the
# biases in that of the target, shares of 1.
"""
_CLASSES = """\
# `margin` and `slice_margin` are in the unit of the primary metric, log-loss, the biases in shares
# of each class.
"""
_NUMBERS = """\
# `margin` and `slice_margin` are in the unit of the primary metric, root mean squared error, the
# biases in that of the target: all four go by its standard deviation, {spread}.
"""
_BRIER = "of p(1 - p): worse than the champion's Brier score by less is no loss"
_SAID = {
    ("classification", "calibration"): _BRIER,
    ("classification", "decisions"): (
        "worse than the champion's F1 (or Youden's index) by less is no loss"
    ),
    ("multiclass", "calibration"): f"summed over the classes, {_BRIER}",
    ("multiclass", "decisions"): "worse than the champion's macro F1 by less is no loss",
}
_IN_UNITS = ("margin", "slice_margin", "bias", "first_bias")
_MAY_SEE = """\
# What the model may see: raw columns known when one predicts (schema.py says which are).
"""
_MONTH = """\
# The calendar month is left out: the training months are not those to come.
"""


def put(text: str, section: str, key: str, it: Any, comment: str = "") -> str:
    """Return the text with a key of a section set; a comment behind it stays, a missing key comes.

    A section that is missing is put at the end. None takes the key away where `it` is `...`.
    """
    lines = text.splitlines(keepends=True)
    begin, end = _section(lines, section)
    if begin is None:
        return text if it is ... else f"{text}\n{section}:\n{_entry(key, it, comment)}"
    first, last = _key(lines, begin + 1, end, key)
    if first is None:
        made = [] if it is ... else [_entry(key, it, comment)]
        return "".join([*lines[:end], *made, *lines[end:]])
    stays = _COMMENT.search(lines[first].rstrip("\n"))
    made = (
        [] if it is ... else [_entry(key, it, comment or (stays[0].strip()[2:] if stays else ""))]
    )
    return "".join([*lines[:first], *made, *lines[last:]])


def top(text: str, key: str, it: Any) -> str:
    """Return the text with a key of the top set, which has to be there."""
    return re.sub(rf"(?m)^{key}:[^#\n]*?(?=\s*(#.*)?$)", lambda _: f"{key}: {scalar(it)}", text)


def _entry(key: str, it: Any, comment: str) -> str:
    behind = f" # {comment}" if comment else ""
    line = f"  {key}: {scalar(it)}{behind}\n"
    if len(line) <= _WIDTH + 1 or not isinstance(it, list):
        return line
    return f"  {key}:{behind}\n" + "".join(f"    - {scalar(each)}\n" for each in it)


def _section(lines: Sequence[str], section: str) -> tuple[int | None, int]:
    """Return where a section begins, and the end of its last entry."""
    begin = next((at for at, it in enumerate(lines) if it.startswith(f"{section}:")), None)
    if begin is None:
        return None, len(lines)
    end = begin + 1
    for at in range(begin + 1, len(lines)):
        if lines[at].strip() and lines[at][0] not in " #":
            break
        if lines[at].startswith(" ") and lines[at].strip():
            end = at + 1
    return begin, end


def _key(lines: Sequence[str], begin: int, end: int, key: str) -> tuple[int | None, int]:
    """Return the lines of a key and of all that belongs to it."""
    named = re.compile(rf"  (['\"]?){re.escape(key)}\1:(\s|$)")
    first = next((at for at in range(begin, end) if named.match(lines[at])), None)
    if first is None:
        return None, end
    last = first + 1
    while last < end and (lines[last].startswith(("   ", "  - ", "  ]", "  }"))):
        last += 1
    return first, last


def values(plan: Plan) -> Iterator[tuple[str, str, Any]]:
    """Yield what a plan says: section, key and value; `...` takes a key away."""
    yield "data", "target", plan.named("target")[0]
    yield "data", "time", next(iter(plan.named("time")), None)
    yield "data", "until", plan.until or ...
    for role in ("group", "weight"):
        yield "data", role, next(iter(plan.named(role)), ...)
    yield "features", "calendar", [*plan.calendar] or ...
    yield "features", "categorical", [*plan.named("category")] or ...
    yield "features", "numeric", [*plan.named("number")] or ...
    yield "split", "by", plan.by
    yield "split", "validation", plan.validation
    yield "split", "test", plan.test
    yield "split", "acknowledge", ...
    yield "evaluation", "slices", [*plan.slices]
    yield from (("estimator", name, it) for name, it in plan.estimator.items())


def gate(plan: Plan) -> Iterator[tuple[str, Any, str]]:
    """Yield the gate's numbers for a plan: key, value and what is said of a new one."""
    unit = plan.spread or 1.0
    usual = dict(GATES[plan.task])
    if plan.task is Task.REGRESSION:
        usual |= {key: float(f"{usual[key] * unit:.1g}") for key in _IN_UNITS}
    for key, it in {**usual, **plan.gate}.items():
        yield key, ... if it is None else it, _SAID.get((plan.task.value, key), "")


def first(text: str, plan: Plan) -> str:
    """Return the params of a plan in the place of the example's."""
    told = yaml.safe_load(text)
    text = top(top(text, "task", plan.task.value), "seed", plan.seed)
    for section, key, it in values(plan):
        if section != "estimator" or _has(told["estimator"], key):
            text = put(text, section, key, it)
    if told["task"] != plan.task.value:
        text = _of_task(text, told["evaluation"])
    text = _of_held_out(text, told["estimator"], plan)
    for key, it, said in gate(plan):
        text = put(text, "gate", key, it, said)
    return _commented(text, plan)


def again(text: str, plan: Plan, before: Sequence[Column]) -> str:
    """Return the params of a plan where they were the project's own before.

    The seed is the project's. What a person may have chosen stays as long as the target does: the
    parts' lengths while the split is of the same kind, features, slices that are still categories,
    and all of gate and estimator.
    """
    told = yaml.safe_load(text)
    same = told["task"] == plan.task.value and told["data"]["target"] == plan.named("target")[0]
    if not same:
        return top(first(text, plan), "seed", told["seed"])
    named = features(plan, before, told["features"])
    own = {("features", key): it or ... for key, it in named.items()}
    slices = told["evaluation"].get("slices") or ()
    own["evaluation", "slices"] = [it for it in slices if it in plan.named("category")]
    stays = {("features", "calendar")} if plan.named("time") else set()
    if told["split"].get("by", "time") == plan.by:
        stays |= {("split", key) for key in ("by", "validation", "test", "acknowledge")}
    for section, key, it in values(plan):
        if (section, key) not in stays and section != "estimator":
            text = put(text, section, key, own.get((section, key), it))
    return text


def _has(estimator: Mapping[str, Any], key: str) -> bool:
    """Tell whether an estimator has a number; the patience of trees counts no epochs."""
    return key in estimator and (key != "patience" or "epochs" in estimator)


def _of_task(text: str, told: Mapping[str, Any]) -> str:
    """Return the params without the choices that another task does not have."""
    for key in ("primary", "costs"):
        text = put(text, "evaluation", key, ...) if key in told else text
    cost = told.get("threshold") == "cost"
    return put(text, "evaluation", "threshold", "f1") if cost else text


def _of_held_out(text: str, told: Mapping[str, Any], plan: Plan) -> str:
    """Return the params with what is set on validation rows only where the plan's can set it.

    A level was chosen by the months of other rows; an interval is of numbers, and takes some days.
    """
    # The parts' lengths are both shares, or both in one unit; the gate's days are of the test rows.
    validation, test = (float(str(it).split()[0]) for it in (plan.validation, plan.test))
    blocks = plan.gate.get("days", 0) * validation / test
    sets = plan.task is Task.REGRESSION and blocks >= _BLOCKS_OF_INTERVAL
    keys = ("calibration",) if sets else ("calibration", "interval")
    for key in keys:
        text = put(text, "estimator", key, ...) if key in told else text
    return text


def _commented(text: str, plan: Plan) -> str:
    """Return the text with comments that are true of the plan's data."""
    seen = _MAY_SEE + (_MONTH if plan.calendar else "")
    text = re.sub(r"(?m)^# What the model may see:.*\n(?:#.*\n)*", lambda _: seen, text)
    spread = scalar(float(f"{plan.spread or 1:.3g}"))
    said = {"classification": _EVENT, "multiclass": _CLASSES}.get(plan.task.value, _NUMBERS)
    said = said.format(spread=spread)
    return re.sub(r"(?m)^# `margin` and `slice_margin` are .*\n(?:#.*\n)*", lambda _: said, text)
