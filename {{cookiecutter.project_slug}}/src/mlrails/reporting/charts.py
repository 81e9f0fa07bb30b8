"""The charts of a model: curves, distributions, and figures by month."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ..core.params import Task
from . import classes, costs, groups, variation, wording
from .groups import Month
from .svg import BLUE, GREY, INK, ORANGE, SKY, svg
from .tasks import target_mean
from .wording import Found

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_DASHED = (0, (4, 3))


def roc(found: Found, axes: "Axes") -> None:
    """Draw the ROC curve above the diagonal of guessing, with the threshold's place."""
    curve = found["behaviour"]["roc"]
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=_DASHED)
    axes.plot(curve["x"], curve["y"], color=BLUE, linewidth=1.8)
    axes.fill_between(curve["x"], curve["y"], color=BLUE, alpha=0.07, linewidth=0)
    counts = found["behaviour"]["confusion"]
    alarms = _share(counts["false_positive"], counts["true_negative"])
    _mark(axes, alarms, _share(counts["true_positive"], counts["false_negative"]))
    _unit_square(axes, "Share of other rows called", "Share of events found")


def precision_recall(found: Found, axes: "Axes") -> None:
    """Draw the precision-recall curve above the share of events."""
    curve, share = found["behaviour"]["precision_recall"], found["parts"]["test"]["target"]
    axes.axhline(share, color=GREY, linewidth=0.8, linestyle=_DASHED)
    axes.plot(curve["x"], curve["y"], color=BLUE, linewidth=1.8)
    counts = found["behaviour"]["confusion"]
    recall = _share(counts["true_positive"], counts["false_negative"])
    _mark(axes, recall, _share(counts["true_positive"], counts["false_positive"]))
    _unit_square(
        axes, "Share of events found (recall)", "Share of calls that are right (precision)"
    )


def calibration(found: Found, axes: "Axes") -> None:
    """Draw mean outcomes against mean predictions of equal groups, and the diagonal."""
    curve = found["behaviour"]["calibration"]
    ends = [min(*curve["x"], *curve["y"]), max(*curve["x"], *curve["y"])]
    axes.plot(ends, ends, color=GREY, linewidth=0.8, linestyle=_DASHED)
    axes.plot(curve["x"], curve["y"], "o-", color=BLUE, linewidth=1.2, markersize=5)
    mean = target_mean(found)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(mean.ticks())
    axes.set_xlabel("Predicted")
    axes.set_title("Came true")


def residuals(found: Found, axes: "Axes") -> None:
    """Draw the histogram of errors, the middle half and the median."""
    from matplotlib.ticker import MaxNLocator

    known = found["behaviour"]["residuals"]
    edges, quantiles = known["histogram"]["edges"], known["quantiles"]
    axes.axvspan(quantiles["0.25"], quantiles["0.75"], color=SKY, alpha=0.25, linewidth=0)
    axes.stairs(known["histogram"]["counts"], edges, fill=True, color=BLUE)
    axes.axvline(quantiles["0.5"], color="white", linewidth=1.4)
    axes.axvline(0, color=GREY, linewidth=0.8, linestyle=_DASHED)
    axes.set_xlim(edges[0], edges[-1])
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))  # Rows are whole.
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("Outcome minus prediction")
    axes.set_title("Rows")


def _share(of: int, beside: int) -> float:
    return of / max(of + beside, 1)


def _mark(axes: "Axes", x: float, y: float) -> None:
    axes.plot([x], [y], "o", color=BLUE, markersize=7, markeredgecolor="white", zorder=4)


def _unit_square(axes: "Axes", across: str, up: str) -> None:
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.005)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_xlabel(across)
    axes.set_title(up)


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
    seen = groups.seen_months(found)
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
    seen = groups.seen_months(found)
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
    """Return the mean of a month's parts, NaN where no row of it weighs anything."""
    known = [it.found for it in same if it.found[what] is not None]
    if not known:
        return math.nan
    return float(sum(it["rows"] * it[what] for it in known) / sum(it["rows"] for it in known))


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


_COLUMNS_SHOWN = 20
_PER_NAME = 0.25
"""Inches for one row of a chart that has names down its side."""
_AROUND = 0.65


def draw_charts(found: Found, names: Iterable[str]) -> Mapping[str, str]:
    """Draw the charts of these names."""
    charts = {**_SHARED, **_OF_TASK[Task(found["task"])]}
    return {
        name: svg(name, partial(chart, found), height(found))
        for name, (chart, height) in ((name, charts[name]) for name in names)
    }


def _baselines(found: Found, axes: "Axes") -> None:
    metric = found["test"][found["primary"]]
    models = list(reversed(metric["models"].items()))
    value = metric["models"]["model"]["value"]
    if value is not None:
        axes.axvline(value, color=BLUE, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    for place, (name, figure) in enumerate(models):
        _whisker(axes, figure, place, BLUE if name == "model" else GREY)
    _names_down(axes, [name for name, _ in models])
    axes.set_xlabel(metric["title"])


def _whisker(axes: "Axes", figure: Found, place: int, colour: str) -> None:
    if figure["low"] is not None:
        axes.plot([figure["low"], figure["high"]], [place, place], color=colour, linewidth=1.6)
    if figure["value"] is not None:
        axes.plot([figure["value"]], [place], "o", color=colour, markersize=6)


def _importance(found: Found, axes: "Axes") -> None:
    known = [item for item in found["importance"].items() if item[1]["mean"] is not None]
    shown = known[:_COLUMNS_SHOWN][::-1]
    means = [loss["mean"] for _, loss in shown]
    spreads = [*zip(*(_around(loss) for _, loss in shown), strict=True)]
    axes.barh(range(len(shown)), means, height=0.6, color=BLUE)
    axes.errorbar(means, range(len(shown)), xerr=spreads, fmt="none", ecolor=INK, elinewidth=1)
    axes.axvline(0, color=GREY, linewidth=0.8)
    _names_down(axes, [name for name, _ in shown])
    axes.set_xlabel(f"Worsening of {wording.within(found['test'][found['primary']]['title'])}")


def _around(loss: Found) -> tuple[float, float]:
    """Return how far a line goes to the left and to the right of a bar's end."""
    if "low" not in loss:
        return loss["sd"], loss["sd"]
    if loss["low"] is None or loss["high"] is None:
        return 0.0, 0.0
    return max(loss["mean"] - loss["low"], 0.0), max(loss["high"] - loss["mean"], 0.0)


def _names_down(axes: "Axes", names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [*map(wording.name, names)])
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=5)


Chart = tuple[Callable[[Found, "Axes"], None], Callable[[Found], float]]
"""What draws it, and how many inches high it is."""


def _high(inches: float) -> Callable[[Found], float]:
    return lambda found: inches


_SHARED: Mapping[str, Chart] = {
    "baselines": (
        _baselines,
        lambda found: _AROUND + _PER_NAME * len(found["test"][found["primary"]]["models"]),
    ),
    "importance": (
        _importance,
        lambda found: _AROUND + _PER_NAME * min(len(found["importance"]), _COLUMNS_SHOWN),
    ),
    "months": (metric_by_month, _high(2.9)),
    "means": (means_by_month, _high(2.9)),
    variation.CHART: (variation.draw, _high(1.6)),
}
_OF_TASK: Mapping[Task, Mapping[str, Chart]] = {
    Task.CLASSIFICATION: {
        "roc": (roc, _high(3.3)),
        "precision-recall": (precision_recall, _high(3.3)),
        "calibration": (calibration, _high(3.3)),
        costs.CHART: (costs.chart, _high(2.9)),
    },
    Task.REGRESSION: {
        "calibration": (calibration, _high(3.3)),
        "residuals": (residuals, _high(2.9)),
    },
    Task.MULTICLASS: {
        "calibration": (calibration, _high(3.3)),
        "class-calibration": (classes.draw_calibration, _high(3.5)),
        "confusion": (classes.draw_confusion, classes.confusion_height),
    },
}
