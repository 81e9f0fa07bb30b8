"""A copy of the project to train in, so that the user's own files stay as they are.

The copy has the files as they stand now, committed or not, and shares git's objects and DVC's
cache with the project: what was trained before is not trained again.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from ..core import files, git, params
from ..core.config import NUMBER
from ..core.console import say
from ..core.errors import UsageError
from ..core.settings import Settings
from ..tracking import runs, store
from ..tracking.client import EDIT, needed
from . import dvc


def here_or_in_a_copy(
    here: Settings, words: Sequence[str], act: Callable[[Settings], None]
) -> None:
    """Leave the user's files alone where params are changed, or where `mlflow run` has called."""
    changed = changes(words)
    if changed or here.opened_run:
        with copy(here, changed) as there:
            act(there)
    else:
        act(here)


def changes(words: Sequence[str]) -> dict[str, str]:
    """Read `--name value` pairs; a value of `params.yaml` means: as it is written there."""
    names, values = words[::2], words[1::2]
    for name in names:
        if not name.startswith("--") or len(names) != len(values):
            raise UsageError(f"{' '.join(words)!r}: write changes as --NAME VALUE pairs")
    pairs = zip(names, values, strict=True)
    return {name[2:]: value for name, value in pairs if value != params.FILE}


@contextmanager
def copy(settings: Settings, changes: Mapping[str, str]) -> Iterator[Settings]:
    """Yield the settings of a copy in which some of the params are changed; it is removed after.

    The runs go to the project's own store.
    """
    _open(settings)
    with files.scratch_folder(settings.scratch) as folder:
        root = _copy_files(settings.root, folder / "copy")
        dvc.lend(settings.root, root)
        _change(root, changes)
        say("working in a copy of the project: the files here stay as they are")
        words = " ".join(f"{name}={value}" for name, value in changes.items())
        address = store.address(settings)
        yield replace(settings, root=root, tracking_uri=address, project=settings.root, trial=words)


def _open(settings: Settings) -> None:
    """Make sure of the experiment, and hold the run that `mlflow run` has opened.

    MLflow is imported where there is something to do: the server of forks is about to do so anyway.
    """
    store.prepare(settings)
    if settings.opened_run or not store.has_experiment(settings):
        client = store.connect(settings)
        store.experiment(client, settings)
        if settings.opened_run:
            needs = needed(EDIT, "experiment", settings.name)
            runs.claim(client, store.address(settings), settings.opened_run, needs)


def _copy_files(root: Path, target: Path) -> Path:
    """Copy what git tracks and what it would; return where the project lies in the copy."""
    copied = git.shared_clone(root, target)
    for name in git.files(root):
        if (root / name).is_file():
            (copied / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, copied / name)
    git.run(target, "reset", "--quiet")
    return copied


def _change(root: Path, changes: Mapping[str, str]) -> None:
    """Write the changed params and leave the rest of the file, comments too, as it is.

    What they may be is checked when they are read.
    """
    from ruamel.yaml import YAML

    if not changes:
        return
    params.load(root)
    form = YAML()
    form.preserve_quotes, form.width = True, 10_000
    values = form.load((root / params.FILE).read_text("utf-8"))
    for name, text in changes.items():
        _set(values, name, _value(name, text))
    with (root / params.FILE).open("w", encoding="utf-8") as file:
        form.dump(values, file)


def _set(values: dict[str, Any], name: str, value: object) -> None:
    """Set a dotted name; one without a section is the estimator's, or else stands at the top."""
    path = name.split(".") if "." in name or name in values else ["estimator", name]
    for part in path[:-1]:
        values = values.setdefault(part, {})
        if not isinstance(values, dict):
            raise UsageError(f"--{name}: {part!r} is a value of {params.FILE}, not a section")
    values[path[-1]] = value


def _value(name: str, text: str) -> object:
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise UsageError(f"--{name} {text!r}: not a value as YAML writes it") from None
    if value == text and NUMBER.fullmatch(text):  # such as 1e-3
        return float(text)
    return value.isoformat() if isinstance(value, date) else value
