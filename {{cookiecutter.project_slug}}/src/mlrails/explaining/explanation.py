"""The explanation of one prediction, as a value, and what makes it for a loaded model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.errors import UsageError, nearest
from ..data.arrays import Matrix, Vector
from ..modeling.classes import PREFIX
from ..modeling.loading import LoadedModel
from ..modeling.signature import ENDS
from . import boosted, shapley
from .outside import Outside, outside
from .shapley import Owners, Shares

WITHOUT = (
    "this model carries no typical rows that a prediction could be explained against; write "
    "`background: 32` below `features` in params.yaml, train and promote"
)
_SEED = 0
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Contribution:
    """What one column moves the prediction by, and the standard error of that."""

    column: str
    value: Any
    contribution: float
    error: float


@dataclass(frozen=True)
class Explanation:
    """Base plus contributions is the prediction: all are in its unit."""

    output: str
    """The column of the answer that is explained."""
    base: float
    """The mean prediction of the typical rows."""
    prediction: float
    """What the model answers, to the bit."""
    contributions: tuple[Contribution, ...]
    """The largest first."""
    drawn: int
    """How many orders of the columns were drawn; 0 where the contributions are exact."""
    outside: tuple[Outside, ...]
    ends: Mapping[str, float] = field(default_factory=dict)
    """Those of the interval beside a number, where the model answers one."""
    level: float | None = None
    """How much of what comes the interval is to hold, where the model tells."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "output": self.output,
            "base": self.base,
            "prediction": self.prediction,
            **self.ends,
            "contributions": [vars(it) for it in self.contributions],
            "exact": not self.drawn,
            "outside": [it._asdict() for it in self.outside],
        }


class Explainer:
    """Explains what one loaded model says; what all rows share is worked out once."""

    def __init__(self, model: LoadedModel) -> None:
        """Raise UsageError for a model that cannot be explained, and say what to do."""
        if model.typical is None:
            raise UsageError(WITHOUT)
        self._model, self._typical = model, model.typical
        self._encoder = model.predictor.encoder
        self._matrix = self._encoder.encode(model.from_json(model.typical.columns))
        estimator = model.predictor.estimator
        self._leaves = boosted.read(estimator, getattr(model.predictor, "level", ()))
        self._asked, self._owners = self._columns(boosted.asked(estimator))
        if self._leaves is None and len(self._asked) > shapley.MOST_COLUMNS:
            raise UsageError(
                f"the model asks for {len(self._asked):,} columns, and what it says can be "
                f"explained for at most {shapley.MOST_COLUMNS}"
            )

    def _columns(self, asked: Owners | None) -> tuple[list[str], Owners]:
        """Return the raw columns that predictions rest on, and each feature's place among them.

        A feature that no tree asks for may be of any of them.
        """
        sources = [self._encoder.source(it) for it in self._encoder.names]
        rest = {sources[it] for it in (range(len(sources)) if asked is None else asked)}
        names = [it for it in self._encoder.columns if it in rest] or [sources[0]]
        return names, np.array([names.index(it) if it in rest else 0 for it in sources])

    @property
    def outputs(self) -> tuple[str, ...]:
        """The columns of the answer that are numbers, which can be explained."""
        names = tuple(self._model.interface.outputs)
        classes = tuple(it for it in names if it.startswith(PREFIX))
        plain = "probability" if "probability" in names else "prediction"
        return classes or (plain,)

    def check_output(self, output: str | None) -> None:
        """Raise UsageError for an output that there is none of."""
        if output is not None and output not in self.outputs:
            known = ", ".join(self.outputs)
            hint = nearest(output, self.outputs)
            raise UsageError(f"{output!r} cannot be explained{hint}; what can: {known}")

    def explain(self, row: Mapping[str, Any], output: str | None = None) -> Explanation:
        """Explain the answer to a checked row; of several classes the likeliest, if none is named.

        Raises UsageError as `check_output` does, and RuntimeError where the contributions do not
        add up to what the model answers.
        """
        self.check_output(output)
        columns = {name: [row[name]] for name in self._encoder.columns}
        answer = self._model.answer(columns, 1)
        chosen = output or max(self.outputs, key=lambda it: answer[it][0])
        found = self._shares(self._encoder.encode(columns)[0], self.outputs.index(chosen))
        said = float(answer[chosen][0])
        _check_sum(found, said)
        shares = zip(found.values.tolist(), found.errors.tolist(), strict=True)
        known = dict(zip(self._asked, shares, strict=True))
        told = [
            Contribution(name, _plain(row[name]), *known.get(name, (0.0, 0.0)))
            for name in self._encoder.columns
        ]
        told.sort(key=lambda it: -abs(it.contribution))
        around = outside(row, self._model.inputs, self._typical)
        ends = {it: float(answer[it][0]) for it in ENDS if it in self._model.interface.outputs}
        about = tuple(told), found.drawn, around, ends, self._model.interface.level
        return Explanation(chosen, found.base, said, *about)

    def _shares(self, row: Vector, place: int) -> Shares:
        typical, owners = self._matrix, self._owners
        if self._leaves is not None:
            scored = self._scored(np.concatenate([typical, row[None]]))[:, place]
            if exact := boosted.shares(self._leaves, row, typical, owners, scored):
                return exact
        return shapley.shares(lambda it: self._scored(it)[:, place], row, typical, owners, _SEED)

    def _scored(self, matrix: Matrix) -> Matrix:
        """Return what the model says to encoded rows, (rows, outputs)."""
        found = np.asarray(self._model.predictor.scores_of(matrix), dtype=np.float64)
        return found.reshape(len(matrix), -1)


def _check_sum(found: Shares, answer: float) -> None:
    off = abs(found.base + float(np.sum(found.values)) - answer)
    if not off <= _TOLERANCE * max(1.0, abs(answer), abs(found.base)):
        raise RuntimeError("the contributions do not add up to the prediction")


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return None if value is None or value != value else value  # noqa: PLR0124


def most(found: Sequence[Contribution], count: int) -> tuple[Sequence[Contribution], float]:
    """Return the largest contributions, and the sum of the others."""
    return found[:count], sum(it.contribution for it in found[count:])
