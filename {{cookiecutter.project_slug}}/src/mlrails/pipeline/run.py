"""Bring the stages up to date with DVC, and tell the run what they made."""

import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING

from ..core import dvc_lock, git, layout, params, processes
from ..core.console import say, warn
from ..core.errors import UsageError, WorldError, installing
from ..core.layout import LOCK, SERVING_LOCK
from ..core.params import Params
from ..core.settings import CALLER, PROJECT, TRIAL, Settings
from ..data.schema import Column
from ..evaluation.own import OwnMetric
from ..registry import permissions
from ..reporting.report import figures_table
from ..stages import stage
from ..tracking import input_key, recording, store
from ..tracking.origin import Project
from . import dvc
from .forkserver import ForkServer, interrupts_left_to_the_stage

if TYPE_CHECKING:
    from filelock import BaseFileLock


_RECORD = "mlrails.pipeline.record"
_SECONDS_UNTIL_STAGES_RUN = 1.0
"""Before that, this process is busy with DVC, and a second thread would only slow it down."""


def train(settings: Settings, columns: Sequence[Column], own: Sequence[OwnMetric] = ()) -> None:
    """Run the stages whose inputs have changed, record the run, and print the figures.

    What is wrong with the params, the repository or the tracking server is said before any work;
    only what `estimator.py` and `features.py` know of theirs is left to the stage.
    """
    with dvc.stages(settings.root) as stages:
        checked, key = _ready(settings, columns, own, stages)
        with _alone(settings):
            _reproduce(settings, stages)
            _record(settings, stages, checked, key)
    _tell(settings, key)


def evaluate(settings: Settings, columns: Sequence[Column], own: Sequence[OwnMetric] = ()) -> None:
    """Make the report of the model that is there; record it where the model is of these inputs."""
    with dvc.stages(settings.root) as stages:
        checked, key = _ready(settings, columns, own, stages)
        with _alone(settings):
            _bring_back(settings)
            _reproduce(settings, stages, "--single-item", "evaluate")
            if dvc.is_stale(settings.root):
                other = "the model is not of these params and files"
                warn(f"{other}: nothing is recorded; `nox -s train`")
            else:
                _record(settings, stages, checked, key)
    _tell(settings, key)


def prepare(settings: Settings, columns: Sequence[Column], own: Sequence[OwnMetric] = ()) -> None:
    """Bring the rows of all parts up to date, and nothing after them; no run tells of it."""
    bring(settings, columns, own, "prepare")


def bring(
    settings: Settings, columns: Sequence[Column], own: Sequence[OwnMetric], last: str
) -> None:
    """Bring one stage and those before it up to date; no run tells of it."""
    checked = params.load(settings.root)
    git.top(settings.root)
    dvc.bring(settings.root)
    _check(settings, checked, columns, own)
    with _alone(settings), dvc.stages(settings.root) as stages:
        _reproduce(settings, stages, last)


def _tell(settings: Settings, key: str) -> None:
    """Print the figures, and where the report of this very model is.

    Who tries other params chooses among them, by the validation rows: each look at the test rows
    would make them less of a test.
    """
    found = layout.figures(settings.root)
    report = _in_its_run(settings, key) if settings.project else str(layout.REPORT)
    say(figures_table(found, "validation" if settings.trial else "test", report))


def _in_its_run(settings: Settings, key: str) -> str | None:
    """Return where the run of a copy, which is gone in a moment, keeps the report."""
    run_id = recording.recorded(settings, key, settings.root)
    return store.artifact(settings, run_id, str(layout.REPORT)) if run_id else None


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Wait until no other process brings this folder up to date.

    A stage that outlives its killed caller is waited for as well: it would write over what is made
    here, also where no stage runs.
    """
    other = "another train works in this folder; waiting for its end"
    orphan = "a stage of a train that was killed still works in this folder; waiting for its end"
    with _acquired(settings.scratch / "pipeline.lock", other):
        _acquired(settings.scratch / stage.LOCK, orphan).release()
        yield


def _acquired(path: Path, words: str) -> "BaseFileLock":
    """Return a lock that is held, and say why where that takes waiting."""
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(words)
        lock.acquire()
    return lock


def _bring_back(settings: Settings) -> None:
    """Let the model be what DVC knows, not what was written over it: evaluating runs its code."""
    code = dvc.run(settings.root, "checkout", "--quiet", "--force")
    if not (settings.root / layout.MODEL).is_dir():
        raise UsageError(f"{layout.MODEL}: there is no model yet; run `nox -s train`")
    if code:
        raise WorldError("DVC's cache lacks some of what the stages made; run `nox -s train`")


def _ready(
    settings: Settings, columns: Sequence[Column], own: Sequence[OwnMetric], stages: ForkServer
) -> tuple[Params, str]:
    checked = params.load(settings.root)
    git.top(settings.root)
    dvc.bring(settings.root)
    if checked.evaluation.threshold == "cost":
        input_key.check_listed(settings.root, "train", "evaluation.costs")
    key = input_key.input_key(settings.root)
    if not recording.is_recorded(settings, key):
        stages.begin()
        _check(settings, checked, columns, own)
        store.check_reachable(store.address(settings))
        permissions.check(settings, permissions.trainer)
        if not (stages.has_begun and store.is_made(settings)):
            made_ready = Timer(_SECONDS_UNTIL_STAGES_RUN, _make_ready, [settings])
            made_ready.daemon = True
            made_ready.start()
    return checked, key


def _check(
    settings: Settings, checked: Params, columns: Sequence[Column], own: Sequence[OwnMetric]
) -> None:
    """Raise UsageError or WorldError for what a stage would stumble over."""
    from ..data.validation import check_columns
    from ..evaluation import selection

    selection.told(checked.task, checked.evaluation, own)
    check_installed(settings.root)
    check_columns(checked, columns)


def _make_ready(settings: Settings) -> None:
    """Import MLflow and make its tables while the first stages run: it takes as long as they do.

    Where a fork records, which has imported it, only the tables of a first time are missing.
    """
    with suppress(Exception):  # Whoever needs the store will say it.
        store.connect(settings)


def _reproduce(settings: Settings, stages: ForkServer, *arguments: str) -> None:
    """Run `dvc repro`: the stages whose inputs changed, and nothing else."""
    dvc.mend(settings.root)
    told = told_to_stages(settings)
    if dvc.run(settings.root, "repro", *arguments, stages=stages, **told):
        raise WorldError("DVC could not bring the stages up to date; its message stands above")
    dvc_lock.verify(settings.root, take_away=True)


def _record(settings: Settings, stages: ForkServer, checked: Params, key: str) -> None:
    """Tell the run what the stages have made: as one of them, so that MLflow is imported once."""
    if recording.is_recorded(settings, key):
        return
    variables = os.environ | dvc.surroundings(settings.root) | told_to_stages(settings)
    with interrupts_left_to_the_stage():
        code = stages.run_module(_RECORD, str(settings.root), variables)
    if code is None:  # Nothing forks here.
        recording.record(settings, Project(settings.root), checked, key)
    elif code:
        raise dvc.ended(code) or WorldError(f"{_RECORD} was killed; run the same command again")


def told_to_stages(settings: Settings) -> dict[str, str]:
    """Return the variables that a stage reads its settings from, beside those of this process."""
    told = {CALLER: processes.process_id()}
    if settings.project:  # A copy of it, whose runs are the project's own.
        told |= {"MLFLOW_TRACKING_URI": store.address(settings), PROJECT: str(settings.project)}
        told[TRIAL] = settings.trial
    return told


def share(settings: Settings, verb: str) -> None:
    """Run `dvc push` or `dvc pull` with the default remote; raises UsageError without one.

    Only what `dvc.lock` names is taken, and only as it is named. DVC's cache of runs stays at home:
    it would say of inputs that no commit knows which model they give.
    """
    from dvc.config import Config
    from dvc.exceptions import DvcException

    program = Path(sys.executable).with_name("dvc")
    try:
        remote = Config.from_cwd().get("core", {}).get("remote")
    except DvcException:
        raise UsageError(".dvc/config: not a configuration; restore it, e.g. from git") from None
    if not remote:
        raise UsageError(
            ".dvc/config: no remote is set, so there is nowhere to push to or pull from; set one "
            f"with `{program} remote add --default storage ADDRESS`, a folder or s3://bucket/path"
        )
    failed = dvc.run(settings.root, verb)
    if verb == "pull":
        dvc_lock.verify(settings.root, take_away=True)
    if failed:
        lacks = "" if verb == "push" else ": the remote lacks it, or holds other bytes by that name"
        raise WorldError(f"DVC could not {verb}; its message stands above{lacks}")


_PIN = re.compile(r"^([a-z0-9-]+)==([^\s;]+)( ;)?", re.MULTILINE)


def check_installed(root: Path) -> None:
    """Raise WorldError for a package that fits a model and is missing or of another version."""
    wanted, anywhere = defaultdict(set), set()
    for name, release, only_somewhere in _PIN.findall((root / SERVING_LOCK).read_text("utf-8")):
        wanted[name].add(release)
        anywhere |= set() if only_somewhere else {name}
    for name, releases in wanted.items():
        found = _version(name)
        if found not in releases and (found or name in anywhere):
            raise WorldError(
                f"{name} {found or 'is not installed'}: {SERVING_LOCK} names "
                f"{' or '.join(sorted(releases))}; `{installing(root / LOCK)}` mends it"
            )


def _version(name: str) -> str:
    """Return the release that is installed, whichever build of it; nothing where there is none."""
    try:
        return metadata.version(name).partition("+")[0]
    except metadata.PackageNotFoundError:
        return ""
