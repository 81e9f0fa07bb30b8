"""Runs by input key: one MLflow run for each key, found or made."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .foreign import in_words, is_denied
from .processes import PROCESS, is_gone, process_id
from .runs import Run
from .store import DEFAULT

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as MlflowRun

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
