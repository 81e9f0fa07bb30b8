"""A tracking server in memory: what this project asks of MLflow's client, and nothing else.

The tests of runs, versions, locks, the ledger and transitions hold it to one contract with the real
store, so the other tests may trust it.
"""

import itertools
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mlflow.exceptions import MlflowException, RestException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST

ALONE = pytest.mark.parametrize("client", ["fake"], indirect=True)
"""For what does not hang on the kind of the store, and would take the real one a while."""
_TICK = itertools.count(1)
"""A clock that never shows the same time twice."""


class FakeClient:
    """The sibling of `mlflow.MlflowClient`."""

    def __init__(self) -> None:
        self._experiments = [_experiment("0", "Default")]
        self._runs: dict[str, SimpleNamespace] = {}
        self._models: dict[str, SimpleNamespace] = {}
        self._files: dict[str, dict[str, bytes]] = {}
        self._points: dict[tuple[str, str], list[Any]] = {}
        self._registered: dict[str, SimpleNamespace] = {}

    def get_experiment_by_name(self, name: str) -> Any:
        return next((found for found in self._experiments if found.name == name), None)

    def get_experiment(self, experiment_id: str) -> Any:
        return self._experiments[int(experiment_id)]

    def create_experiment(self, name: str, artifact_location: str | None = None) -> str:
        if self.get_experiment_by_name(name):
            raise MlflowException(f"Experiment(name={name}) already exists.")
        self._experiments.append(_experiment(str(len(self._experiments)), name))
        return str(self._experiments[-1].experiment_id)

    def set_experiment_tag(self, experiment_id: str, key: str, value: str) -> None:
        self.get_experiment(experiment_id).tags[key] = value

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        if self.get_experiment_by_name(new_name):
            raise MlflowException(f"Experiment(name={new_name}) already exists.")
        self.get_experiment(experiment_id).name = new_name

    def delete_experiment(self, experiment_id: str) -> None:
        self.get_experiment(experiment_id).lifecycle_stage = "deleted"

    def create_run(
        self,
        experiment_id: str,
        start_time: int | None = None,
        tags: Mapping[str, str] | None = None,
        run_name: str | None = None,
    ) -> Any:
        run_id = uuid.uuid4().hex
        self._files[run_id] = {}
        info = SimpleNamespace(
            run_id=run_id,
            run_name=run_name,
            experiment_id=experiment_id,
            status="RUNNING",
            start_time=start_time or next(_TICK),
            lifecycle_stage="active",
        )
        data = SimpleNamespace(params={}, metrics={}, tags=dict(tags or {}))
        self._runs[run_id] = SimpleNamespace(
            info=info,
            data=data,
            inputs=SimpleNamespace(dataset_inputs=[]),
            outputs=SimpleNamespace(model_outputs=[]),
        )
        return self._runs[run_id]

    def get_run(self, run_id: str) -> Any:
        if run_id not in self._runs:
            raise MlflowException(f"Run with id={run_id} not found")
        return self._runs[run_id]

    def search_runs(self, experiment_ids: Sequence[str], condition: str, **_: Any) -> list[Any]:
        kind, name, value = _match(r"(tags|attributes)\.(\w+) = '([^']*)'", condition)
        found = [
            run
            for run in self._runs.values()
            if run.info.experiment_id in experiment_ids and run.info.lifecycle_stage == "active"
            if (run.data.tags.get(name) if kind == "tags" else getattr(run.info, name)) == value
        ]
        return sorted(found, key=lambda run: (run.info.start_time, run.info.run_id))

    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[Any] = (),
        params: Sequence[Any] = (),
        tags: Sequence[Any] = (),
    ) -> None:
        data = self.get_run(run_id).data
        for param in params:
            if data.params.setdefault(param.key, param.value) != param.value:
                raise MlflowException(f"Changing param values is not allowed: {param.key}")
        for metric in metrics:
            if metric.value is None:
                raise MlflowException(f"Invalid value for parameter: {metric.key} is None")
            data.metrics[metric.key] = metric.value
            self._points.setdefault((run_id, metric.key), []).append(metric)
            if metric.model_id is not None:
                self._models[metric.model_id].metrics.append(metric)
        data.tags.update({tag.key: tag.value for tag in tags})

    def get_metric_history(self, run_id: str, key: str) -> list[Any]:
        return list(self._points.get((run_id, key), []))

    def set_tag(self, run_id: str, key: str, value: str) -> None:
        self.get_run(run_id).data.tags[key] = value

    def log_inputs(self, run_id: str, entries: Sequence[Any]) -> None:
        there = self.get_run(run_id).inputs.dataset_inputs
        known = {(entry.dataset.name, entry.dataset.digest) for entry in there}
        there += [it for it in entries if (it.dataset.name, it.dataset.digest) not in known]

    def log_artifact(self, run_id: str, path: str, folder: str | None = None) -> None:
        name = f"{folder}/{Path(path).name}" if folder else Path(path).name
        self._files[run_id][name] = Path(path).read_bytes()

    def log_artifacts(self, run_id: str, path: str, folder: str | None = None) -> None:
        for file in filter(Path.is_file, Path(path).rglob("*")):
            name = file.relative_to(path).as_posix()
            self._files[run_id][f"{folder}/{name}" if folder else name] = file.read_bytes()

    def log_text(self, run_id: str, text: str, name: str) -> None:
        self._files[run_id][name] = text.encode()

    def list_artifacts(self, run_id: str, path: str = "") -> list[Any]:
        depth = len(Path(path).parts)
        inside = {
            Path(*Path(name).parts[: depth + 1])
            for name in self._files[run_id]
            if Path(name).parts[:depth] == Path(path).parts and len(Path(name).parts) > depth
        }
        return [
            SimpleNamespace(path=name.as_posix(), is_dir=name.as_posix() not in self._files[run_id])
            for name in sorted(inside)
        ]

    def update_run(self, run_id: str, status: str | None = None, name: str | None = None) -> None:
        info = self.get_run(run_id).info
        info.status, info.run_name = status or info.status, name or info.run_name

    def set_terminated(self, run_id: str, status: str) -> None:
        self.get_run(run_id).info.status = status

    def delete_run(self, run_id: str) -> None:
        self.get_run(run_id).info.lifecycle_stage = "deleted"

    def create_logged_model(
        self,
        experiment_id: str,
        name: str,
        source_run_id: str,
        tags: Mapping[str, str],
        params: Mapping[str, str],
    ) -> Any:
        model_id = f"m-{uuid.uuid4().hex}"
        self._files[model_id] = {}
        self._models[model_id] = SimpleNamespace(
            model_id=model_id,
            name=name,
            experiment_id=experiment_id,
            source_run_id=source_run_id,
            tags=dict(tags),
            params=dict(params),
            metrics=[],
            status="PENDING",
            creation_timestamp=next(_TICK),
        )
        return self._models[model_id]

    def get_logged_model(self, model_id: str) -> Any:
        if model_id not in self._models:
            raise MlflowException(f"Logged model with ID '{model_id}' not found.")
        return self._models[model_id]

    def delete_logged_model(self, model_id: str) -> None:
        del self._models[model_id]

    def set_logged_model_tags(self, model_id: str, tags: Mapping[str, str]) -> None:
        self._models[model_id].tags |= tags

    def search_logged_models(self, experiment_ids: Sequence[str], condition: str) -> list[Any]:
        pattern = r"source_run_id = '(\w+)' AND tags\.digest = '(\w+)'"
        run_id, digest = _match(pattern, condition)
        return [
            model
            for model in self._models.values()
            if model.experiment_id in experiment_ids
            if (model.source_run_id, model.tags.get("digest")) == (run_id, digest)
        ]

    def log_model_artifacts(self, model_id: str, folder: str) -> None:
        self.log_artifacts(model_id, folder)

    def finalize_logged_model(self, model_id: str, status: str) -> None:
        self._models[model_id].status = status

    def log_outputs(self, run_id: str, models: Sequence[Any]) -> None:
        self.get_run(run_id).outputs.model_outputs += models

    def create_registered_model(self, name: str, description: str | None = None) -> Any:
        if name in self._registered:
            raise MlflowException(f"Registered Model (name={name}) already exists.")
        self._registered[name] = SimpleNamespace(
            name=name, aliases={}, versions=[], description=description
        )
        return self._registered[name]

    def get_registered_model(self, name: str) -> Any:
        if name not in self._registered:
            words = f"Registered Model with name={name} not found"
            raise MlflowException(words, RESOURCE_DOES_NOT_EXIST)
        return self._registered[name]

    def search_registered_models(self, condition: str) -> list[Any]:
        (name,) = _match(r"name = '([^']*)'", condition)
        return [model for model in self._registered.values() if model.name == name]

    def update_registered_model(self, name: str, description: str) -> None:
        self._registered[name].description = description

    def get_model_version(self, name: str, version: str) -> Any:
        return self._version(name, version)

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Any:
        versions = self.get_registered_model(name).versions
        made = SimpleNamespace(
            version=len(versions) + 1,
            source=source,
            run_id=run_id,
            tags=dict(tags or {}),
            creation_timestamp=next(_TICK),
            is_deleted=False,
            **more,
        )
        versions.append(made)
        return made

    def search_model_versions(
        self, condition: str, max_results: int, page_token: str | None = None
    ) -> list[Any]:
        pattern = r"name = '([^']*)'(?: AND tags\.`digest` = '([^']*)')?"
        name, digest = _match(pattern, condition)
        found = [it for it in self._living(name) if digest in {None, it.tags.get("digest")}]
        return found[::-1][:max_results]

    def update_model_version(self, name: str, version: str, description: str) -> None:
        self._version(name, version).description = description

    def set_model_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        self._version(name, version).tags[key] = value

    def delete_model_version_tag(self, name: str, version: str, key: str) -> None:
        self._version(name, version).tags.pop(key, None)

    def delete_model_version(self, name: str, version: str) -> None:
        self._version(name, version).is_deleted = True
        model = self._registered[name]
        model.aliases = {alias: it for alias, it in model.aliases.items() if it != version}

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        self._version(name, version)
        self._registered[name].aliases[alias] = version

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        self.get_registered_model(name).aliases.pop(alias, None)

    def get_model_version_download_uri(self, name: str, version: str) -> str:
        return str(self._version(name, version).source)

    def _living(self, name: str) -> list[Any]:
        model = self._registered.get(name)
        return [it for it in model.versions if not it.is_deleted] if model else []

    def _version(self, name: str, version: str) -> Any:
        for found in self._living(name):
            if str(found.version) == version:
                return found
        words = f"Model Version (name={name}, version={version}) not found"
        raise MlflowException(words, RESOURCE_DOES_NOT_EXIST)


def _experiment(experiment_id: str, name: str) -> SimpleNamespace:
    return SimpleNamespace(
        experiment_id=experiment_id, name=name, lifecycle_stage="active", tags={}
    )


def _match(pattern: str, condition: str) -> tuple[str, ...]:
    found = re.fullmatch(pattern, condition)
    assert found, f"the fake does not understand {condition!r}"
    return found.groups()


class Dying:
    """A client whose server is gone after so many calls."""

    def __init__(self, client: Any, calls: int) -> None:
        self._client = client
        self.calls_left = calls
        self.is_gone = False
        """Whether anybody has called it since."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if not self.calls_left:
                self.is_gone = True
                raise MlflowException("the server is gone")
            self.calls_left -= 1
            return getattr(self._client, name)(*arguments, **options)

        return call


class Editing:
    """A client of an account that has EDIT on all there is, and MANAGE on nothing."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if name.startswith("delete_"):
                raise RestException({"error_code": "PERMISSION_DENIED", "message": "no"})
            return getattr(self._client, name)(*arguments, **options)

        return call
