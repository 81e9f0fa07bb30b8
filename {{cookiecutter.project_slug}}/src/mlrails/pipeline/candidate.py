"""The model that stands in the project's folder, as a version of the registry."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core import dvc_lock, git, hashing, layout
from ..core.console import warn
from ..core.errors import UsageError, WorldError
from ..core.git import Revision
from ..core.params import Params
from ..core.params import load as load_params
from ..core.settings import Settings
from ..modeling import signature
from ..registry import signing
from ..registry.versions import (
    CHALLENGER,
    CHAMPION,
    JUDGED_UNTIL,
    ROLLED_BACK,
    STAGE,
    STAGING,
    Registry,
    Version,
)
from ..reporting import report
from ..tracking import embedded, recording, store
from ..tracking.client import EDIT, needed
from ..tracking.input_key import input_key, inputs
from ..tracking.origin import Place, Project
from ..tracking.runs import Run
from . import dvc

_JUDGED = (layout.RAW.parent, layout.PREPARED, layout.HISTORY, layout.MACHINE)
"""What a verdict, a version and its run are made of beside the model and its figures."""


@dataclass(frozen=True)
class Candidate:
    """A model directory whose bytes are the ones that were evaluated."""

    folder: Path
    digest: str
    params: Params
    key: str
    found: Mapping[str, Any]
    place: Place


def here(settings: Settings) -> Candidate:
    """Return the candidate of this folder.

    Raises UsageError where there is none, or none of these params and files, and WorldError where
    its bytes are not the ones that were evaluated.
    """
    root, checked = settings.root, load_params(settings.root)
    key = input_key(root)
    found = layout.figures(root)
    digest: str = found["digest"]
    dvc_lock.verify_model(root, digest)
    dvc_lock.verify(root, [str(path) for path in _JUDGED])
    hashing.verify(root / layout.MODEL, digest)
    if not signature.has_signature(root / layout.MODEL):
        raise UsageError(f"{layout.MODEL}: has no signature, so nobody knows what to send it")
    if not recording.is_recorded(settings, key) and dvc.is_stale(root):
        raise UsageError(
            f"{layout.MODEL}: not of these params and files; run `nox -s train` first, or take "
            "your changes back"
        )
    return Candidate(root / layout.MODEL, digest, checked, key, found, Project(root))


def register(registry: Registry, candidate: Candidate, settings: Settings) -> Version:
    """Return the candidate's version, found or made: one for each digest, however often.

    Where it came from is told once; only a commit that gives the same bytes takes the place of
    files that were never committed.
    """
    run_id = recording.record(settings, candidate.place, candidate.params, candidate.key)
    needs = needed(EDIT, "experiment", registry.model)
    run = Run(registry.client, run_id, registry.uri, needs)
    version = registry.of_digest(candidate.digest)
    told = lineage(candidate, _commit(run.tags(), settings.root))
    if version is None or (version.tags.get("git_dirty"), told["git_dirty"]) == ("true", "false"):
        made = candidate.params, settings.root, candidate.folder
        description = report.model_card(candidate.found, told, *made)
        run.log_text(description, "model-card.md")
        stage = {} if version and STAGE in version.tags else {STAGE: STAGING}
        source = f"models:/{_logged_model(registry, run, candidate.digest)}"
        who = git.actor(settings)
        tags = {**told, **stage, "created_by": who}
        about = report.purpose(candidate.params, settings.root)
        version = registry.register(source, run.id, tags, description, about)
        if store.is_embedded(settings):  # A server takes no word for it.
            embedded.note_author(settings.store_folder, settings.name, version.number, who)
    signing.sign(registry, version, candidate.folder)
    champion = registry.aliased(CHAMPION)
    if ROLLED_BACK not in version.tags and (champion is None or champion.number != version.number):
        registry.point(CHALLENGER, version.number)
    return version


def _commit(tags: Mapping[str, str], root: Path) -> Revision:
    """Return a commit that gives the inputs: the run's own where it was clean, else today's.

    The same inputs have the same key, so a clean tree of today gives what an unclean one gave.
    """
    was_dirty = tags.get("git_dirty") == "true"
    if was_dirty and not git.is_dirty(root, inputs(root)):
        return Revision(git.head(root), dirty=False, diff="")
    return Revision(tags.get("git_commit"), was_dirty, "")


def lineage(candidate: Candidate, commit: Revision) -> dict[str, str]:
    """Return the tags that say where the version comes from."""
    found, checked, origin = candidate.found, candidate.params, candidate.place.origin()
    return {
        "digest": candidate.digest,
        "input_key": candidate.key,
        "git_commit": commit.commit or "none",
        "git_dirty": str(commit.dirty).lower(),
        "data_digest": origin.data_digest,
        "split_digest": candidate.place.split_digest(checked),
        "seen_until": max(found["parts"][part]["to"] or "" for part in ("train", "validation")),
        "target": checked.data.target,
        "task": checked.task.value,
        "cpu_class": origin.cpu_class,
        **_judged_until(found, checked),
    }


def _judged_until(found: Mapping[str, Any], params: Params) -> dict[str, str]:
    """Return the tag by which days that are kept for the end can be told from those before."""
    last = found["parts"]["test"]["to"]
    return {JUDGED_UNTIL: last} if params.split.final is not None and last else {}


def _logged_model(registry: Registry, run: Run, digest: str) -> str:
    if found := run.logged_model(digest):
        return found
    raise WorldError(
        f"{registry.name}: the run {run.id} has lost its model; remove .dvc/tmp/recorded and "
        "run `nox -s train`, which logs it again"
    )


def tell_unsigned(registry: Registry) -> None:
    """Say that models are unsigned, where nobody has made a key."""
    if registry.signing_key is None and signing.public_key(registry.root) is None:
        warn("models are not signed: nobody but the digest vouches for them (docs/production.md)")
