"""Whatever door the training rows come in by, the model sees what it has learnt from."""

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import callers
import fakes
import mlflow.pyfunc
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import rows
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flight_delays import features
from flight_delays.features import Encoder
from mlrails.batch import rules
from mlrails.batch.predict import Job, predict
from mlrails.core import hashing, layout
from mlrails.core.errors import Exit
from mlrails.core.layout import SERVING_LOCK
from mlrails.core.settings import Settings
from mlrails.data import frames, validation, values
from mlrails.data.schema import Column
from mlrails.modeling import directory, isolation, signature
from mlrails.serving.http.body import read_invocations
from mlrails.serving.http.media import parse_content_type
from mlrails.serving.http.messages import RefusedError
from mlrails.serving.http.rows import RowSchema
from mlrails.sources import tables

COLUMNS = [
    Column("when", "time"),
    Column("ma\u00df, \u201ein\u201c", "number", nullable=True),
    Column("is it", "boolean"),
    Column("perhaps", "boolean", nullable=True),
    Column("zone", "category", nullable=True),
    Column("name", "category"),
]
NAMES = [it.name for it in COLUMNS]
NUMERIC, CATEGORICAL = NAMES[1:4], NAMES[4:]
ODD = [
    "1", "1.0", "007", "1e5", "9007199254740993", "NA", "nan", "None", "null", "True", "-0", " ",
    " a", "a ", '"', '""', "a,b", "a;b", "a\nb", "a\r\nb", "'", "\u00e9", "e\u0301",
    "\ufeff", "=1+1", "\0",
]  # fmt: skip
TEXT = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
VALUES = {
    "time": st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "category": TEXT,
}
ROW = st.tuples(
    *(st.none() | VALUES[it.kind] if it.nullable else VALUES[it.kind] for it in COLUMNS)
)
TYPES = {"time": "datetime", "number": "double", "boolean": "boolean", "category": "string"}
FIELDS = tuple(signature.Field(it.name, TYPES[it.kind], it.nullable) for it in COLUMNS)
FORMS: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "dataframe_split": lambda found: {
        "columns": NAMES,
        "data": [[*it.values()] for it in found],
    },
    "dataframe_records": lambda found: found,
    "instances": lambda found: [[*it.values()] for it in found],
    "inputs": lambda found: {name: [it[name] for it in found] for name in NAMES},
}


def plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def written(table: list[tuple[Any, ...]], header: bool = True) -> bytes:
    """Return CSV as Python's own writer makes it."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([NAMES] * header + [[*map(plain, row)] for row in table])
    return text.getvalue().encode()


def bodies(table: list[tuple[Any, ...]]) -> Iterator[tuple[str, bytes]]:
    """Yield each body of a request that says the rows, with its kind."""
    records = [dict(zip(NAMES, map(plain, row), strict=True)) for row in table]
    for form, made in FORMS.items():
        yield "application/json", json.dumps({form: made(records)}).encode()
        yield "application/json", json.dumps({form: made(records)}, ensure_ascii=False).encode()
    yield "text/csv", written(table)
    yield "text/csv; header=absent", written(table, header=False)


def learnt(table: list[tuple[Any, ...]]) -> tuple[pd.DataFrame, Encoder]:
    """Return the rows as `ingest` has them, and what is learnt of them."""
    given = pd.DataFrame(dict(zip(NAMES, zip(*table, strict=True), strict=True)))
    found = frames.typed(given, COLUMNS)
    calendar = ["minute_of_day", "day_of_week"]
    return found, features.fit_encoder(found, NUMERIC, CATEGORICAL, "when", calendar)


def of_files(table: list[tuple[Any, ...]], folder: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the columns that batch scoring reads of each kind of file."""
    (folder / "x.csv").write_bytes(written(table))
    learnt(table)[0].to_parquet(folder / "x.parquet", index=False)
    for name in ("x.csv", "x.parquet"):
        (piece,) = tables.pieces(folder / name, name, NAMES, {})
        sifted = rules.sift(piece.rows, FIELDS)
        assert (sifted.faults, [*piece.broken]) == ([], [])
        yield sifted.columns


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(table=st.lists(ROW, min_size=1, max_size=5))
@example(table=[(datetime(2030, 1, 7, 8), None, True, None, it, it) for it in ODD])
def test_every_door_makes_the_same_of_any_table(tmp_path: Path, table: list[Any]) -> None:
    found, encoder = learnt(table)
    wanted = encoder.encode(found)
    interface = signature.Interface(FIELDS, {}, (dict.fromkeys(NAMES),))
    doors = [*of_files(table, tmp_path)]
    for kind, body in bodies(table):
        checked = read_invocations(
            body, parse_content_type(kind.encode()), RowSchema(interface), interface
        )
        doors.append({name: [row[name] for row in checked] for name in NAMES})
    # A source that reads its own files learns from the same rows.
    own = [tables.frame(tmp_path, name, NAMES) for name in ("x.csv", "x.parquet")]
    doors += [{**frames.typed(it, COLUMNS)} for it in own]
    for columns in doors:
        np.testing.assert_array_equal(encoder.encode(columns), wanted)
    assert np.isfinite(wanted[:, encoder.names.index("name")]).all()


def odd_table(count: int = 2000) -> list[tuple[Any, ...]]:
    """Return rows of every kind, with missing values, whose target depends on all columns."""
    rng = np.random.default_rng(5)
    told = []
    for place in range(count):
        zone, name = (ODD[it] for it in rng.integers(len(ODD), size=2))
        told.append(
            (
                datetime(2030, 1, 1 + place % 28, int(rng.integers(24))),
                None if rng.random() < 0.2 else float(rng.normal()),
                bool(rng.random() < 0.5),
                None if rng.random() < 0.2 else bool(rng.random() < 0.5),
                None if rng.random() < 0.2 else zone,
                name,
            )
        )
    return told


def trained(folder: Path) -> tuple[list[tuple[Any, ...]], pd.DataFrame]:
    """Write the model of the odd table; return the table, and the rows as it was trained on."""
    table = odd_table()
    found, _ = learnt(table)
    found["late"] = found["name"].isin(ODD[::2]) ^ found["zone"].isna()
    params = rows.parameters(
        data={"target": "late", "time": "when"},
        features={
            "calendar": ["minute_of_day", "day_of_week"],
            "categorical": CATEGORICAL,
            "numeric": NUMERIC,
        },
    )
    predictor = rows.fit_on(params, found, found)
    directory.write(predictor, COLUMNS, found, "odd", rows.ROOT / SERVING_LOCK, folder)
    return table, found


def test_the_training_rows_are_predicted_as_in_training_by_every_door(
    project: Path, fake: fakes.FakeClient
) -> None:
    folder = project / layout.MODEL
    table, found = trained(folder)
    digest = hashing.of_folder(folder)
    native = isolation.load(folder, digest).predict(found)
    wanted = native["probability"].tolist()
    assert len(set(wanted)) > 50

    (project / layout.METRICS).write_text(json.dumps({"digest": digest}))
    (project / layout.DIGEST).write_text(digest)
    (project / "x.csv").write_bytes(written(table))
    found.to_parquet(project / "x.parquet", index=False)
    for name in ("x.csv", "x.parquet"):
        assert predict(Settings(project), Job(name, "out.parquet"), "champion") is Exit.DONE
        scored = pd.read_parquet(project / "out.parquet")
        assert scored["probability"].tolist() == wanted
        assert scored["prediction"].tolist() == native["prediction"].tolist()

    front, _ = callers.application(folder)
    names = [it.name for it in signature.read_interface(folder).inputs]
    places = [NAMES.index(it) for it in names]
    for kind, body in bodies(table):
        sent = written_by(table, places) if "absent" in kind else body
        if b'"instances"' in body[:20]:
            ordered = [[plain(row[it]) for it in places] for row in table]
            sent = json.dumps({"instances": ordered}).encode()
        reply = callers.ask(front, "POST", "/invocations", sent, **{"content-type": kind})
        assert reply.status == 200, reply.body[:300]
        assert [it["probability"] for it in reply.json()["predictions"]] == wanted
    records = [dict(zip(NAMES, map(plain, row), strict=True)) for row in table]
    reply = callers.ask(front, "POST", "/predict", {"rows": records})
    assert [it["probability"] for it in reply.json()["predictions"]] == wanted

    loaded = mlflow.pyfunc.load_model(str(folder))
    assert loaded.predict(found[names])["probability"].tolist() == wanted


def written_by(table: list[tuple[Any, ...]], places: list[int]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[plain(row[it]) for it in places] for row in table])
    return text.getvalue().encode()


ODD_NUMBERS = [math.nan, math.inf, -math.inf, -1.0, 0.999, 1.0, 100.0, 100.1]


@pytest.mark.parametrize("number", ODD_NUMBERS)
@pytest.mark.parametrize("nullable", [True, False])
def test_requests_files_and_training_take_the_same_numbers(number: float, nullable: bool) -> None:
    column = Column("size", "number", nullable, minimum=1, maximum=100)
    asked = signature.Field("size", "double", nullable, minimum=1, maximum=100)
    found = values.number(pa.array([number]), column)[1]
    file = [reason for wrong, reason in found if wrong.any()][:1]
    wanted = RowSchema(signature.Interface((asked,), {}, ({"size": 2.0},)))
    try:
        wanted.check(wanted.missing_for_nan([{"size": number}]))
        request = []
    except RefusedError as error:
        request = [it.reason for it in error.faults]
    assert request == file
    told = validation.violations(pd.DataFrame({"size": [number]}), [column])
    assert bool(told) == bool(file)
    assert bool(file) == (not nullable if math.isnan(number) else not 1 <= number <= 100)
