"""What is predicted: an event, a class or a number, and what a model of it needs to be told."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import UsageError, counted, nearest
from ..core.params import Task
from . import names
from .numbers import floats
from .plan import Question
from .seen import Look, Seen

MOST_CLASSES = 100
FEW = 10
"""So few whole numbers may be classes."""
_NAMED_FEW = 5


@dataclass(frozen=True)
class Target:
    """The target as it is going to be predicted."""

    name: str
    task: Task
    why: str
    labels: tuple[str, ...] = ()
    """The words of its classes as they are written, in order."""
    counts: tuple[int, ...] = ()
    """How many rows each of them has."""
    positive: str | None = None
    """The word of the event."""
    spread: float | None = None
    question: Question | None = None

    @property
    def rate(self) -> float | None:
        """The share of rows with the event."""
        if self.positive is None:
            return None
        return self.counts[self.labels.index(self.positive)] / sum(self.counts)


def of(seen: Seen, cells: Any, asked: Task | None, positive: str | None, look: Look) -> Target:
    """Return how a column is predicted; raises UsageError where it cannot be.

    `cells` is the column as it stands in the table; `asked` and `positive` are the user's words.
    """
    here = look.here(seen.name)
    if seen.distinct == 0:
        raise UsageError(f"{here}: the target has no value in any row; name another with --target")
    if seen.distinct == 1:
        raise UsageError(
            f"{here}: the target has the same value in every row (from row 1 on), so there is "
            "nothing to learn; name another with --target"
        )
    if seen.kind == "time":
        raise UsageError(
            f"{here}: the target is a date; predict a number of days instead (a column of your "
            "own, until or since), and name it with --target"
        )
    if positive is not None and asked is None and seen.distinct == 2:
        asked = Task.CLASSIFICATION
    task = asked or _task(seen)
    if task is Task.REGRESSION:
        return _number(seen, cells, asked, look)
    return _classes(seen, cells, task, asked, positive, look)


def _task(seen: Seen) -> Task:
    if seen.distinct == 2:
        return Task.CLASSIFICATION
    return Task.REGRESSION if seen.kind == "number" and not _is_coded(seen) else Task.MULTICLASS


def _is_coded(seen: Seen) -> bool:
    """Tell whether whole numbers look like the numbers of classes: few, and from 0 or 1 on."""
    if not seen.whole or seen.distinct > _NAMED_FEW or seen.minimum not in (0, 1):
        return False
    return seen.maximum == (seen.minimum or 0) + seen.distinct - 1


def _number(seen: Seen, cells: Any, asked: Task | None, look: Look) -> Target:
    values = seen.numbers if seen.kind == "number" else _as_numbers(seen, cells, look)
    spread = float(np.nanstd(values))
    why = f"{seen.why}: a number is predicted"
    question = None
    if asked is None and seen.whole and seen.distinct <= FEW:
        why = (
            f"{seen.distinct} different whole numbers, taken for a number (else --task multiclass)"
        )
        question = _which(seen, Task.REGRESSION)
    return Target(seen.name, Task.REGRESSION, why, spread=spread, question=question)


def _which(seen: Seen, default: Task) -> Question:
    words = (
        f"{seen.name!r} has {seen.distinct} different whole numbers: are they numbers, or names of "
        "classes?"
    )
    return Question("task", words, (Task.REGRESSION.value, Task.MULTICLASS.value), default.value)


def _as_numbers(seen: Seen, cells: Any, look: Look) -> np.ndarray:
    """Read names that are whole numbers as numbers after all."""
    values = (
        floats(cells, look.how)
        if str(cells.type).endswith("string")
        else cells.cast("float64", safe=False)
    )
    if values is None:
        raise UsageError(
            f"{look.here(seen.name)}: the target is {seen.what} and no number, as row 1 shows"
            f"{look.cell(cells.drop_null()[0])}; leave --task away, or name another target"
        )
    return np.asarray(values.to_numpy(), dtype=np.float64)


def _classes(
    seen: Seen, cells: Any, task: Task, asked: Task | None, positive: str | None, look: Look
) -> Target:
    import pyarrow.compute as pc

    here = look.here(seen.name)
    column = seen.values.cast("string") if seen.kind == "boolean" else cells.cast("string")
    found = pc.value_counts(column.drop_null()).to_pylist()
    counts = {it["values"]: int(it["counts"]) for it in sorted(found, key=lambda it: it["values"])}
    _check_one_way(counts, seen, look)
    present = seen.rows - seen.missing
    if len(counts) > min(MOST_CLASSES, max(2, present / 2)):
        raise UsageError(
            f"{here}: the target has {len(counts):,} different values in "
            f"{counted(present, 'row')}, which are no classes to learn; name another with --target"
        )
    alone = next((it for it, count in counts.items() if count == 1), None)
    if alone is not None:
        row = int(pc.index(column, alone).as_py()) + 1
        raise UsageError(
            f"{here}: a class of the target has a single row, row {row:,}{look.cell(alone)}; leave "
            f"the row out, or join the class to another{_else_number(cells, look)}"
        )
    if task is Task.CLASSIFICATION:
        return _event(seen, counts, positive, look)
    question = _which(seen, Task.MULTICLASS) if asked is None and seen.kind == "number" else None
    few, many = min(counts.values()), max(counts.values())
    why = f"{len(counts)} classes, from {few:,} to {many:,} rows each"
    return Target(seen.name, task, why, tuple(counts), tuple(counts.values()), question=question)


def _else_number(cells: Any, look: Look) -> str:
    """Return what else to do where classes are written as numbers."""
    is_text = str(cells.type).endswith("string")
    is_number = not is_text or floats(cells, look.how) is not None
    return ", or say --task regression if it is a number" if is_number else ""


def _check_one_way(counts: dict[str, int], seen: Seen, look: Look) -> None:
    """Raise UsageError for classes that are told apart by blanks, or by how a number is written."""
    twice = [it for it, often in Counter(map(str.strip, counts)).items() if often > 1]
    if twice:
        raise UsageError(
            f"{look.here(seen.name)}: the target writes one class{look.cell(twice[0])} with "
            "blanks around it and without; take them away in the table"
        )
    if seen.kind == "number" and len(counts) > seen.distinct:
        raise UsageError(
            f"{look.here(seen.name)}: the target writes one number in several ways, as 1 and 1.0; "
            "write each class in one way"
        )


def _event(seen: Seen, counts: dict[str, int], positive: str | None, look: Look) -> Target:
    here = look.here(seen.name)
    if len(counts) != 2:
        raise UsageError(
            f"{here}: the target has {len(counts)} different values, and an event has two; say "
            "--task multiclass, or make a column of two"
        )
    if positive is not None and positive not in counts:
        hint = nearest(positive, counts) if look.shown else ""
        raise UsageError(f"{here}: --positive {positive!r} is no value of the target{hint}")
    event, reason = (positive, "as was said") if positive else _positive(counts)
    rate = counts[event] / sum(counts.values())
    said = repr(event) if look.shown else "one of two values"
    question = None
    if reason == "the rarer one" and seen.kind != "boolean":
        words = f"Which value of {seen.name!r} is the event?"
        question = Question("positive", words, tuple(counts), event)
    why = f"two values: the event is {said} ({reason}), {rate:.1%} of the rows"
    return Target(
        seen.name, Task.CLASSIFICATION, why, tuple(counts), tuple(counts.values()), event,
        question=question,
    )  # fmt: skip


def _positive(counts: dict[str, int]) -> tuple[str, str]:
    """Return which of two values is the event, and why."""
    known = {it.strip().lower().removesuffix(".0"): it for it in counts}
    for word in names.EVENT:
        if word in known:
            return known[word], "by its word"
    return min(counts, key=lambda it: (counts[it], it)), "the rarer one"
