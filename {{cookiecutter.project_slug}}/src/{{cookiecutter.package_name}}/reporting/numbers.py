"""How a model of numbers behaves: predicted against actual, and the errors."""

from collections.abc import Iterator, Sequence

from . import wording
from .blocks import Block, Picture, Pictures, Section, Table, Text, Tile
from .mean import target_mean
from .wording import Found, number


def number_tiles(found: Found) -> Sequence[Tile]:
    """Return what matters beside the metrics."""
    return [target_mean(found).tile(found)]


def number_sections(found: Found) -> Iterator[Section]:
    """Yield calibration and errors."""
    yield Section("Predicted against actual", list(_number_calibration(found)))
    yield Section("How large the errors are", list(_errors(found)))


def _number_calibration(found: Found) -> Iterator[Block]:
    error = number(found["behaviour"]["calibration_error"], _digits(found))
    yield Text(
        f"{target_mean(found).bias(found)} Over twentieths of the rows, prediction and outcome are "
        f"{error} apart on average (calibration error)."
    )
    if len(found["behaviour"]["calibration"]["x"]) < 2:
        yield Text("All predictions are alike, so there is no curve to draw.")
        return
    yield Pictures(
        [
            Picture(
                "calibration",
                "Mean outcome against mean prediction",
                "Each dot is a twentieth of the test rows, by prediction. On the diagonal the mean "
                "comes true; a flat row of dots would mean that the model tells rows apart badly.",
            )
        ]
    )


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
