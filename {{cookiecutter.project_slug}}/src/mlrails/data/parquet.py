"""Parquet in and out, whole files only."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..core import files
from ..core.errors import UsageError, WorldError
from ..core.layout import PARTS, Part, prepared

if TYPE_CHECKING:
    import pandas as pd


def read(path: Path) -> "pd.DataFrame":
    """Read a Parquet file; raises WorldError naming the file."""
    import pandas as pd
    from pyarrow import ArrowException

    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise WorldError(f"{path}: the file is missing; run `nox -s train` to make it") from None
    except (ArrowException, ValueError, OSError) as error:
        if getattr(error, "errno", None):  # The system's own, such as a missing permission.
            raise
        raise WorldError(
            f"{path}: not a whole Parquet file ({str(error).splitlines()[0]:.80}); "
            "delete it and run `nox -s train` to make it again"
        ) from None


def write(rows: "pd.DataFrame", path: Path) -> None:
    """Write a Parquet file whole or not at all; the same rows give the same bytes."""
    from pyarrow import ArrowException

    try:
        with files.replacing(path) as scratch:
            rows.to_parquet(scratch, index=False)
    except (ArrowException, ValueError, TypeError):
        # What Arrow says of it quotes values, which must not get into a public log.
        raise UsageError(f"{path.name}: {_fault(rows)}; mend the source (source.py)") from None


def _fault(rows: "pd.DataFrame") -> str:
    """Say which columns keep rows from being written, without a value of theirs."""
    names = list(map(str, rows.columns))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        return f"the column {twice[0]!r} stands twice"
    mixed = [name for name in names if rows[name].map(type).nunique() > 1]
    return f"the columns {mixed} mix types" if mixed else "the rows cannot be written as Parquet"


def read_parts(root: Path, parts: Sequence[Part] = PARTS) -> "dict[Part, pd.DataFrame]":
    """Read prepared parts of a project."""
    return {part: read(root / prepared(part)) for part in parts}
