"""Which files are data, and what strangers' files say: books, dialects and types."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fakes
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
import rows

from mlrails.batch import inputs
from mlrails.batch.predict import Job, predict
from mlrails.core import hashing, layout
from mlrails.core.errors import Exit, UsageError
from mlrails.core.settings import Settings
from mlrails.modeling import isolation
from mlrails.modeling.signature import Field
from mlrails.sources import datasets, tables

BOOKS = [
    "_temporary/0/x.parquet",
    "_metadata.parquet",
    ".hidden.parquet",
    ".spark-staging/x.parquet",
    "deep/_committed/x.csv",
]
LOGS = {
    "Delta": "_delta_log/00000000000000000000.json",
    "Hudi": ".hoodie/hoodie.properties",
    "Iceberg": "metadata/v1.metadata.json",
}


def lay(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def found(root: Path, wanted: str) -> list[str]:
    return [it.relative_to(root).as_posix() for it in datasets.find(root, wanted)]


@pytest.mark.parametrize("wanted", ["rows", "rows/**/*.parquet", "rows/**"])
def test_what_other_programs_keep_beside_the_data_is_not_read(tmp_path: Path, wanted: str) -> None:
    lay(tmp_path / "rows", *BOOKS, "deep/_day=1/b.parquet", "a.parquet")
    assert found(tmp_path, wanted) == ["rows/a.parquet", "rows/deep/_day=1/b.parquet"]


def test_a_name_that_is_asked_for_is_read(tmp_path: Path) -> None:
    lay(tmp_path / "rows", *BOOKS)
    assert found(tmp_path, "rows/_metadata.parquet") == ["rows/_metadata.parquet"]
    assert found(tmp_path, "rows/_*.parquet") == ["rows/_metadata.parquet"]
    with pytest.raises(UsageError, match=r"rows: no .* \(names that begin with _ or . are no data"):
        found(tmp_path, "rows")


@pytest.mark.parametrize(("kind", "log"), LOGS.items())
@pytest.mark.parametrize("wanted", ["t", ".", "t/*.parquet", "t/day=1", "t/day=*/*.parquet", "**"])
def test_a_table_whose_log_names_its_files_is_refused(
    tmp_path: Path, kind: str, log: str, wanted: str
) -> None:
    lay(tmp_path / "t", log, "a.parquet", "day=1/b.parquet")
    with pytest.raises(UsageError, match=f"t: a table of {kind}, whose log says which of its"):
        found(tmp_path, wanted)
    assert found(tmp_path, "t/a.parquet") == ["t/a.parquet"]  # Somebody has chosen it.


def test_folders_say_columns_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "in" / "origin=EWR" / "a%20b=x%2Fy%3D" / "n=__HIVE_DEFAULT_PARTITION__" / "e="
    assert datasets.partition(path / "f.parquet", tmp_path) == {
        "origin": "EWR",
        "a b": "x/y=",
        "n": None,
        "e": None,
    }
    assert datasets.partition(path / "f.parquet", tmp_path / "in" / "origin=EWR").keys() == {
        "a b",
        "n",
        "e",
    }


INPUTS = [Field("when", "datetime"), Field("x", "double"), Field("name", "string")]
GOOD = {"when": pa.array([0], pa.timestamp("ns")), "x": pa.array([1.5]), "name": pa.array(["a"])}
TYPES: list[tuple[str, Any, str | None]] = [
    ("x", pa.array([2], pa.uint64()), None),
    ("x", pa.array(np.array([2], np.float16)), None),
    ("x", pa.nulls(1), None),
    ("name", pa.array(["a"], pa.large_string()), None),
    ("name", pa.array(["a"], pa.string_view()), None),
    ("name", pa.array(["a"]).dictionary_encode(), None),
    ("name", pa.array([7], pa.int32()), None),
    ("when", pa.array([0], pa.timestamp("s")), None),
    ("x", pa.array(["1"]), "is string, and the model takes a number"),
    ("x", pa.array([2], pa.int32()).cast(pa.decimal128(12, 2)), "is decimal128"),
    ("x", pa.array([{"y": 1}]), "is struct"),
    ("x", pa.array([[1.0]]), "is list"),
    ("x", pa.array([1], pa.duration("s")), "is duration"),
    ("name", pa.array([b"a"]), "is binary"),
    ("name", pa.array([True]), "is bool, and the model takes a text"),
    ("when", pa.array([0], pa.date32()), "is date32"),
    ("when", pa.array([0], pa.timestamp("us", tz="UTC")), "tz=UTC"),
    ("when", pa.array([0], pa.time64("us")), "is time64"),
]


@pytest.mark.parametrize(("name", "values", "words"), TYPES)
def test_a_type_of_parquet_is_read_as_what_it_says_or_refused(
    tmp_path: Path, name: str, values: Any, words: str | None
) -> None:
    path = tmp_path / "x.parquet"
    pyarrow.parquet.write_table(pa.table(GOOD | {name: values}), path)
    if words:
        with pytest.raises(UsageError, match=f"the column '{name}' .*{words}"):
            inputs.check([path], INPUTS, [], tmp_path)
    else:
        inputs.check([path], INPUTS, [], tmp_path)


def test_an_instant_of_utc_that_does_not_say_so_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pyarrow.parquet.write_table(pa.table(GOOD), path, use_deprecated_int96_timestamps=True)
    assert pyarrow.parquet.read_schema(path).field("when").type.tz is None
    for fields, keep in ((INPUTS, []), (INPUTS[1:], ["when"])):
        with pytest.raises(UsageError, match="'when' is INT96, an instant in UTC"):
            inputs.check([path], fields, keep, tmp_path)
    inputs.check([path], INPUTS[1:], [], tmp_path)


LINES = "x,name\n1,é\n"
DIALECTS = [
    (LINES.replace(",", ";").encode(), "its cells are separated by semicolons, not by commas"),
    (LINES.replace(",", "\t").encode(), "separated by tabs"),
    (LINES.replace(",", "|").encode("utf-8-sig"), "separated by bars"),
    (b"sep=,\r\n" + LINES.encode(), "its first line is 'sep=,', which only Excel reads"),
    (b"\xef\xbb\xbfsep=;\r\n" + LINES.encode(), "its first line is 'sep=;'"),
    (LINES.encode("utf-16"), r"it is UTF-16 \(Excel's Unicode text\)"),
    (LINES.encode("utf-16-be"), "it is UTF-16 or UTF-32"),
    (LINES.encode("utf-16-le"), "it is UTF-16 or UTF-32"),
    (LINES.encode("utf-32"), "it is UTF-32"),
    (LINES.replace("name", "näme").encode("cp1252"), "its line of names is not UTF-8"),
    (b"PK\x03\x04 rest", "it is a workbook of Excel, or a zip archive"),
    (b"\x1f\x8b rest", r"it is compressed \(gzip\)"),
]


@pytest.mark.parametrize(("content", "why"), DIALECTS)
def test_a_csv_file_of_another_dialect_is_told_the_cause(
    tmp_path: Path, content: bytes, why: str
) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(UsageError, match=f"x.csv: .*{why}.*; save it as CSV with commas, in UTF-8"):
        inputs.check([tmp_path / "x.csv"], INPUTS[1:], [], tmp_path)


@pytest.mark.parametrize("content", [LINES.encode(), LINES.encode("utf-8-sig"), b"a;b,x,name\n"])
def test_commas_in_utf_8_are_read_with_or_without_a_mark(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    inputs.check([tmp_path / "x.csv"], INPUTS[1:], [], tmp_path)


@pytest.fixture
def here(project: Path, fake: fakes.FakeClient) -> Callable[[str], pd.DataFrame]:
    """Return what scores rows of a project with a model of its own, and reads the output."""
    digest = hashing.of_folder(project / layout.MODEL)
    (project / layout.METRICS).write_text(json.dumps({"digest": digest}))
    (project / layout.DIGEST).write_text(digest)

    def scored(source: str) -> pd.DataFrame:
        job = Job(source, "out.parquet", ("origin",))
        assert predict(Settings(project), job, "champion") is Exit.DONE
        return pd.read_parquet(project / "out.parquet")

    return scored


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_the_column_of_a_folders_name_is_read_as_the_schema_has_it(
    here: Callable[[str], pd.DataFrame], project: Path, ending: str
) -> None:
    frame = rows.parts()["test"].head(60).sort_values("origin", kind="stable")
    for (origin, distance), part in frame.assign(distance=7.5).groupby(["origin", "distance"]):
        folder = project / "in" / f"origin={origin}" / f"distance={distance}"
        folder.mkdir(parents=True)
        left = part.drop(columns=["origin", "distance"])
        if ending == "csv":
            left.to_csv(folder / "x.csv", index=False)
        else:
            left.to_parquet(folder / "x.parquet", index=False)
    found = here("in")
    folder = project / layout.MODEL
    model = isolation.load(folder, hashing.of_folder(folder))
    wanted = model.predict(frame.assign(distance=7.5))
    assert found["probability"].tolist() == wanted["probability"].tolist()
    assert found["origin"].tolist() == frame["origin"].tolist()
    one = here("in/origin=EWR/distance=7.5")
    assert len(one) == (frame["origin"] == "EWR").sum()


def test_a_column_that_stands_in_the_file_and_in_a_folders_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "name=b" / "x.parquet"
    path.parent.mkdir()
    pyarrow.parquet.write_table(pa.table(GOOD), path)
    with pytest.raises(UsageError, match="'name' stands in the file and in the name of a folder"):
        inputs.check([path], INPUTS, [], tmp_path)


def test_files_of_different_types_are_named(tmp_path: Path) -> None:
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for path, values in zip(paths, ([1.5], [1]), strict=True):
        pyarrow.parquet.write_table(pa.table(GOOD | {"x": values}), path)
    inputs.check(paths, INPUTS, [], tmp_path)
    with pytest.raises(
        UsageError, match=r"b.parquet: the column 'x' is int64, and double in .*a.p"
    ):
        inputs.check(paths, INPUTS, ["x"], tmp_path)
    read = [it.rows.column("x").to_pylist() for it in tables.pieces(paths[1], "b", ["x"], {})]
    assert read == [[1]]


def test_a_source_reads_its_own_files_as_scoring_does(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("zone,n,more\n007,1e5,x\n,9007199254740993,y\n")
    found = tables.frame(tmp_path, "a.csv", ["n", "zone"])
    assert found.fillna("-").to_numpy().tolist() == [["1e5", "007"], ["9007199254740993", "-"]]
    numbers = pa.table({"n": pa.array([2**53 + 1, None])})
    pyarrow.parquet.write_table(numbers, tmp_path / "b.parquet")
    assert tables.frame(tmp_path, "b.parquet", ["n"])["n"].tolist() == [2**53 + 1, None]
    (tmp_path / "a.csv").write_text("zone,n\n1,2\n3\n")
    with pytest.raises(UsageError, match=r"a.csv: row 1 has 1 cells, not 2; mend the file"):
        tables.frame(tmp_path, "a.csv", ["n"])
    with pytest.raises(UsageError, match="the column 'x' is missing"):
        tables.frame(tmp_path, "b.parquet", ["x"])
