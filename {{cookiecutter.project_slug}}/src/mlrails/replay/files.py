"""What the forge knows, as JSON files of a folder, with the field names of GitHub's REST API.

Artifacts are archives beside them: what a run's jobs hand over, and what later runs find.
"""

import hashlib
import json
import os
import threading
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core.errors import WorldError

Record = dict[str, Any]

OWNER, REPOSITORY, STRANGER = "owner", "project", "stranger"
FULL_NAME = f"{OWNER}/{REPOSITORY}"


@dataclass(frozen=True)
class Files:
    """The folders of one forge; processes of a workflow write to them as well."""

    root: Path

    def __post_init__(self) -> None:
        """Make the folder."""
        self.root.mkdir(parents=True, exist_ok=True)

    @property
    def remote(self) -> Path:
        """The bare repository, which holds the forks' commits too."""
        return self.root / "remote.git"

    def folder(self, *names: object) -> Path:
        """Return a folder below, made on first use."""
        found = self.root.joinpath(*map(str, names))
        found.mkdir(parents=True, exist_ok=True)
        return found

    def new(self, kind: str, record: Record) -> Record:
        """Keep a record under the next number of its kind."""
        folder = self.folder(kind)
        while True:
            number = max((int(path.stem) for path in folder.glob("[0-9]*")), default=0) + 1
            made = {"id": number, "created_at": now(), "updated_at": now(), **record}
            whole = self.root / f"{kind}-{os.getpid()}-{threading.get_ident()}.new"
            whole.write_text(json.dumps(made, indent=1), "utf-8")
            try:
                (folder / f"{number}.json").hardlink_to(whole)
            except FileExistsError:  # Another process was quicker.
                continue
            whole.unlink()
            return made

    def keep(self, kind: str, record: Record) -> Record:
        """Write a record whole, over what was there."""
        record["updated_at"] = now()
        path = self.folder(kind) / f"{record['id']}.json"
        unfinished = self.root / f"{kind}-{record['id']}.new"
        unfinished.write_text(json.dumps(record, indent=1), "utf-8")
        unfinished.replace(path)
        return record

    def get(self, kind: str, number: object) -> Record | None:
        """Return one record, or None where there is none."""
        path = self.folder(kind) / f"{number}.json"
        found: Record | None = json.loads(path.read_text("utf-8")) if path.is_file() else None
        return found

    def every(self, kind: str) -> list[Record]:
        """Return all records of a kind, the oldest first."""
        numbers = sorted(int(path.stem) for path in self.folder(kind).glob("*.json"))
        return [record for number in numbers if (record := self.get(kind, number))]

    def forget(self, kind: str, record: Record) -> None:
        """Delete a record."""
        (self.folder(kind) / f"{record['id']}.json").unlink()


def now() -> str:
    """Return the time as GitHub writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def keep_artifact(
    files: Files, run: Record, name: str, path: Path, overwrite: bool = False, missing: str = "warn"
) -> None:
    """Zip a folder (its hidden files left out) or a file; a name stands once in a run."""
    members = _members(path)
    if not members:
        if missing == "error":
            raise WorldError(f"No files were found with the provided path: {path}")
        print(f"No files were found with the provided path: {path}. Nothing is uploaded.")
        return
    for old in artifacts_of(files, run, name):
        if not overwrite:
            raise WorldError(f"an artifact named {name!r} already exists on the workflow run")
        files.forget("artifacts", old)
    unfinished = files.folder("runs", run["id"]) / f"{name}.zip"
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, inside in members.items():
            archive.writestr(inside, member.read_bytes())
    made = files.new("artifacts", _record(run, name, unfinished.read_bytes()))
    unfinished.replace(files.folder("artifacts") / f"{made['id']}.zip")


def unpack_artifact(files: Files, run: Record, name: str, path: Path) -> None:
    """Unpack an artifact of this run; one of another run is not found."""
    found = artifacts_of(files, run, name)
    if not found:
        raise WorldError(f"Artifact not found for name: {name}")
    with zipfile.ZipFile(files.folder("artifacts") / f"{found[-1]['id']}.zip") as archive:
        archive.extractall(path)


def artifacts_of(files: Files, run: Record, name: str | None = None) -> list[Record]:
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
