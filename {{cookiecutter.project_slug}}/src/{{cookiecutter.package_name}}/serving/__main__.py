"""python -m PACKAGE.serving serve: what an image runs; it needs no registry and no MLflow.

With `try` in its place the model answers its own example once, as the build of an image asks.
The model lies beside, in /opt/model, and `served.json` says which bytes it has. SageMaker may lay
another into /opt/ml/model; since a model brings code, SERVING_DIGEST must say which bytes to trust.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from .. import served, verified
from ..errors import UsageError, reported
from ..served import Origin
from . import manner

PORT = 8080
_MODEL, _ABOUT = "model", "served.json"
_LAID = Path("/opt/ml/model")


def found(root: Path, laid: Path, environment: Mapping[str, str]) -> tuple[Path, Origin]:
    """Return the model to serve and which one it must be.

    Raises UsageError for a model that was laid in and whose digest nobody vouches for.
    """
    origin = Origin(**json.loads((root / _ABOUT).read_text("utf-8")))
    if not (laid / "MLmodel").is_file():
        return root / _MODEL, origin
    digest = environment.get("SERVING_DIGEST", "")
    if not digest:
        raise UsageError(
            f"{laid}: set SERVING_DIGEST to the digest of the model that is laid there"
        )
    return laid, Origin(digest, digest[:12], origin.name)


def serve(root: Path, words: list[str], environment: Mapping[str, str]) -> None:
    """Serve until a signal comes; raises UsageError where it may not, or the words mean nothing."""
    from . import run

    host, port = "0.0.0.0", PORT  # noqa: S104 - a container has an address of its own
    if words[:1] != ["serve"] or len(words) not in {1, 3}:
        raise UsageError("say `serve`, `serve HOST PORT`, or `try`")
    if len(words) == 3:
        if not words[2].isdecimal():
            raise UsageError(f"{words[2]!r} is no port; use a number")
        host, port = words[1], int(words[2])
    how = manner.from_environment(environment)
    everyone = environment.get("SERVING_EVERYONE", "").lower() == "true"
    run.check_open(host, how.token, everyone, "SERVING_EVERYONE=true")
    folder, origin = found(root, _LAID, environment)
    listening = run.listen(host, port, "`serve HOST PORT`")
    if how.workers == 1:
        run.serve(served.load(folder, origin), listening, how, None)
        return
    from . import workers

    model = {"folder": str(folder), "origin": asdict(origin)}
    workers.serve(model, listening, how, None, lambda: None)


def main(root: Path, words: list[str], environment: Mapping[str, str]) -> None:
    """Try the model or serve it; raises WorldError where it does not answer its own example."""
    if words == ["try"]:
        served.load(*found(root, _LAID, environment))
    else:
        serve(root, words, environment)


def begin(root: Path, words: list[str]) -> None:
    """Do so as a process of its own, with a folder for a while that libraries find too.

    TensorFlow looks for one when it is imported, and ends where the whole root can only be read.
    """
    os.environ["TMPDIR"] = verified.place()
    main(root, words, os.environ)


if __name__ == "__main__":
    # The image lays the code into a folder beside the model.
    beside = Path(__file__).parents[3]
    sys.exit(reported(lambda: begin(beside, sys.argv[1:])))
