import csv
import io
import json
import math
import tracemalloc
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlrails.core.params import Task
from mlrails.modeling import signature
from mlrails.serving.http.body import read_invocations
from mlrails.serving.http.limits import Limits
from mlrails.serving.http.media import parse_content_type
from mlrails.serving.http.messages import RefusedError
from mlrails.serving.http.rows import RowSchema

GOOD: dict[str, Any] = {
    "scheduled_departure": "2030-01-07T08:00:00",
    "carrier": "AA",
    "origin": "JFK",
    "dest": "BOS",
    "distance": 187,
    "wind_speed": None,
    "temp": 39.02,
}
SENT = json.dumps(GOOD).encode()
ONE = "one row, {column: value, ...}"
SHAPES = f"[{{column: value, ...}}, ...], {{column: [value, ...], ...}}, or {ONE}"
BESIDE = f"single values side by side; send columns, {{column: [value, ...], ...}}, or {ONE}"
FORMS: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "dataframe_split": lambda rows: {
        "columns": [*rows[0]],
        "data": [[*it.values()] for it in rows],
    },
    "dataframe_records": lambda rows: rows,
    "instances": lambda rows: rows,
    "inputs": lambda rows: {name: [row[name] for row in rows] for name in rows[0]},
}


@pytest.fixture(scope="module")
def interface(model_of: Callable[[Task], Path]) -> signature.Interface:
    return signature.read_interface(model_of(Task.CLASSIFICATION))


@pytest.fixture(scope="module")
def taken(interface: signature.Interface) -> RowSchema:
    return RowSchema(interface)


def read(content: Any, interface: signature.Interface, kind: str = "application/json") -> list[Any]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return list(
        read_invocations(body, parse_content_type(kind.encode()), RowSchema(interface), interface)
    )


def refused(content: Any, interface: signature.Interface, **more: str) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        read(content, interface, **more)
    return caught.value


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_protocol_gives_the_same_rows(
    form: str, interface: signature.Interface
) -> None:
    sent = [GOOD, GOOD | {"carrier": "ZZ", "temp": None}]
    found = read({form: FORMS[form](sent)}, interface)
    assert found[0] == GOOD | {"scheduled_departure": datetime(2030, 1, 7, 8)}
    assert found[1]["carrier"] == "ZZ" and found[1]["temp"] is None


@pytest.mark.parametrize("mark", [":", " :", "\n :  "])
def test_a_name_that_stands_once_is_not_taken_for_two(
    interface: signature.Interface, mark: str
) -> None:
    row = GOOD | {"dest": 'a":', "origin": "b:c", "carrier": '": "'}
    for form, made in FORMS.items():
        body = json.dumps({form: made([row])}, separators=(",", mark)).encode()
        assert read(body, interface)[0]["dest"] == 'a":'


@pytest.mark.parametrize("form", ["instances", "inputs"])
def test_rows_columns_and_a_single_row_are_taken_as_mlflows_own_server_takes_them(
    form: str, interface: signature.Interface
) -> None:
    sent = [GOOD, GOOD | {"carrier": "ZZ", "temp": None}]
    expected = read({"dataframe_records": sent}, interface)
    columns = {name: [row[name] for row in sent] for name in GOOD}
    assert read({form: sent}, interface) == read({form: columns}, interface) == expected
    alone = {name: [value] for name, value in GOOD.items()}
    assert read({form: GOOD}, interface) == read({form: alone}, interface) == expected[:1]


@pytest.mark.parametrize("form", ["instances", "inputs"])
@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"distance": "187"}, "distance", "must be a valid number"),
        ({"distance": True}, "distance", "must be a valid number"),
        ({"distance": None}, "distance", "a value is missing, and must not be"),
        ({"carrier": {"0": "AA"}}, "carrier", "must be a valid string"),
        ({"tmep": 1}, "tmep", "the model knows no such column"),
    ],
)
def test_the_values_of_a_single_row_and_of_columns_are_held_as_strictly(
    interface: signature.Interface, form: str, change: dict[str, Any], column: str, reason: str
) -> None:
    row = GOOD | change
    for sent in (row, {name: [value] for name, value in row.items()}):
        (fault,) = refused({form: sent}, interface).faults
        assert fault.row == 0 and fault.column == column and reason in fault.reason


def test_nan_is_missing_and_a_name_stands_once_in_a_single_row_too(
    interface: signature.Interface,
) -> None:
    body = json.dumps({"instances": GOOD | {"temp": math.nan}}).encode()
    assert read(body, interface)[0]["temp"] is None
    twice = b'{"inputs": %s, "temp": 1}}' % SENT[:-1]
    assert "'temp' stands twice" in refused(twice, interface).in_words()


def test_lists_are_rows_in_the_order_of_the_signature(interface: signature.Interface) -> None:
    assert read({"instances": [[*GOOD.values()]]}, interface) == read(
        {"instances": [GOOD]}, interface
    )


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"carrier": 1}, "carrier", "must be a valid string"),
        ({"carrier": None}, "carrier", "a value is missing, and must not be"),
        ({"distance": None}, "distance", "a value is missing, and must not be"),
        ({"distance": math.nan}, "distance", "a value is missing, and must not be"),
        ({"distance": "187"}, "distance", "must be a valid number"),
        ({"distance": True}, "distance", "must be a valid number"),
        ({"distance": 0}, "distance", "must be greater than or equal to 1"),
        ({"distance": math.inf}, "distance", "must be a finite number"),
        ({"temp": 141}, "temp", "must be less than or equal to 140"),
        ({"temp": [1]}, "temp", "must be a valid number"),
        ({"tmep": 1}, "tmep", "the model knows no such column"),
        ({"scheduled_departure": 1893456000000}, "scheduled_departure", "must be text with"),
        ({"scheduled_departure": "2030-01-07"}, "scheduled_departure", "without a zone"),
        ({"scheduled_departure": "soon, I think"}, "scheduled_departure", "is no date and time"),
        ({"scheduled_departure": "2030-01-07T08:00Z"}, "scheduled_departure", "without a zone"),
    ],
)
def test_a_value_that_is_wrong_is_named_by_row_and_column(
    interface: signature.Interface, change: dict[str, Any], column: str, reason: str
) -> None:
    error = refused({"dataframe_records": [GOOD, GOOD | change]}, interface)
    (fault,) = error.faults
    assert (error.status, fault.row, fault.column) == (422, 1, column)
    assert reason in fault.reason
    assert f"row 1, column {column!r}" in error.in_words()


def test_a_missing_column_is_named(interface: signature.Interface) -> None:
    row = {name: value for name, value in GOOD.items() if name != "dest"}
    (fault,) = refused({"dataframe_records": [row]}, interface).faults
    assert fault == (0, "dest", "the column is missing")


def test_nan_is_a_missing_value_where_one_may_be(interface: signature.Interface) -> None:
    (row,) = read(b'{"inputs":[%s]}' % json.dumps(GOOD | {"temp": math.nan}).encode(), interface)
    assert row["temp"] is None


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b"\xff", 400, "not JSON"),
        (b"[" * 100_000, 400, "not JSON"),
        ([], 422, "must be a JSON object"),
        ({}, 422, "exactly one of"),
        ({"instances": [GOOD], "inputs": [GOOD]}, 422, "exactly one of"),
        ({"instances": [GOOD], "more": 1}, 422, "'more' means nothing here"),
        ({"instances": [GOOD], "params": {"a": 1}}, 422, "no 'params'"),
        ({"instances": []}, 422, "no row"),
        ({"instances": {}}, 422, "no row"),
        ({"inputs": {}}, 422, "no row"),
        ({"instances": 1}, 422, f"instances must be {SHAPES}"),
        ({"inputs": "far"}, 422, f"inputs must be {SHAPES}"),
        ({"inputs": {"carrier": ["A"], "temp": 1}}, 422, f"inputs has lists and {BESIDE}"),
        ({"instances": GOOD | {"temp": [1]}}, 422, f"instances has lists and {BESIDE}"),
        ({"instances": {"carrier": ["A"], "temp": []}}, 422, "columns of instances differ in len"),
        ({"dataframe_records": GOOD}, 422, "a list of rows; send [{column: value, ...}, ...]"),
        ({"dataframe_split": {"data": []}}, 422, 'send {"columns": [column, ...], "data": [[val'),
        ({"instances": [1]}, 422, "a row must be an object"),
        ({"inputs": {"carrier": ["A"], "temp": []}}, 422, "differ in length"),
        ({"dataframe_split": []}, 422, "'columns' and 'data'"),
        ({"dataframe_split": {"columns": ["a"], "data": [], "x": 1}}, 422, "the name 'x'"),
        ({"dataframe_split": {"columns": ["a", "a"], "data": []}}, 422, "none of them twice"),
        ({"dataframe_split": {"columns": ["a", "b"], "data": [[1]]}}, 422, "a list of 2 values"),
        ({"dataframe_split": {"columns": [*GOOD, "x"], "data": [1]}}, 422, "no such column"),
        (b'{"inputs": [], "inputs": [%s]}' % SENT, 422, "'inputs' stands twice in one object"),
        (b'{"inputs": [%s, "temp": 1}]}' % SENT[:-1], 422, "'temp' stands twice in one object"),
        (b'{"inputs" : [%s,"temp" :1}]}' % SENT[:-1], 422, "'temp' stands twice in one object"),
    ],
)
def test_a_body_that_says_nothing_is_refused(
    interface: signature.Interface, content: Any, status: int, words: str
) -> None:
    error = refused(content, interface)
    assert error.status == status and words in error.in_words()


def test_another_kind_of_body_is_refused(interface: signature.Interface) -> None:
    assert refused(b"x", interface, kind="application/x-npy").status == 415
    assert refused(SENT + b"\n" + SENT, interface, kind="application/jsonlines").status == 415


def as_csv(rows: list[dict[str, Any]], header: bool = True) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, [*rows[0]])
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def test_csv_gives_the_same_rows_as_json(interface: signature.Interface) -> None:
    expected = read({"instances": [GOOD]}, interface)
    assert read(as_csv([GOOD]), interface, "text/csv; charset=utf-8") == expected
    for kind in ("text/csv; header=absent", "text/csv;charset=utf-8; Header=absent"):
        assert read(as_csv([GOOD], header=False), interface, kind) == expected
    assert read(b"\xef\xbb\xbf" + as_csv([GOOD]), interface, "text/csv") == expected


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"distance": "far"}, "must be a valid number"),
        ({"distance": "1_000"}, "must be a valid number"),
        ({"distance": ""}, "a value is missing"),
        ({"distance": "nan"}, "a value is missing"),
        ({"distance": "inf"}, "finite"),
        ({"carrier": ""}, "a value is missing"),
    ],
)
def test_a_cell_is_not_cast_to_what_it_does_not_say(
    interface: signature.Interface, change: dict[str, Any], reason: str
) -> None:
    error = refused(as_csv([GOOD | change]), interface, kind="text/csv")
    assert reason in error.in_words()


TEXT = as_csv([GOOD]).decode()
DIALECTS = [
    (TEXT.replace(",", ";").encode(), "its cells are separated by semicolons, not by commas"),
    (TEXT.replace(",", "\t").encode(), "its cells are separated by tabs"),
    (b"sep=,\r\n" + TEXT.encode(), "its first line is 'sep=,', which only Excel reads"),
    (TEXT.encode("utf-16"), "it is UTF-16 (Excel's Unicode text)"),
    (TEXT.encode("utf-16-le"), "it is UTF-16 or UTF-32"),
    (TEXT.encode("utf-32"), "it is UTF-32"),
    (TEXT.replace("distance", "distänce").encode("cp1252"), "its line of names is not UTF-8"),
]


@pytest.mark.parametrize(("body", "why"), DIALECTS)
def test_csv_of_another_dialect_is_told_the_cause(
    interface: signature.Interface, body: bytes, why: str
) -> None:
    error = refused(body, interface, kind="text/csv")
    assert (error.status, why in error.in_words()) == (400, True)


def test_a_dialect_is_seen_without_a_line_of_names_as_well(interface: signature.Interface) -> None:
    body = as_csv([GOOD], header=False).replace(b",", b";")
    error = refused(body, interface, kind="text/csv; header=absent")
    assert (error.status, "semicolons" in error.in_words()) == (400, True)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"\xff", 400, "not CSV"),
        (b'a,"b\n', 400, "not CSV"),
        (b"", 422, "no row"),
        (b"carrier,carrier\nA,B\n", 422, "twice"),
        (b"carrier,dest\nA\n", 422, "1 cells, not 2"),
        (",".join(GOOD).encode() + b",x\nA\n", 422, "no such column"),
    ],
)
def test_a_table_that_is_none_is_refused(
    interface: signature.Interface, body: bytes, status: int, words: str
) -> None:
    error = refused(body, interface, kind="text/csv")
    assert error.status == status and words in error.in_words()


SIZE = Limits().body // 8
"""Of bodies that grow in proportion, so that the largest would only take longer."""
NAMES = range(SIZE // 12)
WORST = {
    "rows without a column": (b'{"inputs":[%s]}' % b",".join([b"{}"] * (SIZE // 3)), ""),
    "rows that are none": (b'{"instances":[%s]}' % b",".join([b"1"] * (SIZE // 2)), ""),
    "a row of names": (json.dumps({"inputs": [dict.fromkeys(NAMES, 1)]}).encode(), ""),
    "columns without a row": (json.dumps({"inputs": {it: [] for it in NAMES}}).encode(), ""),
    "a line of names": (",".join(map(str, NAMES)).encode() + b"\n1\n", "text/csv"),
    "lines of two cells": (b"a,b\n" + b",\n" * (SIZE // 2), "text/csv"),
    "lines of empty cells": (",".join(GOOD).encode() + b"\n,,,,,,\n" * (SIZE // 8), "text/csv"),
}


@pytest.mark.parametrize(("body", "kind"), WORST.values(), ids=WORST)
def test_a_body_full_of_faults_costs_no_more_than_one_without(
    taken: RowSchema, interface: signature.Interface, body: bytes, kind: str
) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(RefusedError) as caught:
            read_invocations(body, parse_content_type(kind.encode()), taken, interface)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 40 * SIZE
    assert 0 < len(caught.value.faults) <= 20


@pytest.mark.parametrize("place", [0, 255, 2000])
def test_a_fault_is_told_by_its_row_wherever_it_stands(
    interface: signature.Interface, place: int
) -> None:
    sent = [GOOD] * 2001
    sent[place] = GOOD | {"carrier": None}
    (fault,) = refused({"instances": sent}, interface).faults
    assert (fault.row, fault.column) == (place, "carrier")
    sent[place] = GOOD | {"x" * 1000: 1}
    (fault,) = refused({"instances": sent}, interface).faults
    assert fault == (place, "x" * 80, "the model knows no such column")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)
CELLS = {name: st.just(value) | VALUES for name, value in GOOD.items()}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_is_sent_is_either_refused_in_words_or_taken_as_it_is(
    taken: RowSchema, interface: signature.Interface, data: st.DataObject
) -> None:
    row = data.draw(st.fixed_dictionaries(CELLS) | VALUES)
    form = data.draw(st.sampled_from([*FORMS]))
    body = json.dumps({form: [row]}).encode()
    try:
        (found,) = read_invocations(body, parse_content_type(b"application/json"), taken, interface)
    except RefusedError as error:
        assert error.status in {400, 422} and error.in_words()
        return
    assert isinstance(row, dict) and found.keys() == GOOD.keys()
    for name, value in found.items():
        if name != "scheduled_departure":
            assert value == row[name] or (value is None and math.isnan(row[name]))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["application/json", "text/csv", "", "x/y"]))
def test_whatever_bytes_come_are_refused_in_words(
    taken: RowSchema, interface: signature.Interface, body: bytes, kind: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        read_invocations(body, parse_content_type(kind.encode()), taken, interface)
    json.loads(caught.value.body())
