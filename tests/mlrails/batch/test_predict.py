import itertools
import json
import os
import re
import shutil
import time
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
from filelock import FileLock
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from mlrails.batch import output as batch_output
from mlrails.batch import rules
from mlrails.batch.predict import Job, predict
from mlrails.batch.written import Writing
from mlrails.core import hashing, layout
from mlrails.core.errors import Exit, ProjectError, UsageError, WorldError
from mlrails.core.params import Task
from mlrails.core.settings import Settings
from mlrails.data import as_written
from mlrails.data.reading import Reading
from mlrails.modeling import isolation, signature
from mlrails.modeling.signature import Field
from mlrails.serving.http.body import read_invocations
from mlrails.serving.http.media import parse_content_type
from mlrails.serving.http.messages import RefusedError
from mlrails.serving.http.rows import RowSchema
from mlrails.sources import csv, declared, tables

NAMES = ["scheduled_departure", "carrier", "origin", "dest", "distance", "wind_speed", "temp"]


@pytest.fixture
def here(project: Path, fake: fakes.FakeClient, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a model of its own, no champion, and two files of rows to score."""
    digest = hashing.of_folder(project / layout.MODEL)
    (project / layout.METRICS).write_text(json.dumps({"digest": digest}))
    (project / layout.DIGEST).write_text(digest)
    monkeypatch.setattr(tables, "PIECE", 100)
    monkeypatch.setattr(csv, "_BLOCK", 20_000)
    test = rows.parts()["test"]
    (project / "new").mkdir()
    test.head(350).to_parquet(project / "new" / "a.parquet", index=False)
    test.iloc[350:600].to_csv(project / "new" / "b.csv", index=False)
    return project


def scored(root: Path, source: str = "new", target: str = "out.parquet", **more: Any) -> Exit:
    return predict(Settings(root), Job(source, target, **more), "champion")


def expected(root: Path, frame: pd.DataFrame) -> pd.DataFrame:
    folder = root / layout.MODEL
    return pd.DataFrame(isolation.load(folder, hashing.of_folder(folder)).predict(frame))


def test_a_folder_is_scored_as_the_model_does(here: Path) -> None:
    assert scored(here, keep=("carrier",)) is Exit.DONE
    found = pd.read_parquet(here / "out.parquet")
    frame = rows.parts()["test"].head(600)
    pd.testing.assert_frame_equal(found[["prediction", "probability"]], expected(here, frame))
    assert found["source"].tolist() == ["new/a.parquet"] * 350 + ["new/b.csv"] * 250
    assert found["row"].tolist() == [*range(350), *range(250)]
    assert found["carrier"].tolist() == frame["carrier"].tolist()
    assert not batch_output.refused_path(here / "out.parquet").exists()
    assert not [*here.glob(".out.parquet.parts*")]


@pytest.mark.parametrize("target", ["out.parquet", "out.csv"])
def test_each_class_has_a_column_of_its_own(
    here: Path, model_of: Callable[[Task], Path], target: str
) -> None:
    shutil.rmtree(here / layout.MODEL)
    shutil.copytree(model_of(Task.MULTICLASS), here / layout.MODEL)
    digest = hashing.of_folder(here / layout.MODEL)
    (here / layout.METRICS).write_text(json.dumps({"digest": digest}))
    (here / layout.DIGEST).write_text(digest)
    assert scored(here, target=target) is Exit.DONE
    read = pd.read_parquet if target.endswith("parquet") else pd.read_csv
    found, answers = read(here / target), expected(here, rows.parts()["test"].head(600))
    assert list(answers) == [
        *("prediction", "probability_early", "probability_late", "probability_on time")
    ]
    assert found["prediction"].tolist() == answers["prediction"].tolist()
    assert set(found["prediction"]) == {"early", "late", "on time"}
    np.testing.assert_allclose(found[list(answers)[1:]], answers[list(answers)[1:]], rtol=1e-9)


def test_the_output_says_which_model_made_it(here: Path) -> None:
    scored(here)
    digest = hashing.of_folder(here / layout.MODEL)
    written = pyarrow.parquet.read_schema(here / "out.parquet").metadata
    told = json.loads((here / "out.parquet.json").read_text())
    assert written[b"digest"].decode() == told["digest"] == digest
    assert written[b"version"].decode() == told["version"] == "local"
    assert (told["rows"], told["refused"]) == (600, 0)


def test_csv_comes_out_where_it_is_asked_for(here: Path) -> None:
    scored(here, "new/*.csv", "out.csv")
    found = pd.read_csv(here / "out.csv")
    frame = rows.parts()["test"].iloc[350:600]
    wanted = expected(here, frame)["probability"]
    np.testing.assert_allclose(found["probability"], wanted, rtol=1e-5)  # as 32 bits of a network


def test_bad_rows_are_told_with_reasons_and_the_others_scored(here: Path) -> None:
    frame = rows.parts()["test"].head(300).astype({"carrier": object})
    frame.loc[frame.index[7], "distance"] = np.nan
    frame.loc[frame.index[150], "carrier"] = None
    frame.loc[frame.index[299], "temp"] = 141
    frame.to_parquet(here / "bad.parquet", index=False)
    assert scored(here, "bad.parquet") is Exit.SET_ASIDE
    told = pd.read_parquet(here / "out.refused.parquet")
    assert told[["row", "column"]].to_numpy().tolist() == [
        [7, "distance"],
        [150, "carrier"],
        [299, "temp"],
    ]
    assert told["reason"].tolist() == [
        "a value is missing, and must not be",
        "a value is missing, and must not be",
        "must be less than or equal to 140",
    ]
    found = pd.read_parquet(here / "out.parquet")
    assert set(found["row"]) == set(range(300)) - {7, 150, 299}
    good = frame.drop(frame.index[[7, 150, 299]])
    pd.testing.assert_frame_equal(found[["prediction", "probability"]], expected(here, good))
    assert scored(here, "bad.parquet") is Exit.SET_ASIDE


def test_rows_that_are_all_bad_leave_an_empty_output(here: Path) -> None:
    frame = rows.parts()["test"].head(5).assign(distance=-1.0)
    frame.to_parquet(here / "bad.parquet", index=False)
    assert scored(here, "bad.parquet") is Exit.SET_ASIDE
    found = pd.read_parquet(here / "out.parquet")
    assert len(found) == 0 and "probability" in found


@pytest.mark.parametrize("name", ["new/0.csv", "new/0.parquet"])
def test_no_row_at_all_is_scored_as_well(here: Path, name: str) -> None:
    frame = rows.parts()["test"].head(0)
    frame.to_csv(here / "new" / "0.csv", index=False)
    frame.to_parquet(here / "new" / "0.parquet", index=False)
    assert scored(here, name, keep=("carrier",)) is Exit.DONE
    found = pd.read_parquet(here / "out.parquet")
    assert [*found] == ["source", "row", "carrier", "prediction", "probability"]
    assert len(found) == 0 and found["prediction"].dtype == bool
    assert scored(here, name, "out.csv") is Exit.DONE
    assert (here / "out.csv").read_text() == '"source","row","prediction","probability"\n'
    assert scored(here, "new", "all.parquet", keep=("carrier",)) is Exit.DONE
    assert len(pd.read_parquet(here / "all.parquet")) == 600


def test_rows_of_csv_that_cannot_be_read_are_set_aside(here: Path) -> None:
    frame = rows.parts()["test"].head(600)
    first, *lines = frame.to_csv(index=False).encode().splitlines()
    lines[3] = b"1,2,3"
    lines[250] += b",more"
    lines[300] = re.sub(rb",(JFK|EWR|LGA),", b",\xe9,", lines[300], count=1)
    lines[410] = b'"' + lines[410]
    lines[599] = b"\xe9"
    (here / "odd.csv").write_bytes(b"\n".join([first, *lines]))
    assert scored(here, "odd.csv") is Exit.SET_ASIDE
    told = pd.read_parquet(here / "out.refused.parquet")
    width = first.count(b",") + 1
    assert told["row"].tolist() == [3, 250, 300, 410, 599]
    assert told["column"].tolist()[2] == "origin" and told["column"].isna().sum() == 4
    assert told["reason"].tolist() == [
        f"has 3 cells, not {width}",
        f"has {width + 1} cells, not {width}",
        "is not UTF-8",
        "is no row of CSV (unexpected end of data)",
        f"has 1 cells, not {width}",
    ]
    good = frame.drop(frame.index[told["row"]])
    found = pd.read_parquet(here / "out.parquet")
    assert found["row"].tolist() == [it for it in range(600) if it not in {*told["row"]}]
    pd.testing.assert_frame_equal(found[["prediction", "probability"]], expected(here, good))


def test_a_column_without_one_category_that_is_known_is_told(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = rows.parts()["test"].head(300)
    frame.assign(carrier="1.0", origin=["??"] * 299 + ["JFK"]).to_csv(here / "odd.csv", index=False)
    assert scored(here, "odd.csv") is Exit.DONE
    (told,) = [it for it in capsys.readouterr().err.splitlines() if "knows" in it]
    assert "no row has a category in 'carrier' that the model knows" in told
    scored(here)
    assert "knows" not in capsys.readouterr().err


def die_after(parts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    write = batch_output.Staging.write
    written: list[str] = []

    def dying(self: batch_output.Staging, part: str, *tables_: Any) -> None:
        if len(written) == parts:
            raise KeyboardInterrupt
        written.append(part)
        write(self, part, *tables_)

    monkeypatch.setattr(batch_output.Staging, "write", dying)


def test_a_run_that_died_goes_on_and_gives_the_same(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored(here, target="whole.parquet")
    with monkeypatch.context() as patched:
        die_after(3, patched)
        with pytest.raises(KeyboardInterrupt):
            scored(here)
    assert not (here / "out.parquet").exists()
    parts = {it.name: it.stat().st_mtime_ns for it in here.glob(".out.parquet.parts/*.parquet")}
    assert len(parts) == 6
    with monkeypatch.context() as patched:
        die_after(2, patched)
        with pytest.raises(KeyboardInterrupt):
            scored(here)
    now = {it.name: it.stat().st_mtime_ns for it in here.glob(".out.parquet.parts/*.parquet")}
    assert parts.items() <= now.items() and len(now) == 10
    assert scored(here) is Exit.DONE
    found, whole = (pd.read_parquet(here / f"{name}.parquet") for name in ("out", "whole"))
    pd.testing.assert_frame_equal(found, whole)


def is_killed(run: Callable[[], Any], acts: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Run, but die after so many times that something was put in place or taken away."""
    done: list[str] = []

    def dying(act: Callable[..., Any]) -> Callable[..., Any]:
        def died(*args: Any, **more: Any) -> Any:
            if len(done) == acts:
                raise KeyboardInterrupt
            done.append(act.__name__)
            return act(*args, **more)

        return died

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", dying(shutil.rmtree))
        for name in ("replace", "rename", "unlink"):
            patched.setattr(Path, name, dying(getattr(Path, name)))
        try:
            run()
        except KeyboardInterrupt:
            return True
    return False


def staged(output: Path, text: str, bad: int = 1) -> None:
    """Make an output of two parts, as `predict` does."""
    plan = {"text": text, "bad": bad}
    if batch_output.is_done(output, plan):
        return
    good, refused = (pa.table({"x": [text] * it}) for it in (2, bad))
    with batch_output.staged(output, plan) as parts:
        for part in ("1", "2"):
            if not parts.has(part):
                parts.write(part, good, refused)
        parts.publish(["1", "2"], {"digest": "abc"})


@pytest.mark.parametrize(
    ("before", "now", "lost"), [(None, 0, False), (None, 1, True), (0, 1, False), (1, 0, True)]
)
def test_a_run_that_was_killed_anywhere_goes_on(
    before: int | None, now: int, lost: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for acts in itertools.count():
        output = tmp_path / f"{acts}.csv"
        if before is not None:
            staged(output, "old", before)
        killed = is_killed(lambda: staged(output, "new", now), acts, monkeypatch)  # noqa: B023
        if lost:
            shutil.rmtree(tmp_path / f".{output.name}.parts", ignore_errors=True)
        staged(output, "new", now)
        assert output.read_text().split() == ['"x"', *['"new"'] * 4]
        aside = batch_output.refused_path(output)
        assert (aside.read_text().count("new") if aside.exists() else 0) == 2 * now
        assert json.loads(batch_output.about_of(output).read_text())["refused"] == 2 * now
        assert not [*tmp_path.glob("*.parts")]
        if not killed:
            break
    assert acts >= 10


def test_parts_among_the_inputs_are_not_read(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        die_after(3, patched)
        with pytest.raises(KeyboardInterrupt):
            scored(here, "new", "new/out.parquet")
    assert [*here.glob("new/.out.parquet.parts/*.good.parquet")]
    assert scored(here, "new", "new/out.parquet") is Exit.DONE
    assert len(pd.read_parquet(here / "new" / "out.parquet")) == 600


def test_an_output_that_is_whole_is_not_made_again(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scored(here)
    before = (here / "out.parquet").stat().st_mtime_ns
    assert scored(here) is Exit.DONE
    assert "done already" in capsys.readouterr().out
    assert (here / "out.parquet").stat().st_mtime_ns == before


def test_parts_of_other_rows_are_not_taken(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        die_after(3, patched)
        with pytest.raises(KeyboardInterrupt):
            scored(here)
    path = here / "new" / "a.parquet"
    later = rows.parts()["train"].head(350)
    later.to_parquet(path, index=False)
    os.utime(path, ns=(time.time_ns(), time.time_ns() + 1))
    scored(here, "new/a.parquet")
    found = pd.read_parquet(here / "out.parquet")
    pd.testing.assert_frame_equal(found[["prediction", "probability"]], expected(here, later))


def test_two_at_once_do_not_write_the_same_output(here: Path) -> None:
    with FileLock(here / ".out.parquet.lock"), pytest.raises(UsageError, match="another process"):
        scored(here)


def refused(root: Path, match: str, *words: Any, **more: Any) -> None:
    with pytest.raises(ProjectError, match=match):
        scored(root, *words, **more)
    assert not (root / "out.parquet").exists()


def test_what_a_person_gets_wrong_is_told_before_anything_is_scored(here: Path) -> None:
    refused(here, "no .parquet or .csv file", "nowhere")
    refused(here, "ends with .parquet or .csv", "new", "out.txt")
    refused(here, "among the files to score", "new/a.parquet", "new/a.parquet")
    refused(here, "neither .parquet nor .csv", "params.yaml")
    refused(here, "'nobody' is missing", keep=("nobody",))
    refused(here, r"'carier' is missing.*'carrier'", keep=("carier",))
    refused(here, "is text, and double in", "new", keep=("distance",))
    for name in ("source", "row", "prediction", "probability"):
        refused(here, f"--keep {name}: the output has a column", keep=("carrier", name))
    (here / "mine.csv").write_text("a\n")


@pytest.mark.parametrize("name", ["out.csv", "out.refused.csv", "out.csv.json"])
@pytest.mark.parametrize("content", ["a\n", '{"plan": 1}'])
def test_what_somebody_else_has_made_is_left_alone(here: Path, name: str, content: str) -> None:
    (here / name).write_text(content)
    with pytest.raises(UsageError, match=rf"{name}: was not made by"):
        scored(here, "new", "out.csv")
    assert (here / name).read_text() == content
    assert not [it for it in here.glob("out*") if it.name != name]


def test_where_nothing_can_be_written_is_told_as_it_is(here: Path) -> None:
    with pytest.raises(WorldError, match=r"/proc/out.csv: cannot be written \(No such file"):
        scored(here, "new", "/proc/out.csv")


@pytest.mark.parametrize(
    ("column", "values", "reason"),
    [
        ("carrier", True, "'carrier' is bool, and the model takes a text"),
        ("distance", "far", "'distance' is (large_)?string, and the model takes a number"),
        ("distance", True, "'distance' is bool, and the model takes a number"),
        ("scheduled_departure", "2030-01-07 08:00", "the model takes a time"),
        ("scheduled_departure", pd.Timestamp("2030-01-07", tz="UTC"), "tz=UTC"),
    ],
)
def test_a_column_of_another_type_is_not_cast(
    here: Path, column: str, values: Any, reason: str
) -> None:
    frame = rows.parts()["test"].head(10).assign(**{column: values})
    frame.to_parquet(here / "new.parquet", index=False)
    refused(here, reason, "new.parquet")


def test_a_missing_column_is_named(here: Path) -> None:
    rows.parts()["test"].head(10).drop(columns="dest").to_parquet(here / "new.parquet")
    refused(here, "'dest' is missing", "new.parquet")


@pytest.mark.parametrize("name", ["new.parquet", "new.csv"])
def test_a_broken_file_is_named(here: Path, name: str) -> None:
    (here / name).write_bytes(b'PAR1 "\xff\x00' * 10)
    refused(here, f"{name}: ", name)


def test_bytes_that_were_altered_are_not_run(here: Path) -> None:
    predictor = here / layout.MODEL / "code" / rows.PACKAGE / "model.py"
    predictor.write_text("raise SystemExit\n")
    with pytest.raises(WorldError, match="the bytes are not those"):
        scored(here)


def sifted(values: Any, **field: Any) -> rules.Sifted:
    batch = pa.record_batch({"x": values})
    return rules.sift(batch, [Field(**({"name": "x", "type": "double"} | field))])


def test_other_types_are_read_strictly() -> None:
    numbers = sifted(pa.array([1.0, 1.5, None, np.inf]), type="long", nullable=True)
    assert [it[0] for it in numbers.faults] == [1, 3]
    assert sifted(pa.array([2**53 + 1]), type="long").columns["x"].tolist() == [2**53 + 1]
    words = sifted(pa.array(["true", "False", "yes", None]), type="boolean")
    assert words.columns["x"].tolist() == [True, False]
    assert [it[0] for it in words.faults] == [2, 3]
    coded = sifted(pa.array(["a", None, "b"]).dictionary_encode(), type="string")
    assert coded.columns["x"].tolist() == ["a", "b"] and coded.faults[0][0] == 1


def test_the_same_columns_in_another_order_give_the_same(here: Path) -> None:
    frame = rows.parts()["test"].head(120)
    shutil.rmtree(here / "new")
    (here / "new").mkdir()
    frame[NAMES[::-1]].to_parquet(here / "new" / "a.parquet", index=False)
    scored(here)
    found = pd.read_parquet(here / "out.parquet")
    pd.testing.assert_frame_equal(found[["prediction", "probability"]], expected(here, frame))


WAYS = {
    "semicolons": {"separator": ";", "decimal": ",", "nulls": ["k. A."]},
    "thousands": {"separator": "\t", "decimal": ",", "thousands": "."},
    "quoted": {"decimal": ",", "nulls": ["k. A."]},
    "letters": {"encoding": "cp1252", "nulls": ["k. A.", "–"]},
    "blanks": {"trim": True, "units": {"distance": "€"}},
}
"""Words of a source; each has dates of its own as well."""
DATES = {"scheduled_departure": "%d.%m.%Y %H:%M"}


def owned(
    root: Path, frame: pd.DataFrame, words: dict[str, Any], name: str = "own.csv"
) -> Settings:
    """Write rows as their owner does, and the `source.py` that reads them so."""
    words = {**words, "dates": DATES}
    settings = Settings(root, package="yours")
    source = root / "src" / "yours" / "source.py"
    source.parent.mkdir(parents=True, exist_ok=True)
    told = ", ".join(f"{it}={value!r}" for it, value in words.items())
    source.write_text(f"def rows():\n    return sources.read('own.csv', COLUMNS, {told})\n")
    sep, mark = words.get("separator", ","), words.get("decimal", ".")
    cells = {it: [_cell(value, it, words) for value in frame[it]] for it in frame}
    blank = " " if words.get("trim") else ""
    lines = [sep.join(f"{blank}{it}" for it in cells)]
    quoted = [
        sep.join(blank + (f'"{it}"' if sep in it else it) for it in row)
        for row in zip(*cells.values(), strict=True)
    ]
    assert mark in "".join(quoted)
    (root / name).write_text("\n".join([*lines, *quoted]) + "\n", words.get("encoding", "utf-8"))
    return settings


def _cell(value: Any, name: str, words: dict[str, Any]) -> str:
    if pd.isna(value):
        return words.get("nulls", [""])[-1]
    if name in DATES:
        return f"{value:{DATES[name]}}"
    if not isinstance(value, float):
        return str(value)
    text = f"{value:,}".replace(",", "\0").replace(".", words.get("decimal", "."))
    return text.replace("\0", words.get("thousands", "")) + words.get("units", {}).get(name, "")


def owners_rows() -> pd.DataFrame:
    """Return rows of which some lack a value."""
    frame = rows.parts()["test"].head(150)[NAMES].reset_index(drop=True)
    frame["scheduled_departure"] = frame["scheduled_departure"].dt.floor("min")
    frame["distance"] = frame["distance"].astype(float)
    frame.loc[::7, "wind_speed"] = np.nan
    return frame


@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_is_written_as_the_source_is_gives_the_same(here: Path, way: str) -> None:
    frame = owners_rows()
    settings = owned(here, frame, WAYS[way])
    assert predict(settings, Job("own.csv", "out.parquet"), "champion") is Exit.DONE
    found = pd.read_parquet(here / "out.parquet")
    pd.testing.assert_frame_equal(found[["prediction", "probability"]], expected(here, frame))
    assert found["row"].tolist() == [*range(150)]


def test_numbers_of_parquet_that_are_times_in_the_source_are_so_here(here: Path) -> None:
    frame = owners_rows()
    time = frame["scheduled_departure"]
    number, epoch = time.dt.strftime("%Y%m%d%H%M").astype("int64"), pd.Timestamp("1970-01-01")
    seconds = (time - epoch) / pd.Timedelta("1s")
    for form, counts in (("%Y%m%d%H%M", number), ("seconds since 1970-01-01", seconds)):
        source = here / "src" / "yours" / "source.py"
        source.parent.mkdir(parents=True, exist_ok=True)
        dates = {"scheduled_departure": form}
        source.write_text(f"def rows():\n    return sources.read('o', COLUMNS, dates={dates})\n")
        frame.assign(scheduled_departure=counts).to_parquet(here / "own.parquet")
        settings = Settings(here, package="yours")
        predict(settings, Job("own.parquet", f"{form[:2]}.parquet"), "champion")
        found = pd.read_parquet(here / f"{form[:2]}.parquet")
        pd.testing.assert_frame_equal(found[["prediction", "probability"]], expected(here, frame))
    source.write_text("def rows():\n    return sources.read('o', COLUMNS)\n")
    with pytest.raises(UsageError, match="'scheduled_departure' is double, and the model takes"):
        predict(settings, Job("own.parquet", "out.parquet"), "champion")


@pytest.mark.parametrize("way", WAYS)
def test_without_the_words_of_the_source_no_row_of_it_is_scored(here: Path, way: str) -> None:
    """The harm: refused as a whole, or every row set aside."""
    owned(here, owners_rows(), WAYS[way])
    (here / "src" / "yours" / "source.py").unlink()
    try:
        assert scored(here, "own.csv") is Exit.SET_ASIDE
    except UsageError:
        return
    assert not len(pd.read_parquet(here / "out.parquet"))


@pytest.mark.parametrize("way", WAYS)
def test_beside_it_a_plain_file_is_read_as_before(here: Path, way: str) -> None:
    frame = owners_rows()
    settings = owned(here, frame, WAYS[way])
    frame.loc[::3, ["distance", "wind_speed"]] = 1.125  # By thousands with a point 1,125.
    frame.to_csv(here / "plain.csv", index=False)
    assert predict(settings, Job("plain.csv", "out.parquet"), "champion") is Exit.DONE
    found = pd.read_parquet(here / "out.parquet")
    pd.testing.assert_frame_equal(found[["prediction", "probability"]], expected(here, frame))


def test_a_cell_that_is_not_written_as_the_source_says_is_set_aside(here: Path) -> None:
    settings = owned(here, owners_rows(), WAYS["semicolons"])
    text = (here / "own.csv").read_text().splitlines()
    places = {it: NAMES.index(it) for it in ("distance", "scheduled_departure")}
    for row, name, cell in ((3, "distance", "1.500"), (120, "scheduled_departure", "1/2/2013")):
        cells = text[row + 1].split(";")
        cells[places[name]] = cell
        text[row + 1] = ";".join(cells)
    (here / "own.csv").write_text("\n".join(text) + "\n")
    assert predict(settings, Job("own.csv", "out.parquet"), "champion") is Exit.SET_ASIDE
    aside = pd.read_parquet(batch_output.refused_path(here / "out.parquet"))
    assert aside[["row", "column", "reason"]].values.tolist() == [
        [3, "distance", "is no number with ',' before its decimals"],
        [120, "scheduled_departure", "is no time written as '%d.%m.%Y %H:%M'"],
    ]
    assert len(pd.read_parquet(here / "out.parquet")) == 148


def sent(root: Path, settings: Settings, body: bytes, kind: str = "text/csv") -> pd.DataFrame:
    """Return rows as a server of the project reads them."""
    how = Reading.of_words(json.loads(json.dumps(declared.written(settings))))
    interface = signature.read_interface(root / layout.MODEL)
    content = parse_content_type(kind.encode())
    return pd.DataFrame(read_invocations(body, content, RowSchema(interface), interface, how))


@pytest.mark.parametrize("kind", ["text/csv", "text/csv; header=absent"])
@pytest.mark.parametrize("way", WAYS)
def test_a_server_reads_what_is_written_as_the_source_is_as_files_are(
    here: Path, way: str, kind: str
) -> None:
    frame = owners_rows()
    settings = owned(here, frame, WAYS[way])
    body = (here / "own.csv").read_bytes()
    if "absent" in kind:
        order = [it.name for it in signature.read_interface(here / layout.MODEL).inputs]
        body = b"\n".join(body.splitlines()[1:])
        assert order == NAMES
    found = sent(here, settings, body, kind)
    pd.testing.assert_frame_equal(expected(here, found[NAMES]), expected(here, frame))


@pytest.mark.parametrize("way", WAYS)
def test_beside_it_a_server_reads_a_plain_body_as_before(here: Path, way: str) -> None:
    frame = owners_rows()
    settings = owned(here, frame, WAYS[way])
    frame.loc[::3, ["distance", "wind_speed"]] = 1.125
    found = sent(here, settings, frame.to_csv(index=False).encode())
    pd.testing.assert_frame_equal(expected(here, found[NAMES]), expected(here, frame))


def test_a_server_says_of_a_cell_what_is_said_of_files(here: Path) -> None:
    settings = owned(here, owners_rows(), WAYS["semicolons"])
    lines = (here / "own.csv").read_text().splitlines()
    cells = lines[4].split(";")
    cells[NAMES.index("distance")] = "1.500"
    lines[4] = ";".join(cells)
    with pytest.raises(RefusedError) as told:
        sent(here, settings, "\n".join(lines).encode())
    (fault,) = told.value.faults
    assert fault == (3, "distance", "is no number with ',' before its decimals")


SIGNS = st.sampled_from(["1", "23", "456", ".", ",", " ", "-", "e5", "€", "nan", "x", "k. A.", "'"])
CELLS = st.lists(st.lists(SIGNS, max_size=5).map("".join), min_size=1, max_size=9)


@given(CELLS, st.sampled_from([".", ","]), st.sampled_from(["", ".", ",", "'"]), st.booleans())
@examples(max_examples=60, deadline=None)
def test_a_cell_says_the_same_to_files_and_to_a_server(
    cells: list[str], decimal: str, thousands: str, trim: bool
) -> None:
    how = Reading(
        decimal=decimal, thousands=thousands if thousands != decimal else "", nulls=("k. A.",),
        trim=trim, units={"price": "€"},
    )  # fmt: skip
    field = Field("price", "double", nullable=True)
    given_ = pa.array([it or None for it in cells], pa.string())
    made, wrong, reason = Writing(how, [field])._column(field, given_)
    found = as_written.column("price", "double", given_.to_pylist(), how)
    assert (found.cells, [*found.wrong]) == (made.to_pylist(), wrong.tolist())
    assert as_written.reason("price", "double", how) == reason


def test_words_that_nobody_can_tell_are_refused(here: Path) -> None:
    settings = owned(here, owners_rows(), WAYS["semicolons"])
    source = here / "src" / "yours" / "source.py"
    source.write_text(source.read_text().replace("decimal=','", "decimal=MARK"))
    with pytest.raises(UsageError, match=r"source.py: decimal of sources.read is no plain value"):
        predict(settings, Job("own.csv", "out.parquet"), "champion")
