"""Values as they are written in YAML: in one line, and read back as they are."""

from typing import Any

import pytest
import yaml

from mlrails.adopt.writing.spelling import scalar

VALUES = [
    0.1,
    1e-5,
    1.23456e-7,
    3e22,
    -2.5e-9,
    0.30000000000000004,
    7,
    True,
    None,
    "no",
    "1e-4",
    "a: b",
]


@pytest.mark.parametrize("value", VALUES)
def test_what_is_written_reads_back_as_it_is(value: Any) -> None:
    found = yaml.safe_load(f"key: {scalar(value)}")["key"]
    assert (
        found == pytest.approx(value, rel=1e-14, abs=0) if type(value) is float else found == value
    )
    assert "\n" not in scalar(value)
