"""python -m {{ cookiecutter.package_name }}.steps.prepare

Check the rows and split them.
"""

from mlrails.audit import guard
from mlrails.core import layout
from mlrails.core.console import say
from mlrails.data import parquet, splits, validation
from mlrails.stages.stage import Stage, run

from ..schema import COLUMNS


def prepare(stage: Stage) -> None:
    """Write the training, validation and test rows, with the columns that later stages read."""
    params = stage.params
    validation.check_columns(params, COLUMNS)
    rows = parquet.read(stage.root / layout.RAW)
    validation.check(rows, COLUMNS, str(layout.RAW), with_rows=not stage.settings.in_ci)
    parts = splits.divided(rows, params, validation.needed(params))
    validation.check_parts(parts, rows, params)
    guard.check(parts, params, COLUMNS)
    for part, chosen in parts.items():
        parquet.write(chosen, stage.root / layout.prepared(part))
    sizes = ", ".join(f"{part} {len(chosen):,}" for part, chosen in parts.items())
    say(f"prepare: {sizes} rows in {layout.PREPARED}")


if __name__ == "__main__":
    run(prepare)
