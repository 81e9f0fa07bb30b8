"""Servers on this machine; one is a forge that answers as told, and notes what it is asked."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mlrails.github.api import Job


@dataclass(frozen=True)
class Asked:
    """A request: `path` lies below the repository where that is named in it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: Any


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    status: int = 200
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


Says = Callable[[Asked], Answer]


@dataclass(frozen=True)
class Server:
    """A server that runs, and all that it was asked."""

    address: str
    asked: list[Asked]

    def job(self, **more: str) -> Job:
        """Return a job of a repository that lives here."""
        known = {"api": self.address, "server": "https://forge", "repository": "a/b", "run": "7"}
        return Job(**{**known, "token": "a-token-of-a-job", "sha": "c" * 40, **more})


@contextmanager
def serve(says: Says) -> Iterator[Server]:
    """Serve until the block ends."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        """One request."""

        def answer(self) -> None:
            """Note it and answer."""
            there = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            content = json.loads(self.rfile.read(length)) if length else None
            path, query = there.path.removeprefix("/repos/a/b/"), dict(parse_qsl(there.query))
            asked.append(Asked(self.command, path, query, dict(self.headers), content))
            told = says(asked[-1])
            raw = isinstance(told.content, bytes)
            body = told.content if raw else json.dumps(told.content).encode()
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = answer  # noqa: N815 - the names of http.server

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with running(Handler) as address:
        yield Server(address, asked)


@contextmanager
def running(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """Answer requests by a handler of http.server, and yield the address; ended at the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def paged(items: list[Any], asked: Asked, within: str = "") -> Answer:
    """Answer with one page of a list."""
    size, page = int(asked.query["per_page"]), int(asked.query["page"])
    found = items[(page - 1) * size : page * size]
    return Answer(content={within: found, "total_count": len(items)} if within else found)
