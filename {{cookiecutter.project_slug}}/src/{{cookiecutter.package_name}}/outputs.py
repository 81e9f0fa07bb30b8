"""The three files of one output: predictions, rows set aside, and what both were made of."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import UsageError

_TOLD = {"digest", "plan", "rows", "refused"}


def refused(output: Path) -> Path:
    """Return where the rows that the model does not take are told."""
    return output.with_name(f"{output.stem}.refused{output.suffix}")


def about_of(output: Path) -> Path:
    """Return where it is told what an output was made of."""
    return output.with_name(f"{output.name}.json")


def told(output: Path) -> Mapping[str, Any] | None:
    """Return what is told of an output, or None where nothing of ours stands there."""
    try:
        found: Any = json.loads(about_of(output).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and set(found) >= _TOLD else None


def check(output: Path) -> None:
    """Raise UsageError where something that we have not made stands at any of the three places."""
    if told(output) is not None:
        return
    for path in (output, refused(output), about_of(output)):
        if path.exists():
            raise UsageError(
                f"{path}: was not made by `predict`; move it away, or name another output"
            )


def join(parts: Sequence[Path], scratch: Path, target: Path, about: Mapping[str, Any]) -> int:
    """Write the parts one after the other into one file; return the number of rows."""
    import pyarrow.csv
    import pyarrow.parquet

    schema = pyarrow.parquet.read_schema(parts[0])
    schema = schema.with_metadata({name: str(value) for name, value in about.items()})
    make = {".csv": pyarrow.csv.CSVWriter, ".parquet": pyarrow.parquet.ParquetWriter}
    rows = 0
    with make[target.suffix](scratch, schema) as out:
        for part in parts:
            table = pyarrow.parquet.read_table(part)
            rows += table.num_rows
            out.write_table(table.replace_schema_metadata(schema.metadata))
    return rows
