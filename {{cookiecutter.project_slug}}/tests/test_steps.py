"""The four stages, one after the other, on made-up rows: what they write, tell and read."""

import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pandas as pd
import pytest

from flight_delays import source
from mlrails.core import hashing, layout
from mlrails.core.config import Frozen, Period, read_yaml
from mlrails.core.settings import Settings
from mlrails.data import parquet
from mlrails.stages.stage import Stage
from mlrails.tracking import input_key, live

import made_up

STEPS = ("ingest", "prepare", "train", "evaluate")
LISTED = {
    name: {param for param in stage.get("params", ()) if isinstance(param, str)}
    for name, stage in read_yaml(made_up.ROOT / "dvc.yaml")["stages"].items()
}
OTHERWISE = {"seed", "evaluation.threshold"}
"""What a stage reads only for another task, or another way to split."""


class Reads:
    """Params that note which of them are read."""

    def __init__(self, section: Frozen, seen: set[str], prefix: str = "") -> None:
        self._section, self._seen, self._prefix = section, seen, prefix

    def __getattr__(self, name: str) -> Any:
        value, path = getattr(self._section, name), f"{self._prefix}{name}"
        if isinstance(value, Frozen) and not isinstance(value, Period):
            return Reads(value, self._seen, f"{path}.")
        self._seen.add(path)
        return value


def step(name: str, root: Path, given: Any) -> None:
    """Run a stage in a folder; its function bears its name."""
    getattr(import_module(f"{made_up.PACKAGE}.steps.{name}"), name)(Stage(Settings(root), given))


class Ran:
    """What came of the four stages: their folder, their MLflow run, and the params they read."""

    def __init__(self, root: Path) -> None:
        self.root, self.mlflow_run = root, Mock(spec=live.LiveRun)
        self.read: Mapping[str, set[str]] = {name: set() for name in STEPS}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """Run all stages, with a run of MLflow that nobody keeps."""
    found = Ran(tmp_path_factory.mktemp("project"))
    lock = made_up.ROOT / layout.SERVING_LOCK
    (found.root / lock.name).write_bytes(lock.read_bytes())
    started = Mock()
    started.return_value.__enter__ = Mock(return_value=found.mlflow_run)
    started.return_value.__exit__ = Mock(return_value=None)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(source, "rows", lambda track: made_up.rows())
        patched.setattr(live, "start_run", started)
        patched.setattr(input_key, "input_key", lambda root: "key")
        for name in STEPS:
            step(name, found.root, Reads(made_up.params(), found.read[name]))
        yield found


def test_ingest_writes_the_rows_of_the_source(ran: Ran) -> None:
    found = parquet.read(ran.root / layout.RAW)
    pd.testing.assert_frame_equal(found[made_up.rows().columns], made_up.rows())


def test_prepare_writes_the_parts_with_what_later_stages_read(ran: Ran) -> None:
    for part, rows in made_up.parts().items():
        found = parquet.read(ran.root / layout.prepared(part))
        assert {*made_up.fitted().encoder.columns, made_up.params().data.target} <= {*found.columns}
        pd.testing.assert_frame_equal(found[rows.columns], rows.reset_index(drop=True))


def test_train_writes_the_model_and_says_which_bytes_it_is(ran: Ran) -> None:
    digest = hashing.of_folder(ran.root / layout.MODEL)
    assert layout.model_digest(ran.root) == digest
    assert json.loads((ran.root / layout.HISTORY).read_text("utf-8"))
    assert (ran.root / layout.MACHINE).is_file()


def test_train_tells_its_run_of_params_rows_steps_and_model(ran: Ran) -> None:
    told = ran.mlflow_run
    told.log_params.assert_called_once()
    assert {call.args[0] for call in told.log_input.call_args_list} == {*layout.PARTS}
    assert told.log_metrics.called
    digest = layout.model_digest(ran.root)
    told.log_model.assert_called_once_with(ran.root / layout.MODEL, digest)


def test_evaluate_writes_figures_of_that_model_and_the_report(ran: Ran) -> None:
    found = layout.figures(ran.root)
    assert found["digest"] == layout.model_digest(ran.root)
    assert found["primary"] in found["test"]
    assert all((ran.root / path).exists() for path in layout.REPORTS)


def covers(key: str, param: str) -> bool:
    return param == key or param.startswith(f"{key}.")


@pytest.mark.parametrize("name", STEPS)
def test_dvc_yaml_lists_the_params_that_the_step_reads(ran: Ran, name: str) -> None:
    read, keys = ran.read[name], LISTED[name]
    missing = {param for param in read if not any(covers(key, param) for key in keys)}
    unread = {key for key in keys - OTHERWISE if not any(covers(key, it) for it in read)}
    assert missing == set(), f"dvc.yaml: add to the params of '{name}'"
    assert unread == set(), f"dvc.yaml: take out of the params of '{name}'"
