"""What single columns tell of the target that they ought not to know."""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from . import digits, encodings, pairs, strength, words
from .finding import Finding
from .strength import NOTHING, Strength, Together
from .table import Keys, Table, is_time
from .table import numbers as as_numbers
from .words import Absence

_WORTH = 0.1
"""What tells less is looked at no further."""
_ALONE, _WELL, _PERFECT = 0.4, 0.8, 0.98
"""On the scale of `strength`: AUC .70, .90 and .99, each as the lower end of its interval."""
_EXACT = 0.9995
_TELLING = 3
"""Names of so many letters say something."""
_CODES = 30
_BEYOND, _FAR_BEYOND = 0.1, 0.3
"""How far beyond all other columns."""
_GONE, _GONE_ALONE, _ZERO = 0.7, 0.5, 0.8
_SAYS_NOTHING, _SELDOM = 0.35, 0.05
_CERTAIN, _EVERY = 30, 0.99
"""So many rows that have a value, and nearly all of them of one class."""
_FUTURE = 0.5
_MOST_TOGETHER = 64
"""More columns are not added up: each that is looked at needs a sum without it."""


class Told(NamedTuple):
    """What one column tells of the target."""

    name: str
    absence: Absence
    values: Strength
    missing: Strength

    @property
    def most(self) -> float:
        """What it tells for sure, by its values or by having none."""
        return max(self.values.low, self.missing.low)


class Columns:
    """The features of a table, and what all but the suspicious ones tell together."""

    def __init__(self, whole: Table, most: int) -> None:
        self.whole, self.sample = whole, whole.sampled(most)
        self.told = [self._told(name) for name in self.sample.asked]
        answered = (it for it in whole.features if it in whole.roles.known)
        self._plain = [*(it.name for it in self.told if it.most < _WELL), *answered]

    def _told(self, name: str) -> Told:
        found = words.absence(self.sample.frame[name])
        values = strength.of_values(self.sample, name, found.rows)
        return Told(name, found, values, strength.of_mask(found.rows, self.sample))

    @cached_property
    def _together(self) -> Together:
        """The columns that are added up: of very many those that tell most alone."""
        by_strength = sorted(self.told, key=lambda it: it.values.low, reverse=True)
        plain = [it.name for it in by_strength if it.name in self._plain]
        others = [it.name for it in by_strength if it.name not in self._plain]
        answered = [it for it in self._plain if it in self.whole.roles.known]
        chosen = {it for names in (answered, plain, others) for it in names[:_MOST_TOGETHER]}
        return Together(self.sample, [it for it in self.sample.features if it in chosen])

    @cached_property
    def _keys(self) -> Keys:
        return Keys.of(self.whole)

    def others(self, name: str) -> Strength:
        """Return what all other columns tell together, those left out that tell nearly all."""
        return self._together.told(it for it in self._plain if it != name)

    def every_other(self, name: str) -> Strength:
        """Return what all other columns tell together, whatever they are."""
        return self._together.told(it.name for it in self.told if it.name != name)

    def all_together(self) -> Strength:
        """Return what all columns tell together, those that are answered for as well."""
        return self._together.told(self.sample.features)

    def findings(self) -> Iterator[Finding]:
        """Yield at most one leak of each column, the best shown first."""
        for told in self.told:
            found = next(self._leaks(told), None)
            if found:
                yield found

    def _leaks(self, told: Told) -> Iterator[Finding]:
        yield from _encoded(self.whole, self._keys, told)
        if told.most > _ALONE:
            others = self.others(told.name)
            yield from _absent(self.sample, told, others)
            yield from _alone(self.sample, told, others, self.every_other(told.name))
        yield from _certain(self.sample, told)
        yield from _hidden(self.sample, told)
        yield from _later(self.sample, told)
        yield from _named(self.sample, told)


def _encoded(whole: Table, keys: Keys, told: Told) -> Iterator[Finding]:
    found = digits.left_out(whole, keys, told.name)
    if found is None and told.most > _WORTH and told.values.low < _PERFECT:
        found = encodings.found(whole, keys, told.name)
    if found is None:
        return
    over = f"of each {' and '.join(map(repr, found.by))}" if found.by else "of its own rows"
    yield Finding(
        "target encoding",
        (told.name,),
        f"column {told.name!r} is the mean of the target {over}, computed over rows that are "
        f"tested as well: in {found.levels:,} groups the two agree closer than chance allows, so "
        f"its {told.values.said(whole.roles.numbers)} is no forecast; leave it out, or compute it "
        "from earlier rows only",
        "stop",
    )


def _absent(table: Table, told: Told, others: Strength) -> Iterator[Finding]:
    found, missing = told.absence, told.missing
    if missing.low < others.high + _BEYOND or missing.low < _ALONE:
        return
    if table.roles.numbers and found.rows.mean() < _SELDOM:
        return  # As in the sums of a country among its states: rows of another sort.
    silent = told.values.low < _SAYS_NOTHING
    bound = (_GONE_ALONE if silent else _GONE) if found.sure else _ZERO
    is_shown = missing.low >= bound and (found.sure or silent)
    yield Finding(
        "missing after the outcome",
        (told.name,),
        f"that column {told.name!r} has a value or none ({found.written} in "
        f"{found.rows.mean():.0%} of rows) tells the target alone: {missing.said(False)}, "
        f"{_beside(others, table.roles.numbers)}; it looks filled in after the outcome: "
        f"{_remedy(told.name)}",
        "stop" if is_shown else "question",
    )


def _certain(table: Table, told: Told) -> Iterator[Finding]:
    """Yield that whatever rows have a value, few as they may be, are all of one class."""
    there = ~told.absence.rows
    if not told.absence.sure or there.all() or there.sum() < _CERTAIN or table.roles.numbers:
        return
    is_event = table.scores.shape[1] == 1
    for scores in (*table.scores.T, *(1 - table.scores.T if is_event else ())):
        share = float(scores[there].mean())
        if share > _EVERY and share - float(scores[~there].mean()) > _FAR_BEYOND:
            yield Finding(
                "missing after the outcome",
                (told.name,),
                f"column {told.name!r} has a value in {there.sum():,} of {len(table):,} rows, and "
                f"{share:.1%} of these are of one class, {scores[~there].mean():.1%} of the others;"
                f" it looks filled in after the outcome: {_remedy(told.name)}",
                "question",
            )
            return


def _alone(table: Table, told: Told, others: Strength, every: Strength) -> Iterator[Finding]:
    values, by = told.values, table.roles.numbers
    if _says_outcome(told.name):
        is_shown = values.low > max(_WELL, others.high + _BEYOND)
    elif table.distinct(told.name) <= _CODES:
        is_shown = values.low > max(_perfect(table, told), others.high + _BEYOND)
    else:
        # Of species that are far apart each measurement tells all, and none is an outcome.
        is_shown = values.low > max(_EXACT if by else _PERFECT, every.high + _BEYOND / 2)
    beyond = values.low - others.high
    if not is_shown and not (values.low > _WELL and beyond > 0) and beyond < _FAR_BEYOND:
        return
    yield Finding(
        "target leakage",
        (told.name,),
        f"column {told.name!r} alone tells the target: {values.said(by)}, "
        f"{_beside(others, by)}; {_remedy(told.name)}",
        "stop" if is_shown else "question",
    )


def _perfect(table: Table, told: Told) -> float:
    """Return how strong a column of few values must be to be the target under another name.

    A flag need not be without an error; of codes each has its class, or its part of a range.
    """
    if not table.roles.numbers:
        is_earlier = words.of_name(told.name) & words.EARLIER
        return _PERFECT if is_earlier or table.distinct(told.name) > 2 else _WELL
    share = table.frame[told.name].value_counts(normalize=True).to_numpy()
    return max(_PERFECT, float(np.sqrt(1 - (share**3).sum())) - _BEYOND / 10)


def _beside(others: Strength, by_number: bool) -> str:
    """Return what a column's figure is to be compared with."""
    if others is NOTHING:
        return "and no other column is left to compare it with"
    return f"all other columns together {others.said(by_number)}"


def _remedy(name: str) -> str:
    return (
        f"is {name!r} known when one predicts? If not, leave it out; if so, say why in schema.py "
        '(known="…")'
    )


def _hidden(table: Table, told: Told) -> Iterator[Finding]:
    found = digits.found(table, told.name)
    if found is None or found.told.low < max(_ALONE, told.values.high + _BEYOND):
        return
    yield Finding(
        "target in the digits",
        (told.name,),
        f"the {found.part} of column {told.name!r} tells the target: "
        f"{found.told.said(table.roles.numbers)}, where its values tell "
        f"{told.values.said(table.roles.numbers)}; leave the column out, or say why in schema.py "
        '(known="…")',
        "stop" if found.told.low > _WELL else "question",
    )


def _later(table: Table, told: Told) -> Iterator[Finding]:
    time, column = table.roles.time, table.frame[told.name]
    if time is None or time not in table.frame or not is_time(column):
        return
    later = as_numbers(column) > as_numbers(table.frame[time])
    share = float(later[~told.absence.rows].mean()) if not told.absence.rows.all() else 0.0
    if share > _FUTURE:
        yield Finding(
            "later than the row",
            (told.name,),
            f"column {told.name!r} lies after {time!r} in {share:.0%} of the rows that have it; "
            f"{_remedy(told.name)}",
            "question",
        )


def _says_outcome(name: str) -> bool:
    """Tell `churn_reason` from `previous_outcome`, which was known before."""
    said = words.of_name(name)
    return bool(said & words.OUTCOMES) and not said & words.EARLIER


def _like_an_outcome(name: str, target: str) -> bool:
    of_name, of_target = words.of_name(name), words.of_name(target)
    is_named = of_target and of_target <= of_name and max(map(len, of_target)) >= _TELLING
    return _says_outcome(name) or bool(is_named and not of_name & words.EARLIER)


def _named(table: Table, told: Told) -> Iterator[Finding]:
    if _like_an_outcome(told.name, table.roles.target):
        yield Finding(
            "named like an outcome",
            (told.name,),
            f"column {told.name!r} is named like an outcome "
            f"({told.values.said(table.roles.numbers)} alone); {_remedy(told.name)}",
            "question",
        )


def of_table(whole: Table, most: int) -> Iterator[Finding]:
    """Yield what single columns tell, and what two tell together of which none is shown alone."""
    columns = Columns(whole, most)
    found = [*columns.findings()]
    yield from found
    shown = {name for it in found if it.level == "stop" for name in it.columns}
    names = [it for it in columns.sample.features if it not in shown]
    yield from pairs.findings(columns.sample, names, columns.all_together)
