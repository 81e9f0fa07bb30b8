"""`params.yaml` as frozen values: every number of the experiment, validated in one place.

The section `estimator` is a plain mapping here: only `estimator.py` knows what is in it, but for
what `OfHeldOut` does, which stands there as the stage `train` reads the whole section.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from . import config
from .config import Asked, Day, Frozen, Length, Refits, Scalar, Span, read_yaml, validated
from .config import Period as Period  # noqa: PLC0414 - tests of projects import it from here
from .errors import UsageError


class Task(StrEnum):
    """The probability of an event, a number, or the probability of each of several classes."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    MULTICLASS = "multiclass"


class Unit(StrEnum):
    """What rows share their luck by, and what an interval is drawn of."""

    DAY = "day"
    GROUP = "group"
    ROW = "row"

    @property
    def plural(self) -> str:
        """The word for several of them."""
        return f"{self.value}s"


FILE = "params.yaml"
Threshold = Literal["f1", "youden", "cost"]
Acknowledgement = Literal[
    "rows of one day may be in training and test",
    "rows of one group may be in training and test",
    "rows of one day or group may be in training and test",
]


def acknowledgement(units: Iterable[Unit]) -> str:
    """Return what has to be said of a random split of rows that share a day, a group or both."""
    return f"rows of one {' or '.join(units)} may be in training and test"


class Data(Frozen):
    """Which column is predicted, and which ones tell the time, the group and the weight of a row.

    Rows after the day `until` are not used. Rows of one `group` (a patient, a shop) are alike.
    """

    target: str
    time: str | None
    until: Day | None = None
    group: str | None = None
    weight: str | None = None
    sensitive: config.Groups = Field(default_factory=dict)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        roles = ("target", "time", "group", "weight")
        named = {name: role for role in roles if (name := getattr(self, role))}
        for role in roles:
            if (name := getattr(self, role)) and named[name] != role:
                raise ValueError(
                    f"{name!r} is named as {role} and as {named[name]}; a column is one of them"
                )
        return self

    @property
    def units(self) -> tuple[Unit, ...]:
        """What rows are known to share: a day, a group, both, or nothing."""
        named = {Unit.DAY: self.time, Unit.GROUP: self.group}
        return tuple(unit for unit, column in named.items() if column)


class Features(Frozen):
    """The raw columns that the model may see; what is made of them is in `features.py`.

    `background` says how many typical rows a model carries, which predictions are explained by.
    """

    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    calendar: tuple[str, ...] = ()
    background: int | None = Field(default=None, ge=8, le=256)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [*self.numeric, *self.categorical]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name!r} is named twice; name each column once")
        if not names and not self.calendar:
            raise ValueError("no column is named; name at least one")
        return self


class Split(Asked):
    """How rows are divided into training, validation and test, and a final part that nobody sees.

    That one is there where it is asked for, and is opened once (`nox -s holdout`).
    """

    by: Literal["time", "group", "random"] = "time"
    validation: Length
    test: Length
    final: Length | None = None
    acknowledge: Acknowledgement | None = None
    later = ("final",)

    @model_validator(mode="after")
    def _lengths_fit(self) -> Self:
        parts = "validation and test" if self.final is None else "validation, test and final"
        lengths = [it for it in (self.validation, self.test, self.final) if it is not None]
        shares = [length for length in lengths if isinstance(length, float)]
        if len(shares) != (0 if self.by == "time" else len(lengths)):
            words = "lengths such as '2 months'" if self.by == "time" else "shares such as 0.2"
            raise ValueError(f"with 'by: {self.by}' {parts} are {words}")
        if sum(shares) >= 1:
            raise ValueError(f"{parts} together leave no rows for training")
        return self


class Costs(Frozen):
    """What a wrong call costs: an event that is called where none is, and one that is not called.

    In any unit; a right call costs nothing.
    """

    false_alarm: float = Field(gt=0)
    miss: float = Field(gt=0)


class Evaluation(Asked):
    """How figures are made: intervals, slices, and the rule that chooses the threshold.

    `primary` names the metric that models are compared by; without it that is the task's first.
    With `importance: interval` the report tells how sure it is what each column is worth, by the
    same blocks as all else; without it how far the shuffles are apart. With `refits` it tells what
    so many other seeds, and as many other samples of the training rows, make of the primary metric.
    """

    confidence: float = Field(gt=0.5, le=0.999)
    resamples: int = Field(ge=100, le=100_000)
    slices: tuple[str, ...] = ()
    primary: str | None = None
    threshold: Threshold = "f1"
    costs: Costs | None = None
    importance: Literal["shuffles", "interval"] = "shuffles"
    refits: Refits = 0
    later = ("refits",)

    @model_validator(mode="after")
    def _costs_are_told(self) -> Self:
        if self.costs is None and "cost" in (self.threshold, self.primary):
            key = "threshold" if self.threshold == "cost" else "primary"
            raise ValueError(
                f"'{key}: cost' needs the costs of wrong calls; add 'costs', such as "
                "{false_alarm: 1, miss: 5}"
            )
        return self


class Gate(Frozen):
    """What a model must show before it becomes champion.

    `margin` and `slice_margin` are in the unit of the primary metric: where nothing else is named
    area under ROC, the target's own unit (root mean squared error), or that of a log-loss. `bias`
    and `first_bias` are in the target's unit, shares for events and for each class. `calibration`
    is a share of p(1 − p), the Brier score of the rate p of the test rows; of several classes of
    the sum over them. `decisions` is in the unit of the metric that `evaluation.threshold` names;
    of several classes it is macro F1.
    """

    margin: float = Field(gt=0)
    slice_margin: float = Field(gt=0)
    slice_rows: int = Field(ge=50)
    days: int = Field(ge=2)
    bias: float = Field(gt=0)
    first_bias: float | None = Field(default=None, gt=0)
    calibration: float | None = Field(default=None, gt=0, lt=1)
    decisions: float | None = Field(default=None, gt=0)
    renamed: Mapping[str, str | None] = {}
    replaces: str | None = None
    """The target of a champion that the first model of another target may follow uncompared."""
    floors: Mapping[str, float] = {}
    megabytes: float = Field(gt=0)
    signature: Literal["compatible", "any"] = "compatible"
    confidence: float = Field(gt=0.5, le=0.999)
    looks: Literal["told", "spent"] = "told"
    """What the models are worth that these test rows have judged before: a word, or confidence."""
    resamples: int = Field(ge=100, le=100_000)
    fairness: config.Gaps = Field(default_factory=dict)


class Monitor(Frozen):
    """How the months after are watched; a project that says nothing of it is watched like this.

    `window` is how many days are looked at together (a month is four weeks, so that each weekday is
    in it equally often), `rows` how many of them say anything: smaller windows are put together.
    """

    window: Span = Period(count=1, unit="week")
    rows: int = Field(default=200, ge=50)
    false_alarms: float = Field(default=3, gt=0, le=52)
    """How many a year there may be by chance alone."""
    horizon: Span | None = None
    """After how long the outcomes of a day are all known; without it, on the day itself."""
    ignore: tuple[str, ...] = ()
    """Columns that may change as they like."""

    @property
    def days(self) -> int:
        """The days of a window."""
        return self.window.count * _MONITORED[self.window.unit]

    @property
    def wait(self) -> int:
        """The days that outcomes take."""
        return self.horizon.count * _MONITORED[self.horizon.unit] if self.horizon else 0


_MONITORED = {"day": 1, "week": 7, "month": 28}

_CALIBRATED = {
    Task.CLASSIFICATION: "classification",
    Task.REGRESSION: "classification",
    Task.MULTICLASS: "multiclass, summed over the classes,",
}


class Params(Frozen):
    """The whole of `params.yaml`."""

    task: Task
    seed: int = Field(ge=0, lt=2**32)
    data: Data
    features: Features
    split: Split
    estimator: Mapping[str, Scalar]
    evaluation: Evaluation
    gate: Gate
    tune: Mapping[str, Any] | None = None
    """What may be tried in the place of the estimator's; a model is none the other for it."""
    monitor: Monitor = Monitor()

    @model_validator(mode="after")
    def _calibration_fits(self) -> Self:
        if (self.gate.calibration is None) is (self.task is not Task.REGRESSION):
            raise ValueError(
                "'gate.calibration' is a loss in Brier score, as a share of p(1 - p): "
                f"{_CALIBRATED[self.task]} needs one, such as 0.02, and regression has none"
            )
        if self.gate.decisions is not None and self.task is Task.REGRESSION:
            raise ValueError("'gate.decisions' is about calls, and regression makes none")
        if self.evaluation.costs is not None and self.task is Task.REGRESSION:
            raise ValueError("'evaluation.costs' is about calls, and regression makes none")
        if self.evaluation.costs is not None and self.task is Task.MULTICLASS:
            raise ValueError(
                "'evaluation.costs' tells false alarms from misses, and several classes have "
                "neither; take it out"
            )
        return self


class OfHeldOut(Frozen):
    """What is set on the validation rows after the fit; nothing without its key."""

    calibration: float | None = Field(default=None, gt=0, le=1, strict=True)
    """How much of what they are off by on the whole is set right."""
    interval: float | None = Field(default=None, ge=0.5, le=0.999, strict=True)
    """In which share of cases what comes is to lie between the ends beside a number."""


def of_estimator(params: Params) -> Mapping[str, Scalar]:
    """Return what the section `estimator` holds for the estimator itself."""
    return {name: it for name, it in params.estimator.items() if name not in OfHeldOut.model_fields}


def of_held_out(params: Params) -> OfHeldOut:
    """Return what it holds of what is set after the fit; raises UsageError for a bad value."""
    ours = {name: params.estimator[name] for name in params.estimator.keys() - of_estimator(params)}
    if "interval" in ours and params.task is not Task.REGRESSION:
        raise UsageError(f"{FILE}: 'estimator.interval' is of numbers; {params.task} has none")
    return validated(OfHeldOut, ours, FILE, "estimator")


def load(root: Path) -> Params:
    """Read and validate `params.yaml`; raises UsageError with file, key and remedy."""
    return validated(Params, read_yaml(root / FILE), FILE)
