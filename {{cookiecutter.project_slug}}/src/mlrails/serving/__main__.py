"""python -m mlrails.serving serve: what an image runs; it needs no registry and no MLflow.

With `try` in its place the model answers its own example once, as the build of an image asks.
`health [[HOST] PORT]` asks a server whether it is well, by default the first process of the
container, whose words say where it listens; no proxy is asked on the way. It is asked every ten
seconds: what the others need is imported where they need it.
The model lies beside, in /opt/model, and `served.json` says which bytes it has. SageMaker may lay
another into /opt/ml/model; since a model brings code, SERVING_DIGEST must say which bytes to trust.
"""

import json
import os
import sys
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..modeling.loading import ModelOrigin


PORT = 8080
_MODEL, _ABOUT = "model", "served.json"
LOGGED = "logged"
"""What `served.json` calls the columns that may be kept of requests."""
_LAID = Path("/opt/ml/model")
_FIRST = Path("/proc/1/cmdline")
_ALL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on, not by us
_SECONDS_TO_ANSWER = 5


def found(root: Path, laid: Path, environment: Mapping[str, str]) -> "tuple[Path, ModelOrigin]":
    """Return the model to serve and which one it must be.

    Raises UsageError for a model that was laid in and whose digest nobody vouches for.
    """
    from ..core.errors import UsageError
    from ..modeling.loading import ModelOrigin

    about = _about(root)
    for more in ("written", LOGGED):
        about.pop(more, None)
    origin = ModelOrigin(**about)
    if not (laid / "MLmodel").is_file():
        return root / _MODEL, origin
    digest = environment.get("SERVING_DIGEST", "")
    if not digest:
        raise UsageError(
            f"{laid}: set SERVING_DIGEST to the digest of the model that is laid there"
        )
    return laid, ModelOrigin(digest, digest[:12], origin.name)


def _about(root: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((root / _ABOUT).read_text("utf-8"))
    return told


def serve(root: Path, words: list[str], environment: Mapping[str, str]) -> None:
    """Serve until a signal comes; raises UsageError where it may not, or the words mean nothing."""
    from dataclasses import asdict, replace

    from ..core.errors import UsageError
    from ..modeling import loading
    from .process import options, server
    from .requests.pieces import prepare

    host, port = "0.0.0.0", PORT  # noqa: S104 - a container has an address of its own
    if words[:1] != ["serve"] or len(words) not in {1, 3}:
        raise UsageError("say `serve`, `serve HOST PORT`, or `try`")
    if len(words) == 3:
        if not words[2].isdecimal():
            raise UsageError(f"{words[2]!r} is no port; use a number")
        host, port = words[1], int(words[2])
    about = _about(root)
    how = replace(
        options.from_environment(environment),
        written=about.get("written", {}),
        requests_columns=about.get(LOGGED),
    )
    if rules := how.rules:
        prepare(rules.folder)
    everyone = environment.get("SERVING_EVERYONE", "").lower() == "true"
    server.check_open(host, how.token, everyone, "SERVING_EVERYONE=true")
    folder, origin = found(root, _LAID, environment)
    listening = server.listen(host, port, "`serve HOST PORT`")
    if how.workers == 1:
        server.serve(loading.load(folder, origin), listening, how, None)
        return
    from .process import supervisor

    model = {"folder": str(folder), "origin": asdict(origin)}
    supervisor.serve(model, listening, how, None, lambda: None)


def main(root: Path, words: list[str], environment: Mapping[str, str]) -> None:
    """Try the model or serve it; raises WorldError where it does not answer its own example."""
    from ..modeling import loading

    if words == ["try"]:
        loading.load(*found(root, _LAID, environment))
    else:
        serve(root, words, environment)


def begin(root: Path, words: list[str]) -> None:
    """Do so as a process of its own, with a folder for a while that libraries find too.

    TensorFlow looks for one when it is imported, and ends where the whole root can only be read.
    """
    from ..modeling import checked_copy

    os.environ["TMPDIR"] = checked_copy.place()
    main(root, words, os.environ)


def place(words: list[str], first: Path) -> tuple[str, int]:
    """Return the host and the port to ask, of our words or else of the first process' `serve`."""
    *host, port = words or _said_to(first) or ["8080"]
    name = host[0] if host else "127.0.0.1"
    return _ALL.get(name, name), int(port)


def _said_to(first: Path) -> list[str]:
    try:
        told = first.read_text("utf-8")
    except OSError:
        return []
    return told.partition("\0serve\0")[2].split("\0")[:-1]


def check_health(words: list[str], first: Path = _FIRST) -> None:
    """End the process with a sentence unless the server is well."""
    host, port = place(words, first)
    asked = HTTPConnection(host, port, timeout=_SECONDS_TO_ANSWER)
    try:
        asked.request("GET", "/ping")
        status = asked.getresponse().status
    except (OSError, HTTPException) as error:
        sys.exit(f"the server does not answer: {error}")
    if status != 200:
        sys.exit(f"the server answers {status}")


def run_words(root: Path, words: list[str]) -> None:
    """Do what the words of the command say, and end the process."""
    if words[:1] == ["health"]:
        check_health(words[1:])
        return
    from ..core.errors import reported

    sys.exit(reported(lambda: begin(root, words)))


if __name__ == "__main__":
    # The image lays the code into a folder beside the model.
    run_words(Path(__file__).parents[3], sys.argv[1:])
