"""The file for metrics of one's own: its example works, and costs the command line nothing."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rows
import sample
from threadpoolctl import threadpool_limits

from flight_delays import metrics
from mlrails.core.params import Task
from mlrails.evaluation import figures
from mlrails.evaluation.own import OwnMetric
from mlrails.reporting import report


@pytest.fixture
def example() -> tuple[OwnMetric, ...]:
    """Return what the example in the file declares, by running it."""
    text = ast.get_docstring(ast.parse(Path(str(metrics.__file__)).read_text("utf-8"))) or ""
    lines = [line[4:] for line in text.splitlines() if not line or line.startswith("    ")]
    space: dict[str, Any] = {}
    exec("\n".join(lines), space)  # noqa: S102 - it is shipped
    found: tuple[OwnMetric, ...] = space["METRICS"]
    return found


def test_none_is_declared_to_begin_with() -> None:
    assert metrics.METRICS == ()


@pytest.mark.parametrize("primary", ["rmse", "off"])
def test_the_example_is_in_the_report_and_can_be_what_models_are_compared_by(
    example: tuple[OwnMetric, ...], primary: str, tmp_path: Path
) -> None:
    task = Task.REGRESSION
    params = rows.parameters(
        task, evaluation=rows.values(task)["evaluation"] | {"primary": primary}
    )
    with threadpool_limits(1, user_api="blas"):
        found = figures.of_model(params, rows.fitted(task), rows.parts(), example)
    off = found["test"]["off"]
    test = rows.parts()["test"]
    error = np.abs(test["arr_delay"] - rows.fitted(task).scores(test))
    assert off["models"]["model"]["value"] == pytest.approx((error > 30).mean(), abs=1e-6)
    assert off["models"]["model"]["low"] <= off["models"]["model"]["value"]
    assert next(iter(found["test"])) == found["primary"] == primary
    report.write(found | {"digest": "a" * 64, "data_digest": "b" * 64}, tmp_path)
    assert "Off by half an hour" in (tmp_path / "report.md").read_text("utf-8")


def test_the_model_does_not_carry_it(tmp_path: Path) -> None:
    rows.write_model(Task.CLASSIFICATION, tmp_path / "model")
    carried = [path.name for path in (tmp_path / "model").rglob("*.py")]
    assert "model.py" in carried and "metrics.py" not in carried


def test_declaring_a_metric_imports_nothing_that_is_heavy() -> None:
    code = (
        "import sys; import flight_delays.metrics;"
        "print({'numpy', 'pandas', 'scipy', 'pydantic'} & sys.modules.keys())"
    )
    path = [str(sample.SHIPPED / "src"), str(sample.ROOT / "src")]
    asked = [sys.executable, "-c", f"import sys; sys.path[:0] = {path}; {code}"]
    done = subprocess.run(asked, check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"


def test_the_stage_and_the_command_line_hand_it_over() -> None:
    package = sample.ROOT / "src" / sample.PACKAGE
    assert "metrics=METRICS" in (package / "__main__.py").read_text("utf-8")
    assert "METRICS)" in (package / "steps" / "evaluate.py").read_text("utf-8")
    assert f"src/{sample.PACKAGE}/metrics.py" in (sample.ROOT / "dvc.yaml").read_text("utf-8")
