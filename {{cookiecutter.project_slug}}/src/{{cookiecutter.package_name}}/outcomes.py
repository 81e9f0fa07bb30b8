"""What each stage made, file by file: so that two makings can be compared, and the first place
where they part be named.
"""

from collections.abc import Mapping
from pathlib import Path

from . import digests, layout
from .sections import read_yaml

Outcomes = Mapping[str, Mapping[str, str]]
"""The sha256 of each file, by stage and by path; stages in their order."""


def of(root: Path) -> Outcomes:
    """Return what the stages of a project have made, as it lies there.

    Which machine has made it is no outcome: on another one the rest may be the same.
    """
    stages = read_yaml(root / "dvc.yaml")["stages"]
    return {
        name: {
            path.relative_to(root).as_posix(): digests.of_file(path)
            for out in [*stage.get("outs", ()), *stage.get("metrics", ())]
            if Path(out) != layout.MACHINE
            for path in sorted(_files(root / out))
        }
        for name, stage in stages.items()
    }


def _files(out: Path) -> list[Path]:
    return [out] if out.is_file() else list(digests.files(out, links=True))


def first_difference(before: Outcomes, now: Outcomes) -> tuple[str, str] | None:
    """Return the first stage and file that are not the same; None where all are."""
    for stage, files in before.items():
        others = now.get(stage, {})
        for path in sorted({*files, *others}):
            if files.get(path) != others.get(path):
                return stage, path
    return None
