"""What was found over time, as metrics of one MLflow run for each model that is watched.

The step is the first day of a window, counted from the day after those that the model is known by.
A window that was told before is left as it is, so telling twice changes nothing; figures of
outcomes are told once these have come.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.console import warn
from ...core.errors import WorldError
from ...core.settings import Settings
from ...tracking import store
from ...tracking.client import EDIT, in_words, needed
from ...tracking.runs import Run
from .told import Found

if TYPE_CHECKING:
    from mlflow import MlflowClient

_DIGEST = "digest"
_NAME = re.compile(r"[^\w .:/-]")
"""What MLflow has no place for in the name of a metric."""
_LONGEST = 250


def experiment_of(name: str) -> str:
    """Return what the experiment of a project's monitor is called."""
    return f"{name}-monitor"


def record(settings: Settings, found: Found, files: Mapping[str, Path]) -> str | None:
    """Log the figures of each window, and the files; return the run's id.

    Who may not write, or finds nobody there, has the files all the same: it is warned of.
    """
    try:
        run = _run(settings, found)
        run.log_history(histories(found))
        for folder, path in files.items():
            run.log_file(path, folder or None)
        run.set_tags({"verdict": found["verdict"], "rows_to": found["rows"]["to"]})
        run.finish("FINISHED")
    except WorldError as error:
        warn(f"{error}; the files are there, and MLflow was told nothing")
        return None
    return run.id


def _run(settings: Settings, found: Found) -> Run:
    """Return the run of the model that is watched, found or made."""
    client = store.connect(settings)
    name = experiment_of(settings.name)
    experiment, uri = store.experiment(client, settings, name), store.address(settings)
    needs = needed(EDIT, "experiment", name)
    with in_words(uri, needs):
        return Run(client, _found(client, experiment, found), uri, needs)


def _found(client: "MlflowClient", experiment: str, found: Found) -> str:
    digest, version = found["model"]["digest"], found["model"]["version"]
    there = client.search_runs([experiment], f"tags.{_DIGEST} = '{digest}'")
    if there:
        return str(min(there, key=lambda run: run.info.start_time).info.run_id)
    title = f"version {version}" if version.isdecimal() else version
    made = client.create_run(experiment, tags={_DIGEST: digest}, run_name=title)
    return str(made.info.run_id)


def histories(found: Found) -> dict[str, dict[int, float]]:
    """Return each metric by step."""
    known: dict[str, dict[int, float]] = {}
    for window in found["windows"]:
        if window["is_new"]:
            for name, value in _metrics(found, window):
                if value is not None:
                    known.setdefault(key(name), {})[window["day"]] = float(value)
    for column in found["columns"]:
        for name, values in _means(column):
            known[key(name)] = {
                window["day"]: value
                for window, value in zip(found["windows"], values, strict=True)
                if window["is_new"] and value is not None
            }
    return {name: steps for name, steps in known.items() if steps}


def key(name: str) -> str:
    """Return the name of a metric as MLflow takes it: it may become a file, so it is no other path.

    One name that it refuses would cost all figures of a run.
    """
    made = _NAME.sub("_", name)[:_LONGEST]
    return made if posixpath.normpath(made) == made else made.replace("/", "_")


def _metrics(found: Found, window: Found) -> Iterator[tuple[str, float | None]]:
    look, outcomes, metric = window["look"], window["outcomes"], found["metric"]["name"]
    yield "rows", window["rows"]
    yield "predicted", window["predicted"]
    yield f"{metric}.estimated", window["estimated"]
    if look:
        yield "rows.score", look["score"]
        yield "rows.chance", look["chance"]
        yield "rows.alarm", look["alarm"]
    if outcomes:  # Their time is over: what is told now stays.
        yield metric, window["came"]
        yield "actual", window["actual"]
        yield "outcomes.alarm", outcomes["alarm"]
        yield "outcomes.chance", outcomes["alone"]["chance"]


def _means(column: Found) -> Iterator[tuple[str, list[float | None]]]:
    name = "prediction" if column["is_prediction"] else column["name"]
    if "mean" in column["series"]:
        yield f"mean.{name}", column["series"]["mean"]
    yield f"missing.{name}", column["series"]["missing"]
