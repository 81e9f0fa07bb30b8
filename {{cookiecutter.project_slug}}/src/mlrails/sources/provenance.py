"""What was read, by name and digest: `ingest` prints it, keeps it, and a run is told."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path

from ..core import files, hashing, layout
from ..core.console import say


@dataclass(frozen=True)
class Source:
    """A source that was read; its name holds no secret."""

    name: str
    digest: str
    """The sha256 of its bytes, or of its rows where a database gave them."""


_NOTED: ContextVar[list[Source] | None] = ContextVar("noted", default=None)


@contextmanager
def noted() -> Iterator[Sequence[Source]]:
    """Yield the sources that are read within, as they come; each once."""
    found: list[Source] = []
    token = _NOTED.set(found)
    try:
        yield found
    finally:
        _NOTED.reset(token)


def note(name: str, digest: str) -> None:
    """Note a source that was read, where somebody asks for it."""
    found, source = _NOTED.get(), Source(name, digest)
    if found is not None and source not in found:
        found.append(source)


def of_files(paths: Sequence[Path], root: Path) -> str:
    """Return the sha256 of one file's bytes, or that of several by their names."""
    if len(paths) == 1:
        return hashing.of_file(paths[0])
    named = ((_name(it, root), hashing.of_file(it)) for it in paths)
    return hashing.of_values(sorted(named))


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def write(found: Sequence[Source], root: Path) -> None:
    """Print and keep what was read; nothing where a source was read in another way."""
    for it in found:
        say(f"ingest: {it.name} is sha256 {it.digest}")
    if found:
        told = [asdict(it) for it in found]
        files.write_text(json.dumps(told, indent=1) + "\n", root / layout.SOURCES)
