"""Where the files of a training lie, and what only that place can tell: data, commit and machine.

A project tells it by looking; a parcel, which holds no data and may lie on another machine, was
told it when it was packed.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from . import data, digests, layout, machine, outcomes, provenance
from .errors import UsageError
from .git import Revision, revision
from .outcomes import Outcomes
from .params import Params

LABEL = "candidate.json"
"""The file of a parcel that says what it holds."""


@dataclass(frozen=True)
class Origin:
    """What a model was made of and on: sha256 of each part of the data, commit, machine."""

    parts: Mapping[str, str]
    data_digest: str
    git: Revision
    cpu_class: str
    python: str


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
            {part: digests.of_file(self.root / layout.prepared(part)) for part in layout.PARTS},
            digests.of_folder(self.root / layout.PREPARED, links=True),
            revision(self.root, provenance.inputs(self.root)),
            *machine.noted(self.root),
        )

    def split_digest(self, params: Params) -> str:
        """Return what says which rows are which part.

        Rows that are drawn are known by their answers in their order: a column that is added, gone
        or called something else leaves them the rows that they were.
        """
        raw, rows, seed = self.root / layout.RAW, params.data.model_dump(mode="json"), None
        known = digests.of_file(raw)
        if params.split.by == "random":
            known = digests.of_values(data.read(raw)[params.data.target].tolist())
            seed = params.seed  # Another one draws other rows.
        return digests.of_values([known, rows, params.split.model_dump(mode="json"), seed])

    def outcomes(self) -> Outcomes:
        """Return the sha256 of each file that the stages made."""
        return outcomes.of(self.root)


@dataclass(frozen=True)
class Parcel:
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


def label(project: Project, params: Params, key: str, digest: str) -> dict[str, object]:
    """Return what the label of a parcel of a project's model says."""
    told = (key, digest, asdict(project.origin()), project.split_digest(params), project.outcomes())
    return dict(zip(_LABELLED, told, strict=True))
