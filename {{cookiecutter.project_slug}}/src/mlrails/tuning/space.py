"""What may be tried: the section `tune` of `params.yaml`, which nothing else reads.

How to change this: a new kind of axis is a sibling of `Numbers` and `Choices`, a line in `_axis`
and one in `study.distribution`; what is tried of it must be what is written in the end.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from ..core.config import Frozen, validated
from ..core.errors import UsageError, nearest
from ..core.params import FILE, Params

_DIGITS = 3
"""Of a number that is tried: more would say nothing, and nobody would write them by hand."""
_HOW = "{low: 0.01, high: 0.3, log: true}, or a list of values"
_EXAMPLE = "tune: {space: {learning_rate: {low: 0.01, high: 0.3, log: true}}}"
_KEYS = ("low", "high", "log")


@dataclass(frozen=True)
class Numbers:
    """Numbers between two ends, which are tried too; whole ones where both ends are."""

    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether it has whole numbers alone."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def ends(self) -> tuple[Any, ...]:
        """What its hyperparameter has to take."""
        return self.low, self.high

    def holds(self, value: Any) -> bool:
        """Tell whether a value lies in it."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.low <= value <= self.high and not (self.whole and value % 1)

    def rounded(self, value: Any) -> Any:
        """Return what is tried of a number that was drawn: three digits of it."""
        if self.whole:
            return int(value)
        return min(max(float(f"{value:.{_DIGITS}g}"), self.low), self.high)

    def place(self, value: Any) -> float:
        """Return where a value lies, from 0 at the lower end to 1 at the upper one."""
        scale = math.log if self.log else float
        low, high = scale(self.low), scale(self.high)
        return (scale(value) - low) / (high - low)


@dataclass(frozen=True)
class Choices:
    """A few values without an order."""

    values: tuple[Any, ...]

    @property
    def ends(self) -> tuple[Any, ...]:
        """What its hyperparameter has to take."""
        return self.values

    def holds(self, value: Any) -> bool:
        """Tell whether a value is one of them."""
        return any(value == it and type(value) is type(it) for it in self.values)

    def rounded(self, value: Any) -> Any:
        """Return what is tried of a value: itself."""
        return value

    def place(self, value: Any) -> float:
        """Return where a value is drawn, from 0 for the first one to 1 for the last."""
        return self.values.index(value) / (len(self.values) - 1)


Axis = Numbers | Choices
Values = Mapping[str, Any]
"""Values of hyperparameters by their names."""


class _Section(Frozen):
    trials: int = Field(default=50, ge=1, le=100_000)
    parallel: int = Field(default=8, ge=1, le=1024)
    prune: bool = True
    space: Mapping[str, Any]


@dataclass(frozen=True)
class Space:
    """What may be tried, how often, and how many trials may run at once."""

    axes: Mapping[str, Axis]
    trials: int
    parallel: int
    """A trial learns from all but this many before it, so that as many may run at once: what is
    tried depends on this number, and not on how many processes there are."""
    prune: bool

    def holds(self, values: Values) -> bool:
        """Tell whether all of some values lie in the space."""
        return all(name in values and axis.holds(values[name]) for name, axis in self.axes.items())

    def rounded(self, values: Values) -> dict[str, Any]:
        """Return what is tried of values that were drawn."""
        return {name: axis.rounded(values[name]) for name, axis in self.axes.items()}


def of(params: Params) -> Space:
    """Read the section `tune`; raises UsageError with key and remedy, also where there is none."""
    if params.tune is None:
        raise UsageError(
            f"{FILE}: it has no section 'tune'; write what may be tried of 'estimator', such as "
            f"`{_EXAMPLE}`"
        )
    section = validated(_Section, params.tune, FILE, "tune")
    if not section.space:
        raise UsageError(f"{FILE}: 'tune.space' names nothing to try; write `{_EXAMPLE}`")
    axes = {str(name): _axis(f"tune.space.{name}", it) for name, it in section.space.items()}
    return Space(axes, section.trials, section.parallel, section.prune)


def _axis(key: str, it: Any) -> Axis:
    if isinstance(it, list):
        return _choices(key, it)
    if not isinstance(it, Mapping):
        raise UsageError(f"{FILE}: {key!r} = {it!r:.60}: write {_HOW}")
    for name in it:
        if name not in _KEYS:
            near, known = nearest(str(name), _KEYS), ", ".join(_KEYS)
            raise UsageError(f"{FILE}: unknown key '{key}.{name}'{near}; known here: {known}")
    low, high = (_number(key, end, it) for end in ("low", "high"))
    log = it.get("log", False)
    if not isinstance(log, bool):
        raise UsageError(f"{FILE}: '{key}.log' = {log!r:.60}: write true or false")
    if low >= high:
        raise UsageError(f"{FILE}: {key!r}: low {low} is not below high {high}; mend one of them")
    if log and low <= 0:
        raise UsageError(f"{FILE}: {key!r}: with 'log: true' low is above 0, not {low}")
    return Numbers(low, high, log)


def _choices(key: str, values: list[Any]) -> Choices:
    plain = [it for it in values if it is None or isinstance(it, bool | int | float | str)]
    if len(plain) < len(values) or len({*map(repr, plain)}) < 2 or len({*plain}) < len(plain):
        raise UsageError(f"{FILE}: {key!r}: write two values or more, each once, none in brackets")
    return Choices(tuple(values))


def _number(key: str, end: str, it: Mapping[str, Any]) -> Any:
    value = it.get(end)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return value
    if end not in it:
        raise UsageError(f"{FILE}: the key '{key}.{end}' is missing; write {_HOW}")
    told = " (YAML reads 1e-4 as text: write 0.0001)" if isinstance(value, str) else ""
    raise UsageError(f"{FILE}: '{key}.{end}' = {value!r:.60}: write a number{told}")
