"""The best values in `params.yaml`, where everything else stays to the letter."""

from pathlib import Path

import yaml

from mlrails.core.params import FILE
from mlrails.tuning import edit

TEXT = """\
# Every number.
estimator: # only estimator.py knows them
  learning_rate: 0.1 # slow is safe
  max_iter: 300

  l2: 1.0
# What may be tried.
tune:
  space:
    learning_rate: {low: 0.01, high: 0.3}
"""


def test_values_are_set_and_comments_stay(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(TEXT)
    shown = edit.write(tmp_path, {"learning_rate": 0.00000123, "max_iter": 300, "l2": 2.5})
    wanted = TEXT.replace("0.1 # slow", "0.00000123 # slow").replace("l2: 1.0", "l2: 2.5")
    assert (tmp_path / FILE).read_text() == wanted
    assert yaml.safe_load(wanted)["estimator"]["learning_rate"] == 0.00000123
    changed = [line for line in shown.splitlines() if line[:1] in "+-"]
    assert changed == [
        "--- params.yaml",
        "+++ params.yaml",
        "-  learning_rate: 0.1 # slow is safe",
        "+  learning_rate: 0.00000123 # slow is safe",
        "-  l2: 1.0",
        "+  l2: 2.5",
    ]


def test_the_best_values_again_change_nothing(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(TEXT)
    edit.write(tmp_path, {"learning_rate": 0.2})
    assert edit.write(tmp_path, {"l2": 1}) == edit.write(tmp_path, {"l2": 1.0}) == ""
    before = (tmp_path / FILE).stat().st_mtime_ns
    assert edit.write(tmp_path, {"learning_rate": 0.2}) == ""
    assert (tmp_path / FILE).stat().st_mtime_ns == before


def test_a_choice_of_any_kind_reads_back_as_it_is(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(TEXT)
    values = {"learning_rate": None, "max_iter": True, "l2": "no", "loss": "1e-4"}
    edit.write(tmp_path, values)
    assert yaml.safe_load((tmp_path / FILE).read_text())["estimator"] == values
