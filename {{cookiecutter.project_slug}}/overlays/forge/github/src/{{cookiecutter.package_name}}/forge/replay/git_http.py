"""Git over HTTP by git's own `http-backend`: who may read and push is asked of the job's token."""

import os
import subprocess
from email.message import Message

from .files import Files
from .rights import Rights

Reply = tuple[int, bytes, dict[str, str]]


def answer(
    files: Files,
    rights: Rights,
    method: str,
    service: str,
    query: str,
    headers: Message,
    body: bytes,
) -> Reply:
    """Answer a clone's fetch or push with a status, a body and headers."""
    level = "write" if "receive-pack" in service + query else "read"
    if status := rights.refused(headers.get("Authorization"), "contents", level):
        ask = {"WWW-Authenticate": 'Basic realm="GitHub"'} if status == 401 else {}
        return status, b"the token may not do this", ask
    variables = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "GIT_PROJECT_ROOT": str(files.root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "PATH_INFO": f"/{files.remote.name}{service}",
        "QUERY_STRING": query,
        "REQUEST_METHOD": method,
        "CONTENT_TYPE": headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": headers.get("Git-Protocol", ""),
        "REMOTE_USER": "token",
    }
    done = subprocess.run(
        ["git", "http-backend"], input=body, env=variables, capture_output=True, check=False
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    told = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
    return int(told.pop("Status", "200").split()[0]), content, told
