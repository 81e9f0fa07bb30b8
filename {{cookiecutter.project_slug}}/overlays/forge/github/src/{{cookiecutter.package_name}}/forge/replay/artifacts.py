"""Artifacts: what a run's jobs hand over, and what later runs find through the REST API."""

import hashlib
import zipfile
from pathlib import Path

from ...errors import WorldError
from .files import Files, Record


def keep(
    files: Files, run: Record, name: str, path: Path, overwrite: bool = False, missing: str = "warn"
) -> None:
    """Zip a folder (its hidden files left out) or a file; a name stands once in a run."""
    members = _members(path)
    if not members:
        if missing == "error":
            raise WorldError(f"No files were found with the provided path: {path}")
        print(f"No files were found with the provided path: {path}. Nothing is uploaded.")
        return
    for old in of_run(files, run, name):
        if not overwrite:
            raise WorldError(f"an artifact named {name!r} already exists on the workflow run")
        files.forget("artifacts", old)
    unfinished = files.folder("runs", run["id"]) / f"{name}.zip"
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, inside in members.items():
            archive.writestr(inside, member.read_bytes())
    made = files.new("artifacts", _record(run, name, unfinished.read_bytes()))
    unfinished.replace(files.folder("artifacts") / f"{made['id']}.zip")


def unpack(files: Files, run: Record, name: str, path: Path) -> None:
    """Unpack an artifact of this run; one of another run is not found."""
    found = of_run(files, run, name)
    if not found:
        raise WorldError(f"Artifact not found for name: {name}")
    with zipfile.ZipFile(files.folder("artifacts") / f"{found[-1]['id']}.zip") as archive:
        archive.extractall(path)


def of_run(files: Files, run: Record, name: str | None = None) -> list[Record]:
    """Return the artifacts of a run."""
    every = [it for it in files.every("artifacts") if it["workflow_run"]["id"] == run["id"]]
    return [it for it in every if name in {None, it["name"]}]


def _members(path: Path) -> dict[Path, str]:
    if path.is_file():
        return {path: path.name}
    inside = {it: it.relative_to(path) for it in sorted(path.rglob("*")) if it.is_file()}
    shown = {it: at for it, at in inside.items() if not any(p.startswith(".") for p in at.parts)}
    return {it: at.as_posix() for it, at in shown.items()}


def _record(run: Record, name: str, content: bytes) -> Record:
    return {
        "name": name,
        "size_in_bytes": len(content),
        "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "expired": False,
        "workflow_run": {
            "id": run["id"],
            "repository_id": run["repository"]["id"],
            "head_repository_id": run["head_repository"]["id"],
            "head_branch": run["head_branch"],
            "head_sha": run["head_sha"],
        },
    }
