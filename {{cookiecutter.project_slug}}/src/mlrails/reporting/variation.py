"""What another seed, and another sample of the training rows, would have made of the figure."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ..core.params import Unit
from . import wording
from .blocks import Block, Picture, Pictures, Remarks, Section, Table, Text
from .svg import BLUE, GREY, INK
from .wording import Found, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHART = "variation"
_KINDS = ("seed", "sample")
_SHARE = 0.632
"""Of many days, how many are in a sample of as many that is drawn with replacement."""


def section(found: Found) -> Section | None:
    """Tell of refits; None where none were asked for, or the figure is not defined."""
    if "seed" not in found.get("variation", {}):
        return None
    return Section("What the seed and the sample do to it", list(_blocks(found)))


def _blocks(found: Found) -> Iterator[Block]:
    metric, about = found["test"][found["primary"]], found["variation"]
    yield Text(" ".join(_conclusion(found)))
    yield Pictures(
        [
            Picture(
                CHART,
                f"{metric['title']} of {2 * about['refits']} models like this one",
                "Each grey dot is a model that was fitted again, by the same test rows. The line "
                f"is the {wording.percent(found['confidence'], 0)} interval of the model's own "
                "figure: it covers which test rows were seen, and nothing that the dots show.",
            )
        ]
    )
    yield _table(found)
    yield Remarks(list(_remarks(found)))


def _conclusion(found: Found) -> Iterator[str]:
    """Yield the sentences that a hurried reader has to know."""
    metric, reaches = found["test"][found["primary"]], _reaches(found)
    digits, title = _digits(found), wording.within(metric["title"])
    seed, sample, rows = (reaches[it] for it in (*_KINDS, "rows"))
    moves = f"another sample of the training {_units(found)}"
    by = f"±{number(sample, digits)}"
    if seed == 0:
        yield f"Another seed does not move {title} at all; {moves} moves it by {by}."
    else:
        yield f"Another seed moves {title} by ±{number(seed, digits)}, {moves} by {by}."
    if rows is None:
        return
    known = f"The interval of ±{number(rows, digits)} comes of the test rows alone"
    largest = max(reaches, key=lambda name: reaches[name] or 0)
    yield f"{known}, and {_LARGEST[largest]}."


_LARGEST = {
    "rows": "is the largest of the three: more test rows would tell more than more fits",
    "sample": "is not the largest of the three: a figure so near may be luck of the training rows",
    "seed": "is not the largest of the three: a figure so near may be luck of the seed",
}


def _reaches(found: Found) -> Mapping[str, float | None]:
    own, about = found["test"][found["primary"]]["models"]["model"], found["variation"]
    known = own["low"] is not None and own["high"] is not None
    rows = (own["high"] - own["low"]) / 2 if known else None
    return {**{kind: about[kind]["reach"] for kind in _KINDS}, "rows": rows}


def _digits(found: Found) -> int:
    """Return the decimals with which the smallest reach has two digits that say something."""
    reaches = [it for it in _reaches(found).values() if it]
    least = wording.decimals(min(reaches)) - 1 if reaches else 0
    return min(max(wording.metric_decimals(found["test"][found["primary"]]), least), 6)


def _units(found: Found) -> str:
    return Unit(found["variation"]["unit"]).plural


def _table(found: Found) -> Table:
    about, digits, reaches = found["variation"], _digits(found), _reaches(found)
    value = found["test"][found["primary"]]["models"]["model"]["value"]
    drawn = {
        "seed": f"the seed, {about['refits']} times",
        "sample": f"the {about['units']:,} training {_units(found)}, {about['refits']} times",
    }
    rows = [
        (what, number(about[kind]["mean"], digits), f"±{number(about[kind]['reach'], digits)}")
        for kind, what in drawn.items()
    ]
    own = (f"the test rows' {wording.drawn(found)}, no fit", number(value, digits))
    reach = reaches["rows"]
    rows.append((*own, wording.UNKNOWN if reach is None else f"±{number(reach, digits)}"))
    sure = wording.percent(found["confidence"], 0)
    return Table(("Drawn anew", "Mean", f"Moves it by ({sure})"), rows)


def _remarks(found: Found) -> Iterator[str]:
    about = found["variation"]
    yield (
        f"± is the reach of an interval: Student's t with the standard deviation of the "
        f"{about['refits']} fits. It is known only roughly while they are few."
    )
    yield (
        "A margin between two models, as `gate.margin` is one, means little below what the seed "
        "moves."
    )
    by = "" if about["unit"] == Unit.ROW else f" by whole {_units(found)},"
    yield (
        f"Samples are drawn{by} with replacement. One has about {wording.percent(_SHARE, 0)} of "
        f"the different {_units(found)}, so its models are somewhat worse: how far they lie apart "
        "counts, and not their mean."
    )
    yield (
        "Nothing is chosen by these fits, so the test rows stay a test: which seed gave which "
        "figure is told nowhere."
    )


def draw(found: Found, axes: "Axes") -> None:
    """Draw a dot for each refit, and the model's own figure with its interval."""
    metric, about = found["test"][found["primary"]], found["variation"]
    own = metric["models"]["model"]
    axes.axvline(own["value"], color=BLUE, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    if own["low"] is not None:
        axes.plot([own["low"], own["high"]], [0, 0], color=BLUE, linewidth=1.6)
    axes.plot([own["value"]], [0], "o", color=BLUE, markersize=6)
    for place, kind in enumerate(reversed(_KINDS), 1):
        values = about[kind]["values"]
        axes.plot(values, [place] * len(values), "o", color=GREY, markersize=5, alpha=0.6)
    axes.set_yticks(range(3), ["this model", f"other {_units(found)}", "other seeds"])
    axes.set_ylim(-0.6, 2.6)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel(metric["title"])
