"""`tune`: search on the validation rows, and write the best values into `params.yaml`."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from ..core import hashing, processes
from ..core.console import say
from ..core.errors import UsageError, WorldError, counted
from ..core.params import Params
from ..core.settings import Settings
from ..data.schema import Column
from ..evaluation import selection
from ..evaluation.metrics import Metric
from ..evaluation.own import OwnMetric
from ..pipeline import run as pipeline
from ..tracking import input_key
from . import edit, page, space, words
from .page import Result
from .pool import Pool
from .record import Recorder
from .search import Search
from .space import Space
from .study import Study
from .trial import State, Trial, best

_FOLDER = "tune"
"""Where a project keeps its trials, below the folder that neither git nor DVC looks into."""
_WORDS_AFTER = 20
"""Whole trials, and as many again each time, after which it is told what matters so far."""


@dataclass(frozen=True)
class Order:
    """What is asked for; None is as `params.yaml`, or the machine, says."""

    trials: int | None = None
    timeout: float | None = None
    processes: int | None = None


def tune(
    settings: Settings, order: Order, columns: Sequence[Column], own: Sequence[OwnMetric] = ()
) -> None:
    """Bring a search to its number of trials, and write the best values into `params.yaml`.

    A search that was broken off goes on. Raises UsageError where nothing may be tried, or no trial
    is whole.
    """
    checked = _checked(order, settings)
    where, metric = space.of(checked), selection.primary(checked.task, checked.evaluation, own)
    with _alone(settings):
        pipeline.prepare(settings, columns, own)
        key = study_key(settings, checked, where, metric)
        study = Study(settings.scratch / _FOLDER, key, where, metric.higher_is_better)
        wanted = order.trials or where.trials
        result = _searched(settings, checked, study, key, metric, wanted, order)
        _tell(settings, result)


def study_key(settings: Settings, params: Params, where: Space, metric: Metric) -> str:
    """Return the digest of all that trials hang on: code, rows, params, the space and the metric.

    The values that are tuned are left out, so that a search goes on after the best were written.
    """
    fit = input_key.of_stage(settings.root, "train", where.axes)
    rules = params.evaluation.model_dump(mode="json", include={"costs", "threshold"})
    code = settings.root / "src" / settings.package / "metrics.py"
    own = hashing.of_file(code) if metric.is_own and code.is_file() else None
    tried = {name: repr(axis) for name, axis in where.axes.items()}
    how = [params.seed, where.parallel, where.prune]
    return hashing.of_values([fit, metric.name, rules, own, tried, how])


def _checked(order: Order, settings: Settings) -> Params:
    from ..core import params

    for name in ("trials", "timeout", "processes"):
        value = getattr(order, name)
        if value is not None and not value > 0:  # NaN is neither.
            raise UsageError(f"--{name} {value:g}: write a number above 0")
    checked = params.load(settings.root)
    space.of(checked)
    if find_spec("optuna") is None:
        raise UsageError(
            'optuna is not installed; see that the group `dev` of pyproject.toml has "optuna>=5", '
            "and run `nox -s lock`"
        )
    return checked


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Wait until no other process searches in this folder: both would try the same."""
    from filelock import FileLock, Timeout

    folder = settings.scratch / _FOLDER
    folder.mkdir(exist_ok=True)
    lock = FileLock(folder / "search.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("another search works in this folder; waiting for its end")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _searched(
    settings: Settings,
    params: Params,
    study: Study,
    key: str,
    metric: Metric,
    wanted: int,
    order: Order,
) -> Result:
    """Search, and tell the runs of it; raises UsageError where no trial is whole."""
    present = {it: params.estimator.get(it) for it in study.space.axes}
    record = Recorder(settings, key, metric.name)
    teller = _Teller(study, metric, wanted, record)
    search = Search(study, present, params.seed, teller.ended)
    status = "FAILED"
    try:
        _begin(record, search, params, metric)
        _run(settings, search, wanted, order)
        result = _result(settings, study, key, metric, search)
        files = page.write(result, settings.root)
        record.log_result(result.best, files)
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        say(f"tune: {words.counts(search.trials)} are kept; `nox -s tune` goes on with the next")
        raise
    finally:
        record.close(status)
    return result


def _begin(record: Recorder, search: Search, params: Params, metric: Metric) -> None:
    axes = {f"space.{name}": str(axis) for name, axis in search.space.axes.items()}
    how = {"parallel": search.space.parallel, "prune": search.space.prune, "seed": params.seed}
    record.log_params({"metric": metric.name, **how, **axes})
    record.log_missing(search.trials)
    if done := sum(it.ended for it in search.trials):
        say(f"tune: going on after {counted(done, 'trial')} of the same rows, code and space")


def _run(settings: Settings, search: Search, wanted: int, order: Order) -> None:
    cores = processes.cores()
    count = min(order.processes or cores, search.space.parallel)
    until = None if order.timeout is None else time.monotonic() + order.timeout

    def may_begin() -> bool:
        return until is None or time.monotonic() < until

    pool = Pool(settings.root, settings.scratch / _FOLDER, count, cores)
    try:
        search.run(wanted, pool, may_begin)
    finally:
        pool.close()
    if not may_begin() and len(search.trials) < wanted:
        say(f"tune: the time is over after {counted(len(search.trials), 'trial')} of {wanted}")


class _Teller:
    """Tells of each trial as it ends, in words and in its run."""

    def __init__(self, study: Study, metric: Metric, wanted: int, record: Recorder) -> None:
        self._study, self._metric, self._wanted, self._record = study, metric, wanted, record
        self._began, self._here = time.monotonic(), 0
        self._said = _WORDS_AFTER

    def ended(self, trial: Trial, trials: Sequence[Trial]) -> None:
        """Tell of a trial that has ended."""
        found = best(trials, self._study.higher)
        self._record.log_trial(trial, found)
        self._here += 1
        ended = sum(it.ended for it in trials)
        open_, done = self._wanted - ended, f"{ended}/{self._wanted}"
        took = (time.monotonic() - self._began) / self._here
        left = f"; about {words.left(open_ * took)} left" if open_ > 0 else ""
        say(f"{words.line(trial, done, self._metric.name, found)}{left}")
        whole = sum(it.state is State.WHOLE for it in trials)
        if whole >= self._said and open_ > 0:
            self._said = 2 * whole
            if told := words.matters(self._study.importance(trials)):
                say(f"what matters so far, by {whole} whole trials: {told}")


def _result(settings: Settings, study: Study, key: str, metric: Metric, search: Search) -> Result:
    trials = [it for it in search.trials if it.ended]
    found = search.best()
    if found is None:
        raise WorldError(
            f"{words.counts(trials)}, and none is whole, so there is no best one; give them longer "
            "with --timeout or --trials"
        )
    importance: Mapping[str, Any] = study.importance(trials)
    return Result(settings.name, key, metric, study.space, trials, found, importance)


def _tell(settings: Settings, result: Result) -> None:
    """Print what has come of the search, and write the best values."""
    found, present, name = result.best, result.present, result.metric.name
    before = f"; it was {words.figure(present.value)}" if found is not present else ""
    say(
        f"tune: {words.counts(result.trials)}; the best {name} on the validation rows is "
        f"{words.figure(found.value)}, of trial {found.number}{before}"
    )
    if told := words.matters(result.importance):
        say(f"tune: what matters: {told}")
    for sentence in words.at_an_edge(found, result.space):
        say(f"tune: {sentence}")
    changed = edit.write(settings.root, found.values)
    say(changed or "tune: params.yaml has the best values already, and stays as it is")
    say(f"tune: {page.PAGE} shows the trials")
    if changed:
        say(
            "tune: `nox -s train` makes the model of these values; the best of many looks better "
            "by the rows that it was chosen on than it is, and the gate decides by others"
        )
