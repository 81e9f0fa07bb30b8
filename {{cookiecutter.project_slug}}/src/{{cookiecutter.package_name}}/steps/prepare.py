"""python -m {{ cookiecutter.package_name }}.steps.prepare

Check the rows and split them.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from .. import data, layout, splits, validation
from ..console import say
from ..errors import UsageError
from ..params import FILE, Params
from ..stage import Stage, run

if TYPE_CHECKING:
    import pandas as pd


def prepare(stage: Stage) -> None:
    """Write the training, validation and test rows, with the columns that later stages read."""
    validation.check_columns(stage.params)
    rows = data.read(stage.root / layout.RAW)
    validation.check(rows, str(layout.RAW), with_rows=not stage.settings.in_ci)
    labels, columns = splits.label(rows, stage.params), list(_columns(stage.params))
    chosen = {part: rows.loc[labels == part, columns] for part in layout.PARTS}
    for part, frame in chosen.items():
        _check(part, frame, rows, stage.params)
    for part, frame in chosen.items():
        data.write(frame, stage.root / layout.prepared(part))
    sizes = ", ".join(f"{part} {np.sum(labels == part):,}" for part in layout.PARTS)
    say(f"prepare: {sizes} rows in {layout.PREPARED}")


def _columns(params: Params) -> Iterator[str]:
    """Yield what later stages need, each once."""
    data_, features = params.data, params.features
    yield from dict.fromkeys(
        [
            *([data_.time] if data_.time else []),
            *features.categorical,
            *features.numeric,
            *params.evaluation.slices,
            data_.target,
        ]
    )


def _check(part: layout.Part, chosen: "pd.DataFrame", rows: "pd.DataFrame", params: Params) -> None:
    if chosen.empty:
        raise UsageError(_no_rows(part, rows, params))
    if chosen[params.data.target].nunique() < 2:
        raise UsageError(
            f"{FILE}: the {part} rows have only one value of {params.data.target!r}, so nothing "
            "can be learnt or measured; change 'split' or 'data.until'"
        )
    features = {"numeric": params.features.numeric, "categorical": params.features.categorical}
    for kind, names in features.items() if part == "train" else ():
        for name in names:
            if chosen[name].isna().all():
                raise UsageError(
                    f"{FILE}: 'features.{kind}' names {name!r}, which no train row has"
                )


def _no_rows(part: layout.Part, rows: "pd.DataFrame", params: Params) -> str:
    where = ""
    if params.data.time and len(rows):
        times = rows[params.data.time]
        where = f"; the rows reach from {times.min():%Y-%m-%d} to {times.max():%Y-%m-%d}"
    return (
        f"{FILE}: 'split' and 'data.until' leave no {part} rows{where}; "
        "change the lengths, or the last day"
    )


if __name__ == "__main__":
    run(prepare)
