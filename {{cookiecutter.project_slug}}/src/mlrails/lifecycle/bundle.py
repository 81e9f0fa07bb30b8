"""A candidate in a folder of its own: what a job that trains hands to one that may write.

It holds the model, its figures and reports, the verdict of the gate, and a label; no row of the
data.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from ..core import files, hashing, layout
from ..core.errors import UsageError, WorldError
from ..core.layout import LOCK, SERVING_LOCK
from ..core.params import FILE, Params
from ..core.params import load as load_params
from ..core.settings import Settings
from ..gate import report
from ..gate.verdict import Verdict
from ..pipeline.candidate import Candidate
from ..tracking import origin
from ..tracking.input_key import input_key
from ..tracking.origin import LABEL, Bundle, Project

NAME = "candidate"
PROOF = Path("reports/proof.txt")
"""What `prove` has to say."""
_INPUTS = tuple(map(Path, (FILE, "dvc.yaml", "dvc.lock", LOCK, SERVING_LOCK)))
_MADE = (layout.MODEL, layout.HISTORY, *layout.REPORTS, *report.EVIDENCE, report.PICTURES)


def pack(project: Project, candidate: Candidate, more: Sequence[Path] = ()) -> Path:
    """Write the bundle of a project's candidate, of the verdict on it and of more files.

    Returns its folder, which is there whole or not at all.
    """
    folder = project.root / NAME
    partial = folder.with_name(f".{NAME}.partial")
    for stale in (partial, folder):
        shutil.rmtree(stale, ignore_errors=True)
    for path in (*_INPUTS, *_MADE, *more):
        _copy(project.root / path, partial / path)
    label = origin.label_of(project, candidate.params, candidate.key, candidate.digest)
    files.write_text(json.dumps(label, indent=1) + "\n", partial / LABEL)
    files.replace_folder(partial, folder)
    return folder


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(hashing.BYTE_CODE))
    elif source.is_file():
        shutil.copy2(source, target)


def unpack(settings: Settings, folder: Path) -> Candidate:
    """Return the candidate of a bundle.

    Raises UsageError for a folder that is none, and WorldError for one of other code, params or
    locks than those of this commit, or with other bytes than its label and its report name.
    """
    bundle = Bundle(folder.resolve())
    label = bundle.label()
    key, digest = input_key(settings.root), str(label["digest"])
    if label["input_key"] != key:
        raise WorldError(
            f"{folder}: made of other code, params or locks than this commit's (input key "
            f"{str(label['input_key'])[:12]}, here {key[:12]}); train and review this commit"
        )
    hashing.verify(bundle.root / layout.MODEL, digest)
    found = _json(bundle.root / layout.METRICS)
    verdict = _json(bundle.root / report.VERDICT)
    if {found.get("digest"), verdict.get("challenger")} != {digest}:
        raise WorldError(f"{folder}: its report or its verdict is of another model; review again")
    params: Params = load_params(settings.root)
    return Candidate(bundle.root / layout.MODEL, digest, params, key, found, bundle)


def verdict(folder: Path) -> tuple[Verdict, str]:
    """Return the verdict of a bundle, and where its bounds are from."""
    told = _json(folder / report.VERDICT)
    try:
        return Verdict.from_json(told), str(told["bounds"])
    except (KeyError, TypeError, ValueError):
        raise UsageError(f"{folder}: {report.VERDICT} is no verdict; review again") from None


def proof(folder: Path) -> str:
    """Return how the model compares with what the pull request had evaluated, in words."""
    path = folder / PROOF
    return path.read_text("utf-8").strip() if path.is_file() else "no pull request was asked"


def _json(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise UsageError(f"{path}: missing or not whole; `nox -s review` packs the candidate again")
    return found
