"""Lay the checked bytes of a version into a folder, for readers that check nothing themselves.

MLflow loads what a registry names: it compares no digest, asks for no signature, and trusts for
skops the types that the model's own MLmodel lists. In a notebook:

    from mlrails.lifecycle import fetch
    model = mlflow.pyfunc.load_model(fetch.to("../champion"))
"""

import os
import uuid
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from typing import Any

from ..core import files, hashing
from ..core.config import read_yaml
from ..core.console import say
from ..core.errors import UsageError, WorldError
from ..core.settings import Settings, from_environment
from ..modeling import checked_copy, isolation
from ..registry import git_branch, resolve
from ..registry.versions import named


def to(
    folder: str | Path,
    version: int | None = None,
    alias: str | None = None,
    registry: str | None = None,
) -> str:
    """Return a folder with the checked bytes of a version, by default the champion's.

    Raises UsageError where other bytes are in that folder, and WorldError where those of the
    version are not the registered ones, or lack the signature that the project asks for.
    """
    there = from_environment(os.environ, Path.cwd()).of_registry(registry)
    target = Path(folder).absolute()
    wanted = named(version, alias)
    git_branch.act_on(there, lambda settings: fetch(settings, wanted, target), writes=False)
    return str(target)


def fetch(settings: Settings, wanted: str, target: Path) -> None:
    """Lay the bytes of what is wanted into a folder: whole, or not at all, and over nothing."""
    looked = resolve.Resolver(settings, wanted)
    version, digest = looked.pointed()
    target = settings.root / target
    if os.path.lexists(target):
        if not target.is_dir() or hashing.of_folder(target) != digest:
            raise UsageError(f"{target}: is there, with other bytes; move it, or name another")
        say(f"fetch: {looked.named(version, digest)} is in {target} already")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        with looked.bytes(version, digest) as (folder, _):
            checked_copy.lay(folder, scratch, digest)
        _check_types(scratch, version, settings.package)
        files.replace_folder(scratch, target)
    finally:
        rmtree(scratch, ignore_errors=True)
    say(f"fetch: {looked.named(version, digest)} is in {target}")


def _check_types(folder: Path, version: str, package: str) -> None:
    """Raise WorldError where MLflow's own flavor would trust more than this project does."""
    seam = import_module(f"{package}.estimator")
    ours = seam.flavor(isolation.DATA).get("sklearn", {})
    theirs: Mapping[str, Any] = read_yaml(folder / "MLmodel")["flavors"].get("sklearn", {})
    more = {*theirs.get("skops_trusted_types", ())} - {*ours.get("skops_trusted_types", ())}
    if theirs and theirs.get("serialization_format") != "skops":
        more = {"a pickle, which may be any code"}
    if more:
        raise WorldError(
            f"version {version}: its MLmodel lets MLflow trust {min(more)}, which this project's "
            "estimator does not; find out who made it"
        )
