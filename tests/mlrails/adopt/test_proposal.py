"""From a table to a plan: what each column is for, how rows divide, and what is refused."""

import random
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlrails.adopt import table
from mlrails.adopt.plan import Plan
from mlrails.adopt.proposal import of_table, plan, proposed
from mlrails.adopt.roles import Wishes
from mlrails.core.errors import UsageError
from mlrails.core.params import Task
from mlrails.data import frames, validation
from mlrails.sources import source

ROWS = 400


def made(text: str | bytes, target: str, **said: object) -> Plan:
    data = text if isinstance(text, bytes) else text.encode()
    return of_table(table.of_bytes(data, "f.csv"), "f.csv", Wishes(target, **said))  # type: ignore[arg-type]


def bank(rows: int = ROWS) -> str:
    """Return a bank's table: semicolons, decimal commas, one writing of dates, yes and no."""
    rng = random.Random(1)
    lines = [
        f"{1000 + i};{i % 28 + 1:02}.{i % 12 + 1:02}.{2019 + i % 3};"
        + f"{rng.gauss(2000, 500):.2f};".replace(".", ",")
        + f"{rng.choice(['clerk', 'nurse', 'cook'])};{i % 7};{rng.choice(['yes', 'no', 'no'])}\n"
        for i in range(rows)
    ]
    return "client no;opened;income;job;cards;churned\n" + "".join(lines)


def test_a_banks_table_is_read_and_divided_by_time() -> None:
    found = made(bank(), "churned")
    assert found.reading == {
        "separator": ";",
        "decimal": ",",
        "dates": {"opened": "%d.%m.%Y"},
        "positive": {"churned": "yes"},
    }
    assert (found.task, found.by, found.named("time")) == (
        Task.CLASSIFICATION,
        "time",
        ("opened",),
    )
    assert found.named("left out") == ("client no",)
    assert found.named("category") == ("job",)
    assert found.named("number") == ("income", "cards")
    kinds = {it.column.name: it.column.kind for it in found.columns}
    assert kinds["churned"] == "boolean"
    assert kinds["client no"] == "category"


def test_a_file_below_the_project_is_read(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bank.csv").write_text(bank())
    found = plan("data/bank.csv", target="income", root=tmp_path)
    assert (found.task, found.rows, len(found.digest)) == (Task.REGRESSION, ROWS, 64)
    assert found.spread is not None
    assert 300 < found.spread < 700


@pytest.mark.parametrize(
    ("text", "said", "sentence"),
    [
        ("a,b\n1,2\n", {}, "f.csv: there is no column 'y', which --target names"),
        ("a,y\n1,2\n3,2\n", {}, "column 'y': the target has the same value in every row"),
        ("a,y\n1,x\n3,z\n4,z\n", {}, "'y': a class of the target has a single row, row 1"),
        ("a,y\n1,2020-01-01\n3,2020-02-01\n", {}, "'y': the target is a date"),
        ("a,y\n", {}, "it has a line of names and no row"),
        ("", {}, "it is empty"),
        ("<!DOCTYPE html><p>", {}, "it is a page"),
        ("PK\x03\x04", {}, "a workbook of Excel, or a zip archive"),
        ("a,y\n1,2\n3,4\n5,6\n", {"time": "a"}, "'a': --time names it, and its values are no"),
        ("a,y\n1,2\n3,4\n", {"drop": ("y",)}, "'y' is named by --target and by --drop"),
    ],
)
def test_what_no_project_can_be_made_of_is_one_sentence(
    text: str, said: dict, sentence: str
) -> None:
    with pytest.raises(UsageError) as told:
        made(text, "y", **said)
    assert sentence in str(told.value)
    assert "\n" not in str(told.value)


def test_ingest_reads_the_same_rows_by_the_words_of_the_plan(tmp_path: Path) -> None:
    """A target that is missing, 007, thousands and words for nothing: all as adoption saw them."""
    names, *lines = bank().replace("churned", "code;churned").splitlines()
    cut = [it.rpartition(";") for it in lines]
    told = [f"{row};{place:04};{answer}" for place, (row, _, answer) in enumerate(cut)]
    told[3] = told[3].rpartition(";")[0] + ";NULL"
    (tmp_path / "bank.csv").write_text("\n".join([names, *told]) + "\n")
    found = plan("bank.csv", target="churned", root=tmp_path)
    assert found.reading["needed"] == ["churned"]
    columns = [it.column for it in found.columns]
    rows = frames.typed(source.read("bank.csv", columns, root=tmp_path, **found.reading), columns)
    assert (len(rows), found.rows) == (ROWS - 1, ROWS - 1)
    assert rows["code"].tolist()[:4] == ["0000", "0001", "0002", "0004"]
    seen = {it.column.name: it.seen for it in found.columns if it.seen}
    assert seen == {it: (rows[it].min(), rows[it].max()) for it in seen}
    assert {*rows["churned"]} == {True, False}
    validation.check(rows, columns, "bank.csv", with_rows=True)


def test_a_target_that_a_float_would_round_is_told_with_its_first_row() -> None:
    numbers = "".join(f"{it},{10**17 + it}\n" for it in range(1, 60))
    with pytest.raises(UsageError) as told:
        made(f"a,y\n0,5\n{numbers}", "y")
    assert "column 'y': row 2 ('100000000000000001') of the target is a whole number" in str(
        told.value
    )
    assert "--id" not in str(told.value)


@pytest.mark.parametrize("mark", ["", "."])
def test_a_feature_that_a_float_would_round_is_text_or_refused(mark: str) -> None:
    rows = [(f"{10**17 + it:,}".replace(",", mark), f"{it},5") for it in range(60)]
    text = "".join(f"{big};{small};{place % 7},5\n" for place, (big, small) in enumerate(rows))
    found = made(f"a;b;y\n{text}", "y")
    assert (
        "whole numbers above 2**53, the first in row 2, so they stay text" in found.columns[0].why
    )
    few = "".join(f"{rows[at % 3][0]};{at},5;{at % 7},5\n" for at in range(60))
    with pytest.raises(UsageError, match=r"column 'a': row 2 .* say --id if it names rows"):
        made(f"a;b;y\n{few}", "y")


def test_whole_numbers_of_a_database_are_not_rounded() -> None:
    exact = [Decimal(10**17 + it) for it in range(60)]
    few = [it % 7 for it in range(60)]
    rows = pa.table({"a": pa.array(exact, pa.decimal128(20, 0)), "b": few, "y": few[::-1]})
    found = of_table(table.of_rows(rows, "f"), "f", Wishes("y"))
    assert "so they stay text" in found.columns[0].why


@pytest.mark.parametrize("words", [("1.0", "0.0"), ("1", "0"), ("TRUE", "false"), ("y", "n")])
def test_the_event_of_the_rows_that_are_looked_at_is_that_of_ingest(words: tuple[str, str]) -> None:
    """Else a column that tells it would be found in none, as `1.0` is no word of the number 1."""
    chance, event = random.Random(1), [it % 3 == 2 for it in range(300)]
    lines = [f"{chance.random():.4f},{chance.random() + it:.4f},{words[not it]}\n" for it in event]
    found = table.of_bytes(("a,told,y\n" + "".join(lines)).encode(), "f.csv")
    plan, rows, _ = proposed(found, "f.csv", Wishes("y"))
    assert rows["y"].sum() == 100
    assert ("target leakage", ("told",)) in [(it.rule, it.columns) for it in plan.findings]


COUNTS = {
    "seconds since 1970-01-01": (1_546_300_800, 86_400, "2019-01-01"),
    "milliseconds since 1970-01-01": (1_546_300_800_000, 86_400_000, "2019-01-01"),
    "days since 1899-12-30": (43_466, 1, "2019-01-01"),
}


@pytest.mark.parametrize("form", COUNTS)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_time_that_counts_is_one_where_that_is_said(
    form: str, ending: str, tmp_path: Path
) -> None:
    first, step, day = COUNTS[form]
    rows = pd.DataFrame({"sold date": [first + step * it for it in range(ROWS)]})
    rows["y"], path = [it % 11 / 2 for it in range(ROWS)], tmp_path / f"f.{ending}"
    rows.to_csv(path, index=False) if ending == "csv" else rows.to_parquet(path)
    found = plan(path.name, target="y", root=tmp_path)
    assert found.named("number") == ("sold date",)
    assert f"could be times from {day} to 2020-02-04, in {form}" in found.columns[0].why
    said = plan(path.name, target="y", time="sold date", root=tmp_path)
    assert (said.by, said.reading["dates"]) == ("time", {"sold date": form})
    columns = [it.column for it in said.columns]
    read = frames.typed(source.read(path.name, columns, root=tmp_path, **said.reading), columns)
    assert read["sold date"].astype(str).tolist()[:2] == [day, "2019-01-02"]


DAYS = pd.date_range("1990-01-01", periods=ROWS, freq="D")


@pytest.mark.parametrize("form", ["%Y%m%d", "%Y%m%d%H%M", "%Y%m%d%H%M%S"])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_number_that_writes_a_day_is_a_time_by_itself(
    form: str, ending: str, tmp_path: Path
) -> None:
    rows = pd.DataFrame({"sold_date": DAYS.strftime(form).astype("int64")})
    rows["x"], rows["y"] = [it % 7 / 2 for it in range(ROWS)], [it % 11 / 2 for it in range(ROWS)]
    path = tmp_path / f"f.{ending}"
    rows.to_csv(path, index=False) if ending == "csv" else rows.to_parquet(path)
    found = plan(path.name, target="y", root=tmp_path)
    assert (found.by, found.calendar) == ("time", ("day_of_week",))
    assert found.reading["dates"] == {"sold_date": form}
    columns = [it.column for it in found.columns]
    read = frames.typed(source.read(path.name, columns, root=tmp_path, **found.reading), columns)
    assert read["sold_date"].tolist() == DAYS.tolist()


@pytest.mark.parametrize(
    ("form", "freq", "calendar"),
    [
        *(("%Y", "YS", ()), ("%Y%m", "MS", ()), ("%YQ%q", "QS", ()), ("Q%q %Y", "QS", ())),
        *(("%G-W%V", "W-MON", ()), ("%b %Y", "MS", ()), ("%Y%m%d", "D", ("day_of_week",))),
    ],
)
def test_periods_are_times_without_a_day_of_the_week(
    form: str, freq: str, calendar: tuple[str, ...], tmp_path: Path
) -> None:
    times = pd.date_range("1960-01-04" if freq == "W-MON" else "1960-01-01", periods=60, freq=freq)
    cells = [it.strftime(form.replace("%q", str(it.quarter))) for it in times.repeat(8)]
    lines = [f"{cell},{it % 7 / 2},{it % 11 / 2}\n" for it, cell in enumerate(cells)]
    (tmp_path / "f.csv").write_text("period,x,y\n" + "".join(lines))
    found = plan("f.csv", target="y", time="period", root=tmp_path)
    assert (found.by, found.calendar, found.until) == ("time", calendar, f"{times[-1]:%Y-%m-%d}")
    columns = [it.column for it in found.columns]
    read = frames.typed(source.read("f.csv", columns, root=tmp_path, **found.reading), columns)
    assert read["period"].tolist() == times.repeat(8).tolist()


def test_years_are_told_to_be_times_where_their_name_says_nothing_else() -> None:
    rows = "".join(f"{1990 + it % 30},{it % 7}.5,{it % 11}.5\n" for it in range(ROWS))
    for name, told in {
        "year": True,
        "Fiscal Year": True,
        "year_built": False,
        "size": False,
    }.items():
        found = made(f"{name},x,y\n{rows}", "y").columns[0]
        assert ("could be times from 1990-01-01" in found.why, found.role) == (told, "number")


@pytest.mark.parametrize("cell", ["{0}:{1:02}", "{0}:{1:02}:{2:02}", "{0}:{1:02} PM"])
def test_times_of_day_are_neither_names_nor_free_text(cell: str) -> None:
    cells = [cell.format(it % 12 + 1, it * 7 % 60, it % 59) for it in range(ROWS)]
    rows = "".join(f"{it},{at % 7}.5,{at % 11}.5\n" for at, it in enumerate(cells))
    found = made(f"at,x,y\n{rows}", "y").columns[0]
    assert (found.role, found.why) == ("left out", "times of day, or lengths of time")
    assert "make a number of it in source.py" in str(found.column.leaks)
    shifts = "".join(f"{6 + it % 3 * 8:02}:00,{it % 7}.5,{it % 11}.5\n" for it in range(ROWS))
    assert made(f"at,x,y\n{shifts}", "y").named("category") == ("at",)
    scores = made(f"at,x,y\n{rows}".replace("PM", "mm"), "y").columns[0]
    assert ("times of day" in scores.why) == ("PM" not in cell)


def test_rows_of_few_times_are_not_divided_by_them() -> None:
    rows = "".join(f"{2014 + it % 6},{it % 7}.5,{it % 11}.5\n" for it in range(ROWS))
    with pytest.raises(UsageError, match="rows of 6 times cannot be divided by time"):
        made(f"year,x,y\n{rows}", "y", time="year")


def test_numbers_that_count_something_else_are_no_times() -> None:
    for name, first in (("price", 1_546_300_800), ("time", 43_466), ("time", 5), ("date", 200_000)):
        text = "".join(f"{first + it * it},{it % 5},{it % 7}.5\n" for it in range(60))
        assert "could be" not in made(f"{name},b,y\n{text}", "y").columns[0].why


def test_of_columns_that_are_refused_the_first_one_is_told() -> None:
    rows = "".join(f"{it},{it % 7},{it % 3}\n" for it in range(200))
    data = f"a,b,y\n{rows}".replace("\n30,", "\ninf,").replace(",2,0\n", ",-inf,0\n")
    for _ in range(5):
        with pytest.raises(UsageError, match="column 'a': row 31 is infinite"):
            made(data, "y")


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("{}.5", "row 1 .'100.5'. has '.' before its decimals, where other columns have ','"),
        ("({})", "row 1 .'.100.'. is in brackets, as accountants write what is below zero"),
        ("{}-", "row 1 .'100-'. has its minus at the end; write all numbers in one way"),
    ],
)
def test_numbers_in_another_writing_are_told_and_not_taken_for_names(form: str, words: str) -> None:
    cells = [form.format(100 + it) if it % 2 == 0 else f"{it + 100}" for it in range(ROWS)]
    if "." in form:
        cells = [form.format(100 + it) for it in range(ROWS)]
    rows = "".join(f"{it},5;{cell};{it % 3 % 2}\n" for it, cell in enumerate(cells))
    with pytest.raises(UsageError, match=f"column 'b': {words}"):
        made(f"a;b;y\n{rows}", "y")


@pytest.mark.parametrize("form", ["({})", "{}-", "v{}.5", "{}.5.1"])
def test_codes_that_are_no_numbers_stay_names(form: str) -> None:
    rows = "".join(f"{it},5;{form.format(it % 50)};{it % 3 % 2}\n" for it in range(ROWS))
    assert {it.column.name: it.column.kind for it in made(f"a;b;y\n{rows}", "y").columns}["b"] == (
        "category"
    )


def test_a_blank_that_is_none_of_a_tables_beside_numbers_is_told() -> None:
    rows = "".join(f"\u00a0{it % 97},{it % 7},{it % 3 % 2}\n" for it in range(ROWS))
    with pytest.raises(UsageError, match=r"column 'a': row 1 .* with a blank beside it"):
        made(f"a,b,y\n{rows}", "y")


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (("yes", " yes", "no"), r"writes one class \('yes'\) with blanks around it and without"),
        (("1", "1.0", "0"), "writes one number in several ways, as 1 and 1.0"),
    ],
)
def test_classes_that_are_written_in_two_ways_are_told(cells: tuple[str, ...], words: str) -> None:
    rows = "".join(f"{it * it % 97},{cells[it % 3]}\n" for it in range(ROWS))
    with pytest.raises(UsageError, match=f"column 'y': the target {words}"):
        made(f"a,y\n{rows}", "y")


def test_a_date_that_stands_for_none_divides_no_rows() -> None:
    days = [f"2024-{1 + it % 12:02}-{1 + it % 28:02}" for it in range(ROWS)]
    rows = "".join(
        f"{'9999-12-31' if it % 9 == 5 else day},{it * it % 97},{it % 3 % 2}\n"
        for it, day in enumerate(days)
    )
    found = made(f"until,a,y\n{rows}", "y")
    assert (found.by, found.because.partition(",")[0]) == (
        "random",
        "'until' cannot divide the rows by time",
    )
    with pytest.raises(UsageError, match="row 6 is of 9999-12-31, more than 200 years away"):
        made(f"until,a,y\n{rows}", "y", time="until")


def test_columns_of_parquet_that_no_row_can_hold_are_told(tmp_path: Path) -> None:
    y = pa.array([0, 1, 1] * 50)
    tables = {
        "values within a value": pa.table({"a": pa.array([[1]] * 150), "y": y}),
        "no number, time or text": pa.table({"a": pa.array([b"a"] * 150), "y": y}),
        "two columns are called 'a'": pa.table([y, y, y], names=["a", "a", "y"]),
    }
    for words, given in tables.items():
        pq.write_table(given, tmp_path / "f.parquet")
        with pytest.raises(UsageError, match=words):
            plan("f.parquet", target="y", root=tmp_path)


def test_what_is_measured_of_somebody_is_no_name_of_them() -> None:
    rng = random.Random(1)
    names = ("patient_satisfaction", "household_income", "family_size", "school_no", "zip_code")
    rows = "".join(
        f"{rng.randrange(60, 99)},{rng.randrange(20, 90)},{rng.randrange(1, 25)},{it % 40},"
        f"{it % 30},{rng.gauss(0, 1):.3f}\n"
        for it in range(ROWS)
    )
    found = made(f"{','.join(names)},y\n{rows}", "y")
    assert found.named("number") == names[:3]
    assert (found.named("group"), found.named("category")) == (("school_no",), ("zip_code",))


def test_a_column_that_begins_with_many_gaps_is_read_without_a_warning(
    recwarn: pytest.WarningsRecorder,
) -> None:
    rows = "".join(
        f"{it % 7},{'' if it < 1200 else 'abc'[it % 3]},{it % 2}\n" for it in range(1600)
    )
    assert made(f"a,late,y\n{rows}", "y").named("category") == ("late",)
    assert [str(it.message) for it in recwarn] == []


def test_a_number_that_is_taken_for_a_class_is_told_how_to_be_one() -> None:
    rows = "".join(f"{it}.5,{1 + it % 7}\n" for it in range(70))
    with pytest.raises(UsageError, match="say --task regression if it is a number"):
        made(f"a,school\n{rows}9.5,30\n", "school")
