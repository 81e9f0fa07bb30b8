"""What adoption is going to write: one plain value between those that look and those that write."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..audit.finding import Finding
from ..core.params import Task
from ..data.schema import Column

Role = Literal["target", "time", "group", "weight", "number", "category", "left out"]
"""What a column is for; `left out` stands in `schema.py` and reaches no model."""
By = Literal["time", "group", "random"]


@dataclass(frozen=True)
class Planned:
    """A column of the table: what `schema.py` will say of it, and what it is for."""

    column: Column
    role: Role
    why: str
    """One sentence, as the shown plan has it: how the kind and the role were found."""
    seen: tuple[float, float] | None = None
    """The least and the greatest of its numbers: a range that holds them is kept later."""


@dataclass(frozen=True)
class Question:
    """What the table alone cannot tell, where a guess was made: asked of whoever is there."""

    option: str
    """The argument of `plan`, and of the command line, that answers it: task, positive, time."""
    sentence: str
    answers: tuple[str, ...]
    default: str
    """The guess, which stands where nobody answers."""


@dataclass(frozen=True)
class Plan:
    """All that is written: the columns in the table's order, the split and its reason."""

    source: str
    """What `source.py` reads: a path below the project, a glob, or an address."""
    reading: Mapping[str, Any]
    """How it is read, as words of `mlrails.sources.read`: separator, encoding, decimal …"""
    digest: str
    """The sha256 of what was read."""
    rows: int
    columns: tuple[Planned, ...]
    task: Task
    by: By
    because: str
    """Why the rows are split so, in one sentence."""
    findings: tuple[Finding, ...] = ()
    classes: tuple[str, ...] = ()
    """Of a target of several classes."""
    until: str | None = None
    estimator: Mapping[str, Any] = field(default_factory=dict)
    """Hyperparameters that so many rows ask for, of trees and of networks: the project's own ones
    among them are set, and all that is not named here stays as it is."""
    validation: float | str = 0.2
    """How much is held out for the threshold and the end of the fit: a share of the rows, or where
    they are split by time a length such as `2 months`."""
    test: float | str = 0.2
    """The same of what the figures and the gate are made on."""
    slices: tuple[str, ...] = ()
    """Categories whose values are looked at one by one: few, each with many rows."""
    calendar: tuple[str, ...] = ()
    """What of the time is a feature, in words of `features.CALENDAR`; the rest does not vary."""
    spread: float | None = None
    """The standard deviation of a number that is predicted, which the gate's margins go by."""
    gate: Mapping[str, float] = field(default_factory=dict)
    """Numbers of the gate that so many rows ask for, in the units of `params.yaml`; the others go
    by the task and `spread`."""
    visible: str = ""
    """The smallest difference that the gate could see with so many rows, in one sentence."""
    questions: tuple[Question, ...] = ()
    seed: int = 1
    """By which rows are dealt and models fitted, where the project has no seed of its own."""
    notes: tuple[str, ...] = ()
    """What else was guessed in reading, a sentence each."""

    def named(self, role: Role) -> tuple[str, ...]:
        """Return the names of the columns of a role."""
        return tuple(it.column.name for it in self.columns if it.role == role)
