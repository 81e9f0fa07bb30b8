"""The bounds of a base: its values count, whatever a change does to its own file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rows
import yaml

from mlrails.core.config import validated
from mlrails.core.errors import UsageError
from mlrails.core.params import Params
from mlrails.evaluation.own import Own
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


def test_a_change_cannot_take_a_column_or_a_bound_off_the_list_it_is_judged_by() -> None:
    asked = {"wider": {"tpr": 0.05}}
    base = of_gate(fairness=asked)
    base |= {"data": base["data"] | {"sensitive": ["tailnum"]}}
    for weaker in ({}, {"wider": {"tpr": 0.9}}, {"wider": {"fpr": 0.05}}):
        found = laid(base, gate=of_gate(fairness=weaker)["gate"])
        assert (found.data.sensitive, found.gate.fairness) == ({"tailnum": ()}, asked)
    ours = base["data"], base["gate"]
    assert laid(rows.values(), data=ours[0], gate=ours[1]).gate.fairness == asked


def test_bounds_of_groups_without_a_column_are_refused(tmp_path: Path) -> None:
    ours = of_gate(fairness={"most": {"tpr": 0.1}})
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(ours), "utf-8")
    with pytest.raises(UsageError, match=r"'data.sensitive' names no column"):
        gate_bounds.load_bounds(tmp_path, None)


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


def test_a_text_for_a_number_in_the_base_lets_the_change_pass_that_mends_it(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(of_gate(margin="0.02")), "utf-8")
    rows.git(tmp_path, "init", "--quiet")
    rows.git(tmp_path, "add", ".")
    rows.git(tmp_path, "commit", "--quiet", "-m", "one")
    with pytest.raises(UsageError, match=r"'gate.margin' = '0.02': YAML reads this as text"):
        gate_bounds.load_bounds(tmp_path, "HEAD")
    path.write_text(yaml.safe_dump(of_gate(margin=0.5)), "utf-8")
    base, _ = gate_bounds.load_bounds(tmp_path, "HEAD")
    assert base.gate.margin == 0.02


def test_a_primary_metric_that_is_none_is_refused(tmp_path: Path) -> None:
    ours = rows.values()
    ours["evaluation"] |= {"primary": "briar"}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(ours), "utf-8")
    words = r"'evaluation\.primary' = 'briar': no metric .* mean 'brier'\?\); known: roc_auc"
    with pytest.raises(UsageError, match=words):
        gate_bounds.load_bounds(tmp_path, None)


HALF, DOUBLE = "0.5", "2"
DECLARED = """
from mlrails.evaluation.own import mean_of

METRICS = (
    mean_of("mine", "Mine", lambda target, score: {factor} * target, higher_is_better=False),
)
"""


def with_metrics(root: Path, factor: str | None, now: str) -> Own:
    """Return what a project hands over whose base has declared its metric with a factor."""
    file = root / "src" / "flights" / "metrics.py"
    file.parent.mkdir(parents=True)
    (root / "params.yaml").write_text(yaml.safe_dump(rows.values()), "utf-8")
    if factor:
        file.write_text(DECLARED.format(factor=factor), "utf-8")
    rows.git(root, "init", "--quiet")
    rows.git(root, "add", ".")
    rows.git(root, "commit", "--quiet", "-m", "one")
    file.write_text(now, "utf-8")
    space: dict[str, Any] = {}
    exec(now, space)  # noqa: S102 - it stands above
    return Own("flights", space["METRICS"])


def mine(own: Own) -> float:
    (metric,) = own.metrics
    return float(metric.function(np.ones(1), np.ones(1))[0])


def test_the_metric_that_counts_is_the_bounds_own_code(tmp_path: Path) -> None:
    ours = with_metrics(tmp_path, HALF, DECLARED.format(factor=DOUBLE))
    assert mine(ours) == 2
    assert gate_bounds.load_metrics(tmp_path, None, ours) is ours
    found = gate_bounds.load_metrics(tmp_path, "HEAD", ours)
    assert mine(found) == 0.5
    words = "src/flights/metrics.py is another one than that of the bounds, whose metrics count"
    assert found.note == words


def test_the_same_code_is_not_loaded_again(tmp_path: Path) -> None:
    ours = with_metrics(tmp_path, HALF, DECLARED.format(factor=HALF))
    assert gate_bounds.load_metrics(tmp_path, "HEAD", ours) is ours


def test_a_metric_that_the_bounds_do_not_have_judges_nobody(tmp_path: Path) -> None:
    ours = with_metrics(tmp_path, None, DECLARED.format(factor=DOUBLE))
    found = gate_bounds.load_metrics(tmp_path, "HEAD", ours)
    assert found.metrics == () and "have no src/flights/metrics.py yet" in found.note
    assert gate_bounds.load_metrics(tmp_path, "HEAD", Own("flights")).note == ""
    assert gate_bounds.load_metrics(tmp_path, "HEAD", Own()) == Own()  # of an earlier project


@pytest.mark.parametrize("harm", ["1 / 0", "from .gone import that", "def"])
def test_code_of_the_bounds_that_cannot_be_run_is_told(tmp_path: Path, harm: str) -> None:
    ours = with_metrics(tmp_path, HALF, DECLARED.format(factor=HALF))
    (tmp_path / "src/flights/metrics.py").write_text(harm, "utf-8")
    rows.git(tmp_path, "commit", "--quiet", "--all", "-m", "two")
    (tmp_path / "src/flights/metrics.py").write_text(DECLARED.format(factor=HALF), "utf-8")
    words = r"src/flights/metrics\.py of HEAD: raises \w+Error beside the files of this change"
    with pytest.raises(UsageError, match=words):
        gate_bounds.load_metrics(tmp_path, "HEAD", ours)


def test_a_floor_may_name_a_metric_of_the_projects_own(tmp_path: Path) -> None:
    ours = with_metrics(tmp_path, HALF, DECLARED.format(factor=HALF))
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(of_gate(floors={"mine": 0.6})), "utf-8")
    found, _ = gate_bounds.load_bounds(tmp_path, None, ours.metrics)
    assert found.gate.floors == {"mine": 0.6}
    with pytest.raises(UsageError, match=r"'gate\.floors\.mine': no metric"):
        gate_bounds.load_bounds(tmp_path, None)
