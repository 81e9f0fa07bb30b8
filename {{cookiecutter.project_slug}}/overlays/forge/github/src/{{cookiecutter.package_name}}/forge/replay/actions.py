"""The folders that `act` takes for the published actions: each calls `stand_ins` with Python."""

import json
import os
import sys
from pathlib import Path

from .files import Files

INPUTS: dict[str, dict[str, str]] = {
    "actions/checkout": {
        "ref": "",
        "token": "",
        "fetch-depth": "1",
        "persist-credentials": "true",
    },
    "astral-sh/setup-uv": {"enable-cache": "auto"},
    "actions/cache": {"path": "", "key": "", "restore-keys": ""},
    "actions/upload-artifact": {
        "name": "artifact",
        "path": "",
        "overwrite": "false",
        "if-no-files-found": "warn",
    },
    "actions/download-artifact": {"name": "", "path": "."},
}
"""The inputs that are stood in for, and what each is where nothing is said."""

_SOURCE = Path(__file__).parents[3]
_MODULE = f"{__package__}.stand_ins"


def write(files: Files, run: int, server: str) -> dict[str, Path]:
    """Write the folders for one run, whose number each of them holds; return them by action."""
    found = {}
    for action, inputs in INPUTS.items():
        folder = found[action] = files.folder("runs", run, "actions", action.partition("/")[2])
        posts = {"post": "post.js"} if action == "actions/cache" else {}
        runs = {"using": "node20", "main": "main.js", **posts}
        said = {"name": action, "description": action, "runs": runs}
        said["inputs"] = {name: {"default": default} for name, default in inputs.items()}
        # JSON is YAML.
        (folder / "action.yml").write_text(json.dumps(said), "utf-8")
        for part in ("main", "post"):
            words = [str(files.root), str(run), server, folder.name, part]
            (folder / f"{part}.js").write_text(_script(words), "utf-8")
    return found


def _script(words: list[str]) -> str:
    python, source = json.dumps(sys.executable), json.dumps(os.fspath(_SOURCE))
    return (
        "process.env.PYTHONPATH = " + source + ";\n"
        "const { spawnSync } = require('child_process');\n"
        f"const done = spawnSync({python}, {json.dumps(['-m', _MODULE, *words])}, "
        "{ stdio: 'inherit' });\n"
        "process.exitCode = done.status ?? 1;\n"
    )
