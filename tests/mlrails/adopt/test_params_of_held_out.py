"""What is set on validation rows, in the params of data that were adopted."""

from dataclasses import replace

import sample
import yaml
from plans import HOUSES, LOANS

from mlrails.adopt.plan import Plan
from mlrails.adopt.writing import params_yaml
from mlrails.core.params import FILE

MANY = replace(HOUSES, gate={"days": 35})


def estimator_of(plan: Plan) -> dict[str, object]:
    text = (sample.ROOT / FILE).read_text("utf-8")
    for key, value in (("calibration", 0.5), ("interval", 0.9)):
        text = params_yaml.put(text, "estimator", key, value)
    return dict(yaml.safe_load(params_yaml.first(text, plan))["estimator"])


def test_an_interval_stays_where_numbers_have_rows_enough_and_a_level_of_other_rows_goes() -> None:
    assert estimator_of(MANY)["interval"] == 0.9 and "calibration" not in estimator_of(MANY)
    a_week = replace(MANY, validation="1 week", test="5 weeks")
    few, classes = replace(HOUSES, gate={"days": 8}), replace(LOANS, gate={"days": 35})
    for plan in (few, a_week, classes):
        assert not {"interval", "calibration"} & estimator_of(plan).keys()
