"""What may be tried, as `params.yaml` says it, and what is tried of a number that was drawn."""

from typing import Any

import pytest
import rows

from mlrails.core.errors import UsageError
from mlrails.core.params import Task
from mlrails.tuning import space
from mlrails.tuning.space import Choices, Numbers

GOOD = {"low": 0.01, "high": 0.3, "log": True}


def section(**axes: Any) -> Any:
    return rows.parameters(tune={"space": axes})


def test_ends_of_whole_numbers_make_whole_numbers_and_a_list_makes_choices() -> None:
    found = space.of(section(rate=GOOD, leaves={"low": 8, "high": 64}, kind=["a", None, True]))
    assert found.axes == {
        "rate": Numbers(0.01, 0.3, log=True),
        "leaves": Numbers(8, 64),
        "kind": Choices(("a", None, True)),
    }
    assert (found.trials, found.parallel, found.prune) == (50, 8, True)


def test_a_project_without_the_section_is_told_what_to_write() -> None:
    with pytest.raises(UsageError, match=r"^params\.yaml: it has no section 'tune'; write .*space"):
        space.of(rows.parameters())


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        ({"low": 1}, "the key 'tune.space.rate.high' is missing"),
        ({"low": "1e-4", "high": 1}, "'tune.space.rate.low' = '1e-4': write a number (YAML reads"),
        ({"low": True, "high": 3}, "'tune.space.rate.low' = True: write a number"),
        ({"low": float("nan"), "high": 3}, "'tune.space.rate.low' = nan: write a number"),
        ({"low": 3, "high": 3}, "low 3 is not below high 3"),
        ({"low": 0, "high": 3, "log": True}, "with 'log: true' low is above 0, not 0"),
        ({**GOOD, "log": "yes"}, "'tune.space.rate.log' = 'yes': write true or false"),
        ({**GOOD, "lowe": 3}, "unknown key 'tune.space.rate.lowe' (did you mean 'low'?)"),
        (0.1, "'tune.space.rate' = 0.1: write {low"),
        ([0.1], "write two values or more"),
        ([0.1, 0.1], "each once"),
        ([1, True], "each once"),
        ([[1], [2]], "none in brackets"),
    ],
)
def test_what_is_no_axis_is_told_with_its_key(axis: Any, words: str) -> None:
    with pytest.raises(UsageError) as told:
        space.of(section(rate=axis))
    assert str(told.value).startswith("params.yaml: ")
    assert words in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"space": {}}, "'tune.space' names nothing to try"),
        (
            {"space": {"rate": GOOD}, "trails": 3},
            "unknown key 'tune.trails' (did you mean",
        ),
        ({"space": {"rate": GOOD}, "trials": 0}, "'tune.trials' = 0"),
        ({"space": {"rate": GOOD}, "parallel": 0}, "'tune.parallel' = 0"),
        ({"trials": 3}, "the key 'tune.space' is missing"),
    ],
)
def test_what_is_no_section_is_told_with_its_key(told: Any, words: str) -> None:
    with pytest.raises(UsageError) as error:
        space.of(rows.parameters(tune=told))
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("drawn", "tried"), [(0.0123456, 0.0123), (0.01000001, 0.01), (0.29999, 0.3), (0.3, 0.3)]
)
def test_what_is_tried_of_a_number_is_what_somebody_would_write(drawn: float, tried: float) -> None:
    assert Numbers(0.01, 0.3, log=True).rounded(drawn) == tried


def test_rounding_never_leaves_the_axis() -> None:
    narrow = Numbers(0.12345, 0.12346)
    assert narrow.rounded(0.123455) == 0.12345
    assert Numbers(8, 64).rounded(31) == 31


@pytest.mark.parametrize(
    ("axis", "inside", "outside"),
    [
        (Numbers(8, 64), 8, 8.5),
        (Numbers(8, 64), 64, 65),
        (Numbers(0.0, 0.5), 0.5, None),
        (Numbers(0.0, 1.0), 1, True),
        (Choices((1, 2)), 2, 2.0),
        (Choices((1, 2)), 1, True),
    ],
)
def test_it_is_known_what_lies_in_an_axis(axis: Any, inside: Any, outside: Any) -> None:
    assert axis.holds(inside)
    assert not axis.holds(outside)


def test_a_value_has_its_place_on_a_logarithmic_axis() -> None:
    assert Numbers(0.01, 100.0, log=True).place(1.0) == pytest.approx(0.5)
    assert Numbers(0, 10).place(5) == 0.5
    assert Choices(("a", "b", "c")).place("b") == 0.5


@pytest.mark.parametrize("task", list(Task))
def test_what_may_be_tried_is_no_param_of_a_model(task: Task) -> None:
    with_space = rows.parameters(task, tune={"space": {"rate": GOOD}})
    assert with_space.model_dump(exclude={"tune"}) == rows.parameters(task).model_dump(
        exclude={"tune"}
    )
