"""The pictures of a search: how it went, what matters, and which values go with which figure."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from ..reporting.svg import BLUE, GREY, INK, ORANGE, PALE, SKY, svg
from .space import Choices, Space
from .trial import State, Trial

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PER_NAME, _AROUND = 0.25, 0.65
"""Inches."""
_TALL = 3.3
_MANY = 6
"""Upright lines, whose names have no room beside each other."""


def drawn(
    trials: Sequence[Trial], space: Space, higher: bool, title: str, importance: Mapping[str, float]
) -> Mapping[str, str]:
    """Draw the pictures that there is something for, as SVG by their names."""
    found = {"tune-history": svg("tune-history", partial(_history, trials, higher, title), _TALL)}
    if importance:
        height = _AROUND + _PER_NAME * len(importance)
        found["tune-importance"] = svg("tune-importance", partial(_importance, importance), height)
    inside = [it for it in trials if it.state is State.WHOLE and it.drawn]
    if len(inside) > 1:
        draw = partial(_parallel, inside, space, higher, title)
        found["tune-parallel"] = svg("tune-parallel", draw, _TALL)
    return found


def _history(trials: Sequence[Trial], higher: bool, title: str, axes: "Axes") -> None:
    whole = [it for it in trials if it.value is not None]
    numbers, values = [it.number for it in whole], [float(it.value or 0.0) for it in whole]
    axes.plot(numbers, values, "o", color=SKY, markersize=4)
    until = list(accumulate(values, max if higher else min))
    axes.step(numbers, until, where="post", color=BLUE, linewidth=1.6)
    axes.locator_params("x", integer=True)  # There is no trial one and a half.
    axes.set_xlabel("Trial")
    axes.set_title(title)


def _importance(importance: Mapping[str, float], axes: "Axes") -> None:
    names, shares = list(importance)[::-1], list(importance.values())[::-1]
    axes.barh(range(len(names)), shares, height=0.6, color=BLUE)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_xlabel("Share of what the trials differ by")


def _parallel(
    trials: Sequence[Trial], space: Space, higher: bool, title: str, axes: "Axes"
) -> None:
    """Draw a line for each trial across its values to its figure, the best tenth on top."""
    figures = [float(it.value or 0.0) for it in trials]
    low, high = min(figures), max(figures)
    order = sorted(range(len(trials)), key=lambda at: figures[at], reverse=not higher)
    top = {*order[-max(len(trials) // 10, 1) :]}
    first = order[-1]
    for at in order:
        trial = trials[at]
        across = [axis.place(trial.values[name]) for name, axis in space.axes.items()]
        colour = ORANGE if at == first else BLUE if at in top else PALE
        place = (figures[at] - low) / (high - low) if high > low else 0.5
        width = 1.8 if at in top else 0.8
        axes.plot([*across, place], color=colour, linewidth=width, zorder=2 + (at in top))
    _uprights(space, (low, high), axes)
    axes.set_title(f"Best in orange, the best tenth in blue; on the right: {title}")


def _uprights(space: Space, ends: tuple[float, float], axes: "Axes") -> None:
    names = [*space.axes, "figure"]
    for at in range(len(names)):
        axes.plot([at, at], [0, 1], color=GREY, linewidth=0.8, zorder=1)
    for at, axis in enumerate(space.axes.values()):
        told = axis.values if isinstance(axis, Choices) else (axis.low, axis.high)
        for place, value in enumerate(told):
            _label(axes, at, place / (len(told) - 1), value)
    for place, value in enumerate(ends):
        _label(axes, len(names) - 1, place, float(f"{value:.4g}"))
    many = len(names) > _MANY
    broken = names if many else [it.replace("_", "\n") for it in names]
    aslant: dict[str, Any] = (
        {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if many else {}
    )
    axes.set_xticks(range(len(names)), broken, **aslant)
    axes.set_yticks([])
    axes.set_xlim(-0.3, len(names) - 0.5)
    axes.set_ylim(-0.1, 1.1)
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)


def _label(axes: "Axes", across: float, up: float, value: object) -> None:
    text = f"{value:g}" if isinstance(value, int | float) else str(value)
    below = up < 0.5
    axes.text(
        across,
        up + (-0.02 if below else 0.02),
        text,
        ha="center",
        zorder=5,
        fontsize=7.5,
        va="top" if below else "bottom",
    )
