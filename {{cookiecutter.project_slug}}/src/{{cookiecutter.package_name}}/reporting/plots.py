"""The charts of the report, as SVG text by name."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ..task import Task
from . import curves, timeline, wording
from .colours import BLUE, GREY, INK
from .drawing import svg
from .wording import Found

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS_SHOWN = 20
_PER_NAME = 0.25
"""Inches for one row of a chart that has names down its side."""
_AROUND = 0.65


def draw(found: Found, names: Iterable[str]) -> Mapping[str, str]:
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
    means, spreads = ([loss[of] for _, loss in shown] for of in ("mean", "sd"))
    axes.barh(range(len(shown)), means, height=0.6, color=BLUE)
    axes.errorbar(means, range(len(shown)), xerr=spreads, fmt="none", ecolor=INK, elinewidth=1)
    axes.axvline(0, color=GREY, linewidth=0.8)
    _names_down(axes, [name for name, _ in shown])
    axes.set_xlabel(f"Worsening of {wording.within(found['test'][found['primary']]['title'])}")


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
    "months": (timeline.metric_by_month, _high(2.9)),
    "means": (timeline.means_by_month, _high(2.9)),
}
_OF_TASK: Mapping[Task, Mapping[str, Chart]] = {
    Task.CLASSIFICATION: {
        "roc": (curves.roc, _high(3.3)),
        "precision-recall": (curves.precision_recall, _high(3.3)),
        "calibration": (curves.calibration, _high(3.3)),
    },
    Task.REGRESSION: {
        "calibration": (curves.calibration, _high(3.3)),
        "residuals": (curves.residuals, _high(2.9)),
    },
}
