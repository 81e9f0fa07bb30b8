"""Where a model comes from: code, params, data, lock and machine.

The input key is the digest of all that the stages read before they run. It is known before
training, so a run can be found again instead of being made twice.
"""

import os
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from . import digests, git_cli
from .errors import UsageError
from .layout import LOCK, SERVING_LOCK
from .sections import read_yaml

_LARGEST_DIFF = 1_000_000
_CODE = "src"
_READ_ALWAYS = ("dvc.yaml", "params.yaml", LOCK, SERVING_LOCK)
"""What says how a model is made beside the files that `dvc.yaml` names and the package's code."""
_PLAIN = (
    *("--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv"),
    *("--src-prefix=a/", "--dst-prefix=b/"),
)
"""A diff that can be applied, whatever the user likes to look at."""


@dataclass(frozen=True)
class Git:
    """The commit, and what differs from it of all that a model is made of.

    Only that is dirt: a log file that lies about, or a changed page, makes no other model.
    """

    commit: str | None
    dirty: bool
    diff: str


def input_key(root: Path) -> str:
    """Return the digest of every stage's command, code, params and files, none of them an output.

    Raises UsageError where `dvc.yaml` names a file that is not there.
    """
    with _a_pipeline():
        return _key(root, _stages(root))


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


def _key(root: Path, stages: Mapping[str, Any]) -> str:
    files = _deps(stages)
    read = cache(lambda name: _read(root / name))
    return digests.of_values(
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
        return digests.of_folder(path, links=True)
    if not path.is_file():
        raise UsageError(f"dvc.yaml names {name}, which is missing; restore it, e.g. from git")
    return digests.of_file(path)


def _params_of(stages: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield (file, keys) of each entry under `params:`, in either of DVC's two forms."""
    for stage in stages.values():
        for item in stage.get("params", ()):
            yield from ({"params.yaml": [item]} if isinstance(item, str) else item).items()


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
    """Return the commit that the folder stands on, and how what a model is made of differs."""
    top = require_git(root)
    commit = git_cli.run(root, "rev-parse", "--verify", "--quiet", "HEAD").stdout.strip() or None
    read = [f":(literal){name}" for name in _read_by_stages(root, top)]
    known, new = [*read, _CODE], [*read, f":(glob){_CODE}/**/*.py"]
    status = ("status", "--porcelain", "--untracked-files=normal", "--", *known)
    diff = _diff(root, commit, known, new) if git_cli.run(root, *status).stdout else ""
    return Git(commit, bool(diff), diff)


def _read_by_stages(root: Path, top: Path) -> list[str]:
    """Return the files that git shall look at beside the code.

    What DVC keeps is told by its `.dvc`; of what lies outside of the repository, git cannot tell.
    """
    with _a_pipeline():
        stages = _stages(root)
        deps, params = _deps(stages), {name for name, _ in _params_of(stages)}
    names = {*_READ_ALWAYS, *params, *deps, *(f"{dep}.dvc" for dep in deps)}
    here = root.resolve()
    return sorted(it for it in names if Path(os.path.normpath(here / it)).is_relative_to(top))


def _diff(root: Path, commit: str | None, known: Sequence[str], new: Sequence[str]) -> str:
    """Return the difference from the commit, or from nothing, without touching git's index."""
    with tempfile.TemporaryDirectory() as folder:
        index, listed = {"GIT_INDEX_FILE": str(Path(folder, "index"))}, Path(folder, "new")
        before = commit or git_cli.run(root, "hash-object", "-t", "tree", os.devnull).stdout.strip()
        git_cli.run(root, "read-tree", commit or "--empty", **index)
        others = ("ls-files", "-z", "--others", "--exclude-standard", "--", *new)
        listed.write_text(git_cli.run(root, *others, **index).stdout, "utf-8")
        named = ("--pathspec-file-nul", f"--pathspec-from-file={listed}")
        git_cli.run(root, "--literal-pathspecs", "add", "--intent-to-add", *named, **index)
        diff = git_cli.run(root, "diff", *_PLAIN, before, "--", *known, **index).stdout
    if len(diff) > _LARGEST_DIFF:
        return (
            f"{diff[:_LARGEST_DIFF]}\n[cut after {_LARGEST_DIFF:,} of {len(diff):,} characters]\n"
        )
    return diff


def require_git(root: Path) -> Path:
    """Return the top of the repository; raises WorldError or UsageError where there is none."""
    found = git_cli.run(root, "rev-parse", "--show-toplevel")
    if found.returncode:
        raise UsageError(f"{root}: not a git repository; run `git init` in it, then try again")
    return Path(found.stdout.strip())
