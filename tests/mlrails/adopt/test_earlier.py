"""A second adoption: what a person has decided stays, and what is new comes in by few lines."""

from collections.abc import Sequence
from dataclasses import replace

import plans
import pytest
import sample
from plans import FILE, HOUSES, LOANS, SCHEMA, SOURCE, adopted, after, columns, params, planned

from mlrails.adopt.plan import Plan, Planned
from mlrails.adopt.writing import files
from mlrails.adopt.writing.earlier import changes, kept
from mlrails.core.errors import UsageError
from mlrails.data.schema import Column

BEFORE = (
    Column("town", "category"),
    Column("size", "number", minimum=0, maximum=500, unit="m²"),
    Column("code", "category"),
    Column("tax", "number", leaks="it is levied on the price"),
    Column("rating", "number", known="it is given at the viewing"),
    Column("owner", "category", logged=False),
)


def again(plan: Plan, texts: dict[str, str]) -> dict[str, str | None]:
    return files.written(plan, texts, sample.PACKAGE, columns(texts[SCHEMA]))


def of(*columns: Planned) -> Plan:
    return replace(HOUSES, columns=columns)


def column(plan: Plan, name: str) -> Planned:
    return next(it for it in kept(plan, BEFORE).columns if it.column.name == name)


def test_the_same_data_again_change_nothing() -> None:
    texts = adopted(HOUSES)
    assert again(HOUSES, texts) == {}


@pytest.mark.parametrize("plan", [HOUSES, LOANS])
def test_a_new_column_is_one_line_of_the_schema_and_a_feature(plan: Plan) -> None:
    texts = adopted(plan)
    more = replace(plan, columns=(*plan.columns, planned("rooms", "number", "number")))
    changed = again(more, texts)
    assert {*changed} == {SCHEMA, FILE, "docs/decisions/0002-data.md"}
    new = {*str(changed[SCHEMA]).splitlines()} - {*texts[SCHEMA].splitlines()}
    assert new == {'    Column("rooms", "number"),'}
    assert params(str(changed[FILE])).features.numeric[-1] == "rooms"
    assert "- `rooms` is new: number." in str(changed["docs/decisions/0002-data.md"])


def test_what_a_person_has_written_stays() -> None:
    texts = adopted(HOUSES)
    town = '    # As the land register has it.\n    Column("town", "category"),  # of today\n'
    texts[SCHEMA] = texts[SCHEMA].replace('    Column("town", "category"),\n', town)
    texts[FILE] = texts[FILE].replace("margin: 2000", "margin: 7").replace("seed: 1", "seed: 77")
    texts[FILE] = texts[FILE].replace("[living area, garden]", "[living area] # no garden")
    texts[FILE] = texts[FILE].replace("test: 2 months", "test: 3 weeks")
    more = replace(HOUSES, columns=(*HOUSES.columns, planned("rooms", "number", "number")))
    now = after(texts, again(more, texts))
    assert town in now[SCHEMA]
    found = params(now[FILE])
    assert (found.gate.margin, found.seed, str(found.split.test)) == (7, 77, "3 weeks")
    assert "numeric: [living area, rooms] # no garden\n" in now[FILE]


def test_what_was_said_of_a_column_stays() -> None:
    plan = of(
        planned("size", "number", "number", seen=(3.0, 400.0)),
        planned("code", "number", "number", seen=(1.0, 9.0)),
        planned("tax", "number", "number"),
        planned("rating", "number", "left out", leaks="it tells the price"),
        planned("owner", "category", "category"),
    )
    assert column(plan, "owner").column == BEFORE[5]
    assert column(plan, "size").column == BEFORE[1]
    assert (column(plan, "code").column.kind, column(plan, "code").role) == ("category", "category")
    assert (column(plan, "tax").column.leaks, column(plan, "tax").role) == (
        "it is levied on the price",
        "left out",
    )
    assert (column(plan, "rating").column.leaks, column(plan, "rating").role) == (None, "number")


def test_a_range_that_holds_no_longer_is_the_new_one_and_said() -> None:
    plan = of(planned("size", "number", "number", minimum=0, seen=(3.0, 700.0)))
    assert (column(plan, "size").column.maximum, column(plan, "size").column.unit) == (None, "m²")
    said = list(changes(kept(plan, BEFORE), BEFORE))
    assert "`size` is from 0 now, and was from 0 up to 500." in said
    assert "`town` is gone." in said


def test_a_column_that_is_gone_leaves_the_params_too() -> None:
    texts = adopted(HOUSES)
    fewer = replace(
        HOUSES, columns=tuple(it for it in HOUSES.columns if it.column.name != "town"), slices=()
    )
    found = params(after(texts, again(fewer, texts))[FILE])
    assert found.features.categorical == ("heating",)
    assert found.evaluation.slices == ()


def test_another_target_sets_the_gate_anew() -> None:
    texts = adopted(HOUSES)
    others = [replace(it, role="number") if it.role == "target" else it for it in HOUSES.columns]
    target = planned("sold at once", "boolean", "target", leaks=plans.ANSWER)
    plan = replace(LOANS, columns=(*others, target), source=HOUSES.source)
    found = params(after(texts, again(plan, texts))[FILE])
    assert (found.data.target, found.gate.margin, found.gate.calibration) == (
        "sold at once",
        0.01,
        0.02,
    )
    # The old answer is still an answer.
    assert "price" not in found.features.numeric


def test_another_file_changes_one_call_and_one_dep() -> None:
    texts = adopted(HOUSES)
    texts[SOURCE] = texts[SOURCE].replace("return sources", "found = sources").rstrip()
    texts[SOURCE] += '\n    return found[found["price"] > 1]\n'
    now = after(texts, again(replace(HOUSES, source="data/more.csv"), texts))
    assert now[SOURCE] == texts[SOURCE].replace("data/houses.csv", "data/more.csv")
    assert now["dvc.yaml"] == texts["dvc.yaml"].replace("data/houses.csv", "data/more.csv")


@pytest.mark.parametrize(
    "body",
    [
        "COLUMNS = (*(Column(it, 'number') for it in 'ab'), Column('c', 'number'))",
        "COLUMNS = tuple([Column('a', 'number')])",
        "COLUMNS = (Column('a', 'number'), Column('b', 'number'))",
    ],
)
def test_a_schema_of_another_make_is_written_anew(body: str) -> None:
    texts = adopted(HOUSES)
    texts[SCHEMA] = f"from mlrails.data.schema import Column\n\n{body}\n"
    now = after(texts, again(HOUSES, texts))
    assert columns(now[SCHEMA]) == tuple(it.column for it in HOUSES.columns)


def test_params_that_cannot_be_changed_by_line_are_refused() -> None:
    texts = adopted(HOUSES)
    begin, mark, rest = texts[FILE].partition("features:")
    del begin
    texts[FILE] = "task: regression\nseed: 1\ndata: {target: price, time: sold}\n" + mark + rest
    with pytest.raises(UsageError, match="a line of its own"):
        again(replace(HOUSES, until="2023-01-31"), texts)


@pytest.mark.parametrize("names", [plans.NAMES])
def test_names_of_all_kinds_are_found_again(names: Sequence[str]) -> None:
    plan = plans.named(names)
    texts = adopted(plan)
    assert again(plan, texts) == {}
