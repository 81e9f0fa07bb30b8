"""The forge on loopback: git over HTTP, and its REST API below `/api/v3`."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from . import git, rest
from .files import FULL_NAME, Files
from .rights import Rights

API = "/api/v3"
_GIT = re.compile(rf"/{FULL_NAME}(?:\.git)?(/info/refs|/git-upload-pack|/git-receive-pack)")


class Server(ThreadingHTTPServer):
    """Serves one forge on a port of the system's choice."""

    daemon_threads = True

    def __init__(self, files: Files, rights: Rights) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.rights = files, rights
        self.asked: list[tuple[str, str, int]] = []
        """Method, path and status of each REST request."""

    @property
    def url(self) -> str:
        """The address that stands in for https://github.com."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Server

    def do_GET(self) -> None:
        """Answer a request that reads."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a request that makes something."""
        self._answer()

    def do_PATCH(self) -> None:
        """Answer a request that changes something."""
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def body(self) -> bytes:
        """Return what the request brings along."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts: list[bytes] = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self) -> None:
        path = urlsplit(self.path).path
        if found := _GIT.fullmatch(path):
            self._git(found[1])
        elif path.startswith((API, rest.BLOBS)):
            self._rest(path)
        else:
            self.reply(404, b"", {})

    def _git(self, service: str) -> None:
        server, query = self.server, urlsplit(self.path).query
        told = (self.command, service, query, self.headers, self.body())
        self.reply(*git.answer_http(server.files, server.rights, *told))

    def _rest(self, path: str) -> None:
        query = dict(parse_qsl(urlsplit(self.path).query))
        text = self.body()
        given: dict[str, Any] = json.loads(text) if text else {}
        asked = rest.Asked(self.server.files, self.server.url, path, query, given)
        header = self.headers.get("Authorization")
        answer = rest.answer(asked, self.command, header, self.server.rights)
        self.server.asked.append((self.command, path, answer.status))
        kind = "application/zip" if isinstance(answer.body, bytes) else "application/json"
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.reply(answer.status, body, {"Content-Type": kind, **answer.headers})


@contextmanager
def serving(files: Files, rights: Rights) -> Iterator[Server]:
    """Serve a forge as long as the block runs."""
    server = Server(files, rights)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
