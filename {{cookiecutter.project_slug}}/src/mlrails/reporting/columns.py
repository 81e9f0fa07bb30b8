"""What the report says of columns: those that predictions rest on, and those no model may see."""

from collections.abc import Iterator, Mapping, Sequence

from ..core import formats
from ..core.errors import counted
from . import wording
from .blocks import Block, Picture, Pictures, Section, Span, Table, Text
from .tasks import Mean
from .wording import Found

TITLES: Mapping[str, str] = {
    "selection_rate": "Selection rate",
    "tpr": "True positive rate",
    "fpr": "False positive rate",
    "calibration": "Calibration",
}
_MEANS: Mapping[str, str] = {
    "selection_rate": "the selection rate is the share of rows that are called",
    "tpr": "the true positive rate the share of events that are called",
    "fpr": "the false positive rate the share of other rows that are called",
    "calibration": "calibration is the mean prediction minus the mean outcome",
}
_SHOWN = 20
_TOO_FEW = "too few rows"


def importance(found: Found) -> Iterator[Block]:
    """Yield what the report says of the columns that predictions rest on."""
    metric = found["test"][found["primary"]]
    title = wording.within(metric["title"])
    # A column whose interval holds zero may say nothing.
    most = [
        name
        for name, loss in found["importance"].items()
        if (loss.get("low", loss["mean"]) or 0) > 0
    ]
    first = wording.listed([wording.name(column) for column in most[:3]]) or "no column at all"
    yield Text(
        f"A column matters when {title} on the test rows worsens once its values are shuffled and "
        f"tell nothing any more. Most rests on {first}.{_told_from_nothing(found)}"
    )
    if not any(loss["mean"] or loss["sd"] for loss in found["importance"].values()):
        return  # A row of bars without length says no more.
    yield Pictures(
        [
            Picture(
                "importance",
                f"How much {title} worsens when a column is shuffled",
                f"Bars are means over the shuffles, lines {_lines(found)}. Columns that say "
                "the same share their importance, and it is no proof of cause and effect.",
            )
        ]
    )


def _has_ends(found: Found) -> bool:
    return all("low" in loss for loss in found["importance"].values())


def _lines(found: Found) -> str:
    if not _has_ends(found):
        return "one standard deviation"
    return f"{found['confidence']:.0%} intervals by {wording.drawn(found)}"


def _told_from_nothing(found: Found) -> str:
    """Say of how many columns the interval of the loss leaves zero out."""
    if not _has_ends(found):
        return ""
    every = found["importance"].values()
    sure = sum(loss["low"] is not None and loss["low"] > 0 for loss in every)
    return (
        f" Of {counted(len(every), 'column')} these rows tell {sure} from one that says nothing: "
        f"there the interval, by {wording.drawn(found)}, is above zero."
    )


def sensitive(found: Found, mean: Mean) -> Iterator[Section]:
    """Yield a section where there are sensitive columns."""
    if found.get("fairness"):
        yield Section("Groups that the model does not see", list(_of_groups(found, mean)))


def measures(found: Found) -> Sequence[str]:
    """Return what the groups are told by."""
    groups = (group for listed in found["fairness"].values() for group in listed)
    first: Found = next(groups, {})
    return [name for name in TITLES if name in first]


def _of_groups(found: Found, mean: Mean) -> Iterator[Block]:
    told = measures(found)
    columns = wording.listed([wording.name(it) for it in found["fairness"]])
    yield Text(
        f"By {columns} (`data.sensitive`): {'; '.join(_MEANS[it] for it in told)}. A gap is what a "
        "group has minus what all other test rows have."
    )
    if len(told) > 1:
        yield Text(
            "Where the groups' shares of events differ, a model that calls some rows and is not "
            "always right cannot have equal rates and hold its probabilities in each group at "
            "once: which of them shall be equal is for people to decide."
        )
    yield Text("A column that is left out may still be told from others that go along with it.")
    for column, groups in found["fairness"].items():
        hidden = len(groups) - _SHOWN
        more = f" (the {_SHOWN} largest; {hidden:,} more are in metrics.json)" if hidden > 0 else ""
        shown = groups[:_SHOWN]
        yield _means(mean, shown, f"By {wording.name(column)}{more}")
        measured = [it for it in shown if any(it[name]["figure"] for name in told)]
        if measured:
            yield _measured(found, mean, measured, told)
        if few := len(shown) - len(measured):
            yield Text(f"{_no_more(few, len(shown))}: too few rows to measure.")


def _no_more(few: int, shown: int) -> str:
    if few == shown:
        return "Of none of these groups more can be said"
    return f"Of {few:,} of these {shown:,} groups no more can be said"


def _means(mean: Mean, groups: Sequence[Found], caption: str) -> Table:
    return Table(
        header=("", "Rows", mean.title, "Predicted"),
        rows=[
            (
                wording.name(group["name"]),
                f"{group['rows']:,}",
                mean.written(group["target"]),
                mean.written(group["score"]),
            )
            for group in groups
        ],
        caption=caption,
    )


def _measured(found: Found, mean: Mean, groups: Sequence[Found], told: Sequence[str]) -> Table:
    each = [(group, it) for it in told for group in groups]
    sure = f"{wording.percent(found['confidence'], 0)} interval"
    units = (f" {mean.unit}".rstrip(), mean.unit_of_difference)
    written = [f"{sure}, in{unit}" if unit else sure for unit in units]
    return Table(
        header=("", "", f"Figure ({written[0]})", f"Gap ({written[1]})"),
        rows=[
            (
                TITLES[it],
                wording.name(group["name"]),
                _figure(mean, group[it]["figure"]),
                _gap(mean, group[it]["gap"]),
            )
            for group, it in each
        ],
        words=(0, 1),
        spans=[_span(group[it]["gap"]) for group, it in each],
        mark="dashed: no gap",
    )


def _figure(mean: Mean, figure: Found | None) -> str:
    return _TOO_FEW if figure is None else wording.with_interval(_scaled(mean, figure), mean.digits)


def _scaled(mean: Mean, figure: Found) -> Found:
    """Return a figure and its ends as they are written."""
    return {name: None if value is None else mean.factor * value for name, value in figure.items()}


def _gap(mean: Mean, gap: Found | None) -> str:
    if gap is None:
        return _TOO_FEW
    known = [it for it in _scaled(mean, gap).values() if it is not None]
    value, *ends = (formats.signed(it, mean.digits).replace("-", "−") for it in known)
    return f"{value} ({' to '.join(ends)})" if ends else value


def _span(gap: Found | None) -> Span:
    return Span(gap["value"], gap["low"], gap["high"], mark=0) if gap else Span(None, None, None)


def _shown(gap: Found) -> tuple[float, float]:
    """Return how wide a gap is shown to be at least, and how wide it was."""
    low, high = gap["low"], gap["high"]
    return 0.0 if low is None else max(low, -high, 0.0), abs(gap["value"])


def widest(found: Found, mean: Mean) -> Iterator[str]:
    """Yield the gap that is shown to be widest in each measure, in words.

    Of many small groups one is far off by luck alone, and its interval says so.
    """
    for name in measures(found) if found.get("fairness") else ():
        known = [
            (gap, f"{column} = {wording.name(group['name'])}")
            for column, groups in found["fairness"].items()
            for group in groups[::-1]  # Of two groups, which have one gap, the smaller one.
            if (gap := group[name]["gap"]) and gap["value"] is not None
        ]
        if known:
            gap, title = max(known, key=lambda it: _shown(it[0]))
            yield f"{TITLES[name]}: {title} {_gap(mean, gap)}{mean.unit_of_difference}"
