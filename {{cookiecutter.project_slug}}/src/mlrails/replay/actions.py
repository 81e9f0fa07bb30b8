"""python -m … ROOT RUN SERVER ACTION main|post: does in a job's folder what the action does.

The published actions are stood in for: `write` makes the folders that `act` takes for them, each of
which calls this module with Python. What the real action does otherwise: it has more inputs, and it
talks to the forge's own stores.
"""

import base64
import json
import os
import shutil
import sys
import tarfile
from pathlib import Path

from ..core.errors import UsageError, WorldError, reported
from ..core.git import run as run_git
from .files import FULL_NAME, Files, Record, keep_artifact, unpack_artifact
from .git import git

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

HERE = Path()
_SOURCE = Path(__file__).parents[2]
_MODULE = f"{__package__}.actions"


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


def value(name: str) -> str:
    """Return an input of the action."""
    return os.environ.get(f"INPUT_{name.upper()}", "").strip()


def checkout(files: Files, run: Record, server: str) -> None:
    """Clone the commit of the event (or `ref`), with all branches where the depth is 0."""
    address, token = f"{server}/{FULL_NAME}", value("token")
    header = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    ref, commit = run["_ref"], run["_sha"]
    if asked := value("ref"):
        ref = commit = asked
    git(HERE, "init", "--quiet", "--initial-branch", "main")
    git(HERE, "remote", "add", "origin", address)
    name, config = f"http.{server}/.extraheader", f"AUTHORIZATION: basic {header}"
    wanted = [f"+{commit}"]
    depth = ["--depth=1", "--no-tags"]
    if value("fetch-depth") == "0":
        depth, wanted = ["--tags"], ["+refs/heads/*:refs/remotes/origin/*", *wanted]
    git(HERE, "-c", f"{name}={config}", "fetch", "--quiet", *depth, "origin", *wanted)
    if commit == asked and run_git(HERE, "cat-file", "-e", commit).returncode:
        commit = "FETCH_HEAD"
    branch = ref.removeprefix("refs/heads/")
    where = ["-B", branch] if ref.startswith("refs/heads/") else ["--detach"]
    git(HERE, "checkout", "--quiet", "--force", *where, commit)
    if value("persist-credentials") != "false":
        git(HERE, "config", "--local", name, config)


def cache(files: Files, run: Record, server: str) -> None:
    """Restore the cache of a key, or the newest of a beginning, that this run may see."""
    key, scopes = value("key"), run["_scopes"]
    state = Path(os.environ["GITHUB_STATE"])
    wanted = [(key, True), *((it.strip(), False) for it in value("restore-keys").splitlines())]
    for scope in scopes:
        for word, whole in wanted:
            fits = [it for it in _caches(files, scope) if _fits(it["key"], word, whole)]
            if fits:
                with tarfile.open(files.folder("caches") / f"{fits[-1]['id']}.tar") as tar:
                    tar.extractall(HERE, filter="fully_trusted")  # noqa: S202 - our own jobs
                print(f"Cache restored from key: {fits[-1]['key']}")
                state.write_text(f"KEY={key}\nHIT={fits[-1]['key']}\n", "utf-8")
                return
    print(f"Cache not found for input keys: {key}")
    state.write_text(f"KEY={key}\n", "utf-8")


def save_cache(files: Files, run: Record, server: str) -> None:
    """Keep a cache for runs of the same ref, unless its key was there."""
    key, scope, path = os.environ["STATE_KEY"], run["_scopes"][0], value("path")
    taken = [it for it in files.every("caches") if (it["ref"], it["key"]) == (scope, key)]
    if taken or os.environ.get("STATE_HIT") == key or not Path(path).exists():
        return
    unfinished = files.folder("runs", run["id"]) / "cache.tar"
    with tarfile.open(unfinished, "w") as tar:
        tar.add(path)
    made = files.new("caches", {"key": key, "ref": scope, "_path": path})
    unfinished.replace(files.folder("caches") / f"{made['id']}.tar")
    print(f"Cache saved with key: {key}")


def _caches(files: Files, scope: str) -> list[Record]:
    every = [it for it in files.every("caches") if it["_path"] == value("path")]
    return [it for it in every if it["ref"] == scope]


def _fits(key: str, word: str, whole: bool) -> bool:
    return key == word or (not whole and key.startswith(word))


def upload(files: Files, run: Record, server: str) -> None:
    """Keep a folder or a file as an artifact of this run."""
    keep_artifact(
        files,
        run,
        value("name"),
        Path(value("path")),
        overwrite=value("overwrite") == "true",
        missing=value("if-no-files-found"),
    )


def download(files: Files, run: Record, server: str) -> None:
    """Unpack an artifact of this run."""
    unpack_artifact(files, run, value("name"), Path(value("path")))


ACTS = {
    ("checkout", "main"): checkout,
    ("cache", "main"): cache,
    ("cache", "post"): save_cache,
    ("upload-artifact", "main"): upload,
    ("download-artifact", "main"): download,
}


def act(root: str, number: str, server: str, action: str, part: str) -> None:
    """Do what one step asks for; raises WorldError or UsageError, which fail the step."""
    if action == "setup-uv":
        if shutil.which("uv") is None:
            raise WorldError("uv is not on the PATH; install it with `pip install uv`")
        return
    files = Files(Path(root))
    run = files.get("runs", number)
    if run is None:
        raise UsageError(f"{root} holds no run {number}")
    ACTS[action, part](files, run, server)


if __name__ == "__main__":
    sys.exit(reported(lambda: act(*sys.argv[1:])))
