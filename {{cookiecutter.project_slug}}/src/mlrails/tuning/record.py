"""A search in MLflow: a run for all of it, and below it one for each trial that has ended.

A search must neither wait for a tracking server nor be lost with one: what it says is told in order
by a thread of its own. What is missing there is told when the search goes on.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from ..core import git, hashing
from ..core.console import warn
from ..core.errors import WorldError
from ..core.settings import Settings
from ..modeling.epochs import LOSS
from ..tracking import runs, store
from ..tracking.client import EDIT, in_words, needed
from ..tracking.runs import USER, Run
from .trial import State, Trial

_PARENT = "mlflow.parentRunId"
_SEARCH, _NUMBER, _STATE = "tune", "trial", "state"
_STATUS = {State.WHOLE: "FINISHED", State.PRUNED: "KILLED", State.FAILED: "FAILED"}
_LONGEST_TAG = 5000


def experiment_of(name: str) -> str:
    """Return what the experiment of a project's searches is called."""
    return f"{name}-tuning"


class Recorder:
    """The runs of a search; its first call makes sure that there is a store."""

    def __init__(self, settings: Settings, key: str, metric: str) -> None:
        self._key, self._metric = key, metric
        self._client, self._uri = store.connect(settings), store.address(settings)
        name = experiment_of(settings.name)
        self._where = store.experiment(self._client, settings, name)
        self._needs = needed(EDIT, "experiment", name)
        self._who = {USER: git.actor(settings), _SEARCH: key}
        self._run = self._open(key, f"tune {key[:12]}", {})
        self._run.begin()
        self._line = ThreadPoolExecutor(1)
        self._told: list[Future[None]] = []
        self._lost = False

    def log_params(self, params: Mapping[str, object]) -> None:
        """Log what the search is of, and what may be tried."""
        self._tell(lambda: self._run.log_params(params))

    def log_missing(self, trials: Sequence[Trial]) -> None:
        """Log the trials that have ended and that nobody has been told of."""

        def tell() -> None:
            known = self._known()
            for trial in trials:
                if trial.ended and str(trial.number) not in known:
                    self._log(trial)

        self._tell(tell)

    def log_trial(self, trial: Trial, best: Trial | None) -> None:
        """Log a trial that has ended, and the best until then."""
        self._tell(lambda: self._log(trial))
        if best is not None and best.value is not None:
            value = {f"best.{self._metric}": best.value}
            self._tell(lambda: self._run.log_metrics(value, trial.number))

    def log_result(self, best: Trial, files: Sequence[Path]) -> None:
        """Log what has come of all: the best trial, and files."""
        assert best.value is not None
        tags = {"best_trial": best.number, "best_value": best.value}
        tags |= {f"best.{name}": value for name, value in best.values.items()}
        self._tell(lambda: self._run.set_tags(tags))
        for path in files:
            self._tell(lambda path=path: self._run.log_file(path))  # type: ignore[misc]

    def close(self, status: str) -> None:
        """End the run, and wait until all is told."""
        self._tell(lambda: self._run.finish(status))
        self._line.shutdown()
        for told in self._told:
            told.result()

    def _open(self, key: str, title: str, tags: Mapping[str, str]) -> Run:
        how = (self._client, self._uri, self._where, key, None, title)
        return runs.open_run(*how, {**self._who, **tags}, self._needs)

    def _known(self) -> set[str]:
        """Return the numbers of the trials that have a run which has ended."""
        with in_words(self._uri, self._needs):
            found = self._client.search_runs([self._where], f"tags.{_SEARCH} = '{self._key}'")
        ended = (it for it in found if it.info.status in _STATUS.values())
        return {it.data.tags[_NUMBER] for it in ended if _NUMBER in it.data.tags}

    def _log(self, trial: Trial) -> None:
        key, number = hashing.of_values([self._key, trial.number]), str(trial.number)
        tags = {_PARENT: self._run.id, _NUMBER: number, _STATE: trial.state.value}
        run = self._open(
            key, f"trial {number}", tags | ({"why": _short(trial.why)} if trial.why else {})
        )
        run.log_params(trial.values)
        found = {LOSS: dict(enumerate(trial.losses)), "seconds": {0: trial.seconds}}
        if trial.value is not None:
            found[f"validation.{self._metric}"] = {0: trial.value}
        run.log_history({name: steps for name, steps in found.items() if steps})
        run.finish(_STATUS[trial.state])

    def _tell(self, what: Callable[[], object]) -> None:
        def write() -> None:
            try:
                if not self._lost:
                    what()
            except WorldError as error:
                self._lost = True
                warn(
                    f"{error}; the search goes on, and the next `nox -s tune` tells what is missing"
                )

        self._told.append(self._line.submit(write))


def _short(text: str) -> str:
    return text[:_LONGEST_TAG]
