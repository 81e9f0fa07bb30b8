"""The best values in `params.yaml`, where everything else stays to the letter."""

from pathlib import Path

import pytest
import yaml

from mlrails.core.errors import UsageError
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


def test_ends_of_lines_stay_what_they_are(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(TEXT.replace("\n", "\r\n").encode())
    edit.write(tmp_path, {"learning_rate": 0.2})
    wanted = TEXT.replace("rate: 0.1", "rate: 0.2").replace("\n", "\r\n").encode()
    assert (tmp_path / FILE).read_bytes() == wanted
    (tmp_path / FILE).write_text("estimator:\n  l2: 1.0")
    edit.write(tmp_path, {"max_iter": 9})
    assert (tmp_path / FILE).read_text() == "estimator:\n  l2: 1.0\n  max_iter: 9\n"


@pytest.mark.parametrize(
    "text",
    [
        "estimator: {l2: 1.0}\n",
        '"estimator":\n  l2: 1.0\n',
        "estimator:\n    l2: 1.0\n",
        "estimator:\n  l2: &one 1.0\nother: *one\n",
        "estimator: &all\n  l2: 1.0\nother: *all\n",
        "\ufeffestimator:\n  l2: 1.0\n",
    ],
)
def test_what_lines_do_not_tell_is_left_alone_and_told(text: str, tmp_path: Path) -> None:
    """Without being read back the file would be no YAML any more, or say something else as well."""
    (tmp_path / FILE).write_text(text, "utf-8")
    with pytest.raises(UsageError, match=r"write by hand: estimator.l2: 2.5, estimator.max_iter"):
        edit.write(tmp_path, {"l2": 2.5, "max_iter": 9})
    assert (tmp_path / FILE).read_text("utf-8") == text


def test_a_choice_of_any_kind_reads_back_as_it_is(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(TEXT)
    values = {"learning_rate": None, "max_iter": True, "l2": "no", "loss": "1e-4"}
    edit.write(tmp_path, values)
    assert yaml.safe_load((tmp_path / FILE).read_text())["estimator"] == values
