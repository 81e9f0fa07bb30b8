"""What the predictions rest on: which columns matter, and how sure that is."""

from collections.abc import Iterator

from ..core.errors import counted
from . import wording
from .blocks import Block, Picture, Pictures, Text
from .wording import Found


def blocks(found: Found) -> Iterator[Block]:
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
