"""Rows of a real PostgreSQL, which asks for a password."""

from collections.abc import Iterator, Mapping

import pandas as pd
import postgres
import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from mlrails.core.errors import UsageError, WorldError
from mlrails.data import frames
from mlrails.data.schema import Column
from mlrails.sources import provenance, read

pytestmark = pytest.mark.postgres
COLUMNS = [
    Column("day", "time"),
    Column("seen", "time", nullable=True),
    Column("town", "category", nullable=True),
    Column("price", "number", nullable=True),
    Column("big", "number", nullable=True),
    Column("sold", "boolean"),
]
MADE = """
create table sales (
    day date, seen timestamptz, town text, price numeric(12, 4), big bigint, sold boolean,
    extra json
);
create sequence numbers;
insert into sales values
    ('2030-01-08', '2030-01-08 12:00+00', 'Köln 100%', 12.3400, 7, true, '{"a": 1}'),
    ('2030-01-07', null, null, 'NaN', null, false, null)
"""
QUERY = """
select day, seen at time zone 'Europe/Berlin' as seen, town, price::numeric, big, sold
from sales where town like '%100%%' or town is null
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if reason := postgres.hindrance():
        pytest.fail(reason)
    with postgres.cluster() as address:
        tell(address, MADE)
        yield address


@pytest.fixture
def address(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SOURCE_PASSWORD", postgres.SECRET)
    return server


def tell(address: str, statements: str) -> None:
    """Change the database as its owner."""
    engine = create_engine(make_url(address).set(password=postgres.SECRET))
    plain = engine.execution_options(no_parameters=True)
    with plain.begin() as connection:
        for statement in statements.split(";"):
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_rows_of_postgresql_are_what_the_schema_says(address: str) -> None:
    made = frames.typed(read(address, COLUMNS, query=QUERY), COLUMNS)
    assert made["day"].tolist() == [pd.Timestamp("2030-01-07"), pd.Timestamp("2030-01-08")]
    assert made["seen"].tolist() == [pd.NaT, pd.Timestamp("2030-01-08 13:00")]
    assert made["town"].fillna("-").tolist() == ["-", "Köln 100%"]
    assert made["price"].fillna(0).tolist() == [0, 12.34]
    assert made["big"].fillna(0).tolist() == [0, 7] and made["sold"].tolist() == [False, True]


def test_a_change_of_its_rows_is_noticed_and_their_order_is_none(address: str) -> None:
    with provenance.noted() as found:
        read(address, COLUMNS, query=QUERY)
    known = found[0].digest
    # PostgreSQL writes an updated row behind the others.
    tell(address, "update sales set day = day where day = '2030-01-07'")
    read(address, COLUMNS, query=QUERY, sha256=known)
    tell(address, "update sales set price = 12.35 where price = 12.34")
    with pytest.raises(WorldError, match="has changed"):
        read(address, COLUMNS, query=QUERY, sha256=known)
    tell(address, "update sales set price = 12.34 where price = 12.35")
    read(address, COLUMNS, query=QUERY, sha256=known)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select seen from sales order by day desc", "'seen' is a time with a zone"),
        ("select extra from sales", "'extra' is of the type|'extra' mixes types"),
        ("select * from nowhere", 'refuses the query .relation "nowhere" does not exist'),
        ("select town::int from sales", "refuses the query"),
        ("delete from sales", "refuses the query"),
        ("select nextval('numbers') as seen", "refuses the query .*read-only"),
    ],
)
def test_what_a_query_does_not_give_is_said_and_no_row_is(
    address: str, query: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message) as error:
        read(address, COLUMNS[1:2], query=query)
    assert "Köln" not in str(error.value) and postgres.SECRET not in str(error.value)


def test_a_password_that_is_wrong_or_missing_is_said_and_not_told(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: Mapping[str, str] = {"SOURCE_PASSWORD": f"{postgres.SECRET}-not", "SOURCE_USER": "me"}
    for name, value in said.items():
        monkeypatch.setenv(name, value)
        with pytest.raises(WorldError, match=r"cannot be reached .*SOURCE_PASSWORD") as error:
            read(address, COLUMNS, query=QUERY)
        assert "dragon" not in str(error.value)
    monkeypatch.delenv("SOURCE_PASSWORD")
    with pytest.raises(WorldError, match="cannot be reached"):
        read(address, COLUMNS, query=QUERY)
