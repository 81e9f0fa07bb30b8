"""Small multiples: what columns, predictions and outcomes were like, window by window."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from ...reporting import svg, wording
from ...reporting.svg import BLUE, FAINT, GREY, INK, ORANGE, PALE, SKY
from .told import Found

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER = "monitor"
_SMALL, _WIDE = (2.5, 1.25), (4.7, 2.3)
"""Inches, width and height."""
_COLOURS = (BLUE, SKY, GREY)
_DASHED = (0, (4, 3))


@dataclass(frozen=True)
class Chart:
    """A chart by its name, with its caption, and what draws it."""

    name: str
    title: str
    caption: str
    draw: Callable[["Axes"], None]
    small: bool = True

    def drawn(self) -> str:
        """Return its SVG."""
        width, height = _SMALL if self.small else _WIDE
        return svg.svg(f"{FOLDER}-{self.name}", self.draw, height, width)


def of_outcomes(every: Found) -> Iterator[Chart]:
    """Yield the charts of what came: the metric, and the level of predictions and outcomes."""
    found = {**every, "windows": _since_known(every["windows"])}
    title = found["metric"]["title"]
    if _several(found, "came") or _several(found, "estimated"):
        yield Chart(
            "metric",
            f"{title} by window",
            "Dots are what came of rows that the model had not learnt from. Dashed: what the "
            "model's own probabilities say it would be. Pale: after the model was made; orange: "
            "an alarm.",
            partial(_metric, found),
            small=False,
        )
    if _several(found, "actual"):
        yield Chart(
            "level",
            "Mean prediction and mean outcome by window",
            "Where the two part, the level is off; where that has changed, there is an alarm.",
            partial(_level, found),
            small=False,
        )


def _since_known(windows: Sequence[Found]) -> Sequence[Found]:
    """Leave out the windows that the model has learnt of, which say nothing of how good it is."""
    known = [at for at, it in enumerate(windows) if it["estimated"] or it["came"] is not None]
    return windows[known[0] :] if known else windows


def _several(found: Found, name: str) -> bool:
    return sum(it[name] is not None for it in found["windows"]) > 1


def of_columns(found: Found) -> Iterator[Chart]:
    """Yield a chart of each column, those with an alarm first."""
    alarmed = [name for it in found["alarms"] if it["counts"] for name in it["columns"]]
    columns = sorted(found["columns"], key=lambda it: it["name"] not in alarmed)
    for place, column in enumerate(columns):
        yield from _of_column(found, column, f"column-{place}", column["name"] in alarmed)


def _of_column(found: Found, column: Found, name: str, is_alarmed: bool) -> Iterator[Chart]:
    shown = "the prediction" if column["is_prediction"] else wording.name(column["name"])
    series, moved = column["series"], _moved(found, column["name"]) if is_alarmed else set()
    if "mean" in series:
        yield Chart(name, shown, "mean", partial(_lines, found, column, {"": series["mean"]}))
    elif "shares" in series:
        keys = ", ".join(wording.name(it, 14) for it in series["shares"])
        drawn = partial(_lines, found, column, series["shares"])
        yield Chart(name, shown, f"shares: {keys}", drawn)
    for respect, words in (("missing", "share that is missing"), ("repeated", "commonest value")):
        if respect in moved and respect in series:
            drawn = partial(_lines, found, column, {"": series[respect]})
            yield Chart(f"{name}-{respect}", shown, words, drawn)


def _moved(found: Found, name: str) -> set[str]:
    """Return in which respects a column has moved in a window that is shown."""
    looks = [it["look"] for it in found["windows"] if it["look"]]
    moved = {mover["respect"] for it in looks for mover in it["movers"] if mover["column"] == name}
    last = max((it["to"] for it in found["windows"]), default="")
    faults = [it["what"] for it in found["alarms"] if name in it["columns"] and it["since"] <= last]
    told = {"missing": "is missing in", "repeated": "one value of"}
    return moved | {it for it, words in told.items() if any(words in fault for fault in faults)}


def _lines(found: Found, column: Found, lines: Found, axes: "Axes") -> None:
    """Draw one line for each of a few series of a column."""
    _ground(found, axes, column["name"])
    for (_, values), colour in zip(lines.items(), _COLOURS, strict=False):
        known = [(at, it) for at, it in enumerate(values) if it is not None]
        axes.plot([at for at, _ in known], [it for _, it in known], color=colour, linewidth=1.3)
    if "" not in lines or max((it or 0 for it in lines[""]), default=0) > 1:
        axes.set_ylim(*_room(lines))
    axes.locator_params(axis="y", nbins=4)
    _dates(found, axes, 3)


def _room(lines: Found) -> tuple[float, float]:
    """Return ends that let a usual wobble look like one: not all of the height."""
    values = [it for line in lines.values() for it in line if it is not None] or [0.0]
    low, high = min(values), max(values)
    room = max(0.25 * (high - low), 0.02 * abs(high), 1e-9)
    return low - room, high + room


def _metric(found: Found, axes: "Axes") -> None:
    _ground(found, axes, None)
    _series(found, axes, "estimated", color=GREY, linestyle=_DASHED, linewidth=1.0)
    _series(found, axes, "came", color=BLUE, marker="o", markersize=3.5, linewidth=1.3)
    axes.set_title(found["metric"]["title"])
    _dates(found, axes, 6)


def _level(found: Found, axes: "Axes") -> None:
    _ground(found, axes, None)
    _series(found, axes, "predicted", color=BLUE, linewidth=1.3, label="predicted")
    drawn = {"color": INK, "marker": "o", "markersize": 3.5, "linewidth": 1.0}
    _series(found, axes, "actual", label="came", **drawn)
    axes.set_title("Mean")
    axes.figure.legend(loc="outside lower center", ncols=2, handletextpad=0.3)
    _dates(found, axes, 6)


def _series(found: Found, axes: "Axes", name: str, **how: object) -> None:
    known = [(at, it[name]) for at, it in enumerate(found["windows"]) if it[name] is not None]
    axes.plot([at for at, _ in known], [it for _, it in known], **how)  # type: ignore[arg-type]


def _ground(found: Found, axes: "Axes", column: str | None) -> None:
    """Tint the windows after the model, and those with an alarm of a column, or of outcomes."""
    axes.grid(visible=False, axis="x")
    for place, window in enumerate(found["windows"]):
        if not window["is_new"]:
            continue
        alarm = _alarms(found, window, column)
        colour, strength = (ORANGE, 0.3) if alarm else (FAINT, 1.0)
        axes.axvspan(place - 0.5, place + 0.5, color=colour, alpha=strength, linewidth=0, zorder=0)


def _alarms(found: Found, window: Found, column: str | None) -> bool:
    if column is None:
        return bool(window["outcomes"] and window["outcomes"]["alarm"])
    ends = window["from"], window["to"]
    return any(
        column in it["columns"] and it["until"] >= ends[0] and it["since"] <= ends[1]
        for it in found["alarms"]
    )


def _dates(found: Found, axes: "Axes", most: int) -> None:
    windows = found["windows"]
    step = max(-(-len(windows) // most), 1)
    places = range(0, len(windows), step)
    axes.set_xticks(list(places), [_short(windows[it]["from"]) for it in places])
    axes.set_xlim(-0.5, len(windows) - 0.5)
    axes.spines["bottom"].set_color(PALE)


def _short(day: str) -> str:
    when = date.fromisoformat(day)
    return f"{when.day} {wording.month(when.month)[:3]}"
