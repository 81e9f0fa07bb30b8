"""MLflow on our terms."""

import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as some
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException, RestException
from sqlalchemy import create_engine

from mlrails.core import processes
from mlrails.core.errors import DeniedError, OutageError, UsageError, WorldError
from mlrails.tracking import client


class SqlError(Exception):
    __module__ = "sqlalchemy.exc"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MlflowException("no such run\nand much more"), "no such run"),
        (
            SqlError("\n\n  (sqlite3) database is locked\n[SQL: …]"),
            "  (sqlite3) database is locked",
        ),
        (MlflowException(""), "no reason given"),
        (MlflowException("x" * 1000), "x" * 300 + " …"),
        (MlflowException("word " * 1000), "word " * 60 + "…"),
    ],
)
def test_what_they_raise_is_told_in_one_sentence(error: Exception, words: str) -> None:
    with pytest.raises(WorldError) as caught, client.in_words("http://server"):
        raise error
    assert str(caught.value) == f"tracking at http://server failed: {words}"


def _full(connection: Any, database: Path) -> None:
    connection.exec_driver_sql("PRAGMA max_page_count = 2")
    connection.exec_driver_sql("INSERT INTO runs VALUES (hex(zeroblob(100000)))")


def _locked(connection: Any, database: Path) -> None:
    with closing(sqlite3.connect(database)) as other:
        other.execute("BEGIN EXCLUSIVE")
        connection.exec_driver_sql("INSERT INTO runs VALUES (1)")


def _read_only(connection: Any, database: Path) -> None:
    connection.exec_driver_sql("PRAGMA query_only = ON")
    connection.exec_driver_sql("INSERT INTO runs VALUES (1)")


def _lost(connection: Any, database: Path) -> None:
    sqlite3.connect(database.with_name("none") / database.name)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_full, "database or disk is full; free some space and run the same command again"),
        (_locked, "database is locked; another process is at work in it; run the same command "),
        (_read_only, "attempt to write a readonly database; make the file and its folder "),
        (_lost, "unable to open database file; make its folder one that this user can write to"),
    ],
)
def test_what_a_database_in_a_file_refuses_is_told_with_a_remedy(
    tmp_path: Path, spoil: Callable[[Any, Path], None], words: str
) -> None:
    database = tmp_path / "mlflow.db"
    engine = create_engine(f"sqlite:///{database}", connect_args={"timeout": 0})
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE runs (name TEXT)")
    with (
        pytest.raises(OutageError) as caught,
        client.in_words("mlflow.db"),
        engine.connect() as connection,
    ):
        try:
            spoil(connection, database)
        except Exception as error:  # As MLflow does, with words of its own before.
            raise MlflowException(f"(raised as a result of a flush)\n{error}") from error
    engine.dispose()
    assert f"tracking at mlflow.db failed: {words}" in str(caught.value)


def test_a_server_that_is_gone_is_said_to_be_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    uri = "http://127.0.0.1:1"
    with pytest.raises(WorldError) as caught, client.in_words(uri):
        MlflowClient(uri).get_run("any")
    assert str(caught.value) == f"the tracking server {uri} does not answer"


@pytest.mark.parametrize("error", [ZeroDivisionError(), UsageError("ours"), WorldError("ours")])
def test_what_is_not_theirs_passes(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, client.in_words("http://server"):
        raise error
    assert caught.value is error


def test_a_user_may_teach_other_manners(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_DISABLE_TELEMETRY", "MLFLOW_LOGGING_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "9")
    monkeypatch.setattr(os, "environ", environ := dict(os.environ))
    processes.configure_mlflow()
    assert environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "9"
    assert environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


SECRET = some.text("ZQXJ@:/#%?&=+._-", min_size=1, max_size=20).map(lambda it: f"Z{it}Q")
"""Of letters that stand nowhere else in what is masked."""
SCHEME = some.sampled_from(["http://", "https://", "postgresql+psycopg://", "ssh://", ""])
HOST = some.sampled_from(["127.0.0.1:15500", "mlflow.example.org", "[::1]:5000"])
SAID = some.sampled_from(
    [
        "tracking at {0} failed",
        "{0}",
        "sqlite:///a,{0},{1}",
        "HTTPConnectionPool(host='{0}', port=1): no (url={1})",
        "from {0}/api/2.0 to {1}/path?x=1 twice {0}",
    ]
)


def without(text: str) -> str:
    return "".join(letter for letter in text if letter in "ZQXJ")


@given(SAID, SCHEME, HOST, SECRET, SECRET, SECRET)
def test_no_letter_of_a_password_is_shown(
    said: str, scheme: str, host: str, user: str, password: str, other: str
) -> None:
    addresses = [f"{scheme}{user}:{word}@{host}" for word in (password, other)]
    for uri in ("", addresses[0]):
        shown = client.masked(said.format(*addresses), uri)
        assert without(shown) == "" and "***@" in shown
    assert host in shown


@given(SECRET, HOST)
def test_no_piece_of_a_password_is_shown_that_a_parser_has_cut_off(
    password: str, host: str
) -> None:
    uri = f"http://bob:{password}@{host}"
    piece = password.rpartition("@")[2]
    for said in (f'could not translate host name "{piece}@{host}"', f"host={password!r}"):
        assert without(client.masked(said, uri)) == ""


@pytest.mark.parametrize(
    "text",
    [
        "sqlite:////home/ann@example.org/mlflow.db",
        "http://127.0.0.1:5000",
        "git@github.com:team/project.git",
        "the file reports/report.html, 12:30 and 5 @ 6",
    ],
)
def test_what_holds_no_password_stays_as_it_is(text: str) -> None:
    assert client.masked(text, "http://server") == text


def test_the_case_of_a_password_with_an_at_sign() -> None:
    uri = "http://bob:p@ssw0rd-x@127.0.0.1:15500"
    with pytest.raises(OutageError) as caught, client.in_words(uri):
        raise requests.exceptions.ConnectionError(f"{uri} ssw0rd-x@127.0.0.1")
    assert str(caught.value) == "the tracking server http://***@127.0.0.1:15500 does not answer"
    assert client.masked("ssw0rd-x@127.0.0.1", uri) == "***@127.0.0.1"
    # The pattern of before, without which it would be told:
    assert re.sub(r"//[^/@\s]*@", "//***@", uri) == "http://***@ssw0rd-x@127.0.0.1:15500"


DENIED = RestException({"error_code": "PERMISSION_DENIED", "message": "Permission denied"})
PLAIN = MlflowException("API request to endpoint /x failed with error code 403 != 200. Response …")


@pytest.mark.parametrize("error", [DENIED, PLAIN])
@pytest.mark.parametrize(
    ("uri", "variable", "who"),
    [
        ("http://b%40b:p@host", "ann", "http://***@host: the account 'b@b'"),
        ("http://host", "ann", "http://host: the account 'ann'"),
        ("http://host", "", "http://host: who asks without the name of an account"),
    ],
)
def test_a_refusal_names_who_may_not_do_what(
    monkeypatch: pytest.MonkeyPatch, error: Exception, uri: str, variable: str, who: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", variable)
    needs = client.needed(client.EDIT, "registered model", "flights-turn")
    with pytest.raises(DeniedError) as caught, client.in_words(uri, needs):
        raise error
    assert str(caught.value) == (
        f"{who} may not do this; it takes EDIT on the registered model 'flights-turn'; "
        "docs/production.md lists who needs which permission"
    )


def test_an_account_that_is_not_accepted_is_told_so() -> None:
    words = "does not accept .*; set MLFLOW_TRACKING_USERNAME and"
    with pytest.raises(DeniedError, match=words), client.in_words("http://host"):
        raise MlflowException("API request to endpoint /x failed with error code 401 != 200")


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (MlflowException("API request to endpoint /x failed with error code 503 != 200"), True),
        (RestException({"error_code": "INTERNAL_ERROR", "message": "the database is gone"}), True),
        (RestException({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no run"}), False),
        (MlflowException("raised here"), False),
        (ConnectionError("away"), True),
        (OSError("no such file"), False),
    ],
)
def test_an_outage_is_told_from_what_is_not_there(error: Exception, away: bool) -> None:
    assert client.is_away(error) is away
    if away and isinstance(error, MlflowException):
        with pytest.raises(OutageError), client.in_words("http://host"):
            raise error
