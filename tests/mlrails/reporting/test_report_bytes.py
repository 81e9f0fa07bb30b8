"""The report's bytes: the same figures give the same ones anywhere, and each chart is whole."""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
from findings import drawn, found

from mlrails.core.params import Task
from mlrails.reporting import report

TASKS = pytest.mark.parametrize("task", Task)


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@cache
def in_another_process(where: Path) -> Path:
    """Write the reports of all tasks with other settings of Python, Matplotlib and the clock."""
    findings = where / "found.json"
    findings.write_text(json.dumps({task.value: found(task) for task in Task}), "utf-8")
    code = (
        f"import json, pathlib, matplotlib; from {report.__package__} import report\n"
        "matplotlib.rcParams['font.size'] = 30\n"
        "for task, found in json.loads(pathlib.Path('found.json').read_text()).items():\n"
        "    report.write(found, pathlib.Path(task))"
    )
    ours = str(Path(report.__file__).parents[2])
    other = {"PYTHONPATH": ours, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    subprocess.run([sys.executable, "-c", code], cwd=where, env=os.environ | other, check=True)
    return where


@TASKS
def test_the_same_figures_give_the_same_bytes_in_another_process(
    tmp_path_factory: pytest.TempPathFactory, task: Task
) -> None:
    there = in_another_process(tmp_path_factory.getbasetemp())
    assert bytes_of(drawn(task)) == bytes_of(there / task.value)


@TASKS
def test_every_picture_is_a_whole_file(task: Task) -> None:
    markdown = (drawn(task) / "report.md").read_text("utf-8")
    pictures = list((drawn(task) / "plots").iterdir())
    referred = re.findall(r"!\[[^]]*\]\(plots/([a-z-]+\.svg)\)", markdown)
    assert sorted(referred) == sorted(path.name for path in pictures)
    for path in pictures:
        root = ElementTree.fromstring(path.read_text("utf-8"))  # noqa: S314 # our own
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
