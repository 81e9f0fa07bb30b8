"""What the report tells of one task in its own way: events with probabilities, and numbers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.params import Task
from . import costs, wording
from .blocks import Block, Picture, Pictures, Section, Table, Text, Tile, Tint
from .wording import Found, number, percent

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
        off = self.off(found)
        return f"On average it predicts {predicted} where {actual} came true{off}."

    def _means(self, found: Found) -> tuple[str, str]:
        means = found["behaviour"]["mean_score"], _came_true(found)
        return self.written(means[0]), self.written(means[1])

    def off(self, found: Found) -> str:
        """Say by how much more or less is predicted than came true, or that luck explains it."""
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


def _came_true(found: Found) -> float:
    """Return the mean of the test rows, or how often the class that was called was right."""
    behaviour: Found = found["behaviour"]
    return float(behaviour.get("mean_target", found["parts"]["test"]["target"]))


def target_mean(found: Found) -> Mean:
    """Return how means of the target are written."""
    return _OF_TASK[Task(found["task"])](found)


def _mean_of_events(found: Found) -> Mean:
    title = f"Share of {wording.name(found['target'])}"
    return Mean(title, 100, 1, "%", " percentage points")


def _mean_of_numbers(found: Found) -> Mean:
    largest = max(abs(part["target"]) for part in found["parts"].values())
    digits = max(wording.decimals(largest) - 1, 0)
    return Mean(f"Mean {wording.name(found['target'])}", 1, digits, "", "")


_OF_TASK: Mapping[Task, Callable[[Found], Mean]] = {
    Task.CLASSIFICATION: _mean_of_events,
    Task.REGRESSION: _mean_of_numbers,
    # Probabilities of classes have no mean; that the one that is called is right has one.
    Task.MULTICLASS: lambda found: Mean("Called right", 100, 1, "%", " percentage points"),
}


def number_tiles(found: Found) -> Sequence[Tile]:
    """Return what matters beside the metrics."""
    return [target_mean(found).tile(found)]


def number_sections(found: Found) -> Iterator[Section]:
    """Yield calibration and errors."""
    yield Section("Predicted against actual", list(_number_calibration(found)))
    yield Section("How large the errors are", list(_errors(found)))


def _number_calibration(found: Found) -> Iterator[Block]:
    error = number(found["behaviour"]["calibration_error"], _digits(found))
    picture = Picture(
        "calibration",
        "Mean outcome against mean prediction",
        "Each dot is a twentieth of the test rows, by prediction. On the diagonal the mean "
        "comes true; a flat row of dots would mean that the model tells rows apart badly.",
    )
    return _calibration(found, "twentieths", error, picture)


def _calibration(found: Found, bins: str, error: str, picture: Picture) -> Iterator[Block]:
    yield Text(
        f"{target_mean(found).bias(found)} Over {bins} of the rows, prediction and outcome are "
        f"{error} apart on average (calibration error)."
    )
    if len(found["behaviour"]["calibration"]["x"]) < 2:
        yield Text("All predictions are alike, so there is no curve to draw.")
        return
    yield Pictures([picture])


def _errors(found: Found) -> Iterator[Block]:
    quantiles, digits = found["behaviour"]["residuals"]["quantiles"], _digits(found)
    shown = {share: number(value, digits) for share, value in quantiles.items()}
    yield Text(
        f"Half of the errors lie between {shown['0.25']} and {shown['0.75']}, nine in ten between "
        f"{shown['0.05']} and {shown['0.95']}. An error is the outcome minus the prediction: above "
        "zero the model said too little."
    )
    yield Pictures(
        [
            Picture(
                "residuals",
                "Errors on the test rows",
                "How many rows have which error; the outermost half percent on either side is left "
                "out. The shaded range holds half of the rows, the line is their median.",
            )
        ]
    )
    yield Table(
        header=("Share of rows below", *(wording.percent(float(share), 0) for share in shown)),
        rows=[("Error", *shown.values())],
    )


def _digits(found: Found) -> int:
    metric = found["test"][found["primary"]]
    return max(wording.decimals(metric["models"]["model"]["value"]) - 1, 0)


_RULES = {
    "f1": "F1, the harmonic mean of precision and recall, is highest",
    "youden": "recall minus the share of false alarms (Youden's index) is highest",
    "cost": "what wrong calls cost is lowest",
}


def event_tiles(found: Found) -> Sequence[Tile]:
    """Return what matters beside the area under ROC."""
    mean, behaviour = target_mean(found), found["behaviour"]
    share = mean.written(found["parts"]["test"]["target"])
    precision, recall, _ = _at_threshold(behaviour["confusion"])
    average = number(behaviour["average_precision"], 3)
    chosen = found["primary"] == "average_precision"  # It has a tile already.
    return [
        *([] if chosen else [Tile("Average precision", average, f"by guessing it is {share}")]),
        mean.tile(found),
        Tile("Events found", percent(recall), f"{percent(precision)} of the calls are right"),
    ]


def event_sections(found: Found) -> Iterator[Section]:
    """Yield order, probabilities and calls."""
    yield Section("Telling events from the rest", [_curves(found)])
    yield Section("Whether the probabilities hold", list(_event_calibration(found)))
    yield Section("Calls at the threshold", list(_calls(found)))
    yield from costs.sections(found)


def _curves(found: Found) -> Block:
    area = number(found["test"]["roc_auc"]["models"]["model"]["value"], 3)
    share = target_mean(found).written(found["parts"]["test"]["target"])
    average = number(found["behaviour"]["average_precision"], 3)
    return Pictures(
        [
            Picture(
                "roc",
                "ROC curve",
                "Each point is a threshold: the share of events found against the share of other "
                f"rows called by mistake. The diagonal is guessing; the area below is {area}. The "
                "dot is the threshold of the model.",
            ),
            Picture(
                "precision-recall",
                "Precision-recall curve",
                "Each point is a threshold: how many of the calls are right against how many "
                f"events are found. Guessing gives {share}; the average precision is {average}.",
            ),
        ]
    )


def _event_calibration(found: Found) -> Iterator[Block]:
    error = percent(found["behaviour"]["calibration_error"])
    picture = Picture(
        "calibration",
        "Share that came true against predicted probability",
        "Each dot is a tenth of the test rows, by predicted probability. On the diagonal "
        "as many come true as predicted; below it the model promises too much.",
    )
    return _calibration(found, "tenths", error, picture)


def _calls(found: Found) -> Iterator[Block]:
    behaviour = found["behaviour"]
    precision, recall, f1 = _at_threshold(behaviour["confusion"])
    yield Text(
        f"{_threshold(found)} On the test rows {percent(precision)} of the calls are right "
        f"(precision), {percent(recall)} of the events are found (recall), and F1 is "
        f"{number(f1, 3)}."
    )
    yield _confusion(found)


def _threshold(found: Found) -> str:
    threshold, rule = found["behaviour"]["threshold"], found["threshold_rule"]
    target = wording.name(found["target"])
    if threshold is None:
        return f"A row is called {target} from a probability of 0.5 on; no threshold was chosen."
    return (
        f"A row is called {target} from a probability of {number(threshold, 3)} on. That threshold "
        f"was chosen on the validation rows, where {_RULES[rule]}; the test rows had no say."
    )


def _confusion(found: Found) -> Block:
    counts = found["behaviour"]["confusion"]
    total = max(sum(counts.values()), 1)

    def cell(name: str, good: bool) -> Tint:
        share = counts[name] / total
        return Tint(f"{counts[name]:,} ({percent(share)})", share, good)

    target = wording.name(found["target"])
    return Table(
        header=("Test rows", f"Called {target}", "Not called"),
        rows=[
            (f"Actually {target}", cell("true_positive", True), cell("false_negative", False)),
            ("Actually not", cell("false_positive", False), cell("true_negative", True)),
        ],
    )


def _at_threshold(counts: Found) -> tuple[float | None, float | None, float | None]:
    """Return precision, recall and F1; None where nothing was called or nothing happened."""
    hits = counts["true_positive"]
    called, events = hits + counts["false_positive"], hits + counts["false_negative"]
    return (
        hits / called if called else None,
        hits / events if events else None,
        2 * hits / (called + events) if called + events else None,
    )
