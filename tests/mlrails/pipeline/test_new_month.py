"""A month more: one line of `params.yaml` brings it in, and only what depends on it runs."""

from pathlib import Path

import numpy as np
import pytest
import rows
import yaml
from dvc.repo import Repo

from mlrails.core import params
from mlrails.core.params import FILE, Params
from mlrails.data.splits import label
from mlrails.pipeline import dvc

STAGES = ["ingest", "prepare", "train"]
MONTHS = Path("data/flights")


def until(root: Path, day: str) -> Params:
    """Move the last day on, as a person does: by one line."""
    path = root / FILE
    text = path.read_text("utf-8")
    before = yaml.safe_load(text)["data"]["until"]
    assert text.count(before) == 1
    path.write_text(text.replace(before, day), "utf-8")
    return params.load(root)


def stale(root: Path) -> set[str]:
    """Return the stages that would run, without those that only come after them."""
    return set(Repo(str(root)).status(STAGES))


@pytest.fixture
def up_to_date(project: Path) -> Path:
    """A project of files by month, all of whose stages DVC knows to be done."""
    values = yaml.safe_load((project / "dvc.yaml").read_text("utf-8"))
    values["stages"]["ingest"]["deps"].append(MONTHS.as_posix())
    (project / "dvc.yaml").write_text(yaml.safe_dump(values, sort_keys=False), "utf-8")
    told = yaml.safe_load((project / FILE).read_text("utf-8"))
    told["evaluation"]["threshold"] = "f1"  # DVC asks for each key that a stage names.
    (project / FILE).write_text(yaml.safe_dump(told), "utf-8")
    (project / MONTHS).mkdir(parents=True)
    (project / MONTHS / "2013-09.csv").write_text("a\n1\n", "utf-8")
    assert dvc.run(project, "commit", "--force", "--quiet", *STAGES) == 0
    assert stale(project) == set()
    return project


def test_a_later_last_day_runs_what_divides_the_rows_and_what_learns(up_to_date: Path) -> None:
    until(up_to_date, "2013-09-15")
    assert stale(up_to_date) == {"prepare", "train"}  # What is there already is not read again.


def test_a_file_of_a_new_month_is_read(up_to_date: Path) -> None:
    (up_to_date / MONTHS / "2013-10.csv").write_text("a\n2\n", "utf-8")
    assert stale(up_to_date) == {"ingest"}  # And the others as soon as its rows are others.


def test_how_the_model_is_watched_runs_nothing(up_to_date: Path) -> None:
    path = up_to_date / FILE
    path.write_text(path.read_text("utf-8") + "monitor: {false_alarms: 6}\n", "utf-8")
    assert params.load(up_to_date).monitor.false_alarms == 6
    assert stale(up_to_date) == set()


def test_the_new_month_is_the_test_rows_and_those_before_move_on(project: Path) -> None:
    frame = rows.flights()
    month = frame["scheduled_departure"].dt.month.to_numpy()
    before = label(frame, until(project, "2013-08-31"))
    now = label(frame, until(project, "2013-09-30"))
    assert set(before[month == 9]) == {"unused"} and set(before[month == 8]) == {"test"}
    assert set(now[month == 9]) == {"test"} and "test" not in now[month == 8]
    assert np.sum(now == "train") > np.sum(before == "train")
