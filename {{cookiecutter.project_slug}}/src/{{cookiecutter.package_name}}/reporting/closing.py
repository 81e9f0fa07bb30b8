"""What every report ends with: importance, slices, months, and the small print."""

from collections.abc import Iterator

from . import groups, months, wording
from .blocks import Block, Picture, Pictures, Remarks, Section, Text
from .mean import Mean
from .wording import Found


def closing_sections(found: Found, mean: Mean) -> Iterator[Section]:
    """Yield what is told alike of every task."""
    if any(loss["mean"] is not None for loss in found["importance"].values()):
        yield Section("What the predictions rest on", list(_importance(found)))
    if found["slices"]:
        yield groups.slices_section(found, mean)
    yield months.months_section(found, mean)
    yield Section("How these figures are made", [Remarks(list(_small_print(found)))])


def _importance(found: Found) -> Iterator[Block]:
    metric = found["test"][found["primary"]]
    title = wording.within(metric["title"])
    most = [name for name, loss in found["importance"].items() if (loss["mean"] or 0) > 0]
    first = wording.listed([wording.name(column) for column in most[:3]]) or "no column at all"
    yield Text(
        f"A column matters when {title} on the test rows worsens once its values are shuffled and "
        f"tell nothing any more. Most rests on {first}."
    )
    if not any(loss["mean"] or loss["sd"] for loss in found["importance"].values()):
        return  # A row of bars without length says no more.
    yield Pictures(
        [
            Picture(
                "importance",
                f"How much {title} worsens when a column is shuffled",
                "Bars are means over the shuffles, lines one standard deviation. Columns that say "
                "the same share their importance, and it is no proof of cause and effect.",
            )
        ]
    )


def _small_print(found: Found) -> Iterator[str]:
    test, train = found["parts"]["test"], found["parts"]["train"]
    drawn = wording.drawn(found)
    yield _intervals(found["resamples"], drawn == "days")
    yield (
        f"A gain is paired: model and baseline on the same drawn {drawn}. A baseline is called as "
        "good when the interval of the gain includes zero: these rows do not tell the two apart."
    )
    yield (
        f"An interval covers the luck of which {drawn} were seen. It covers neither a change of "
        "the world after them, nor another seed, nor the choice among many models by these same "
        "rows."
    )
    if test["from"] is not None and test["from"] <= train["to"]:
        yield (
            "Training and test rows overlap in time. What is common to a day is then known from "
            "training, and figures of days to come will be worse."
        )
    of = round(1 / (1 - found["confidence"]))
    yield f"Groups are not corrected for their number: one interval in {of} misses by luck alone."


def _intervals(resamples: int, timed: bool) -> str:
    """Say how intervals are made, of rows that carry a time or of others."""
    whole, blocks = ("whole days", "days") if timed else ("groups of rows", "groups")
    why = "since rows of one day share their luck" if timed else "for want of a time column"
    caution = (
        "Luck may last for several days: a gain is widened by what days that are like the one "
        "before cost, and another figure has the interval of whole weeks where there are eight of "
        "them and that is wider."
        if timed
        else "It takes rows as independent of each other; where some share their luck it is too "
        "narrow."
    )
    return (
        f"Intervals: {whole} are drawn with replacement {resamples:,} times (block bootstrap), "
        f"{why}. An interval is Student's t with the standard error of the draws and one degree of "
        f"freedom less than {blocks}, cut to values that are possible. {caution}"
    )
