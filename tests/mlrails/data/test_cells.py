"""The same cell means the same in a file that is scored and in a request."""

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from mlrails.batch import rules
from mlrails.modeling import signature
from mlrails.serving.http.body import read_csv
from mlrails.serving.http.messages import RefusedError
from mlrails.serving.http.rows import RowSchema

MISSING, REFUSED = None, "refused"
NUMBERS = {
    "1.5": 1.5,
    "+1.5": 1.5,
    "5.": 5.0,
    ".5": 0.5,
    "1e3": 1000.0,
    "1E-3": 0.001,
    "-0": 0.0,
    " 5\t": 5.0,
    "9007199254740993": 9007199254740992.0,
    "0.1234567890123456789": 0.1234567890123456789,
    "": MISSING,
    "NaN": MISSING,
    "-nan": MISSING,
}
NO_NUMBERS = [
    " ", ".", "1_0", "far", "inf", "-Infinity", "1e999", "0x10", "1,5", "--5", "5\0", "5\n",
    "\N{ARABIC-INDIC DIGIT THREE}", "\N{NO-BREAK SPACE}5", "\N{FULLWIDTH DIGIT FIVE}",
    "\N{LATIN SMALL LETTER DOTLESS I}nf", "9" * 5000,
]  # fmt: skip
WHOLES = {
    "5": 5,
    "-5": -5,
    "007": 7,
    "9007199254740993": 9007199254740993,
    "-9223372036854775808": -(2**63),
    "": MISSING,
}
NO_WHOLES = [
    "1.0", "1e3", "--5", "-", "5-", "1_0", "9223372036854775808", "9" * 5000, "inf",
    "\N{ARABIC-INDIC DIGIT THREE}", "\N{SUPERSCRIPT TWO}",
]  # fmt: skip
TIMES = {
    "2030-01-07T08:00:00": datetime(2030, 1, 7, 8),
    "2030-01-07 08:00": datetime(2030, 1, 7, 8),
    "2028-02-29 08:00:01.5": datetime(2028, 2, 29, 8, 0, 1, 500_000),
    "2030-12-31T23:59:59.123456789": datetime(2030, 12, 31, 23, 59, 59, 123_456),
    "1000-01-01T00:00": datetime(1000, 1, 1),
    "9999-12-31T23:59": datetime(9999, 12, 31, 23, 59),
    "": MISSING,
}
NO_TIMES = [
    "2030-01-07", "2030-01-07T08", "2030-13-07 08:00", "2030-02-29 08:00", "2100-02-29 08:00",
    "2030-04-31 08:00", "2030-01-00 08:00", "2030-01-07 24:00", "2030-01-07 08:60",
    "2030-01-07T08:00Z", "2030-01-07T08:00+01:00", "2013-W01-1T08:00", "20130101T080000",
    "2013-01-01x08:00", "2013-01-01 08", "2013-01-01T08:00\0", "2013-01-01T08:00\n",
    " 2013-01-01T08:00", "0000-01-01T08:00", "2013-01-01T08:00.5", "2013-01-01T08:00:00.",
    "2013-01-0\N{ARABIC-INDIC DIGIT THREE}T08:00", "NaN", "soon",
]  # fmt: skip
BOOLEANS = {"true": True, "FALSE": False, "True": True, "": MISSING}
NO_BOOLEANS = ["yes", "1", " true", "t"]
TABLE: dict[str, tuple[dict[str, Any], list[str]]] = {
    "double": (NUMBERS, NO_NUMBERS),
    "float": (NUMBERS, NO_NUMBERS),
    "long": (WHOLES, NO_WHOLES),
    "integer": (WHOLES, NO_WHOLES),
    "datetime": (TIMES, NO_TIMES),
    "boolean": (BOOLEANS, NO_BOOLEANS),
    "string": ({"AA": "AA", " ": " ", "NaN": "NaN", "": MISSING}, []),
}
CASES = [
    (kind, cell, said)
    for kind, (good, bad) in TABLE.items()
    for cell, said in [*good.items(), *((it, REFUSED) for it in bad)]
]


def of_a_file(cell: str, field: signature.Field) -> Any:
    """Return what is read from a file where text of more than one column is."""
    column = pa.array([cell or None], pa.string())
    found = rules.sift(pa.record_batch({"x": column}), [field])
    return REFUSED if found.faults else found.columns["x"].tolist()[0]


def of_a_request(cell: str, field: signature.Field) -> Any:
    # A second column, since a line without any letter is no row.
    more = signature.Field("more", "string", nullable=True)
    interface = signature.Interface((field, more), {}, ({"x": None, "more": None},))
    rows, body = RowSchema(interface), f'"{cell}",\n'.encode()
    try:
        (row,) = rows.check(read_csv(body, False, rows, interface))
        return row["x"]
    except RefusedError as refused:
        assert (refused.status, refused.faults[0].column) == (422, "x")
        return REFUSED


@pytest.mark.parametrize("read", [of_a_file, of_a_request])
@pytest.mark.parametrize(("kind", "cell", "said"), CASES)
def test_a_cell_says_the_same_to_both_readers(
    read: Callable[[str, signature.Field], Any], kind: str, cell: str, said: Any
) -> None:
    found = read(cell, signature.Field("x", kind, nullable=True))
    if said is MISSING:
        assert found is None or math.isnan(found)
    else:
        assert found == said and isinstance(found, type(said))
    if said in {MISSING, REFUSED}:
        assert read(cell, signature.Field("x", kind)) == REFUSED
