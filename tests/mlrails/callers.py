"""Who calls the served model: an application of ASGI asked without a socket, and a real process."""

import asyncio
import json
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, NamedTuple

from mlrails.core import hashing
from mlrails.modeling import loading
from mlrails.serving.http.limits import Limits
from mlrails.serving.http.telemetry import Metrics
from mlrails.serving.model.current import Holder
from mlrails.serving.web import app
from mlrails.serving.web.front import Front

ROW: dict[str, Any] = {
    "scheduled_departure": "2030-01-07T08:00:00",
    "carrier": "AA",
    "origin": "JFK",
    "dest": "BOS",
    "distance": 187.0,
    "wind_speed": 12.0,
    "temp": None,
}
"""A row that the sample's model takes."""


class Answered(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body read as JSON."""
        return json.loads(self.body)


def model(folder: Path, version: str = "1") -> loading.LoadedModel:
    """Load a model directory as a server does."""
    return loading.load(folder, loading.ModelOrigin(hashing.of_folder(folder), version, "flights"))


def application(
    folder: Path, token: str | None = None, limits: Limits | None = None, root_path: str = ""
) -> tuple[Front, Holder]:
    """Return the application that serves a model directory, and what holds the model."""
    holder = Holder(model(folder))
    return app.make(holder, Metrics(), token, limits, root_path), holder


def ask(front: Front, method: str, path: str, body: Any = b"", **headers: str) -> Answered:
    """Ask the application once."""
    return asyncio.run(asking(front, method, path, body, **headers))


async def asking(front: Front, method: str, path: str, body: Any = b"", **headers: str) -> Answered:
    """Ask the application; a body that is not bytes is sent as JSON, a list of bytes in parts."""
    parts = body if isinstance(body, list) and body and isinstance(body[0], bytes) else [body]
    parts = [it if isinstance(it, bytes) else json.dumps(it).encode() for it in parts]
    sent = {"content-type": "application/json", **headers}
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
        "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()
        ],
    }
    waiting = [
        {"type": "http.request", "body": part, "more_body": place + 1 < len(parts)}
        for place, part in enumerate(parts)
    ]
    said: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    await front(scope, receive, send)
    given = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    whole = b"".join(message.get("body", b"") for message in said[1:])
    return Answered(said[0]["status"], given, whole)


def application_of(model: loading.LoadedModel) -> Front:
    """Return the application that serves a loaded model."""
    return app.make(Holder(model), Metrics())
