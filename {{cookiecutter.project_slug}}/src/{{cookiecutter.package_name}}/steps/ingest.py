"""python -m {{ cookiecutter.package_name }}.steps.ingest

Bring rows in.
"""

from .. import data, frames, layout, schema, source
from ..console import say, track
from ..stage import Stage, run


def ingest(stage: Stage) -> None:
    """Write `data/raw/rows.parquet`."""
    with frames.no_booleans_made_up():
        given = source.rows(track)
    rows = frames.typed(given, schema.COLUMNS)
    data.write(rows, stage.root / layout.RAW)
    say(f"ingest: {len(rows):,} rows in {layout.RAW}")


if __name__ == "__main__":
    run(ingest)
