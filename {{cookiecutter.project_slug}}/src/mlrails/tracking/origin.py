"""Where a model comes from: its machine, its commit and data, and what each stage made of them.

The stage that fits writes its machine down, since the model may reach whoever asks by way of a
cache. The rest a project tells by looking; a bundle, which holds no data and may lie on another
machine, was told it when it was packed.
"""

import json
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from ..core import files, hashing, layout
from ..core.config import read_yaml
from ..core.errors import UsageError, WorldError
from ..core.git import Revision, revision
from ..core.params import Params
from ..data import parquet
from . import input_key


@cache
def cpu_class(estimator: str = "") -> str:
    """Return the machine's class: the same inputs give the same bytes within one class.

    It is of NumPy's linear algebra, and of what else the estimator says that a fit depends on.
    """
    import numpy as np

    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    parts = [platform.system(), platform.machine(), *found[-1:], *_kernels(Path(np.__file__))]
    words = " ".join([*parts, estimator]).strip()
    return re.sub(r"[^a-z0-9_]+", "-", words.lower())


def _kernels(numpy: Path) -> list[str]:
    """Return which CPU the linear algebra of NumPy is tuned for: one, in general.

    Other libraries bring their own, which a fit does not use, and whether they are loaded depends
    on who asks. Where NumPy brings none it shares that of the system.
    """
    from threadpoolctl import threadpool_info

    pools = [pool for pool in threadpool_info() if pool.get("architecture")]
    own = [it for it in pools if it["filepath"].startswith(str(numpy.resolve().parent))]
    return sorted({str(it["architecture"]) for it in own or pools})


def same_bytes(ours: str, theirs: str) -> bool:
    """Tell whether machines of two classes make the same bytes: where they are one, without a GPU.

    On a GPU sums are added up as its threads come to them, which no class can promise.
    """
    return ours == theirs and not re.search(r"\b(cuda|rocm)\b", ours)


def note_machine(root: Path, estimator: str = "") -> str:
    """Write down that this machine fits the model of a project; return its class."""
    told = {"cpu_class": cpu_class(estimator), "python": platform.python_version()}
    files.write_text(json.dumps(told, indent=1) + "\n", root / layout.MACHINE)
    return told["cpu_class"]


def begin_fit(root: Path, key: str, estimator: str) -> str:
    """Write down that this machine fits; return what names the fit: its inputs and the machine.

    `key` is the input key. What was begun of other rows, or on another class of machine, would end
    with bytes of neither.
    """
    rows = hashing.of_folder(root / layout.PREPARED, links=True)
    return hashing.of_values([key, rows, note_machine(root, estimator)])


def noted_machine(root: Path) -> tuple[str, str]:
    """Return the class and the Python of the machine that has fitted the model of a project.

    Raises WorldError where the file that says so is missing or another one.
    """
    try:
        told = json.loads((root / layout.MACHINE).read_text("utf-8"))
        return str(told["cpu_class"]), str(told["python"])
    except (OSError, ValueError, LookupError, TypeError):
        words = "it does not say which machine has fitted the model"
        raise WorldError(f"{layout.MACHINE}: {words}; run `nox -s train`") from None


def noted_sources(root: Path) -> Sequence[Mapping[str, str]]:
    """Return name and digest of what the rows of a project were read from, where `ingest` says it.

    It does so for `sources.read` alone, and the raw rows may not have been fetched.
    """
    try:
        told = json.loads((root / layout.SOURCES).read_text("utf-8"))
        return [{"name": str(it["name"]), "digest": str(it["digest"])} for it in told]
    except (OSError, ValueError, LookupError, TypeError):
        return ()


Outcomes = Mapping[str, Mapping[str, str]]
"""The sha256 of each file, by stage and by path; stages in their order."""


def outcomes_of(root: Path) -> Outcomes:
    """Return what the stages of a project have made, as it lies there.

    Which machine has made it is no outcome: on another one the rest may be the same.
    """
    stages = read_yaml(root / "dvc.yaml")["stages"]
    return {
        name: {
            path.relative_to(root).as_posix(): hashing.of_file(path)
            for out in [*stage.get("outs", ()), *stage.get("metrics", ())]
            if Path(out) != layout.MACHINE
            for path in sorted(_files(root / out))
        }
        for name, stage in stages.items()
    }


def _files(out: Path) -> list[Path]:
    return [out] if out.is_file() else list(hashing.files(out, links=True))


def first_difference(before: Outcomes, now: Outcomes) -> tuple[str, str] | None:
    """Return the first stage and file that are not the same; None where all are."""
    for stage, ours in before.items():
        others = now.get(stage, {})
        for path in sorted({*ours, *others}):
            if ours.get(path) != others.get(path):
                return stage, path
    return None


_ARRIVED = {"target", "time", "until"}
_TELLS_ROWS = {"time": _ARRIVED, "random": _ARRIVED, "group": {"target", "group"}}
"""What of the section `data` says which rows are which, by the way of splitting them."""

LABEL = "candidate.json"
"""The file of a bundle that says what it holds."""


@dataclass(frozen=True)
class Origin:
    """What a model was made of and on: sha256 of each part of the data, commit, machine."""

    parts: Mapping[str, str]
    data_digest: str
    git: Revision
    cpu_class: str
    python: str
    sources: Sequence[Mapping[str, str]] = ()
    """Name and digest of what `sources.read` has read."""


class Place(Protocol):
    """A folder with what a training has made."""

    @property
    def root(self) -> Path:
        """Where it is."""

    def origin(self) -> Origin:
        """Tell what the training read."""

    def split_digest(self, params: Params) -> str:
        """Return what says which rows are which part: two models of one split share test rows."""

    def outcomes(self) -> Outcomes:
        """Return the sha256 of each file that the stages made."""


@dataclass(frozen=True)
class Project:
    """The folder that has trained."""

    root: Path

    def origin(self) -> Origin:
        """Tell what the training read."""
        return Origin(
            {part: hashing.of_file(self.root / layout.prepared(part)) for part in layout.PARTS},
            hashing.of_folder(self.root / layout.PREPARED, links=True),
            revision(self.root, input_key.inputs(self.root)),
            *noted_machine(self.root),
            noted_sources(self.root),
        )

    def split_digest(self, params: Params) -> str:
        """Return what says which rows are which part.

        Rows that are drawn are known by their answers in their order: a column that is added, gone
        or called something else leaves them the rows that they were. Groups are known by their
        names: whatever rows and groups come, a test group never was another one.
        """
        raw, by = self.root / layout.RAW, params.split.by
        rows = params.data.model_dump(mode="json", include=_TELLS_ROWS[by])
        known: object = hashing.of_file(raw) if by == "time" else None
        if by == "random":
            known = hashing.of_values(parquet.read(raw)[params.data.target].tolist())
        if by == "group":
            from ..data import splits  # It imports NumPy, which no other look at a run needs.

            if not (dealt := splits.deal(parquet.read(raw), params)).settled:
                known = sorted(zip(map(str, dealt.names), dealt.parts.tolist(), strict=True))
        seed = None if by == "time" else params.seed  # Another one draws other rows.
        return hashing.of_values([known, rows, params.split.model_dump(mode="json"), seed])

    def outcomes(self) -> Outcomes:
        """Return the sha256 of each file that the stages made."""
        return outcomes_of(self.root)


@dataclass(frozen=True)
class Bundle:
    """A folder that was packed elsewhere."""

    root: Path

    def origin(self) -> Origin:
        """Tell what the training read."""
        told = self.label()["origin"]
        return Origin(**{**told, "git": Revision(**told["git"])})

    def split_digest(self, params: Params) -> str:
        """Return what says which rows are which part."""
        return str(self.label()["split_digest"])

    def outcomes(self) -> Outcomes:
        """Return the sha256 of each file that the stages made."""
        found: Outcomes = self.label()["outcomes"]
        return found

    def label(self) -> Mapping[str, Any]:
        """Return all that the label says; raises UsageError where there is none."""
        try:
            found = json.loads((self.root / LABEL).read_text("utf-8"))
            Origin(**found["origin"])
            return {name: found[name] for name in _LABELLED}
        except (OSError, ValueError, KeyError, TypeError):
            raise UsageError(f"{self.root}: no candidate; `nox -s review` packs one") from None


_LABELLED = ("input_key", "digest", "origin", "split_digest", "outcomes")


def label_of(project: Project, params: Params, key: str, digest: str) -> dict[str, object]:
    """Return what the label of a bundle of a project's model says."""
    origin = asdict(project.origin())
    if not origin["sources"]:
        del origin["sources"]  # Engines of before know of none.
    told = (key, digest, origin, project.split_digest(params), project.outcomes())
    return dict(zip(_LABELLED, told, strict=True))
