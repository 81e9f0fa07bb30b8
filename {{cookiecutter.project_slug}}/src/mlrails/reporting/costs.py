"""What wrong calls cost, as a section of the report: at the threshold, and at others."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from . import wording
from .blocks import Block, Picture, Pictures, Section, Table, Text
from .svg import BLUE, GREY
from .wording import Found, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHART = "cost"
_NAMES = {
    "model": "The model's",
    "balance": "Where the costs balance, if every probability holds",
    "everybody": "Everybody is called",
    "nobody": "Nobody is called",
    "hindsight": "The cheapest on these rows, in hindsight",
}


def sections(found: Found) -> Iterator[Section]:
    """Yield a section where the params say what wrong calls cost."""
    if "costs" in found["behaviour"]:
        yield Section("What wrong calls cost", list(_blocks(found["behaviour"]["costs"])))


def _blocks(costs: Found) -> Iterator[Block]:
    own, digits = costs["thresholds"]["model"], _digits(costs)
    cheapest = costs["thresholds"]["hindsight"]
    more = own["cost"] - cheapest["cost"]
    least = (
        f"no threshold would have been cheaper by more than {number(0.5 * 10**-digits, digits + 1)}"
        if round(more, digits) <= 0
        else f"the cheapest threshold of these rows, {number(cheapest['threshold'], 3)}, would "
        f"have saved {number(more, digits)}, which nobody knows before"
    )
    yield Text(
        f"A false alarm costs {costs['false_alarm']:g} and an event that is missed costs "
        f"{costs['miss']:g} (`evaluation.costs`); a right call costs nothing. For each row of the "
        f"test that is {number(own['cost'], digits)} at the model's threshold; {least}."
    )
    yield Pictures(
        [
            Picture(
                CHART,
                "Mean cost by threshold",
                "Each point is a threshold. The dot is the model's; dashed is what the cheaper of "
                "calling everybody and calling nobody costs.",
            )
        ]
    )
    yield Table(
        header=("Threshold", "From", "False alarms", "Missed", "Mean cost"),
        rows=[
            (
                _NAMES[name],
                number(at["threshold"], 3),
                f"{at['false_alarms']:,}",
                f"{at['missed']:,}",
                number(at["cost"], digits),
            )
            for name, at in costs["thresholds"].items()
        ],
    )


def _digits(costs: Found) -> int:
    return wording.decimals(max(at["cost"] for at in costs["thresholds"].values()))


def chart(found: Found, axes: "Axes") -> None:
    """Draw the mean cost at each threshold, the model's, and that of the simplest rule."""
    costs = found["behaviour"]["costs"]
    curve, at = costs["cost_curve"], costs["thresholds"]
    simplest = min(at["everybody"]["cost"], at["nobody"]["cost"])
    axes.axhline(simplest, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.plot(curve["x"], curve["y"], color=BLUE, linewidth=1.8)
    own = at["model"]
    axes.plot([own["threshold"]], [own["cost"]], "o", color=BLUE, markersize=7)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("Threshold")
    axes.set_title("Mean cost")
