"""CSV in blocks of any size says what the same lines say one by one."""

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlrails.sources import csv as batch_csv

NAMES = ["a", "b", "c"]
CELL = st.sampled_from(
    ["1", "", "x y", "\u00e9", '""', '"a,b"', '"a""b"', '"a\nb"', '"\r\n\r\n"', '5"x', '"x', '"x"y']
)
LINE = st.lists(CELL, min_size=1, max_size=4) | st.lists(CELL, min_size=3, max_size=3)
Row = list[str | None] | str


def told(blocks: list[batch_csv.Block]) -> list[Row]:
    """Return all rows in order: the cells, or why they cannot be read."""
    found: list[Row] = []
    for block in blocks:
        good = iter(zip(*[it.to_pylist() for it in block.rows.columns], strict=True))
        broken = {it.place: it.reason for it in block.broken}
        total = block.rows.num_rows + len(broken)
        found += [broken[it] if it in broken else [*next(good)] for it in range(total)]
    return found


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    lines=st.lists(LINE, max_size=10),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    size=st.integers(1, 40),
    mark=st.booleans(),
    last=st.booleans(),
)
def test_the_size_of_a_block_changes_nothing(
    lines: list[list[str]], end: str, size: int, mark: bool, last: bool, tmp_path: Path
) -> None:
    text = end.join(["a,b,c", *(",".join(it) for it in lines)]) + (end if last else "")
    body = text.encode().partition(end.encode())[2]
    whole, left = batch_csv.read_lines(body, NAMES, NAMES, last=True)
    (tmp_path / "x.csv").write_bytes(b"\xef\xbb\xbf" * mark + text.encode())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(batch_csv, "_BLOCK", size)
        blocks = [*batch_csv.read(tmp_path / "x.csv", NAMES)]
    assert left == 0 and told(blocks) == told([batch_csv.Block(*whole, 0)])


def test_a_quote_that_nobody_closes_takes_no_other_row_with_it(tmp_path: Path) -> None:
    good = ["1,2,3"] * 30_000
    text = "\n".join(["a,b,c", *good, '"1,2,3', *good, '1,"2"2,3', '1,2,"3', *good])
    (tmp_path / "x.csv").write_text(text)
    found = told([*batch_csv.read(tmp_path / "x.csv", ["b"])])
    assert [it for it, row in enumerate(found) if row != ["2"]] == [30_000, 60_001, 60_002]
    assert len(found) == 90_003


def test_lines_without_an_end_are_not_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_csv, "_BLOCK", 100)
    (tmp_path / "x.csv").write_text("a\n" + "x" * 10**6)
    with pytest.raises(csv.Error, match="does not end"):
        [*batch_csv.read(tmp_path / "x.csv", ["a"])]
    for content in ("", "\n\n", "x" * 10**6):
        (tmp_path / "x.csv").write_text(content)
        with pytest.raises(csv.Error, match=r"empty|too long"):
            batch_csv.header(tmp_path / "x.csv")


def test_a_name_that_is_no_utf_8_harms_nobody_who_does_not_want_it(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("a,Gr\u00f6\u00dfe\n1,2\n".encode("latin-1"))
    assert told([*batch_csv.read(path, ["a"])]) == [["1"]]


def test_a_line_of_names_without_an_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a," + "b" * 2 * batch_csv.LONGEST + "\n1,2\n")
    with pytest.raises(csv.Error, match="the line of names is too long"):
        batch_csv.header(path)
