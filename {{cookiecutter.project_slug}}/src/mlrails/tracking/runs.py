"""MLflow runs: one for each input key, every write of which can be repeated.

What is there already is not written again: a process that was killed is simply run again.

How to change this: a new thing to log is a method here that looks before it writes, what it asks
of MLflow in the engine's `fakes.py`, and a case in `tracking/test_runs.py`, which holds both to one
contract.
"""

import json
import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.processes import PROCESS, is_gone, process_id
from .client import in_words, is_denied
from .store import DEFAULT

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as MlflowRun


_BATCH = 1000
"""MLflow takes at most as many metrics in one call."""

_MODEL_NAME = "model"
_LONGEST_DIGEST = 36
"""MLflow keeps as many characters of a data set's digest."""

USER = "mlflow.user"
"""The tag of a run and of a logged model that MLflow's pages show as `Created by`."""


@dataclass(frozen=True)
class Measured:
    """What a figure is of: a logged model, and a data set of its run by name and digest."""

    model: str
    data: str
    digest: str

    def told(self) -> Mapping[str, str]:
        """Return how a metric of MLflow says so."""
        digest = self.digest[:_LONGEST_DIGEST]
        return {"model_id": self.model, "dataset_name": self.data, "dataset_digest": digest}


class Run:
    """One run of the store; every method may be called again with the same values."""

    def __init__(self, client: "MlflowClient", run_id: str, uri: str, needs: str = "") -> None:
        self.id = run_id
        self._client = client
        self.uri = uri
        self.needs = needs
        """The permission that an account needs, in words, where a server has accounts."""
        self._steps: dict[str, set[int]] = {}

    def log_params(self, params: Mapping[str, object]) -> None:
        """Log parameters, each once and under the one spelling that it was first given."""
        from mlflow.entities import Param

        with in_words(self.uri, self.needs):
            there = self._client.get_run(self.id).data.params
            new = [Param(name, str(value)) for name, value in params.items() if name not in there]
            self._client.log_batch(self.id, params=new)

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Log the metrics of one step."""
        self.log_history({name: {step: value} for name, value in metrics.items()})

    def log_history(
        self,
        histories: Mapping[str, Mapping[int, float]],
        of: "Measured | None" = None,
    ) -> None:
        """Log metrics by step; a step that is there already is left as it is.

        `of` says which logged model they are figures of, and on which data.
        """
        from mlflow.entities import Metric

        now, told = int(time.time() * 1000), of.told() if of else {}
        with in_words(self.uri, self.needs):
            self._look_up(histories.keys() - self._steps.keys())
            new = [
                Metric(name, value, now, step, **told)
                for name, history in histories.items()
                for step, value in history.items()
                if step not in self._steps[name]
            ]
            for start in range(0, len(new), _BATCH):
                self._client.log_batch(self.id, metrics=new[start : start + _BATCH])
        for metric in new:
            self._steps[metric.key].add(metric.step)

    def _look_up(self, names: Set[str]) -> None:
        """Learn which steps of some metrics are there, without a call for each that is not."""
        there = self._client.get_run(self.id).data.metrics if names else {}
        for name in names:
            points = self._client.get_metric_history(self.id, name) if name in there else []
            self._steps[name] = {point.step for point in points}

    def tag(self, name: str) -> str | None:
        """Return a tag, or None where it is not set."""
        return self.tags().get(name)

    def tags(self) -> Mapping[str, str]:
        """Return all tags."""
        with in_words(self.uri, self.needs):
            return dict(self._client.get_run(self.id).data.tags)

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Set tags."""
        from mlflow.entities import RunTag

        with in_words(self.uri, self.needs):
            new = [RunTag(name, str(value)) for name, value in tags.items()]
            self._client.log_batch(self.id, tags=new)

    def log_data(self, name: str, digest: str, source: str, context: str) -> None:
        """Log the data set that a file holds, by its content."""
        from mlflow.entities import Dataset, DatasetInput, InputTag
        from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

        data = Dataset(name, digest[:_LONGEST_DIGEST], "local", json.dumps({"uri": source}))
        entry = DatasetInput(data, [InputTag(MLFLOW_DATASET_CONTEXT, context)])
        with in_words(self.uri, self.needs):
            self._client.log_inputs(self.id, [entry])

    def log_file(self, path: Path, folder: str | None = None) -> None:
        """Upload a file or a folder's files; the same names replace each other."""
        with in_words(self.uri, self.needs):
            if path.is_dir():
                self._client.log_artifacts(self.id, str(path), folder)
            elif path.is_file():
                self._client.log_artifact(self.id, str(path), folder)

    def log_text(self, text: str, name: str) -> None:
        """Upload a text as a file."""
        with in_words(self.uri, self.needs):
            self._client.log_text(self.id, text, name)

    def log_model(self, folder: Path, digest: str) -> str:
        """Log a model directory as the run's model, unless the run has it whole; return its id.

        The model bears the run's params and who has made it, for whoever compares models.
        """
        from mlflow.entities import LoggedModelOutput

        with in_words(self.uri, self.needs):
            run = self._client.get_run(self.id)
            experiment = run.info.experiment_id
            model = self._model(experiment, digest)
            if model is None:
                who = {USER: run.data.tags[USER]} if USER in run.data.tags else {}
                model = self._client.create_logged_model(
                    experiment,
                    _MODEL_NAME,
                    self.id,
                    tags={"digest": digest, **who},
                    params=dict(run.data.params),
                )
            if model.status != "READY":
                self._client.log_model_artifacts(model.model_id, str(folder))
                self._client.finalize_logged_model(model.model_id, "READY")
            outputs = self._client.get_run(self.id).outputs
            if model.model_id not in {output.model_id for output in outputs.model_outputs}:
                self._client.log_outputs(self.id, [LoggedModelOutput(model.model_id, step=0)])
        return str(model.model_id)

    def logged_model(self, digest: str) -> str | None:
        """Return the id of the run's model with these bytes, or None where it has none."""
        with in_words(self.uri, self.needs):
            found = self._model(self._client.get_run(self.id).info.experiment_id, digest)
            return str(found.model_id) if found else None

    def _model(self, experiment: str, digest: str) -> Any:
        found = self._client.search_logged_models(
            [experiment], f"source_run_id = '{self.id}' AND tags.digest = '{digest}'"
        )
        return min(found, key=lambda model: model.creation_timestamp, default=None)

    def begin(self) -> None:
        """Mark the run as running, in this process."""
        self.set_tags({PROCESS: process_id()})
        with in_words(self.uri, self.needs):
            self._client.update_run(self.id, "RUNNING")

    def finish(self, status: str) -> None:
        """End the run as FINISHED, FAILED or KILLED."""
        with in_words(self.uri, self.needs):
            if self._client.get_run(self.id).info.status != status:
                self._client.set_terminated(self.id, status)


KEY = "input_key"
_OPENED = "mlflow.project.entryPoint"
"""The tag of a run that `mlflow run` opens, long before a process of ours can claim it."""
_SECONDS_TO_CLAIM = 120


def open_run(
    client: "MlflowClient",
    uri: str,
    experiment: str,
    key: str,
    opened: str | None,
    title: str = "",
    tags: Mapping[str, str] | None = None,
    needs: str = "",
) -> Run:
    """Return the run of an input key, found or made with a title and tags.

    `opened` is a run that `mlflow run` made for us: it becomes the key's run, or is tagged
    `same_as` where the key has one already, or where nobody has said which experiment it is of:
    then it is in MLflow's default one, among everybody's. `needs` is told where it is refused.
    """
    title = title or key[:12]
    with in_words(uri, needs):
        # Before they had an experiment of their own, such runs were those of their keys.
        where, ours = [experiment, DEFAULT], False
        if opened:
            where.append(client.get_run(opened).info.experiment_id)
            ours = where[-1] == experiment or where[-1] != DEFAULT
        _end_abandoned(client, where, opened, on_this_machine=uri.startswith("sqlite:"))
        known = _find(client, where, key)
        if known is None:
            made = {**(tags or {}), KEY: key, PROCESS: process_id()}
            known = opened if opened and ours else _create(client, where, key, title, made)
            client.set_tag(known, KEY, key)
        if opened == known:
            client.update_run(opened, name=title)
        elif opened:
            client.set_tag(opened, "same_as", known)
            client.update_run(opened, name=f"same as {title}")
    return Run(client, known, uri, needs)


def claim(client: "MlflowClient", uri: str, opened: str, needs: str = "") -> None:
    """Say that this process holds a run of `mlflow run`, which is ended should it be killed."""
    Run(client, opened, uri, needs).begin()


def _find(client: "MlflowClient", where: list[str], key: str) -> str | None:
    """Return the oldest run of a key: when two processes made one each, both settle on it."""
    runs = _search(client, where, f"tags.{KEY} = '{key}'")
    return runs[0].info.run_id if runs else None


def _search(client: "MlflowClient", where: list[str], condition: str) -> "Sequence[MlflowRun]":
    order = ["attributes.start_time ASC", "attributes.run_id"]
    found: Sequence[MlflowRun] = client.search_runs(where, condition, order_by=order)
    return found


def _create(
    client: "MlflowClient", where: list[str], key: str, title: str, tags: Mapping[str, str]
) -> str:
    """Make a run; where another process made one for the key meanwhile, the older one stays."""
    made = client.create_run(where[0], run_name=title, tags=dict(tags)).info.run_id
    settled = _find(client, where, key) or made
    if settled != made:
        client.delete_run(made)
    return str(settled)


def _end_abandoned(
    client: "MlflowClient", where: list[str], opened: str | None, on_this_machine: bool
) -> None:
    """End the runs of this machine whose process is gone: nobody else will.

    One that nobody claims in time is taken for abandoned where the store is a file, which other
    machines do not write to; one that is claimed later runs again.
    """
    for run in _search(client, where, "attributes.status = 'RUNNING'"):
        unclaimed = on_this_machine and run.info.run_id != opened and _is_unclaimed(run)
        if unclaimed or is_gone(run.data.tags.get(PROCESS, "")):
            _end(client, run.info.run_id)


def _end(client: "MlflowClient", run_id: str) -> None:
    """End a run; where that takes another account, as for the default experiment's, it stays."""
    from mlflow.exceptions import MlflowException

    try:
        client.set_terminated(run_id, "KILLED")
    except MlflowException as error:
        if not is_denied(error):
            raise


def _is_unclaimed(run: "MlflowRun") -> bool:
    tags, age = run.data.tags, time.time() - run.info.start_time / 1000
    return _OPENED in tags and PROCESS not in tags and age > _SECONDS_TO_CLAIM
