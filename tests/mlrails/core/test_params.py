"""`params.yaml`: what is taken, and what is refused with the file, the key and a remedy."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import rows
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, BeforeValidator, ValidationError

from flight_delays.schema import COLUMNS
from mlrails.core import params
from mlrails.core.config import Period, validated
from mlrails.core.errors import UsageError
from mlrails.core.params import Task
from mlrails.data import validation

TEXT = (rows.ROOT / params.FILE).read_text("utf-8")


def load(folder: Path, values: Any) -> params.Params:
    text = values if isinstance(values, str) else yaml.safe_dump(values)
    (folder / params.FILE).write_text(text, "utf-8")
    return params.load(folder)


def changed(key: str, value: object) -> dict[str, Any]:
    """Return the project's own params with one of them changed; None takes the key out."""
    values: dict[str, Any] = yaml.safe_load(TEXT)
    *path, last = key.split(".")
    section = values
    for name in path:
        section = section[name]
    section[last] = value
    if value is None:
        del section[last]
    return values


def test_the_projects_own_params_hold() -> None:
    validation.check_columns(params.load(rows.ROOT), COLUMNS)


def test_every_number_can_be_read() -> None:
    found = rows.parameters(Task.REGRESSION)
    assert found.task is Task.REGRESSION
    assert found.split.test == Period(count=1, unit="month")
    assert str(found.split.validation) == "2 weeks"
    assert found.evaluation.threshold == "f1"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("sede", 1, "unknown key 'sede' (did you mean 'seed'?)"),
        ("split.tests", "1 month", "unknown key 'split.tests' (did you mean 'test'?)"),
        ("evaluation.refits", 2, "'evaluation.refits' = 2: write 0, or 3 to 1000"),
        ("evaluation.refits", -1, "'evaluation.refits' = -1"),
        ("evaluation.resample", 5, "unknown key 'evaluation.resample' (did you mean 'resamples'?)"),
        ("monitor.windows", "1 week", "unknown key 'monitor.windows' (did you mean 'window'?)"),
        ("monitor.window", 7, "'monitor.window' = 7: write a length such as '1 week'"),
        ("monitor.horizon", 0.5, "'monitor.horizon' = 0.5: write a length such as '1 week'"),
        ("monitor.false_alarms", 0, "'monitor.false_alarms' = 0: input should be greater than 0"),
        ("monitor.rows", 10, "'monitor.rows' = 10: input should be greater than or equal to 50"),
        ("gate.gain", 1, "unknown key 'gate.gain'"),
        ("seed", None, "the key 'seed' is missing"),
        ("data.target", None, "the key 'data.target' is missing"),
        ("task", "clasification", "'task' = 'clasification': input should be 'classification'"),
        ("seed", -1, "'seed' = -1: input should be greater than or equal to 0"),
        ("seed", 2**32, "'seed' = 4294967296: input should be less than"),
        ("seed", "today", "'seed' = 'today': input should be a valid integer"),
        ("evaluation.confidence", 1.0, "'evaluation.confidence' = 1.0: input should be less"),
        ("evaluation.resamples", 10, "'evaluation.resamples' = 10: input should be greater"),
        ("evaluation.threshold", "f2", "'evaluation.threshold' = 'f2': input should be 'f1'"),
        ("features.numeric", ["temp", "temp"], "'temp' is named twice"),
        ("features", {"numeric": []}, "no column is named; name at least one"),
        ("split.test", "2 years", "'split.test' = '2 years': write a length such as '2 months'"),
        ("split.test", "0 days", "'split.test' = '0 days': write a length"),
        ("split.test", 3, "'split.test' = 3: write a length"),
        ("split.test", 0.2, "with 'by: time' validation and test are lengths such as '2 months'"),
        ("split.by", "random", "with 'by: random' validation and test are shares such as 0.2"),
        ("split.by", "hand", "'split.by' = 'hand': input should be 'time', 'group' or 'random'"),
        ("split", {"by": "random", "validation": 0.5, "test": 0.5}, "leave no rows for training"),
        ("estimator.patience", float("nan"), "'estimator.patience' = nan: write a finite number"),
        ("estimator.patience", [1], "'estimator.patience' = [1]: write one number or text, or"),
        ("split.acknowledge", "yes", "input should be 'rows of one day may be in training"),
    ],
)
def test_a_bad_param_is_refused_in_one_line(
    tmp_path: Path, key: str, value: object, words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, changed(key, value))
    message = str(caught.value)
    assert message.startswith("params.yaml: ")
    assert words in message
    assert "\n" not in message


def test_a_day_without_quotes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'data.until' = .* put the day in quotes: '2013-10-31'"):
        load(tmp_path, TEXT.replace('"2013-10-31"', "2013-10-31"))


def test_a_value_of_many_kinds_is_refused_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, changed("estimator.patience", float("inf")))
    assert str(caught.value).count("patience") == 1


def test_a_day_that_no_calendar_has_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"params.yaml, line \d+: '2013-13-45' is no such value"):
        load(tmp_path, TEXT.replace('"2013-10-31"', "2013-13-45"))


def test_a_key_written_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"params\.yaml, line \d+: the key 'seed' is written twice"
    ):
        load(tmp_path, TEXT + "\nseed: 2\n")


@pytest.mark.parametrize(
    ("value", "length"),
    [
        ("1 day", Period(count=1, unit="day")),
        ("3 weeks", Period(count=3, unit="week")),
        ("2 month", Period(count=2, unit="month")),
    ],
)
def test_a_length_is_read(tmp_path: Path, value: str, length: Period) -> None:
    assert load(tmp_path, changed("split.test", value)).split.test == length


def test_shares_are_read_for_a_random_split(tmp_path: Path) -> None:
    split = {"by": "random", "validation": 0.1, "test": 0.2}
    assert load(tmp_path, changed("split", split)).split.validation == 0.1


def test_params_cannot_be_changed() -> None:
    found = rows.parameters()
    with pytest.raises(ValidationError, match="frozen"):
        found.seed = 8


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text() | st.dictionaries(st.text(), st.text(), max_size=2).map(yaml.safe_dump))
def test_any_text_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, text)
    assert str(caught.value).startswith("params.yaml")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("answer", [True, False])
def test_a_yes_is_no_number(tmp_path: Path, answer: bool) -> None:
    with pytest.raises(UsageError, match=f"'seed' = {answer}: input should be a number"):
        load(tmp_path, changed("seed", answer))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("gate.margin", "0.02", "'gate.margin' = '0.02': YAML reads this as text; write 0.02,"),
        ("gate.margin", "1e-5", "'gate.margin' = '1e-5': YAML reads this as text; write 1.0e-05,"),
        ("seed", " 7", "'seed' = ' 7': YAML reads this as text; write 7, without quotes"),
        ("gate.days", "1_000", "'gate.days' = '1_000': YAML reads this as text; write 1000,"),
        ("gate.floors", {"roc_auc": "0.6"}, "'gate.floors.roc_auc' = '0.6': YAML reads this"),
        ("data.sensitive", {"distance": [500, "900"]}, "'data.sensitive.distance.1' = '900': YAML"),
        ("evaluation.refits", "3", "'evaluation.refits' = '3': YAML reads this as text; write 3,"),
        ("monitor.rows", "200", "'monitor.rows' = '200': YAML reads this as text; write 200,"),
        ("features.background", "32", "'features.background' = '32': YAML reads this as text"),
        ("gate.margin", True, "'gate.margin' = True: input should be a number"),
        ("gate.floors", {"roc_auc": True}, "'gate.floors.roc_auc' = True: input should be a num"),
    ],
)
def test_a_text_and_a_yes_are_no_numbers(
    tmp_path: Path, key: str, value: object, words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, changed(key, value))
    assert str(caught.value).startswith(f"params.yaml: {words}")
    assert ";" not in str(caught.value).removeprefix("params.yaml: ").partition("; write")[2]


class Theirs(BaseModel):
    """Hyperparameters as a user may write them."""

    learning_rate: float = 0.1
    layers: tuple[int, ...] = ()
    prune: bool = True
    name: str = ""
    rate: float | Literal["auto"] = "auto"
    share: Annotated[float, BeforeValidator(lambda it: int(it[:-1]) / 100)] = 0.1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"learning_rate": "0.1"}, "'estimator.learning_rate' = '0.1': YAML reads this as text"),
        ({"learning_rate": True}, "'estimator.learning_rate' = True: input should be a number"),
        ({"layers": [8, "16"]}, "'estimator.layers.1' = '16': YAML reads this as text; write 16,"),
        ({"prune": "no"}, "'estimator.prune' = 'no': write false, without quotes"),
        ({"prune": 1}, "'estimator.prune' = 1: write true, without quotes"),
        ({"rate": "0.1"}, "'estimator.rate' = '0.1': YAML reads this as text; write 0.1, without"),
    ],
)
def test_a_hyperparameter_of_another_kind_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        validated(Theirs, values, params.FILE, "estimator")
    assert str(caught.value).startswith(f"params.yaml: {words}")


def test_values_of_their_kind_are_taken() -> None:
    given = {"learning_rate": 1, "layers": [8], "prune": False, "name": "0.1", "share": "20%"}
    found = validated(Theirs, given, params.FILE, "estimator")
    assert found.model_dump() == given | {"layers": (8,), "share": 0.2, "rate": "auto"}


@pytest.mark.parametrize(("task", "bound"), [("classification", None), ("regression", 0.003)])
def test_probabilities_alone_have_a_bound_of_calibration(
    tmp_path: Path, task: str, bound: float | None
) -> None:
    values = rows.values(Task(task))
    values["gate"] = {**values["gate"], "calibration": bound}
    with pytest.raises(UsageError, match=r"'gate\.calibration' is a loss in Brier score"):
        load(tmp_path, values)


@pytest.mark.parametrize(
    ("evaluation", "words"),
    [
        ({"threshold": "cost"}, r"'threshold: cost' needs the costs of wrong calls; add 'costs'"),
        ({"primary": "cost"}, r"'primary: cost' needs the costs .* \{false_alarm: 1, miss: 5\}$"),
        ({"costs": {"miss": 5}}, r"the key 'evaluation\.costs\.false_alarm' is missing; add it"),
        ({"costs": {"false_alarm": 0, "miss": 5}}, r"costs\.false_alarm' = 0: .* greater than 0"),
        ({"costs": 5}, r"'evaluation\.costs' = 5: "),
        ({"primary": 5}, r"'evaluation\.primary' = 5: input should be a valid string"),
    ],
)
def test_costs_are_asked_for_where_they_are_needed(
    tmp_path: Path, evaluation: dict[str, Any], words: str
) -> None:
    values = rows.values()
    values["evaluation"] |= evaluation
    with pytest.raises(UsageError, match=words):
        load(tmp_path, values)


def test_numbers_are_not_called(tmp_path: Path) -> None:
    values = rows.values(params.Task.REGRESSION)
    values["evaluation"] |= {"costs": {"false_alarm": 1, "miss": 5}}
    with pytest.raises(UsageError, match=r"'evaluation\.costs' is about calls, and regression"):
        load(tmp_path, values)


def test_a_project_that_says_nothing_of_the_monitor_is_watched_by_the_week(tmp_path: Path) -> None:
    silent = load(tmp_path, changed("monitor", None)).monitor
    assert (silent.days, silent.wait, silent.false_alarms) == (7, 0, 3)
    assert silent == load(tmp_path, TEXT).monitor


def test_a_month_of_the_monitor_is_four_weeks(tmp_path: Path) -> None:
    values = changed("monitor", {"window": "1 month", "horizon": "10 days"})
    found = load(tmp_path, values).monitor
    assert (found.days, found.wait) == (28, 10)
