"""Where a model comes from: code, params, data, lock and machine.

The input key is the digest of all that the stages read before they run. It is known before
training, so a run can be found again instead of being made twice.
"""

import os
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from . import digests, git_cli
from .errors import UsageError
from .sections import read_yaml

LOCK = "requirements-dev.lock"
SERVING_LOCK = "requirements.lock"

_LARGEST_DIFF = 1_000_000
_INPUTS = (".", ":(exclude)dvc.lock")
"""What a run is made of: everything but the file in which DVC notes what came out."""
_PLAIN = (
    *("--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv"),
    *("--src-prefix=a/", "--dst-prefix=b/"),
)
"""A diff that can be applied, whatever the user likes to look at."""


@dataclass(frozen=True)
class Git:
    """The commit, and what differs from it."""

    commit: str | None
    dirty: bool
    diff: str


def input_key(root: Path) -> str:
    """Return the digest of every stage's command, code, params and files, none of them an output.

    Raises UsageError where `dvc.yaml` names a file that is not there.
    """
    try:
        return _key(root, read_yaml(root / "dvc.yaml")["stages"])
    except (AttributeError, KeyError, TypeError, StopIteration):
        raise UsageError("dvc.yaml: not the stages of a pipeline; restore it from git") from None


def _key(root: Path, stages: Mapping[str, Any]) -> str:
    outs = {out for stage in stages.values() for out in _names(stage.get("outs", ()))}
    files = {dep for stage in stages.values() for dep in stage.get("deps", ()) if dep not in outs}
    read = cache(lambda name: _read(root / name))
    return digests.of_values(
        {
            "commands": {name: stage["cmd"] for name, stage in stages.items()},
            "files": {name: _of_file(root, name) for name in sorted(files)},
            "params": [
                param
                for stage in stages.values()
                for item in stage.get("params", ())
                for param in _params(item, read)
            ],
        }
    )


def _names(outs: Any) -> Iterator[str]:
    for out in outs:
        yield out if isinstance(out, str) else next(iter(out))


def _of_file(root: Path, name: str) -> str:
    path = root / name
    if path.is_dir():
        return digests.of_folder(path)
    if not path.is_file():
        raise UsageError(f"dvc.yaml names {name}, which is missing; restore it, e.g. from git")
    return digests.of_file(path)


def _params(item: Any, read: Callable[[str], Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield (file, key, value) of one entry under `params:`, in either of DVC's two forms."""
    for file, keys in ({"params.yaml": [item]} if isinstance(item, str) else item).items():
        values = read(file)
        for key in keys:
            yield file, key, _at(values, key)


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


def git(root: Path) -> Git:
    """Return the commit that the folder stands on, and how its files, new ones too, differ."""
    require_git(root)
    commit = git_cli.run(root, "rev-parse", "--verify", "--quiet", "HEAD").stdout.strip() or None
    changed = git_cli.run(root, "status", "--porcelain", "--", *_INPUTS).stdout
    return Git(commit, bool(changed), _diff(root, commit) if changed else "")


def _diff(root: Path, commit: str | None) -> str:
    """Return the difference from the commit, or from nothing, without touching git's index."""
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        before = commit or git_cli.run(root, "hash-object", "-t", "tree", os.devnull).stdout.strip()
        git_cli.run(root, "read-tree", commit or "--empty", **index)
        git_cli.run(root, "add", "--intent-to-add", "--", *_INPUTS, **index)
        diff = git_cli.run(root, "diff", *_PLAIN, before, "--", *_INPUTS, **index).stdout
    if len(diff) > _LARGEST_DIFF:
        return (
            f"{diff[:_LARGEST_DIFF]}\n[cut after {_LARGEST_DIFF:,} of {len(diff):,} characters]\n"
        )
    return diff


def require_git(root: Path) -> None:
    """Raise WorldError or UsageError where there is no git or no repository."""
    if git_cli.run(root, "rev-parse", "--git-dir").returncode:
        raise UsageError(f"{root}: not a git repository; run `git init` in it, then try again")
