"""Make a version again from its commit, data and lock, and compare."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..core import files, hashing, layout
from ..core.console import say, warn
from ..core.errors import Exit, UsageError, WorldError
from ..core.settings import Settings
from ..data import parquet
from ..modeling import equivalence
from ..modeling.checked_copy import Model
from ..registry import download, signing, versions
from ..registry.versions import CHAMPION, Registry, Version
from ..tracking import input_key, origin, recording
from . import rebuild

REPRODUCED = "reproduced"
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Making:
    """What the run of a version keeps of its making."""

    commit: str
    diff: str
    outcomes: origin.Outcomes
    lock: Path | None


def reproduce(settings: Settings, version: str = CHAMPION) -> Exit:
    """Rebuild a version in a clean folder, say how it compares, and write that to the version."""
    there = versions.connect_to_read(settings)
    found = _version(there, version)
    download.check(there, found)
    with files.scratch_folder(settings.scratch) as scratch:
        making = _making(there, found, scratch)
        with rebuild.at(settings, making.commit, making.diff) as root:
            with_changes = " and its uncommitted changes" if making.diff else ""
            say(f"reproduce: version {found.number} from commit {making.commit[:12]}{with_changes}")
            if found.tags.get("input_key", key := input_key.input_key(root)) != key:
                warn("that is not what the version says that it was made of (`input_key`)")
            raw = str(layout.RAW.parent)
            fetched_raw = rebuild.data(root, making.lock, [raw])
            say(f"reproduce: {raw} {'fetched by its digest' if fetched_raw else 'ingested again'}")
            left_out = {"ingest"} if fetched_raw else set[str]()
            rebuild.stages(root, rebuild.python(settings, root), left_out)
            here = _fitted_on(root)
            answer = _compare(there, found, making, root, here)
    made_on, now = found.tags.get("cpu_class", ""), datetime.now(UTC).strftime("%Y-%m-%d")
    there.tag(found.number, {REPRODUCED: f"{answer}; {now}, on {here}"})
    say(f"reproduce: version {found.number}: {answer}")
    if made_on != here:
        say(
            f"it was made on another class of machine ({made_on or 'unknown'}), where numbers are "
            "added up in another way"
        )
    return Exit.REJECT if answer.startswith("different") else Exit.DONE


def _version(there: Registry, version: str) -> Version:
    if version.isascii() and version.isdigit():
        return there.get(int(version))
    found = there.aliased(version)
    if found is None:
        known = ", ".join(sorted(there.aliases())) or "none yet"
        raise UsageError(
            f"{there.name}: no alias {version!r}; there are: {known}; name one, or a version by "
            "its number"
        )
    return found


def _making(there: Registry, version: Version, scratch: Path) -> Making:
    commit = version.tags.get("git_commit", "none")
    if commit == "none":
        raise UsageError(
            f"version {version.number} was made of files that were never committed, so nobody can "
            "make it again; commit, and register it once more"
        )
    if not _COMMIT.fullmatch(commit):  # Git would take other words for options.
        raise WorldError(
            f"{there.name}: version {version.number} says that it was made of commit "
            f"{commit[:40]!r}, which is none; set its tag git_commit right"
        )
    dirty = version.tags.get("git_dirty") == "true"
    diff = _diff(there, version, scratch) if dirty else ""
    made = signing.fetch_artifact(there, version.run_id, recording.OUTCOMES, scratch)
    lock = signing.fetch_artifact(there, version.run_id, recording.DVC_LOCK, scratch)
    return Making(commit, diff, json.loads(made.read_text("utf-8")) if made else {}, lock)


def _diff(there: Registry, version: Version, scratch: Path) -> str:
    """Return the changes that a version was made of, which are code that will be run.

    A signature is of the model alone, so where one is asked for nobody vouches for them.
    """
    if signing.public_key(there.root):
        raise UsageError(
            f"version {version.number} was made of uncommitted changes that nobody signed, and "
            f"{signing.PUBLIC_KEY} asks for signatures; commit them, train, and register it again"
        )
    patch = signing.fetch_artifact(there, version.run_id, "inputs/uncommitted.diff", scratch)
    diff = patch.read_bytes().decode() if patch else ""
    if not diff or diff.endswith(" characters]\n"):
        raise UsageError(
            f"version {version.number} was made of changes that are not kept whole; commit "
            "them, train, and register it once more"
        )
    return diff


def _fitted_on(root: Path) -> str:
    """Return the class of the machine that has fitted there; earlier commits do not note it."""
    noted = (root / layout.MACHINE).is_file()
    return origin.noted_machine(root)[0] if noted else origin.cpu_class()


def _compare(there: Registry, version: Version, making: Making, root: Path, here: str) -> str:
    """Return the answer in words; `different` first where it is."""
    parted = origin.first_difference(making.outcomes, origin.outcomes_of(root))
    made = Model(root / layout.MODEL, hashing.of_folder(root / layout.MODEL))
    if made.digest == version.digest:
        beside = f" ({parted[0]} made another {parted[1]})" if parted else ""
        return f"identical bytes{beside}"
    with download.model(there, version) as folder:
        rows = parquet.read(root / layout.prepared("test"))
        exact = origin.same_bytes(version.tags.get("cpu_class", ""), here)
        alike = equivalence.likeness(made, Model(folder, version.digest), rows, exact)
    if alike:
        return alike
    stage, path = parted or ("train", str(layout.MODEL))
    return f"different: {stage} is the first stage that made another file, {path}"
