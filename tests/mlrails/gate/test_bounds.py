"""The bounds of a base: its values count, whatever a change does to its own file."""

from pathlib import Path
from typing import Any

import pytest
import rows
import yaml

from mlrails.core.config import validated
from mlrails.core.errors import UsageError
from mlrails.core.params import Params
from mlrails.gate import bounds as gate_bounds
from mlrails.gate.bounds import over


def laid(base: dict[str, Any], **ours: Any) -> Params:
    return validated(Params, over(rows.values() | ours, base, Params), "params.yaml of main")


def of_gate(**bounds: Any) -> dict[str, Any]:
    return rows.values() | {"gate": rows.values()["gate"] | bounds}


def test_the_base_s_bounds_count_and_what_it_does_not_say_is_ours() -> None:
    base = of_gate(floors={"roc_auc": 0.6})
    del base["gate"]["days"]
    weaker = of_gate(margin=0.5, days=7, floors={})["gate"]
    gate = laid(base, gate=weaker).gate
    assert gate.margin == rows.GATE["margin"] and gate.floors == {"roc_auc": 0.6}
    assert gate.days == 7


def test_a_bound_that_a_change_leaves_out_counts_all_the_same() -> None:
    ours = dict(rows.values()["gate"])
    del ours["calibration"]
    assert laid(of_gate(calibration=0.02), gate=ours).gate.calibration == 0.02


def test_a_key_that_nobody_knows_any_more_decides_nothing() -> None:
    assert laid(of_gate(was=1) | {"was": 1}) == laid(rows.values())


def test_a_base_that_is_no_list_of_keys_is_told() -> None:
    with pytest.raises(UsageError, match=r"params\.yaml of main: .* holds no keys"):
        laid([])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "roc_acu",
            r"'gate.floors.roc_acu': no metric .* \(did you mean 'roc_auc'\?\); known: roc",
        ),
        ("r2", "'gate.floors.r2': no metric of classification has that name; known: roc_auc, "),
        ("pinball_90", "known: .*, average_precision, f1, youden, accuracy, balanced_accuracy$"),
    ],
)
def test_a_floor_of_no_metric_is_refused(tmp_path: Path, name: str, words: str) -> None:
    ours = of_gate(floors={"roc_auc": 0.6, "f1": 0.1, "youden": 0.1})
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(ours), "utf-8")
    found, where = gate_bounds.load_bounds(tmp_path, None)
    assert (found.gate.floors["f1"], where) == (0.1, "the working tree")
    path.write_text(yaml.safe_dump(of_gate(floors={name: 0.6})), "utf-8")
    with pytest.raises(UsageError, match=words):
        gate_bounds.load_bounds(tmp_path, None)


def test_a_change_does_not_choose_the_metric_that_it_is_judged_by(tmp_path: Path) -> None:
    """Nor by naming one where the base names none, whose margin is in the first one's unit."""
    ours = rows.values()
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(ours), "utf-8")
    rows.git(tmp_path, "init", "--quiet")
    rows.git(tmp_path, "add", ".")
    rows.git(tmp_path, "commit", "--quiet", "-m", "one")
    ours["evaluation"] |= {"primary": "brier", "confidence": 0.8}
    path.write_text(yaml.safe_dump(ours), "utf-8")
    here, _ = gate_bounds.load_bounds(tmp_path, None)
    base, _ = gate_bounds.load_bounds(tmp_path, "HEAD")
    assert (here.evaluation.primary, base.evaluation.primary) == ("brier", None)


@pytest.mark.parametrize(
    ("name", "value"), [("group", "carrier"), ("weight", "flight"), ("until", "2013-08-31")]
)
def test_a_change_does_not_weigh_group_or_end_the_rows_of_a_base_that_does_not(
    tmp_path: Path, name: str, value: str
) -> None:
    ours = rows.values()
    del ours["data"]["until"]
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(ours), "utf-8")
    rows.git(tmp_path, "init", "--quiet")
    rows.git(tmp_path, "add", ".")
    rows.git(tmp_path, "commit", "--quiet", "-m", "one")
    ours["data"] |= {name: value}
    path.write_text(yaml.safe_dump(ours), "utf-8")
    here, _ = gate_bounds.load_bounds(tmp_path, None)
    base, _ = gate_bounds.load_bounds(tmp_path, "HEAD")
    assert getattr(base.data, name) is None
    (found,) = gate_bounds.choices(here, base, rows.flights()["scheduled_departure"].max().date())
    assert f"`data.{name}`" in found


def test_a_primary_metric_that_is_none_is_refused(tmp_path: Path) -> None:
    ours = rows.values()
    ours["evaluation"] |= {"primary": "briar"}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(ours), "utf-8")
    words = r"'evaluation\.primary' = 'briar': no metric .* mean 'brier'\?\); known: roc_auc"
    with pytest.raises(UsageError, match=words):
        gate_bounds.load_bounds(tmp_path, None)
