"""Git over HTTP by git's own `http-backend`: who may read and push is asked of the job's token."""

import os
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from .server import Handler


def answer(handler: "Handler", service: str) -> None:
    """Answer a clone's fetch or push."""
    query = urlsplit(handler.path).query
    pushes = "receive-pack" in service + query
    header = handler.headers.get("Authorization")
    level = "write" if pushes else "read"
    body = handler.body()
    if status := handler.server.rights.refused(header, "contents", level):
        ask = {"WWW-Authenticate": 'Basic realm="GitHub"'} if status == 401 else {}
        handler.reply(status, b"the token may not do this", ask)
        return
    variables = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "GIT_PROJECT_ROOT": str(handler.server.files.root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "PATH_INFO": f"/{handler.server.files.remote.name}{service}",
        "QUERY_STRING": query,
        "REQUEST_METHOD": handler.command,
        "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": handler.headers.get("Git-Protocol", ""),
        "REMOTE_USER": "token",
    }
    done = subprocess.run(
        ["git", "http-backend"], input=body, env=variables, capture_output=True, check=False
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
    handler.reply(int(headers.pop("Status", "200").split()[0]), content, headers)
