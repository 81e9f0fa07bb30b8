import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import fakes
import pytest
import rows
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from loopback import running

from mlrails.core import hashing, layout
from mlrails.core.errors import UsageError, WorldError
from mlrails.core.layout import SERVING_LOCK
from mlrails.core.settings import Settings
from mlrails.data.schema import Column
from mlrails.modeling import checked_copy
from mlrails.modeling.loading import ModelOrigin
from mlrails.serving import __main__
from mlrails.serving.deploy import sbom
from mlrails.serving.deploy.image import _lint, dockerfile_text, image, parted_lock
from mlrails.serving.process import server
from mlrails.serving.process.options import Manner
from mlrails.serving.requests.pieces import Rules

ORIGIN = ModelOrigin("ab" * 32, "7", "flights", "2026-01-01T00:00:00+00:00")
NEEDLESS = ("mlflow", "pyarrow", "dvc", "matplotlib", "boto3", "pytest", "ruff", "pip")


@pytest.fixture
def here(project: Path, fake: fakes.FakeClient) -> Path:
    digest = hashing.of_folder(project / layout.MODEL)
    (project / layout.METRICS).write_text(json.dumps({"digest": digest}))
    (project / layout.DIGEST).write_text(digest)
    return project


def test_the_folder_holds_all_that_serving_needs_and_nothing_else(here: Path) -> None:
    before = os.umask(0o077)
    try:
        image(Settings(here), "champion")
    finally:
        os.umask(before)
    folder = here / "build" / "image"
    names = {it.name for it in folder.iterdir()}
    apart = parted_lock((here / SERVING_LOCK).read_text())[1]
    assert names - {f"{apart}.lock"} == {
        ".dockerignore", "Dockerfile", "app", "model", "requirements.lock", "sbom.cdx.json",
        "served.json",
    }  # fmt: skip
    told = json.loads((folder / "served.json").read_text())
    assert told["digest"] == hashing.of_folder(folder / "model")
    assert told["written"] == {}
    assert all(it.stat().st_mode & 0o004 for it in folder.rglob("*"))
    code = {it.relative_to(folder / "app").as_posix() for it in (folder / "app").rglob("*.py")}
    needed = ("__main__", "web/app", "process/worker", "process/supervisor")
    assert {f"mlrails/serving/{it}.py" for it in needed} <= code
    assert not [it for it in code if "registry" in it or "fetcher" in it or "dvc" in it]
    assert not [*here.joinpath("build").glob(".image-*")]


def test_the_image_installs_nothing_that_serving_does_not_need() -> None:
    names = {name for name, _ in sbom.releases_of((rows.ROOT / SERVING_LOCK).read_text())}
    assert {"fastapi", "uvicorn", "numpy"} <= names
    assert not names & set(NEEDLESS)


STARTS = re.compile(r"\"-m\", f\"\{__package__\}\.(\w+)\"")
ALONE = """
import os, sys
from importlib import metadata


class Others:
    locked = set(os.environ["LOCKED"].split())
    known = metadata.packages_distributions()

    def find_spec(self, name, path=None, target=None):
        owners = {it.lower().replace("_", "-") for it in self.known.get(name, ())}
        if owners and not owners & self.locked:
            raise ModuleNotFoundError(f"no lock names what brings {name}", name=name)


sys.meta_path.insert(0, Others())
"""
"""A Python in which nothing can be imported but what the lock names."""


def test_code_in_the_folder_serves_with_the_packages_of_the_lock_alone(
    here: Path, tmp_path: Path
) -> None:
    image(Settings(here), "champion")
    folder = here / "build" / "image"
    lock = sbom.releases_of((folder / "requirements.lock").read_text())
    apart = [it for file in folder.glob("[!r]*.lock") for it in sbom.releases_of(file.read_text())]
    (tmp_path / "sitecustomize.py").write_text(ALONE)
    path = f"{folder / 'app'}{os.pathsep}{tmp_path}"
    env = {"PYTHONPATH": path, "LOCKED": " ".join(name for name, _ in lock + apart)}

    def done(*words: str) -> str:
        run = [sys.executable, *words]
        found = subprocess.run(run, cwd=here, env=env, capture_output=True, text=True, check=False)
        return found.stdout + found.stderr

    assert "no lock names what brings" in done("-c", "import mlflow")
    assert "no lock names what brings" in done("-c", "import pyarrow")
    words = "from mlrails.serving import __main__"
    words += f"; from pathlib import Path; __main__.main(Path({str(folder)!r}), ['try'], dict())"
    modules = [it.relative_to(folder / "app") for it in (folder / "app").rglob("*.py")]
    for module in modules:
        words += f"; import {'.'.join(module.with_suffix('').parts)}"
    assert done("-c", f"{words}; print('answers')") == "answers\n"
    # What the server starts by its name.
    begun = {name for it in modules for name in STARTS.findall((folder / "app" / it).read_text())}
    assert begun and begun <= {it.stem for it in modules}


def test_the_image_says_which_columns_of_requests_may_be_kept(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, kept = here / "build" / "image", tmp_path / "kept"
    said = {"SERVING_REQUESTS": str(kept), "SERVING_EVERYONE": "true"}
    image(Settings(here), "champion")
    with pytest.raises(UsageError, match="nothing says which columns of requests may be kept"):
        __main__.serve(folder, ["serve"], said)
    assert not kept.exists()
    columns = (Column("carrier", "category"), Column("dest", "category", logged=False))
    image(Settings(here), "champion", columns=columns)
    taken: list[Manner] = []
    monkeypatch.setattr(server, "listen", lambda *_: None)
    monkeypatch.setattr(server, "serve", lambda *words: taken.append(words[2]))
    __main__.serve(folder, ["serve"], said)
    assert taken[0].rules == Rules(kept, frozenset({"carrier"}))
    kept.chmod(0o755)
    with pytest.raises(UsageError, match="others can enter it"):
        __main__.serve(folder, ["serve"], said)


def test_a_model_that_was_made_with_other_releases_is_refused(here: Path) -> None:
    lock = here / SERVING_LOCK
    lock.write_text(lock.read_text().replace("numpy==", "numpy==9."))
    with pytest.raises(UsageError, match=r"pins numpy 9\..* was not made"):
        image(Settings(here), "champion")
    assert not (here / "build" / "image").exists()


def test_a_folder_of_somebody_else_is_left_alone(here: Path) -> None:
    (here / "mine").mkdir()
    (here / "mine" / "file").write_text("")
    with pytest.raises(UsageError, match="was not made by `image`"):
        image(Settings(here), "champion", "mine")
    image(Settings(here), "champion")
    image(Settings(here), "champion")


def test_the_bill_is_valid_names_every_release_and_is_the_same_again() -> None:
    lock = (rows.ROOT / SERVING_LOCK).read_text()
    text = sbom.text(lock, ORIGIN)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    told = json.loads(text)
    listed = {it["purl"] for it in told["components"]}
    plain = [it.split(" ")[0] for it in lock.splitlines() if it and not it.startswith(" ")]
    windows = {it.split(" ")[0] for it in lock.splitlines() if "== 'win32'" in it}
    assert listed == {f"pkg:pypi/{it.replace('==', '@')}" for it in set(plain) - windows}
    assert told["metadata"]["component"]["hashes"][0]["content"] == ORIGIN.digest
    assert sbom.text(lock, ORIGIN) == text


def test_the_dockerfile_is_without_fault_and_a_fault_would_be_found(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    text = dockerfile_text("flights", "3.11", "7", ORIGIN.digest)
    path.write_text(text)
    _lint(path)
    assert "USER 10001" in text and "--require-hashes" in text and "HEALTHCHECK" in text
    assert "pip uninstall" in text.rpartition("FROM $BASE")[2]
    # For the frontend that such a line names BuildKit asks Docker Hub, wherever the base is.
    assert "syntax" not in text
    path.write_text(text.replace("FROM $BASE AS", "FROM debian AS"))
    with pytest.raises(WorldError, match="DL3006"):
        _lint(path)


def test_what_has_an_index_of_its_own_is_installed_from_there(tmp_path: Path) -> None:
    numpy, torch = (f"{it}==2.0 \\\n    --hash=sha256:ab\n" for it in ("numpy", "torch"))
    assert parted_lock(numpy) == (numpy, None, "")
    assert parted_lock(numpy + torch + numpy) == (numpy + numpy, "torch", torch)
    text = dockerfile_text("flights", "3.11", "7", ORIGIN.digest, "torch")
    assert text.count("--require-hashes") == 2
    assert '--index-url "${TORCH_INDEX:?' in text and "\nARG TORCH_INDEX\n" in text
    (tmp_path / "Dockerfile").write_text(text)
    _lint(tmp_path / "Dockerfile")


@pytest.fixture
def opt(tmp_path: Path, model: Path) -> Path:
    """What stands in /opt of the image, as far as the model goes."""
    shutil.copytree(model, tmp_path / "opt" / "model")
    about = {"digest": hashing.of_folder(model), "version": "7", "name": "flights", "trained": None}
    about["written"] = {"separator": ";"}
    (tmp_path / "opt" / "served.json").write_text(json.dumps(about))
    return tmp_path / "opt"


def test_the_image_serves_its_own_model_or_one_whose_digest_is_named(
    opt: Path, model: Path, tmp_path: Path
) -> None:
    folder, origin = __main__.found(opt, tmp_path / "nothing", {})
    assert (folder, origin.version) == (opt / "model", "7")
    with pytest.raises(UsageError, match="set SERVING_DIGEST"):
        __main__.found(opt, model, {})
    folder, origin = __main__.found(opt, model, {"SERVING_DIGEST": "cd" * 32})
    assert (folder, origin.digest) == (model, "cd" * 32)


@pytest.mark.parametrize(
    ("words", "environment", "reason"),
    [
        ([], {"SERVING_TOKEN": "x"}, "say `serve`"),
        (["serve", "127.0.0.1", "port"], {"SERVING_TOKEN": "x"}, "is no port"),
        (["serve", "127.0.0.1", "99999"], {}, "PORT`: 99999 is no port; choose one from 0"),
        (["serve"], {}, r"0\.0\.0\.0: others could ask .* with SERVING_EVERYONE=true"),
        (["serve"], {"SERVING_TOKEN": "\n"}, "SERVING_TOKEN: holds blanks alone"),
        (["serve"], {"SERVING_EVERYONE": "no"}, "others could ask the model"),
    ],
)
def test_what_is_wrong_with_the_image_s_words_is_said(
    opt: Path, words: list[str], environment: dict[str, str], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        __main__.serve(opt, words, environment)


def test_a_port_that_is_taken_is_named(opt: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(WorldError, match=f"127.0.0.1:{port}: cannot listen .* `serve HOST P"):
            __main__.serve(opt, ["serve", "127.0.0.1", port], {})


@pytest.mark.parametrize(
    ("words", "told", "place"),
    [
        ([], "python\0-m\0flights.serving\0serve\0", ("127.0.0.1", 8080)),
        ([], "init\0--\0python\0serve\x000.0.0.0\x009000\0", ("127.0.0.1", 9000)),
        ([], "python\0serve\0::\x0090\0", ("::1", 90)),
        ([], "python\0serve\x0010.0.0.7\x0090\0", ("10.0.0.7", 90)),
        ([], "/pause\0", ("127.0.0.1", 8080)),
        (["90"], "python\0serve\0::\x0080\0", ("127.0.0.1", 90)),
        (["::1", "90"], "", ("::1", 90)),
    ],
)
def test_health_is_asked_where_the_server_was_told_to_listen(
    tmp_path: Path, words: list[str], told: str, place: tuple[str, int]
) -> None:
    (tmp_path / "cmdline").write_text(told)
    assert __main__.place(words, tmp_path / "cmdline") == place
    assert __main__.place(["90"], tmp_path / "none") == ("127.0.0.1", 90)


@pytest.mark.parametrize(("status", "end"), [(200, None), (503, "the server answers 503")])
def test_health_is_asked_without_a_proxy(
    monkeypatch: pytest.MonkeyPatch, status: int, end: str | None
) -> None:
    class Pinged(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/ping" else 404)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with running(Pinged) as address:
        words = [address.rpartition(":")[2]]
        with nullcontext() if end is None else pytest.raises(SystemExit, match=end):
            __main__.check_health(words)
    with pytest.raises(SystemExit, match="the server does not answer"):
        __main__.check_health(words)


def test_a_look_at_the_health_imports_nothing_that_takes_long() -> None:
    words = "import sys, mlrails.serving.__main__; print(*sys.modules)"
    env = os.environ | {"PYTHONPATH": str(rows.ROOT / "src")}
    found = subprocess.run(
        [sys.executable, "-c", words], check=True, capture_output=True, text=True, env=env
    )
    assert {"http.client"} <= set(found.stdout.split())
    assert not {"numpy", "pydantic", "uvicorn"} & set(found.stdout.split())


def test_altered_bytes_in_the_image_are_not_run(opt: Path) -> None:
    (opt / "model" / "code" / rows.PACKAGE / "model.py").write_text("raise SystemExit\n")
    for words in (["serve", "127.0.0.1", "0"], ["try"]):
        with pytest.raises(WorldError, match="the bytes are not those"):
            __main__.main(opt, words, {})


def test_libraries_find_a_folder_for_a_while_where_only_the_memory_can_be_written(
    opt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere() -> str:
        raise FileNotFoundError("no usable temporary directory")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    monkeypatch.setattr(checked_copy, "_MEMORY", tmp_path)
    monkeypatch.setenv("TMPDIR", "/nowhere")
    __main__.begin(opt, ["try"])
    assert os.environ["TMPDIR"] == str(tmp_path)
