"""What is drawn anew for a refit: its seed, or the training rows, by whole days, groups or rows.

Pure: what refit n draws hangs on the project's seed and on n alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.layout import Part
from ..core.params import Data, Params, Unit
from ..evaluation.bootstrap import Numbers

if TYPE_CHECKING:
    import pandas as pd


class Kind(StrEnum):
    """What another fit would have been made with."""

    SEED = "seed"
    SAMPLE = "sample"


_OWN = {Kind.SEED: 1, Kind.SAMPLE: 2}
"""What keeps the draws of a kind apart from those of the other one."""


@dataclass(frozen=True)
class Refit:
    """One more fit: of which kind, and the which of them."""

    kind: Kind
    number: int

    @property
    def name(self) -> str:
        """What its file is called."""
        return f"{self.kind}-{self.number}"

    @classmethod
    def named(cls, name: str) -> "Refit":
        """Return the refit of a name."""
        kind, _, number = name.partition("-")
        return cls(Kind(kind), int(number))


def every(count: int) -> Sequence[Refit]:
    """Return so many refits of each kind, the kinds in turn."""
    return [Refit(kind, number) for number in range(count) for kind in Kind]


def drawn(
    params: Params, parts: "Mapping[Part, pd.DataFrame]", refit: Refit
) -> "tuple[Params, Mapping[Part, pd.DataFrame]]":
    """Return the params and rows that a refit is made with; the held-out rows stay as they are."""
    own = [params.seed, _OWN[refit.kind], refit.number]
    if refit.kind is Kind.SEED:
        seed = int(np.random.SeedSequence(own).generate_state(1)[0])
        return params.model_copy(update={"seed": seed}), parts
    train = parts["train"]
    block = blocks(params.data, unit(params.data, parts), train)
    count = int(block.max()) + 1
    often = np.bincount(np.random.default_rng(own).integers(0, count, count), minlength=count)
    places = np.repeat(np.arange(len(train)), often[block])
    return params, {**parts, "train": train.iloc[places].reset_index(drop=True)}


def unit(data: Data, parts: "Mapping[Part, pd.DataFrame]") -> Unit:
    """Return what the split keeps apart: no test row shares one of these with a training row.

    That is what stands for itself in both. Where the split keeps none apart that rows are known to
    share, it is the last of them: rows of one group are alike on whichever days they are.
    """
    for it in data.units:
        if not _labels(data, it, parts["test"]).isin(_labels(data, it, parts["train"])).any():
            return it
    return data.units[-1] if data.units else Unit.ROW


def blocks(data: Data, of: Unit, rows: "pd.DataFrame") -> Numbers:
    """Return the number of each row's day or group (rows,), or of the row itself."""
    if of is Unit.ROW:
        return np.arange(len(rows))
    found: Numbers = _labels(data, of, rows).factorize()[0]
    return found


def _labels(data: Data, of: Unit, rows: "pd.DataFrame") -> "pd.Series[Any]":
    return rows[str(data.time)].dt.normalize() if of is Unit.DAY else rows[str(data.group)]
