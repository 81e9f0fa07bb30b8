"""python -m {{ cookiecutter.package_name }}.steps.ingest

Bring rows in.
"""

from mlrails.core import layout
from mlrails.core.console import say, track
from mlrails.data import frames, parquet
from mlrails.stages.stage import Stage, run

from .. import schema, source


def ingest(stage: Stage) -> None:
    """Write `data/raw/rows.parquet`."""
    with frames.no_booleans_made_up():
        given = source.rows(track)
    rows = frames.typed(given, schema.COLUMNS)
    parquet.write(rows, stage.root / layout.RAW)
    say(f"ingest: {len(rows):,} rows in {layout.RAW}")


if __name__ == "__main__":
    run(ingest)
