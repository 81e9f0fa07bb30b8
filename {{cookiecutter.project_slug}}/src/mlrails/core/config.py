"""YAML into frozen pydantic sections, with errors that name the file, the key and a remedy."""

import math
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import date
from functools import lru_cache
from itertools import pairwise
from operator import not_
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from .errors import UsageError, nearest

Model = TypeVar("Model", bound=BaseModel)


class Frozen(BaseModel):
    """A section that cannot be changed and refuses the keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Asked(Frozen):
    """A section that leaves `later` fields out where nobody asks for them.

    So digests and runs are as they were before there were such fields.
    """

    later: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _as_asked(self, told: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = told(self)
        fields = type(self).model_fields
        unasked = {it for it in self.later if getattr(self, it) == fields[it].default}
        return {name: it for name, it in found.items() if name not in unasked}


_LEAST_REFITS, _MOST_REFITS = 3, 1000


def _refits(count: int) -> int:
    if count and not _LEAST_REFITS <= count <= _MOST_REFITS:
        few = f"{_LEAST_REFITS} to {_MOST_REFITS}"
        raise ValueError(f"write 0, or {few}: fewer do not tell how far apart they lie")
    return count


Refits = Annotated[int, AfterValidator(_refits)]


def _scalar(value: object) -> object:
    """Refuse what is no plain value in one sentence, where each type of the union had its own."""
    if not isinstance(value, bool | int | float | str | None):
        raise ValueError("write one number or text, or true, false or null")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("write a finite number")
    return value


Scalar = Annotated[bool | int | float | str | None, BeforeValidator(_scalar)]


class Period(Frozen):
    """A calendar length such as `2 months`."""

    count: int = Field(gt=0)
    unit: Literal["day", "week", "month"]

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'s' if self.count > 1 else ''}"


_CALENDAR = re.compile(r"([1-9]\d{0,3}) (day|week|month)s?")


def _calendar(value: object) -> Period:
    """Read a calendar length."""
    words = _CALENDAR.fullmatch(str(value))
    if words is None:
        raise ValueError("write a length such as '1 week' or '10 days'")
    return Period.model_validate({"count": int(words[1]), "unit": words[2]})


def _length(value: object) -> Period | float:
    """Read a share of the rows (`0.2`) or a calendar length (`2 months`)."""
    if isinstance(value, float) and 0 < value < 1:
        return value
    if _CALENDAR.fullmatch(str(value)) is None:
        raise ValueError("write a length such as '2 months' or '10 days', or a share such as 0.2")
    return _calendar(value)


def _day(value: object) -> object:
    """Refuse a bare date, for which DVC has no type."""
    if isinstance(value, date):
        raise ValueError(f"put the day in quotes: '{value}'")
    return value


def _ascend(low: object, high: object) -> bool:
    """Tell whether two edges stand in their order; what is no number is told of elsewhere."""
    numbers = [it for it in (low, high) if isinstance(it, int | float)]
    return len(numbers) < 2 or numbers[0] < numbers[1]


def _groups(value: object) -> object:
    """Read columns by whose groups figures are told, of numbers the edges between groups."""
    if not isinstance(value, list | Mapping) or not all(isinstance(it, str) for it in value):
        raise ValueError("write a list of columns, or their edges as {sex: [], age: [25, 45]}")
    found = value if isinstance(value, Mapping) else dict.fromkeys(value)
    named = {name: () if edges is None else edges for name, edges in found.items()}
    for name, edges in named.items():
        if not isinstance(edges, list | tuple):
            raise ValueError(f"write the edges of {name!r} as a list, such as [25, 45]")
        if any(not _ascend(*pair) for pair in pairwise(edges)):
            raise ValueError(f"the edges of {name!r} do not ascend; write them in their order")
    return named


_UNASKED = Field(exclude_if=not_)
"""Of what is left out where nobody asks for it: digests and runs stay what they were."""
Groups = Annotated[Mapping[str, tuple[float, ...]], BeforeValidator(_groups), _UNASKED]
Measure = Literal["selection_rate", "tpr", "fpr", "calibration"]
_Bounds = Mapping[Measure, Annotated[float, Field(gt=0)]]
Gaps = Annotated[Mapping[Literal["wider", "most"], _Bounds], _UNASKED]
"""How much wider than with the champion, and how wide at most, a group may be apart from others."""
Length = Annotated[Period | float, BeforeValidator(_length)]
Span = Annotated[Period, BeforeValidator(_calendar)]
Day = Annotated[date, BeforeValidator(_day)]


class _UniqueKeys(yaml.SafeLoader):
    """YAML that refuses a key written twice, where the standard loader keeps the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for (key, _), name in zip(node.value, keys, strict=True):
            if keys.count(name) > 1:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {name!r} is written twice; keep one of them",
                    problem_mark=key.start_mark,
                )
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:  # a date such as 2013-02-31
            raise yaml.MarkedYAMLError(
                problem=f"{node.value!r:.60} is no such value ({error}); mend or quote it",
                problem_mark=node.start_mark,
            ) from None


_CONFLICT = re.compile(r"^<{7} .*\n(?s:.*?)^={7}$(?s:.*?)^>{7} ", re.MULTILINE)


def read_yaml(path: Path) -> Any:
    """Read a YAML file; raises UsageError naming the file and the line."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(f"{path.name}: the file is missing; restore it, e.g. from git") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path.name}: not UTF-8 text; save it as UTF-8") from None
    return parse_yaml(text, path.name)


def parse_yaml(text: str, file: str) -> Any:
    """Read YAML that came from a file; raises UsageError naming the file and the line."""
    if marks := _CONFLICT.search(text):
        number = text.count("\n", 0, marks.start()) + 1
        settled = "keep one side of each and take the marks away, then run the same command again"
        if file == "dvc.lock":
            settled = "run `nox -s train`, which makes it anew of what is merged, then `git add` it"
        raise UsageError(f"{file}, line {number}: git's marks of a conflict; {settled}")
    try:
        return deepcopy(_parsed(text))
    except RecursionError:
        raise UsageError(f"{file}: nested too deeply; restore it, e.g. from git") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UsageError(f"{file}{line}: {error.problem}") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{file}: not YAML ({str(error).splitlines()[0]})") from None


@lru_cache(maxsize=16)
def _parsed(text: str) -> Any:
    """Parse a text once: an act asks for the same files eight times, at 10 ms each.

    Not with libyaml, which is faster and ends the process where a file is nested too deeply.
    """
    return yaml.load(text, Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, value) of all that is not a mapping itself."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def validated(
    model: type[Model], values: object, file: str, prefix: str = "", lenient: bool = False
) -> Model:
    """Make a frozen section; `prefix` is where it stands in the file, `lenient` lets texts be read.

    Raises UsageError that names the file, every bad key and the nearest good one.
    """
    if not isinstance(values, Mapping):
        where = f"the section {prefix!r}" if prefix else "the file"
        raise UsageError(f"{file}: {where} holds no keys; write `key: value` lines, or restore it")
    try:
        found = model.model_validate(values)
    except ValidationError as error:
        unknown_first = sorted(error.errors(), key=lambda it: it["type"] != "extra_forbidden")
        problems = (_sentence(model, problem, prefix) for problem in unknown_first)
        raise UsageError(f"{file}: {'; '.join(dict.fromkeys(problems))}") from None
    if not lenient and (taken := [*_taken_for(values, found, prefix)]):
        raise UsageError(f"{file}: {'; '.join(taken)}")
    return found


NUMBER = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?")
"""A number, also one such as `1e-3`, which YAML of the first kind reads as text."""
_YES_OR_NO = {"true", "false", "yes", "no", "on", "off", "y", "n", "t", "f", "1", "0", "1.0", "0.0"}


def _taken_for(given: object, found: object, key: str) -> Iterator[str]:
    """Yield a sentence of each value that pydantic takes for another kind, as a text for a number.

    A text that a validator of the user's makes a number of is none of them.
    """
    if isinstance(given, Mapping) and isinstance(found, BaseModel | Mapping):
        for name, inner in dict(found).items():
            yield from _taken_for(given.get(name), inner, f"{key}.{name}" if key else str(name))
    elif isinstance(given, list) and isinstance(found, list | tuple):
        for place, pair in enumerate(zip(given, found, strict=False)):
            yield from _taken_for(*pair, f"{key}.{place}")
    elif type(found) is type(given) or not isinstance(found, bool | int | float):
        return
    elif isinstance(given, bool):
        yield f"{key!r} = {given}: input should be a number"
    elif isinstance(found, bool) and str(given).lower() in _YES_OR_NO:
        yield f"{key!r} = {given!r:.60}: write {str(found).lower()}, without quotes"
    elif isinstance(given, str) and NUMBER.fullmatch(given.strip().replace("_", "")):
        plain = yaml.safe_dump(found).split()[0]
        yield f"{key!r} = {given!r:.60}: YAML reads this as text; write {plain}, without quotes"


_OF_A_KEY = "[key]"
"""What pydantic puts behind the name of a key that is not among those that a mapping may have."""


def _sentence(model: type[BaseModel], problem: Any, prefix: str) -> str:
    path = [str(part) for part in problem["loc"]]
    key = ".".join([prefix, *path] if prefix else path)
    match problem["type"]:
        case "extra_forbidden":
            known = _fields(model, path[:-1])
            return f"unknown key {key!r}{nearest(path[-1], known)}; known here: {', '.join(known)}"
        case "missing":
            return f"the key {key!r} is missing; add it"
        case "literal_error" if path[-1] == _OF_A_KEY:
            named, words = path[-2], problem["ctx"]["expected"]
            hint = nearest(named, re.findall("'([^']+)'", words))
            key = key.removesuffix(f".{_OF_A_KEY}")
            return f"unknown key {key!r}{hint}; known here: {words.replace(chr(39), '')}"
        case "model_type" | "dict_type":
            return f"{key!r} = {problem['input']!r:.60}: write its keys below it, as `key: value`"
        case _:
            message = problem["msg"].removeprefix("Value error, ")
            message = f"{message[:1].lower()}{message[1:]}"
            return f"{key!r} = {problem['input']!r:.60}: {message}" if key else message


def _fields(model: type[BaseModel], path: list[str]) -> list[str]:
    for name in path:
        inner = model.model_fields[name].annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
    return list(model.model_fields)
