"""How figures, differences and verdicts are said in words."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from ..core.params import Unit

Found = Mapping[str, Any]
"""What `steps/evaluate.py` has found, as plain values; a figure that is not known is None."""

UNKNOWN = "–"

_LONGEST_NAME = 40
_PROPER = ("Brier", "R²")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)  # strftime's depend on the locale


def number(value: float | None, digits: int) -> str:
    """Write a number with so many decimals, a dash where it is not known."""
    if value is None:
        return UNKNOWN
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text.replace("-", "−")


def decimals(scale: float | None) -> int:
    """Return the decimals that show about three digits of numbers of this size."""
    if not scale:
        return 3
    size = math.floor(math.log10(abs(scale)))
    return min(max(3 - size if size >= 0 else 2 - size, 0), 6)


def percent(share: float | None, digits: int = 1) -> str:
    """Write a share as a percentage."""
    return UNKNOWN if share is None else f"{number(100 * share, digits)}%"


def interval(figure: Found, digits: int) -> str:
    """Write the ends of an interval, a dash where there is none."""
    if figure["low"] is None:
        return UNKNOWN
    return f"{number(figure['low'], digits)} to {number(figure['high'], digits)}"


def with_interval(figure: Found, digits: int) -> str:
    """Write a value and its interval in brackets."""
    value = number(figure["value"], digits)
    return value if figure["low"] is None else f"{value} ({interval(figure, digits)})"


def period(part: Found) -> str:
    """Write ` from … to …` for the rows of a part; empty where they carry no time."""
    if part["from"] is None:
        return ""
    first, last = (date.fromisoformat(part[end]) for end in ("from", "to"))
    if first == last:
        return f" of {_day(last)}"
    start = _day(first).removesuffix(f" {last.year}")
    return f" from {start} to {_day(last)}"


def units(found: Found) -> Sequence[Unit]:
    """Return what intervals are drawn of: days, groups, both, or rows where rows carry neither."""
    test = found["parts"]["test"]
    known = {Unit.DAY: test["days"], Unit.GROUP: test.get("groups")}
    return [unit for unit, count in known.items() if count is not None] or [Unit.ROW]


def drawn(found: Found) -> str:
    """Return the same in words."""
    return listed([unit.plural for unit in units(found)])


def is_timed(found: Found) -> bool:
    """Tell whether rows carry a time."""
    return Unit.DAY in units(found)


def _day(day: date) -> str:
    return f"{day.day} {month(day.month)} {day.year}"


def month(number: int) -> str:
    """Return the name of a month, from 1."""
    return _MONTHS[number - 1]


def day_named(day: str) -> str:
    """Write a day of ISO's as `3 December 2013`."""
    return _day(date.fromisoformat(day))


def rows(part: Found) -> str:
    """Write how many rows a part has, and of when."""
    return f"{part['rows']:,} rows{period(part)}"


def listed(words: Sequence[str]) -> str:
    """Write words with commas and an "and"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def sentence(text: str) -> str:
    """Write the first letter as a capital."""
    return text[:1].upper() + text[1:]


def within(title: str) -> str:
    """Write a title as it stands within a sentence."""
    return title if title.startswith(_PROPER) else title[:1].lower() + title[1:]


def printable(text: str) -> str:
    """Return one line of it: a value with a line of its own could give the forge an order."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def name(text: str, longest: int = _LONGEST_NAME) -> str:
    """Make a name from the data fit to be shown: printable, and not too long."""
    shown = printable(text) or "(empty)"
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


class Relation(StrEnum):
    """How a baseline stands to the model, beyond the interval of the model's gain."""

    BEATEN = "beaten"
    AS_GOOD = "as good"
    BETTER = "better"
    UNKNOWN = "cannot tell"


def relation(gain: Found) -> Relation:
    """Return what the model's gain over a baseline means."""
    if gain["low"] is None:
        return Relation.UNKNOWN
    if gain["low"] > 0:
        return Relation.BEATEN
    return Relation.BETTER if gain["high"] < 0 else Relation.AS_GOOD


def metric_decimals(metric: Found) -> int:
    """Return the decimals that a metric's figures are written with."""
    return decimals(metric["models"]["model"]["value"])


def decimals_of_gains(metric: Found) -> int:
    """Return the decimals with which no end of a gain's interval looks like zero."""
    ends = [abs(gain[end] or 0) for gain in metric["gains"].values() for end in ("low", "high")]
    digits = metric_decimals(metric)
    while digits < 6 and any(end > 0 and round(end, digits) == 0 for end in ends):
        digits += 1
    return digits


def verdict(found: Found) -> str:
    """Return what a hurried reader has to know, made from the figures of the test rows."""
    metric = found["test"][found["primary"]]
    standing = f"{_standing(metric, found['confidence'])} on {rows(found['parts']['test'])}"
    return " ".join([f"{standing}.", *reservations(found["test"])])


def reservations(metrics: Mapping[str, Found]) -> Iterator[str]:
    """Yield a sentence for each relation but victory, over all metrics."""
    for kind, words in _RESERVATIONS.items():
        met = [
            f"{_the(names)} {'is' if len(names) == 1 else 'are'} {words} on {title}"
            for title, names in _related(metrics, kind)
        ]
        if met:
            yield f"{sentence('; '.join(met))}."


_RESERVATIONS = {Relation.AS_GOOD: "as good", Relation.BETTER: "better"}


def metric_verdict(metric: Found) -> str:
    """Return what one metric says of all baselines."""
    relations = {relation(gain) for gain in metric["gains"].values()}
    if Relation.UNKNOWN in relations:
        return "Without an interval nobody can tell whether the model beats a baseline."
    if relations <= {Relation.BEATEN}:
        return "The model beats every baseline."
    return " ".join(reservations({metric["title"]: metric}))


def _related(metrics: Mapping[str, Found], kind: Relation) -> Iterator[tuple[str, Sequence[str]]]:
    for metric in metrics.values():
        names = [name for name, gain in metric["gains"].items() if relation(gain) is kind]
        if names:
            yield within(metric["title"]), names


def _standing(metric: Found, confidence: float) -> str:
    gains, title = metric["gains"], within(metric["title"])
    beaten = [name for name, gain in gains.items() if relation(gain) is Relation.BEATEN]
    if not beaten:
        model = metric["models"]["model"]
        known = model["value"] is not None
        value = with_interval(model, metric_decimals(metric)) if known else "not defined"
        return f"{_defeat(gains)}: {title} is {value}"
    closest = min(beaten, key=lambda name: float(gains[name]["value"]))
    digits = decimals_of_gains(metric)
    by = number(gains[closest]["value"], digits)
    ends = f"{percent(confidence, 0)} interval {interval(gains[closest], digits)}"
    if len(beaten) == 1:
        return f"Beats {_the(beaten)} by {by} {title} ({ends})"
    count = f"all {len(gains)}" if len(beaten) == len(gains) else f"{len(beaten)} of {len(gains)}"
    least = f"the closest of them, {_the([closest])}, by {by} ({ends})"
    return f"Beats {count} baselines on {title}, {least},"


def _defeat(gains: Mapping[str, Found]) -> str:
    if any(relation(gain) is not Relation.UNKNOWN for gain in gains.values()):
        return "Beats no baseline"
    return "Whether a baseline is beaten nobody can tell without an interval"


def _the(names: Sequence[str]) -> str:
    """Write names of baselines as a person would: `the constant rate`, `ridge regression`."""
    shown = map(name, names)
    return listed([name if name.endswith("regression") else f"the {name}" for name in shown])


_UNSEEN = {
    "codes in alphabetical order": (
        "A split sends what is missing to the side that made the smaller error in training, or to "
        "the larger one where no training row lacked it. A rare category shares its leaf with its "
        "neighbours in the alphabet."
    ),
    "embeddings, learnt with the network": (
        "What is missing has an embedding of its own, which lies the nearer to the mean of the "
        "known ones the fewer training rows lacked it. A rare category has learnt from few rows."
    ),
}
"""What becomes of missing and rare categories, by how the shipped estimators see them."""


def unseen(seen_as: str | None) -> str:
    """Say what becomes of categories that are unknown, missing or rare."""
    counts = "One that the training rows lack counts as missing; each that they have is itself."
    return " ".join(filter(None, (counts, _UNSEEN.get(seen_as or ""))))
