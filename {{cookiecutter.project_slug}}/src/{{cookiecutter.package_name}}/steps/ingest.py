"""python -m {{ cookiecutter.package_name }}.steps.ingest

Bring rows in.
"""

from mlrails.core import layout
from mlrails.core.console import say, track
from mlrails.data import frames, parquet
from mlrails.sources import provenance
from mlrails.stages.stage import Stage, run

from .. import schema, source


def ingest(stage: Stage) -> None:
    """Write `data/raw/rows.parquet`, and beside it what was read."""
    with frames.no_booleans_made_up(), provenance.noted() as read:
        given = source.rows(track)
    rows = frames.typed(given, schema.COLUMNS)
    parquet.write(rows, stage.root / layout.RAW)
    provenance.write(read, stage.root)
    say(f"ingest: {len(rows):,} rows in {layout.RAW}")


if __name__ == "__main__":
    run(ingest)
