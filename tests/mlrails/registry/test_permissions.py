"""What an account lacks is told before work is begun, all of it at once."""

import socket
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import rows

from flight_delays.schema import COLUMNS
from mlrails.core.errors import DeniedError, OutageError, WorldError
from mlrails.core.settings import Settings
from mlrails.lifecycle import promote, register, rollback
from mlrails.pipeline import run
from mlrails.registry import permissions
from mlrails.tracking import store

URI = "http://bob:p%40ss@server:5000"  # pragma: allowlist secret
ALL = ("project", "project-promotions", "project-turn")


class Server:
    """A server with accounts, as far as it is asked about them."""

    def __init__(self, has: Mapping[str, str], **user: Any) -> None:
        self.has, self.user = has, {"username": "bob", "is_admin": False} | user
        self.asked: list[str] = []

    def __call__(self, _: object, version: str, path: str, **about: str) -> Any:
        self.asked.append(path)
        if path == "users/current":
            return {"user": self.user}
        name = about.get("experiment_name") or about.get("name") or about["resource_id"]
        if name not in self.has:
            return None
        if self.has[name] == "hidden":
            raise DeniedError("hidden")
        if path == "users/permissions/get":
            assert about["username"] == "bob"
            return {"permission": self.has[name]}
        return {"experiment": {"experiment_id": name}}


def ask(monkeypatch: pytest.MonkeyPatch, server: Any) -> None:
    def asked(*words: Any, **about: str) -> Any:
        return server(*words, **about)

    monkeypatch.setattr(permissions._Server, "ask", asked)


def check(role: permissions.Role = permissions.promoter, uri: str = URI) -> None:
    permissions.check(Settings(Path("nowhere"), tracking_uri=uri), role)


@pytest.mark.parametrize(
    ("has", "lacking"),
    [
        (dict.fromkeys(ALL, "EDIT"), None),
        (dict.fromkeys(ALL, "MANAGE"), None),
        ({}, None),  # Whoever makes them may do all with them.
        (
            {**dict.fromkeys(ALL, "EDIT"), ALL[2]: "READ"},
            "lacks EDIT on the registered model 'project-turn' .it has READ.; docs",
        ),
        ({ALL[1]: "hidden"}, "lacks EDIT on the experiment 'project-promotions' .it has NO_"),
        (
            dict.fromkeys(ALL, "USE"),
            "the experiment 'project' .* and EDIT on the registered model 'project' ",
        ),
    ],
)
def test_what_a_promoter_lacks_is_named(
    monkeypatch: pytest.MonkeyPatch, has: Mapping[str, str], lacking: str | None
) -> None:
    ask(monkeypatch, Server(has))
    if lacking is None:
        check()
    else:
        with pytest.raises(DeniedError, match=lacking) as caught:
            check()
        assert str(caught.value).startswith("http://***@server:5000: the account 'bob' lacks EDIT")
        assert "p%40ss" not in str(caught.value)


def test_an_administrator_and_a_server_without_accounts_are_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask(monkeypatch, server := Server(dict.fromkeys(ALL, "READ"), is_admin=True))
    check()
    assert server.asked == ["users/current"]
    ask(monkeypatch, lambda *_, **__: None)
    check()
    ask(monkeypatch, lambda *_, **__: pytest.fail("no server"))
    check(uri="sqlite:///mlflow.db")


@pytest.mark.parametrize(
    ("uri", "account", "header"),
    [
        (URI, ("ann", "x"), "Basic Ym9iOnBAc3M="),
        ("http://server", ("bob", "p@ss"), "Basic Ym9iOnBAc3M="),
        ("http://server", None, None),
    ],
)
def test_we_sign_in_as_mlflow_does(
    uri: str, account: tuple[str, str] | None, header: str | None
) -> None:
    there = Settings(Path("nowhere"), account=account)
    assert permissions._authorization(there, uri) == header


@pytest.mark.parametrize(
    "act",
    [
        partial(run.train, columns=COLUMNS),
        register.register,
        promote.promote,
        rollback.rollback,
    ],
)
def test_it_is_asked_before_any_work(
    here: Settings, monkeypatch: pytest.MonkeyPatch, act: Any
) -> None:
    has = dict.fromkeys(ALL, "READ")
    ask(monkeypatch, Server(has))
    monkeypatch.setattr(store, "check_reachable", lambda uri: None)
    monkeypatch.setattr(run, "_reproduce", lambda *_: pytest.fail("that was work"))
    monkeypatch.setattr(store, "connect", lambda settings: pytest.fail("that was work"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", URI)
    there = Settings(here.root, tracking_uri=URI)
    with pytest.raises(DeniedError, match="lacks EDIT on the experiment 'project'"):
        act(there)


def test_without_that_question_the_fit_would_be_done_in_vain(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(permissions, "check", lambda *_: None)
    monkeypatch.setattr(store, "check_reachable", lambda uri: None)
    monkeypatch.setattr(store, "connect", lambda settings: rows.git)
    monkeypatch.setattr(run, "_reproduce", lambda *_: done.append("the fit"))
    with pytest.raises((WorldError, AttributeError)):
        run.train(Settings(here.root, tracking_uri=URI), COLUMNS)
    assert done == ["the fit"]


@pytest.mark.parametrize("role", [permissions.promoter, permissions.registrar])
def test_a_server_that_is_gone_is_told_with_what_to_do(role: permissions.Role) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # And nobody listens.
        port = nobody.getsockname()[1]
        with pytest.raises(OutageError, match=r"does not answer .*; start it, or unset MLFLOW"):
            check(role, f"http://127.0.0.1:{port}")
