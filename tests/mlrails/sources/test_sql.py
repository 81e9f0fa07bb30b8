"""Rows of a database: a query's, told by their values, and nothing is written there."""

import sqlite3
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pandas as pd
import pyarrow as pa
import pytest

from mlrails.core.errors import UsageError, WorldError
from mlrails.core.settings import Account
from mlrails.data import frames
from mlrails.data.schema import Column
from mlrails.sources import provenance, read, sql

COLUMNS = [
    Column("day", "time"),
    Column("town", "category", nullable=True),
    Column("price", "number", nullable=True),
    Column("sold", "boolean"),
]
ADDRESS = "sqlite:///bank.db"
QUERY = "select * from sales where town like '%' or town is null"
WORDS = {"dates": {"day": "%Y-%m-%d"}, "positive": {"sold": "1"}}


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "bank.db") as there:
        there.execute("create table sales (day text, town text, price real, sold int, big int)")
        sales = [("2030-01-08", "Ulm: %s", 2.5, 0, 2**53 + 1), ("2030-01-07", None, None, 1, None)]
        there.executemany("insert into sales values (?, ?, ?, ?, ?)", sales)
    there.close()
    return tmp_path


def change(bank: Path, statement: str) -> None:
    with sqlite3.connect(bank / "bank.db") as there:
        there.execute(statement)
    there.close()


def digest(bank: Path, query: str = QUERY) -> str:
    with provenance.noted() as found:
        read(ADDRESS, query=query, root=bank)
    return found[0].digest


def test_rows_of_a_query_are_what_the_schema_says(bank: Path) -> None:
    found = read(ADDRESS, COLUMNS, query=QUERY, root=bank, **WORDS)
    made = frames.typed(found, COLUMNS)
    assert made["day"].tolist() == [pd.Timestamp("2030-01-07"), pd.Timestamp("2030-01-08")]
    assert made["town"].fillna("-").tolist() == ["-", "Ulm: %s"]
    assert made["price"].fillna(0).tolist() == [0, 2.5]
    assert made["sold"].tolist() == [True, False]
    assert read(ADDRESS, query=QUERY, root=bank)["big"].tolist() == [None, 2**53 + 1]


def test_rows_come_in_the_order_that_is_asked_for(bank: Path) -> None:
    found = read(ADDRESS, query="select day from sales\norder  by day desc", root=bank)
    assert found["day"].tolist() == ["2030-01-08", "2030-01-07"]


def test_the_digest_goes_by_values_and_not_by_their_order(bank: Path) -> None:
    known = digest(bank)
    assert digest(bank, f"{QUERY} order by day desc") == known
    with pytest.raises(WorldError, match="has changed"):
        read(ADDRESS, query=QUERY, root=bank, sha256="0" * 64)
    change(bank, "update sales set price = 2.25 where day = '2030-01-08'")
    assert digest(bank) != known
    change(bank, "update sales set price = 2.5 where day = '2030-01-08'")
    assert digest(bank) == known
    change(bank, "update sales set town = '' where town is null")
    assert digest(bank) != known


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": ["x", "yz"]}, {"a": ["xy", "z"]}),
        ({"a": [1, 2]}, {"a": ["1", "2"]}),
        ({"a": [1]}, {"b": [1]}),
        ({"a": [0]}, {"a": [None]}),
        ({"a": [1, 1]}, {"a": [1]}),
        ({"a": [True]}, {"a": [1]}),
    ],
)
def test_other_rows_have_another_digest(one: Any, other: Any) -> None:
    assert sql.digest(pa.table(one)) != sql.digest(pa.table(other))
    assert sql.digest(pa.table(one)) == sql.digest(pa.table(one))


def test_a_digest_stays_what_it_was_whatever_release_of_arrow_tells_it() -> None:
    table = pa.table(
        {"t": [datetime(2030, 1, 7), None], "x": [0.5, 1], "s": ["ä", ""], "b": [1, 0]}
    )
    known = "ac4d8b625728bb5cd2dee205055c6cffe56a41786cbf69f0738aabd58a3a92bb"
    assert sql.digest(table) == known


def test_nothing_is_written(bank: Path) -> None:
    before = (bank / "bank.db").read_bytes()
    for query in ("delete from sales", "drop table sales", "create table x (a int)"):
        with pytest.raises((UsageError, WorldError), match=r"bank\.db: "):
            read(ADDRESS, query=query, root=bank)
    with pytest.raises(UsageError, match=r"none.db: there is no such file"):
        read("sqlite:///none.db", query=QUERY, root=bank)
    assert (bank / "bank.db").read_bytes() == before
    assert [it.name for it in bank.iterdir()] == ["bank.db"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (None, "no query says which rows; write one"),
        ("selec 1", "refuses the query"),
        ("select * from nowhere", "refuses the query .no such table: nowhere"),
        ("select day, day from sales", "the column 'day' stands twice in the query"),
        ("select 1 as a union all select 'x'", "the column 'a' mixes types"),
        ("select x'00' as a", "the column 'a' is of the type binary"),
        ("select town from sales", "the column 'day' is missing"),
    ],
)
def test_what_a_query_does_not_give_is_said(bank: Path, query: str | None, message: str) -> None:
    with pytest.raises((UsageError, WorldError), match=message):
        read(ADDRESS, COLUMNS, query=query, root=bank)


def test_a_query_of_no_rows_has_its_columns(bank: Path) -> None:
    found = read(ADDRESS, query="select * from sales where 1 = 0", root=bank)
    assert [*found.columns] == ["day", "town", "price", "sold", "big"] and not len(found)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([Decimal("12.340"), None], ["12.340", None]),
        ([Decimal("NaN")], [None]),
        ([date(2030, 1, 7)], [datetime(2030, 1, 7)]),
        ([UUID(int=7)], [str(UUID(int=7))]),
        ([1, None], [1, None]),
    ],
)
def test_values_of_databases_lose_nothing(column: list[Any], expected: list[Any]) -> None:
    assert sql.column("a", [sql.array("a", column, "x")], "x").to_pylist() == expected


def test_pieces_of_several_types_are_one_column_where_that_loses_nothing() -> None:
    def whole(*pieces: list[Any]) -> list[Any]:
        made = [sql.array("a", it, "x") for it in pieces]
        found: list[Any] = sql.column("a", made, "x").to_pylist()
        return found

    assert whole([None], [1], [0.5]) == [None, 1, 0.5]
    for other in ([2**53 + 1], [0.5]), ([1], ["x"]):
        with pytest.raises(UsageError, match="mixes types"):
            whole(*other)
    with pytest.raises(UsageError, match="a time with a zone"):
        whole([datetime(2030, 1, 7, tzinfo=UTC)])


def test_a_driver_that_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs pymssql, which is not installed"):
        sql.rows("mssql+pymssql://host/bank", "select 1", tmp_path, Account())
