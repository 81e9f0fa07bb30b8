"""How means of the target are written, and whether the model's mean is off."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..task import Task
from . import wording
from .blocks import Tile
from .wording import Found, number

if TYPE_CHECKING:
    from matplotlib.ticker import Formatter


@dataclass(frozen=True)
class Mean:
    """Means of one target: shares of events as percentages, numbers as they are."""

    title: str
    factor: float
    """What a mean is multiplied with to be written."""
    digits: int
    unit: str
    unit_of_difference: str

    def written(self, value: float | None) -> str:
        """Write a mean."""
        return number(value, 0) if value is None else self._scaled(value) + self.unit

    def ticks(self) -> "Formatter":
        """Return how an axis of such means is labelled."""
        from matplotlib.ticker import PercentFormatter, ScalarFormatter

        return PercentFormatter(1) if self.unit else ScalarFormatter()

    def tile(self, found: Found) -> Tile:
        """Hold the mean prediction against the mean target of the test rows."""
        predicted, actual = self._means(found)
        low, high = found["bias"]["low"], found["bias"]["high"]
        off = low is not None and not low <= 0 <= high
        return Tile("Predicted on average", predicted, f"{actual} came true", alarm=off)

    def bias(self, found: Found) -> str:
        """Say how the mean prediction stands to the mean target of the test rows."""
        predicted, actual = self._means(found)
        off = self._off(found)
        return f"On average it predicts {predicted} where {actual} came true{off}."

    def _means(self, found: Found) -> tuple[str, str]:
        means = found["behaviour"]["mean_score"], found["parts"]["test"]["target"]
        return self.written(means[0]), self.written(means[1])

    def _off(self, found: Found) -> str:
        low, value, high = (found["bias"][end] for end in ("low", "value", "high"))
        if low is None:
            return ""
        if low <= 0 <= high:
            return f", no more apart than the luck of the {wording.drawn(found)} allows"
        way, ends = ("high", (low, high)) if low > 0 else ("low", (-high, -low))
        between = " to ".join(map(self._scaled, ends))
        sure = wording.percent(found["confidence"], 0)
        by = f"{self._scaled(abs(value))}{self.unit_of_difference}"
        return f": too {way} by {by} ({sure} interval {between})"

    def _scaled(self, value: float) -> str:
        return number(self.factor * value, self.digits)


def target_mean(found: Found) -> Mean:
    """Return how means of the target are written."""
    return _OF_TASK[Task(found["task"])](found)


def _of_events(found: Found) -> Mean:
    title = f"Share of {wording.name(found['target'])}"
    return Mean(title, 100, 1, "%", " percentage points")


def _of_numbers(found: Found) -> Mean:
    largest = max(abs(part["target"]) for part in found["parts"].values())
    digits = max(wording.decimals(largest) - 1, 0)
    return Mean(f"Mean {wording.name(found['target'])}", 1, digits, "", "")


_OF_TASK: Mapping[Task, Callable[[Found], Mean]] = {
    Task.CLASSIFICATION: _of_events,
    Task.REGRESSION: _of_numbers,
}
