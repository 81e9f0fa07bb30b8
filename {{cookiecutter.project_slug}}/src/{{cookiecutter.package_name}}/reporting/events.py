"""How a model of events behaves: order, probabilities, and calls at the threshold."""

from collections.abc import Iterator, Sequence

from . import wording
from .blocks import Block, Picture, Pictures, Section, Table, Text, Tile, Tint
from .mean import target_mean
from .wording import Found, number, percent

_RULES = {
    "f1": "F1, the harmonic mean of precision and recall, is highest",
    "youden": "recall minus the share of false alarms (Youden's index) is highest",
}


def event_tiles(found: Found) -> Sequence[Tile]:
    """Return what matters beside the area under ROC."""
    mean, behaviour = target_mean(found), found["behaviour"]
    share = mean.written(found["parts"]["test"]["target"])
    precision, recall, _ = _at_threshold(behaviour["confusion"])
    average = number(behaviour["average_precision"], 3)
    return [
        Tile("Average precision", average, f"by guessing it is {share}"),
        mean.tile(found),
        Tile("Events found", percent(recall), f"{percent(precision)} of the calls are right"),
    ]


def event_sections(found: Found) -> Iterator[Section]:
    """Yield order, probabilities and calls."""
    yield Section("Telling events from the rest", [_curves(found)])
    yield Section("Whether the probabilities hold", list(_event_calibration(found)))
    yield Section("Calls at the threshold", list(_calls(found)))


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
    yield Text(
        f"{target_mean(found).bias(found)} Over tenths of the rows, prediction and outcome are "
        f"{error} apart on average (calibration error)."
    )
    if len(found["behaviour"]["calibration"]["x"]) < 2:
        yield Text("All predictions are alike, so there is no curve to draw.")
        return
    yield Pictures(
        [
            Picture(
                "calibration",
                "Share that came true against predicted probability",
                "Each dot is a tenth of the test rows, by predicted probability. On the diagonal "
                "as many come true as predicted; below it the model promises too much.",
            )
        ]
    )


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
