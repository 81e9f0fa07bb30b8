"""What the figures say against the baselines, in a sentence or two."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from . import wording
from .wording import Found, listed, with_interval, within


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
    return wording.decimals(metric["models"]["model"]["value"])


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
    standing = f"{_standing(metric, found['confidence'])} on {wording.rows(found['parts']['test'])}"
    return " ".join([f"{standing}.", *reservations(found["test"])])


def reservations(metrics: Mapping[str, Found]) -> Iterator[str]:
    """Yield a sentence for each relation but victory, over all metrics."""
    for kind, words in _RESERVATIONS.items():
        met = [
            f"{_the(names)} {'is' if len(names) == 1 else 'are'} {words} on {title}"
            for title, names in _related(metrics, kind)
        ]
        if met:
            yield f"{wording.sentence('; '.join(met))}."


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
    by = wording.number(gains[closest]["value"], digits)
    ends = f"{wording.percent(confidence, 0)} interval {wording.interval(gains[closest], digits)}"
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
    shown = map(wording.name, names)
    return listed([name if name.endswith("regression") else f"the {name}" for name in shown])
