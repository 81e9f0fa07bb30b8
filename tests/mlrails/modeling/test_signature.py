"""Signatures: what a caller of the champion would have to change."""

import json
from pathlib import Path

import pytest
import yaml

from mlrails.modeling import signature

INS = {"carrier": "string", "wind": "double"}
OUTS = {"score": "double", "late": "boolean"}


def directory(folder: Path, ins: dict[str, str], outs: dict[str, str]) -> Path:
    """Write what tells a model directory's signature."""
    sides = {"inputs": ins, "outputs": outs}
    told = {
        side: json.dumps([{"name": name, "type": kind} for name, kind in columns.items()])
        for side, columns in sides.items()
    }
    folder.mkdir()
    (folder / "MLmodel").write_text(yaml.safe_dump({"signature": told}), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("ins", "outs", "broken"),
    [
        (INS, OUTS, []),
        ({"carrier": "string"}, OUTS, []),  # a column that is no longer asked for does no harm
        (INS, OUTS | {"reason": "string"}, []),  # nor does more in the answer
        (INS | {"gust": "double"}, OUTS, ["'gust' is asked for as double"]),
        (INS | {"wind": "string"}, OUTS, ["'wind' is asked for as string"]),
        (INS, {"score": "double"}, ["'late' no longer comes back as boolean"]),
        (INS, OUTS | {"score": "float"}, ["'score' no longer comes back as double"]),
        (
            INS | {"gust": "double"},
            {"late": "boolean"},
            ["'gust' is asked for as double", "'score' no longer comes back as double"],
        ),
    ],
)
def test_only_what_a_caller_would_notice_breaks(
    tmp_path: Path, ins: dict[str, str], outs: dict[str, str], broken: list[str]
) -> None:
    before = directory(tmp_path / "before", INS, OUTS)
    assert signature.breaking_changes(directory(tmp_path / "now", ins, outs), before) == broken


def test_a_directory_without_columns_has_no_signature(tmp_path: Path) -> None:
    assert signature.has_signature(directory(tmp_path / "whole", INS, OUTS))
    assert not signature.has_signature(directory(tmp_path / "mute", INS, {}))
