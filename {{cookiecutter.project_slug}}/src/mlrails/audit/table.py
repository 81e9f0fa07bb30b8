"""A table with roles, seen as numbers: the target as scores, each column as values and as codes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, combinations, islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

FOLDS = 5
MOST_CLASSES = 10
"""More are looked at only by the most frequent ones."""
LEVELS = 5
"""Fewer values or groups say nothing."""
SAMPLE = 20_000
"""So many rows are enough to choose columns by."""
_MOST_KEYS = 8
_SAME = 0.3
_SEVERAL = 50_000
MOST_ROWS = 20_000
"""So many rows tell an area under ROC to a hundredth."""


@dataclass(frozen=True)
class Roles:
    """What each column is for; a column that is named nowhere is left out of the model."""

    target: str
    features: tuple[str, ...]
    time: str | None = None
    group: str | None = None
    ids: tuple[str, ...] = ()
    by: Literal["time", "group", "random"] = "random"
    """How the rows are going to be split."""
    numbers: bool = False
    """Whether the target is a number, and no class."""
    known: Mapping[str, str] = field(default_factory=dict)
    """Columns that somebody has said to be known when one predicts, and why."""


def is_number(column: "pd.Series[Any]") -> bool:
    """Tell numbers from text, times and booleans."""
    return column.dtype.kind in "iuf"


def is_whole(values: Floats) -> bool:
    """Tell whole numbers, of which some may be missing."""
    return bool(np.all(np.isnan(values) | (values == np.floor(values))))


def is_time(column: "pd.Series[Any]") -> bool:
    """Tell a column of times."""
    return column.dtype.kind == "M"


def codes(column: "pd.Series[Any]") -> Codes:
    """Return a number for each distinct value, -1 where one is missing."""
    import pandas as pd

    return pd.factorize(column)[0].astype(np.int64)


def dense(found: Codes) -> Codes:
    """Return codes, of which none is below 0, without gaps: `np.unique`'s inverse, by counting."""
    if not len(found) or found.max() > 4 * len(found) + 1000:
        return np.unique(found, return_inverse=True)[1].astype(np.int64)
    there = np.bincount(found) > 0
    return np.asarray((np.cumsum(there) - 1)[found], dtype=np.int64)


def numbers(column: "pd.Series[Any]") -> Floats:
    """Return a column as 64-bit floats; a time counts its days, text its codes."""
    import pandas as pd

    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufb":
        return np.asarray(column.to_numpy(), dtype=np.float64)
    if is_time(column):
        naive = column if not hasattr(column.dtype, "tz") else column.dt.tz_localize(None)
        days = naive.to_numpy().astype("datetime64[s]")
        return np.where(np.isnat(days), np.nan, days.astype(np.int64) / 86_400.0)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    found = codes(column)
    return np.where(found < 0, np.nan, found.astype(np.float64))


@dataclass(frozen=True)
class Table:
    """Rows with a target in each; the few that have none are left out before."""

    frame: "pd.DataFrame"
    roles: Roles
    seed: int = 0
    # There from the start: threads that look at one table would make them twice, and lose one.
    _codes: dict[str, Codes] = field(default_factory=dict, init=False, repr=False)
    _distinct: dict[str, int] = field(default_factory=dict, init=False, repr=False)
    _shares: dict[str, float] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, frame: "pd.DataFrame", roles: Roles, seed: int = 0) -> "Table":
        """Return the rows of a frame that have a target."""
        return cls(frame, roles, seed).where(frame[roles.target].notna().to_numpy())

    def __len__(self) -> int:
        return len(self.frame)

    def where(self, rows: Mask) -> "Table":
        """Return some of the rows; the table itself where these are all, with what it knows."""
        return self if rows.all() else Table(self.frame.loc[rows], self.roles, self.seed)

    def sampled(self, most: int = MOST_ROWS) -> "Table":
        """Return at most so many rows, chosen by the seed and in the table's order."""
        if len(self) <= most:
            return self
        chosen = np.random.default_rng(self.seed).choice(len(self), most, replace=False)
        return Table(self.frame.iloc[np.sort(chosen)], self.roles, self.seed)

    def sampled_values(self, name: str) -> "pd.Series[Any]":
        """Return a column's rows, of many all rows of some of its values: no copy is lost."""
        column = self.frame[name]
        if len(column) <= _SEVERAL:
            return column
        if column.dtype.kind not in "iuf":
            return column.iloc[:_SEVERAL]
        bits = (numbers(column) + 0.0).view(np.uint64)
        with np.errstate(over="ignore"):
            some = (bits * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(58)) == 0
        chosen: pd.Series[Any] = column.loc[some]
        return chosen

    def codes(self, name: str) -> Codes:
        """Return a number for each distinct value of a column, which is coded once."""
        if name not in self._codes:
            self._codes[name] = codes(self.frame[name])
        return self._codes[name]

    def keys(self, least: int) -> Iterator[str]:
        """Yield columns that may name groups: text and whole numbers, several rows to a value."""
        for name in self.frame.columns:
            column = self.frame[name]
            if name == self.roles.target or column.dtype.kind in "Mb":
                continue
            if is_number(column) and not is_whole(numbers(column)):
                continue
            if least <= self.distinct(name) <= len(column) / 2:
                yield name

    def distinct(self, name: str) -> int:
        """Return how many different values a column has; each column is counted once."""
        if name not in self._distinct:
            self._distinct[name] = int(self.frame[name].nunique())
        return self._distinct[name]

    def unique_share(self, name: str) -> float:
        """Return how many distinct values there are for each row that has one."""
        if name not in self._shares:
            column = self.sampled_values(name)
            is_whole_column = len(column) == len(self)
            distinct = self.distinct(name) if is_whole_column else int(column.nunique())
            self._shares[name] = distinct / max(int(column.notna().sum()), 1)
        return self._shares[name]

    @property
    def features(self) -> tuple[str, ...]:
        """The features that the rows have: others are made of them later."""
        return tuple(it for it in self.roles.features if it in self.frame)

    @property
    def asked(self) -> tuple[str, ...]:
        """The features that nobody has answered for."""
        return tuple(it for it in self.features if it not in self.roles.known)

    @cached_property
    def target(self) -> Floats:
        """The target as (rows, scores): a number's own, or 1 where the row is of a class."""
        given = self.frame[self.roles.target]
        if self.roles.numbers:
            return numbers(given)[:, None]
        found = codes(given)
        counts = np.bincount(found)
        if len(counts) <= 2:
            rarer = int(np.argmin(counts))
            last = rarer if given.dtype.kind != "b" else int(found[np.argmax(given.to_numpy())])
            return np.asarray(found == last, dtype=np.float64)[:, None]
        most = np.argsort(-counts, kind="stable")[:MOST_CLASSES]
        return np.asarray(found[:, None] == most[None, :], dtype=np.float64)

    @cached_property
    def scores(self) -> Floats:
        """The target as (rows, scores), a number by its rank between 0 and 1."""
        return ranks(self.target[:, 0])[:, None] if self.roles.numbers else self.target

    @cached_property
    def folds(self) -> Codes:
        """The fold of each row; the rows of a group are in one."""
        rng = np.random.default_rng(self.seed + 1)
        group = self.roles.group
        if group is None or group not in self.frame:
            return rng.permutation(len(self)) % FOLDS
        found = codes(self.frame[group])
        return rng.permutation(int(found.max(initial=0)) + 2)[found] % FOLDS


def ranks(values: Floats) -> Floats:
    """Return mean ranks from 0 to 1; a missing value stays one."""
    found = np.full(len(values), np.nan)
    there = ~np.isnan(values)
    if there.any():
        _, place, counts = np.unique(values[there], return_inverse=True, return_counts=True)
        found[there] = mean_ranks(counts)[place]
    return found


def mean_ranks(counts: Floats | Codes) -> Floats:
    """Return the mean rank from 0 to 1 of each of some values in order, by how often each is."""
    ends = np.cumsum(counts)
    return np.asarray((ends - counts / 2) / ends[-1], dtype=np.float64)


def binned(values: Floats, most: int = 50) -> Codes:
    """Return the bin of each value: its own where they are few, else one of equal counts; -1."""
    found = np.full(len(values), -1, dtype=np.int64)
    there = ~np.isnan(values)
    if not there.any():
        return found
    _, place, counts = np.unique(values[there], return_inverse=True, return_counts=True)
    bins = int(np.clip(there.sum() // 25, 4, most))
    if len(counts) > bins:
        place = np.minimum((mean_ranks(counts) * bins).astype(np.int64), bins - 1)[place]
    found[there] = place
    return found


class Keys(NamedTuple):
    """The columns that may name groups, looked for once, in a part of a table's rows."""

    part: Table
    codes: Mapping[str, Codes]
    """Of each column; one more than is looked at, which may be the one that is asked about."""

    @classmethod
    def of(cls, table: Table) -> "Keys":
        """Return those of a table."""
        part = table.sampled(SAMPLE)
        some = islice(part.keys(LEVELS), _MOST_KEYS + 1)
        return cls(part, {name: codes(part.frame[name]) for name in some})

    def sets(self, name: str, most: int = 2) -> Iterator[tuple[str, ...]]:
        """Yield the columns, or two of them, of whose values nearly each has one value here."""
        values = numbers(self.part.frame[name])
        there = ~np.isnan(values)
        if not there.any():  # Of a column with few values a part of the rows may have none.
            return
        names = [it for it in self.codes if it != name][:_MOST_KEYS]
        held = {it: self.codes[it][there] for it in names}
        for by in chain.from_iterable(combinations(names, it + 1) for it in range(most)):
            joint = (
                held[by[0]] if len(by) == 1 else held[by[0]] * (held[by[1]].max() + 2) + held[by[1]]
            )
            level = dense(joint - joint.min())
            rows = np.bincount(level)
            off = values[there] - (np.bincount(level, values[there]) / rows)[level]
            several = rows[level] > 1
            inside = float(np.sum(off[several] ** 2)) / max(
                int(several.sum() - (rows > 1).sum()), 1
            )
            if several.any() and inside < _SAME * values[there].var():
                yield by
