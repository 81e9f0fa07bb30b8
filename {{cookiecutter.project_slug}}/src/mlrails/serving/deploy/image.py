"""Lay out a folder of which a container engine makes an image of the champion."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from string import Template

from ...core import hashing, imports
from ...core.console import say, warn
from ...core.errors import UsageError, WorldError
from ...core.files import replace_folder
from ...core.layout import SERVING_LOCK
from ...core.settings import Settings
from ...data.schema import Column
from ...modeling import loading
from ...modeling.loading import ModelOrigin
from ...modeling.signature import python_version
from ...registry import resolve, signing
from ...sources import declared
from ..__main__ import LOGGED
from . import sbom

_TEXT, _OF_ITS_OWN = "Dockerfile.in", "Dockerfile.apart.in"
_APART = "torch"
"""What has builds for the processor alone in an index of its own: the usual one is for CUDA."""


class _Marked(Template):
    """A text with marks as `@{name}`: a Dockerfile has dollars of its own."""

    delimiter = "@"


def dockerfile_text(
    name: str, python: str, version: str, digest: str, apart: str | None = None
) -> str:
    """Return the Dockerfile; `python` is the minor version that the model was made with.

    `apart` is a package whose index is asked for when the image is built.
    """
    more = _filled(_OF_ITS_OWN, apart=apart, argument=index_argument(apart)) if apart else ""
    about = {"name": name, "python": python, "version": version}
    return _filled(_TEXT, **about, digest=digest, apart=more)


def _filled(file: str, **values: str) -> str:
    return _Marked(Path(__file__).with_name(file).read_text("utf-8")).substitute(values)


def index_argument(apart: str) -> str:
    """Return the build argument that says where a package's builds are."""
    return f"{apart.upper()}_INDEX"


def parted_lock(lock: str) -> tuple[str, str | None, str]:
    """Return a lock without what has an index of its own, that package's name, and its lines."""
    found = re.search(rf"(?m)^{_APART}==(?:.*\\\n)*.*\n", lock)
    if found is None:
        return lock, None, ""
    return lock.replace(found[0], ""), _APART, found[0]


WHERE = "build/image"
_STARTED = "mlrails.serving.__main__", "mlrails.serving.process.worker"
"""What runs as a process in the image."""
_IGNORED = "**/__pycache__\n**/requests-*\n"
"""Byte code, and what a server has kept of its requests."""


def image(
    settings: Settings, wanted: str, target: str = WHERE, columns: Sequence[Column] = ()
) -> None:
    """Write the build context of a verified model, whole or not at all.

    `columns` say which of them a server in the image may keep of its requests.

    Raises UsageError where the model was made with other releases than the lock of this folder
    pins, and WorldError where its bytes cannot be had or the Dockerfile is faulty.
    """
    folder = settings.root / target
    if folder.exists() and not (folder / "served.json").is_file():
        raise UsageError(f"{folder}: was not made by `image`; move it away, or name another")
    folder.parent.mkdir(parents=True, exist_ok=True)
    looked = resolve.Resolver(settings, wanted)
    version, digest = looked.pointed()
    with tempfile.TemporaryDirectory(prefix=".image-", dir=folder.parent) as name:
        scratch = Path(name) / "image"
        with looked.bytes(version, digest) as (model, origin):
            _check_releases(model, settings.root / SERVING_LOCK, version)
            loading.load_copy(model, origin)
            shutil.copytree(model, scratch / "model")
        apart = _lay_out(scratch, origin, settings, columns)
        if signature := looked.signature(version, Path(name)):
            shutil.copy(signature, scratch / "signature.json")
            key = settings.root / signing.PUBLIC_KEY
            if key.is_file():
                shutil.copy(key, scratch / "signature.pub")
        _open_to_all(scratch)
        _lint(scratch / "Dockerfile")
        hashing.verify(scratch / "model", digest)
        replace_folder(scratch, folder)
    say(f"image: {looked.named(version, digest)} in {folder}")
    argument = f"--build-arg {index_argument(apart)}=… " if apart else ""
    say(f"image: docker build {argument}-t {settings.name}:{version} {target}")


def _lay_out(
    folder: Path, origin: ModelOrigin, settings: Settings, columns: Sequence[Column]
) -> str | None:
    """Write all but the model; return what is installed from an index of its own."""
    lock = (settings.root / SERVING_LOCK).read_text("utf-8")
    usual, apart, others = parted_lock(lock)
    about = (settings.name, python_version(folder / "model"), origin.version, origin.digest)
    about_model = {**asdict(origin), "written": declared.written(settings)}
    if columns:
        about_model[LOGGED] = [it.name for it in columns if it.logged]
    files = {
        "Dockerfile": dockerfile_text(*about, apart),
        ".dockerignore": _IGNORED,
        SERVING_LOCK: usual,
        "sbom.cdx.json": sbom.text(lock, origin),
        "served.json": json.dumps(about_model, indent=1) + "\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    if apart:
        (folder / f"{apart}.lock").write_text(others, "utf-8")
    for file in imports.closure(*_STARTED):
        copy = folder / "app" / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(imports.SOURCE / file, copy)
    return apart


def _open_to_all(folder: Path) -> None:
    """Let the image's user read what a careful umask keeps from others."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _check_releases(model: Path, lock: Path, version: str) -> None:
    """Raise UsageError unless the lock pins what the model asks for."""
    asked = (model / "requirements.txt").read_text("utf-8").splitlines()
    wanted = {it.partition(" ;")[0] for it in asked}
    pinned = sbom.releases_of(lock.read_text("utf-8"))
    for name, release in pinned:
        if f"{name}=={release}" not in wanted:
            raise UsageError(
                f"{lock.name}: pins {name} {release}, with which version {version} was not made; "
                "make the image from the commit that the version names, or promote a new model"
            )


def _lint(path: Path) -> None:
    """Raise WorldError where hadolint finds a fault; without it, say so."""
    program = Path(sys.executable).with_name("hadolint")
    if not program.is_file():
        warn("the Dockerfile was not linted: hadolint is not installed here")
        return
    found = subprocess.run([program, str(path)], check=False, capture_output=True, text=True)
    if found.returncode:
        raise WorldError(f"{path.name}: {found.stdout.strip() or found.stderr.strip():.500}")
