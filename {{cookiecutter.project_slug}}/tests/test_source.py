"""The source: what it gives keeps the schema, and what it cannot give it says in words.

It is handed a `track` that passes on the first chunk alone, so a source that reads in chunks is
tried on a few of its rows; `nox -s train` checks all of them.
"""

import inspect
from collections.abc import Iterable
from itertools import islice

import pandas as pd

from flight_delays import source
from flight_delays.schema import COLUMNS
from mlrails.core.errors import UsageError, WorldError
from mlrails.data import frames, validation


def first(chunks: Iterable[pd.DataFrame], description: str, total: int) -> list[pd.DataFrame]:
    """Pass on the first chunk, as `track` passes on all."""
    return list(islice(chunks, 1))


def test_the_source_takes_what_shows_its_progress() -> None:
    inspect.signature(source.rows).bind(first)


def test_the_rows_keep_the_schema_or_it_is_said_why_there_are_none() -> None:
    try:
        with frames.no_booleans_made_up():
            given = source.rows(first)
    except (UsageError, WorldError) as error:
        assert str(error).strip(), "say which file is missing, and what to do"
        return
    rows = frames.typed(given, COLUMNS)
    assert len(rows)
    assert validation.violations(rows, COLUMNS) == []
