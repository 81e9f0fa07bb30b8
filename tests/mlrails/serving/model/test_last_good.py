"""A restart without the registry serves the last model that was good, and says so."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import callers
import pytest
import rows

from mlrails.core import hashing, layout
from mlrails.core.errors import OutageError, WorldError
from mlrails.core.settings import Settings
from mlrails.registry import resolve, versions
from mlrails.registry.versions import CHAMPION
from mlrails.serving.http.telemetry import Metrics
from mlrails.serving.model import fetcher, last_good
from mlrails.serving.model.current import NOTICE, Holder
from mlrails.serving.model.fetcher import Fetcher
from mlrails.serving.model.order import Order
from mlrails.serving.model.reload import Watch
from mlrails.serving.web import app

AWAY = OutageError("the tracking server http://server does not answer")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return what fetchers tell, as it comes."""
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(fetcher, "tell", lambda **it: told.append(it))
    monkeypatch.setattr(fetcher, "smoke_test", lambda folder, origin: {"prediction": [1]})
    return told


@pytest.fixture
def order(tmp_path: Path) -> Order:
    (tmp_path / "into").mkdir()
    return Order(CHAMPION, 5, str(tmp_path / "into"))


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Return what lets the registry be away, or be back."""
    there = versions.connect_to_read

    def gone(_: Settings) -> Any:
        raise AWAY

    return lambda is_away: monkeypatch.setattr(
        versions, "connect_to_read", gone if is_away else there
    )


@pytest.mark.usefixtures("promoted")
def test_a_restart_without_the_registry_serves_what_was_good_until_it_is_back(
    here: Settings, order: Order, said: list[dict[str, Any]], away: Callable[[bool], None]
) -> None:
    Fetcher(order, here).look()
    (first,) = said
    assert first["origin"]["version"] == "1" and "outage" not in first
    away(True)
    again = Fetcher(order, here)
    again.look()
    again.look()
    (found,) = said[1:]
    assert found["origin"] == first["origin"] and found["outage"] == str(AWAY)
    assert hashing.of_folder(Path(found["folder"])) == first["origin"]["digest"]
    assert "the last that was good" in found["named"]
    away(False)
    again.look()
    again.look()
    assert said[2:] == [{"well": True}]


@pytest.mark.usefixtures("promoted")
def test_a_running_server_keeps_its_model_when_the_alias_is_lost_and_a_restart_refuses(
    here: Settings, order: Order, said: list[dict[str, Any]]
) -> None:
    running = Fetcher(order, here)
    running.look()
    versions.connect(here).client.delete_registered_model_alias(rows.NAME, CHAMPION)
    running.look()
    Fetcher(order, here).look()
    (problem, refused) = said[1:]
    assert problem == refused and list(problem) == ["problem"]
    why = "there is no champion (no version has the alias 'champion'; there are: 1)"
    assert why in problem["problem"]


@pytest.mark.usefixtures("promoted")
def test_without_the_guard_a_running_server_would_change_to_an_ungated_model(
    here: Settings, order: Order, said: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = Fetcher(order, here)
    running.look()
    versions.connect(here).client.delete_registered_model_alias(rows.NAME, CHAMPION)
    monkeypatch.setattr(resolve, "_used", lambda *_: iter(()))
    running.look()
    assert said[-1]["origin"]["version"] == "local"


@pytest.mark.usefixtures("promoted")
def test_what_was_kept_and_altered_is_not_served(
    here: Settings,
    order: Order,
    said: list[dict[str, Any]],
    away: Callable[[bool], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    Fetcher(order, here).look()
    (model,) = (here.scratch / "last-good").glob("*/model")
    (model / "MLmodel").write_text("another", "utf-8")
    away(True)
    Fetcher(order, here).look()
    assert said[1:] == [{"problem": str(AWAY)}]
    assert "the bytes are not those of the model" in capsys.readouterr().err


@pytest.mark.usefixtures("promoted")
def test_where_signatures_are_asked_for_an_unsigned_one_is_not_served(
    here: Settings, order: Order, said: list[dict[str, Any]], away: Callable[[bool], None]
) -> None:
    Fetcher(order, here).look()
    (here.root / "signing.pub").write_text("a key\n", "utf-8")
    with pytest.raises(WorldError, match=r"is not signed, and signing\.pub asks for it"):
        last_good.found(here, CHAMPION).__enter__()
    away(True)
    Fetcher(order, here).look()
    assert said[1:] == [{"problem": str(AWAY)}]


@pytest.mark.usefixtures("promoted")
def test_it_is_of_one_registry_and_of_what_was_wanted_there_and_of_this_user(
    here: Settings, order: Order, said: list[dict[str, Any]]
) -> None:
    Fetcher(order, here).look()
    digest = said[0]["origin"]["digest"]
    assert last_good.has(here, CHAMPION, digest) and not last_good.has(here, CHAMPION, "another")
    assert not last_good.has(here, "challenger", digest)
    assert not last_good.has(replace(here, tracking_uri="http://other"), CHAMPION, digest)
    assert (here.scratch / "last-good").stat().st_mode & 0o077 == 0
    with last_good.found(replace(here, on_branch=True), CHAMPION) as kept:
        assert kept is None


def test_a_model_of_the_folder_is_not_kept(
    here: Settings, order: Order, said: list[dict[str, Any]]
) -> None:
    Fetcher(order, here).look()
    assert said[0]["origin"]["version"] == "local"
    assert not (here.scratch / "last-good").exists()


@pytest.mark.usefixtures("promoted")
def test_a_newer_model_takes_the_place_of_the_one_before(
    here: Settings, order: Order, said: list[dict[str, Any]]
) -> None:
    Fetcher(order, here).look()
    with last_good.found(here, CHAMPION) as kept:
        assert kept is not None
        model, origin = kept
        (model / "more").write_text("x", "utf-8")
        newer = replace(origin, digest=hashing.of_folder(model), version="2")
        last_good.keep(here, CHAMPION, model, newer, None)
    assert last_good.has(here, CHAMPION, newer.digest)
    assert [it.name[:8] != ".partial" for it in (here.scratch / "last-good").iterdir()] == [True]


def test_who_asks_is_told_while_the_registry_cannot_be_followed(
    here: Settings, order: Order
) -> None:
    notice = Path(order.into) / NOTICE
    metrics, holder = Metrics(), Holder(callers.model(here.root / layout.MODEL), notice)
    watch: Any = Watch(order, None)  # type: ignore[arg-type]
    front = app.make(holder, metrics)
    assert callers.ask(front, "GET", "/ready").body == b"\n"
    asyncio.run(watch._hear({"problem": "http://secret-host is away"}, holder, metrics))
    ready = callers.ask(front, "GET", "/ready")
    assert ready.status == 200 and b"the registry cannot be followed, so this is" in ready.body
    assert b"the registry cannot be followed" in callers.ask(front, "GET", "/").body
    assert b"secret-host" not in ready.body and b"registry_problem 1.0" in metrics.text()
    asyncio.run(watch._hear({"well": True}, holder, metrics))
    assert callers.ask(front, "GET", "/ready").body == b"\n"
    assert b"registry_problem 0.0" in metrics.text()
