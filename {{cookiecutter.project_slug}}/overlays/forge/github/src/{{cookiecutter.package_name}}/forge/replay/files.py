"""What the forge knows, as JSON files of a folder, with the field names of GitHub's REST API."""

import json
import os
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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
