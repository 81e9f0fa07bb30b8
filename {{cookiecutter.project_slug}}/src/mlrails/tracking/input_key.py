"""What a model is made of: code, params, data and locks, and the digest of all that.

The input key is the digest of all that the stages read before they run. It is known before
training, so a run can be found again instead of being made twice.
"""

import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from ..core import hashing
from ..core.config import read_yaml
from ..core.errors import UsageError
from ..core.layout import LOCK, SERVING_LOCK
from ..core.params import FILE

_READ_ALWAYS = ("dvc.yaml", "params.yaml", LOCK, SERVING_LOCK)
"""What says how a model is made beside the files that `dvc.yaml` names and the package's code."""


def input_key(root: Path) -> str:
    """Return the digest of every stage's command, code, params and files, none of them an output.

    Raises UsageError where `dvc.yaml` names a file that is not there.
    """
    with _a_pipeline():
        return _key(root, _stages(root), lambda name: _read(root / name))


def of_stage(root: Path, name: str, without: Collection[str]) -> str:
    """Return the digest of all that one stage reads, rows too, without some hyperparameters.

    They are left out of the section `estimator`, whatever their values are.
    """

    def read(file: str) -> Any:
        found = _read(root / file)
        if file != FILE:
            return found
        kept = {key: it for key, it in found["estimator"].items() if key not in without}
        return {**found, "estimator": kept}

    with _a_pipeline():
        return _key(root, {name: _stages(root)[name]}, read)


def _stages(root: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = read_yaml(root / "dvc.yaml")["stages"]
    return found


@contextmanager
def _a_pipeline() -> Iterator[None]:
    """Raise UsageError where `dvc.yaml` holds something else than stages."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, StopIteration):
        raise UsageError("dvc.yaml: not the stages of a pipeline; restore it from git") from None


def _deps(stages: Mapping[str, Any]) -> set[str]:
    """Return the files that stages read and none of them makes."""
    outs = {out for stage in stages.values() for out in _names(stage.get("outs", ()))}
    return {dep for stage in stages.values() for dep in stage.get("deps", ()) if dep not in outs}


def _key(root: Path, stages: Mapping[str, Any], read: Callable[[str], Any]) -> str:
    files, read = _deps(stages), cache(read)
    return hashing.of_values(
        {
            "commands": {name: stage["cmd"] for name, stage in stages.items()},
            "files": {name: _of_file(root, name) for name in sorted(files)},
            "params": [
                (file, key, _at(read(file), key))
                for file, keys in _params_of(stages)
                for key in keys
            ],
        }
    )


def _names(outs: Any) -> Iterator[str]:
    for out in outs:
        yield out if isinstance(out, str) else next(iter(out))


def _of_file(root: Path, name: str) -> str:
    path = root / name
    if path.is_dir():
        return hashing.of_folder(path, links=True)
    if not path.is_file():
        by_digest = (root / f"{name}.dvc").is_file()
        way = "fetch it with `nox -s pull`" if by_digest else "restore it, e.g. from git"
        raise UsageError(f"dvc.yaml names {name}, which is missing; {way}")
    return hashing.of_file(path)


def _params_of(stages: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield (file, keys) of each entry under `params:`, in either of DVC's two forms."""
    for stage in stages.values():
        for item in stage.get("params", ()):
            yield from ({"params.yaml": [item]} if isinstance(item, str) else item).items()


def check_listed(root: Path, stage: str, key: str) -> None:
    """Raise UsageError where a stage's params leave out a key that it reads.

    DVC refuses a key that a file lacks, so one that need not be there is listed by who writes it.
    """
    with _a_pipeline():
        asked = _params_of({stage: _stages(root).get(stage, {})})
        names = [name for file, keys in asked if file == FILE for name in keys]
    if not any(key == name or key.startswith(f"{name}.") for name in names):
        raise UsageError(
            f"dvc.yaml: the stage {stage!r} reads {key!r} of {FILE}, and its params do not name it,"
            f" so a change of it would be missed; add the line `- {key}` to them"
        )


def _read(path: Path) -> Any:
    if path.suffix == ".toml":
        try:
            return tomllib.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            raise UsageError(f"{path.name}: missing or not TOML; restore it from git") from None
    return read_yaml(path)


def _at(values: Any, key: str) -> Any:
    for part in key.split("."):
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


def inputs(root: Path) -> set[str]:
    """Return the files that say how a model is made beside the code, for git to look at.

    What DVC keeps is told by its `.dvc`. Raises UsageError where `dvc.yaml` is no pipeline.
    """
    with _a_pipeline():
        stages = _stages(root)
        deps, params = _deps(stages), {name for name, _ in _params_of(stages)}
    return {*_READ_ALWAYS, *params, *deps, *(f"{dep}.dvc" for dep in deps)}
