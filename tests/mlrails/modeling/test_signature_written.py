"""What a model asks of its callers and of its environment."""

import re
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import rows

from mlrails.core.layout import LOCK, SERVING_LOCK
from mlrails.core.params import Task
from mlrails.data.schema import Column
from mlrails.modeling import examples, signature


def test_the_signature_names_raw_columns_and_outputs_with_their_types(task: Task) -> None:
    model = rows.fitted(task)
    columns = [rows.BY_NAME[name] for name in model.encoder.columns]
    found = signature.model_signature(model, examples.example(rows.parts()["train"], columns))
    inputs = dict(zip(found.inputs.input_names(), found.inputs.input_types(), strict=True))
    assert [str(inputs[name]) for name in ("scheduled_departure", "carrier", "temp")] == [
        "DataType.datetime",
        "DataType.string",
        "DataType.double",
    ]
    assert list(inputs) == list(model.encoder.columns)
    outputs = {
        Task.CLASSIFICATION: ["prediction: boolean (required)", "probability: double (required)"],
        Task.REGRESSION: ["prediction: double (required)"],
        Task.MULTICLASS: [
            "prediction: string (required)",
            "probability_early: double (required)",
            "probability_late: double (required)",
            "probability_on time: double (required)",
        ],
    }
    assert [str(column).replace("'", "") for column in found.outputs.inputs] == outputs[task]


def pins(requirements: Path) -> list[str]:
    found: dict[str, Any] = signature.conda_environment(requirements)
    python, pip, pinned = found["dependencies"]
    assert python == f"python={signature.minor_version()}"
    assert pip == "pip"
    return list(pinned["pip"])


def test_every_pin_of_the_lock_is_asked_for_and_nothing_else_but_mlflow(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "numpy==2.4.6 \\\n    --hash=sha256:ab \\\n    --hash=sha256:cd\n"
        "colorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=sha256:ef\n"
    )
    assert pins(lock) == [
        "colorama==0.4.6 ; sys_platform == 'win32'",
        f"mlflow=={metadata.version('mlflow')}",
        "numpy==2.4.6",
    ]


def test_the_projects_own_lock_pins_what_fitting_used() -> None:
    lock = rows.ROOT / SERVING_LOCK
    names = set(re.findall(r"^([a-z0-9-]+)==", lock.read_text("utf-8"), re.MULTILINE))
    assert {pin.partition("==")[0] for pin in pins(lock)} == names | {"mlflow"}
    assert {"numpy", "pandas"} <= names


@pytest.mark.parametrize("name", [LOCK, SERVING_LOCK])
def test_every_release_of_a_lock_has_the_hashes_that_it_is_held_against(name: str) -> None:
    # uv compares the hashes that are there, and would not miss one.
    releases = re.split(r"\n(?! )", (rows.ROOT / name).read_text("utf-8").strip())
    assert len(releases) > 20
    assert all(re.search(r"\n    --hash=sha256:[0-9a-f]{64}", release) for release in releases)


def test_the_patch_version_of_python_is_left_out() -> None:
    assert re.fullmatch(r"3\.\d+", signature.minor_version())


def test_units_are_told_where_there_are_some() -> None:
    told = signature.column_rules(
        [Column("wind", "number", unit="mph"), Column("carrier", "category")]
    )
    assert told["columns"]["wind"]["unit"] == "mph" and "unit" not in told["columns"]["carrier"]


def test_units_and_known_categories_are_told_where_there_are_some() -> None:
    columns = [Column("wind", "number", minimum=0, unit="mph"), Column("origin", "category")]
    told = {"nullable": False, "minimum": None, "maximum": None}
    assert signature.column_rules(columns, {"origin": ("EWR", "JFK")})["columns"] == {
        "wind": told | {"minimum": 0, "unit": "mph"},
        "origin": told | {"known": ["EWR", "JFK"]},
    }
    assert signature.column_rules(columns[1:]) == {"columns": {"origin": told}}
