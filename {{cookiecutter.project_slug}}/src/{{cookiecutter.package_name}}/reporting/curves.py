"""Charts of how a model behaves: curves, calibration and errors."""

from typing import TYPE_CHECKING

from .colours import BLUE, GREY, SKY
from .mean import target_mean
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
