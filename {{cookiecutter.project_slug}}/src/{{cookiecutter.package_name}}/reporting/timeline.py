"""Charts over the months: the primary metric, and predicted against actual means."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from . import months
from .colours import BLUE, GREY, ORANGE, SKY
from .mean import target_mean
from .months import Month
from .wording import Found

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_TICKS = 7
_COLOURS = {"train": GREY, "validation": SKY, "test": BLUE}
_INSIDE = {"train": "white", "validation": SKY, "test": BLUE}
_LABELS = {"train": "seen in fitting", "validation": "validation", "test": "test"}
_MANY, _SMALLER = 40, 0.4
"""From so many months on, dots and lines are as much smaller, so that they stay apart."""
_ASIDE = {"train": -0.2, "validation": 0.0, "test": 0.2}
"""Where a month has rows in several parts, their dots stand side by side."""


def metric_by_month(found: Found, axes: "Axes") -> None:
    """Draw the primary metric of each month with its interval, by part."""
    seen = months.seen_months(found)
    places = _places(seen)
    shared = len(seen) > len(places)
    for part in found["months"]:
        at = {
            places[month.name] + shared * _ASIDE[part]: month.found[found["primary"]]
            for month in seen
            if month.part == part and month.found[found["primary"]]
        }
        _dots(axes, at, part, _size(places))
    axes.set_title(found["test"][found["primary"]]["title"])
    _below(axes, list(places))


def _size(places: Mapping[str, int]) -> float:
    return _SMALLER if len(places) > _MANY else 1.0


def _dots(axes: "Axes", figures: Mapping[float, Found], part: str, size: float) -> None:
    known = {place: figure for place, figure in figures.items() if figure["value"] is not None}
    for place, figure in known.items():
        if figure["low"] is not None:
            ends = [figure["low"], figure["high"]]
            axes.plot([place, place], ends, color=_COLOURS[part], linewidth=1.4 * size)
    values = [figure["value"] for figure in known.values()]
    (dots,) = axes.plot(
        list(known), values, "o", markersize=5.5 * size, zorder=3, label=_LABELS[part]
    )
    dots.set_color(_COLOURS[part])
    dots.set_markerfacecolor(_INSIDE[part])


def means_by_month(found: Found, axes: "Axes") -> None:
    """Draw the mean target and the mean prediction of each month."""
    seen = months.seen_months(found)
    places = _places(seen)
    for what, label, colour in (("target", "actual", ORANGE), ("score", "predicted", BLUE)):
        values = [_mean([month for month in seen if month.name == name], what) for name in places]
        where = list(places.values())
        (line,) = axes.plot(where, values, "o-", color=colour, linewidth=1.4, label=label)
        line.set_markersize(4.5 * _size(places))
    axes.yaxis.set_major_formatter(target_mean(found).ticks())
    axes.set_title(target_mean(found).title)
    _below(axes, list(places))


def _mean(same: Sequence[Month], what: str) -> float:
    rows = sum(month.found["rows"] for month in same)
    return float(sum(month.found["rows"] * month.found[what] for month in same) / rows)


def _places(seen: Sequence[Month]) -> Mapping[str, int]:
    names = dict.fromkeys(month.name for month in seen)
    return {name: place for place, name in enumerate(names)}


def _below(axes: "Axes", names: Sequence[str]) -> None:
    """Name the months, as many as there is room for, and the marks below them."""
    step = -(-len(names) // _MOST_TICKS)
    axes.set_xticks(range(0, len(names), step), names[::step])
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.grid(visible=False, axis="x")
    axes.figure.legend(loc="outside lower center", ncols=3, handletextpad=0.3)
