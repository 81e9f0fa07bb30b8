"""MLflow on our terms."""

import os

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from flight_delays import foreign
from flight_delays.errors import UsageError, WorldError


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
    with pytest.raises(WorldError) as caught, foreign.in_words("http://server"):
        raise error
    assert str(caught.value) == f"tracking at http://server failed: {words}"


def test_a_server_that_is_gone_is_said_to_be_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    uri = "http://127.0.0.1:1"
    with pytest.raises(WorldError) as caught, foreign.in_words(uri):
        MlflowClient(uri).get_run("any")
    assert str(caught.value) == f"the tracking server {uri} does not answer"


@pytest.mark.parametrize("error", [ZeroDivisionError(), UsageError("ours"), WorldError("ours")])
def test_what_is_not_theirs_passes(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, foreign.in_words("http://server"):
        raise error
    assert caught.value is error


def test_a_user_may_teach_other_manners(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_DISABLE_TELEMETRY", "MLFLOW_LOGGING_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "9")
    monkeypatch.setattr(os, "environ", environ := dict(os.environ))
    foreign.teach_manners()
    assert environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "9"
    assert environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
