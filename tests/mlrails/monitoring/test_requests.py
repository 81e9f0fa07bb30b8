"""A server's requests as rows to look at: read whatever state they are in, joined, and compared."""

import json
import re
import shutil
import stat
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rows
import yaml

from flight_delays.schema import COLUMNS
from mlrails.core import layout
from mlrails.core.errors import Exit, UsageError
from mlrails.core.params import FILE
from mlrails.core.settings import Settings
from mlrails.data import request_log
from mlrails.data.request_log import Head
from mlrails.data.schema import Column
from mlrails.modeling import checked_copy, loading
from mlrails.modeling.loading import ModelOrigin
from mlrails.monitoring import skew
from mlrails.monitoring.watch import joined, period, requests, run, served
from mlrails.monitoring.watch.period import Order
from mlrails.monitoring.watch.requests import ASKED, DIGEST, REQUEST, ROW
from mlrails.registry.versions import FOLDER
from mlrails.serving.requests import pieces

HEAD = Head("1", "ab" * 32, ["time", "size", "word"], ["prediction"], ["secret"])
NOON = datetime(2030, 1, 7, 12, tzinfo=UTC)
DIGITS = "20300107T12000000000%dZ-0000000%d"
LOG = "asked"
LATE = Column("late", "boolean")


def text(head: Head = HEAD, ids: Sequence[str] = "abc", per: int = 1, **more: Any) -> bytes:
    """Return a file with a request of each id, of so many rows."""
    lines = []
    for number, name in enumerate(ids):
        row = {"time": "2030-02-01T08:00:00", "size": number + 0.5, "word": "x", **more}
        every = [{it: row[it] for it in head.columns} for _ in range(per)]
        answer = {it: [number + 0.25] * per for it in head.outputs}
        lines += [it for _, it in request_log.lines(head, name, NOON, every, answer)]
    return head.text() + b"".join(lines)


def put(folder: Path, content: bytes, number: int = 1, ending: str = ".jsonl") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"requests-{DIGITS % (number, number)}{ending}"
    path.write_bytes(content)
    return path


def test_a_closed_file_becomes_parquet_that_says_the_same(tmp_path: Path) -> None:
    path = put(tmp_path, text())
    put(tmp_path, text(ids="def"), 2, ".jsonl.open")
    first, again = requests.read(tmp_path), requests.read(tmp_path)
    pd.testing.assert_frame_equal(first.rows, again.rows)
    assert first.left_out == again.left_out == {"secret"} and first.columns == [
        "time",
        "size",
        "word",
    ]
    assert [*first.rows[REQUEST]] == [*"abcdef"] and set(first.rows[ASKED].dt.year) == {2030}
    (packed,) = tmp_path.glob("*.parquet")
    assert not path.exists() and stat.S_IMODE(packed.stat().st_mode) == 0o600
    assert len([*tmp_path.iterdir()]) == 2  # What a server writes to is left as it is.
    path.write_bytes(text())  # A kill between both: the rows count once.
    assert len(requests.read(tmp_path).rows) == 6


def test_a_folder_that_may_only_be_read_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    path = put(tmp_path, text())
    monkeypatch.setattr(requests.files, "replacing", refused)
    assert len(requests.read(tmp_path).rows) == 3
    assert [*tmp_path.iterdir()] == [path]


def test_every_cut_leaves_what_is_whole_and_is_told(tmp_path: Path) -> None:
    whole = text()
    ends = [place + 1 for place, it in enumerate(whole) if it == ord("\n")]
    for end in range(len(whole) - 1, 0, -7):
        folder = tmp_path / str(end)
        put(folder, whole[:end], 1, ".jsonl.open")
        put(folder, text(ids="z"), 2)
        found = requests.read(folder)
        left = sum(it <= end for it in ends) - 1
        assert len(found.rows) == max(left, 0) + 1
        assert bool(found.notes) is (end not in ends)
        assert all("cut off" in it for it in found.notes)


def test_lines_that_say_nothing_are_skipped_and_the_file_stays(tmp_path: Path) -> None:
    whole = text().splitlines(keepends=True)
    for wrong in (b"{}\n", b"\x00\xff\n", b'["a", 1]\n', b'["a", "2030-01-07", 0, [[1]], [[1]]]\n'):
        path = put(tmp_path, b"".join([*whole[:2], wrong, *whole[2:]]))
        found = requests.read(tmp_path)
        assert [*found.rows[REQUEST]] == [*"abc"] and path.is_file()
        assert found.notes == [
            f"{path.name} is cut off or broken in 1 line, whose rows are left out"
        ]


def test_what_is_no_log_in_its_place_is_told(tmp_path: Path) -> None:
    put(tmp_path, text())
    mixed = text(ids="de").replace(b"1.5", b'"much"')
    wrong = {
        put(tmp_path, mixed, 2): "has several kinds of values in one column",
        put(tmp_path, b'{"format": 9}\n', 3): "is cut off in its head, or of a later format",
        put(
            tmp_path, text().replace(b'["time"', b'[5, "time"'), 4
        ): "is cut off in its head, or of a later format",
        put(tmp_path, b"PAR1", 5, ".parquet"): "is no whole Parquet file",
    }
    found = requests.read(tmp_path)
    assert [*found.rows[REQUEST]] == [*"abc"]
    assert found.notes == [f"{path.name} {words}, and left out" for path, words in wrong.items()]


def test_what_is_none_of_a_logs_files_is_not_read(tmp_path: Path) -> None:
    assert not requests.is_log(tmp_path)
    put(tmp_path, text(), 1)
    (tmp_path / "elsewhere").mkdir()
    other = put(tmp_path / "elsewhere", text(ids="z"), 2)
    (tmp_path / other.name).symlink_to(other)
    (tmp_path / "requests-mine.jsonl").write_bytes(text(ids="y"))
    assert requests.is_log(tmp_path)
    assert [*requests.read(tmp_path).rows[REQUEST]] == [*"abc"]
    assert other.is_file()


@pytest.mark.parametrize("was_asked", [False, True])
def test_a_log_without_a_row_is_a_sentence(tmp_path: Path, was_asked: bool) -> None:
    tmp_path.chmod(0o700)
    pieces.prepare(tmp_path)
    if was_asked:
        put(tmp_path, HEAD.text())
    assert requests.is_log(tmp_path)
    with pytest.raises(UsageError, match="holds no request yet"):
        requests.read(tmp_path)


def test_versions_that_ask_for_other_columns_lie_side_by_side(tmp_path: Path) -> None:
    put(tmp_path, text())
    put(
        tmp_path, text(replace(HEAD, digest="cd" * 32, columns=["time", "size", "more"]), more=1), 2
    )
    found = requests.read(tmp_path).rows
    assert [*found["more"].notna()] == [False] * 3 + [True] * 3
    put(tmp_path, text(size="large"), 3)
    with pytest.raises(UsageError, match="were asked one column in two kinds"):
        requests.read(tmp_path)


def test_a_request_that_is_sent_again_counts_once(tmp_path: Path) -> None:
    put(tmp_path, text(ids="aa") + text(ids="a").splitlines(keepends=True)[1])
    found = requests.read(tmp_path)
    assert [*found.rows["size"]] == [0.5, 1.5]  # Of one id, and not of one request.
    assert found.reused == {"a"}
    assert found.notes == ["1 row of the log came twice, and count once"]


def test_rows_are_of_the_time_that_they_say_or_of_their_request(tmp_path: Path) -> None:
    put(tmp_path, text(ids="ab"))
    put(tmp_path, text(ids="c", time="2029-12-31T23:59:00"), 2)
    put(tmp_path, text(ids="d", time="2999-01-01T00:00:00"), 3)
    log = requests.read(tmp_path)
    found = requests.in_time(log, "time", date(2029, 12, 31))
    assert {*found.rows["time"].dt.date} == {date(2030, 2, 1)} and len(found.rows) == 2
    assert [it.partition(" of the log")[0] for it in found.notes] == ["1 row", "1 row"]
    assert "of 2029-12-31 or before" in found.notes[0] and "400 days" in found.notes[1]
    by_request = requests.in_time(log, "when", date(2029, 12, 31)).rows
    assert {*by_request["when"].dt.date} == {NOON.date()} and len(by_request) == 4
    with pytest.raises(UsageError, match="no row of the log is of a day after 2030-03-01"):
        requests.in_time(log, "time", date(2030, 3, 1))


def join(folder: Path, labels: dict[str, Sequence[Any]], **file: Any) -> requests.Log:
    put(folder, text(**file))
    return joined.outcomes(requests.read(folder), pd.DataFrame(labels), LATE, "late.csv")


def test_outcomes_are_joined_by_id_as_far_as_they_have_come(tmp_path: Path) -> None:
    labels = {"request_id": ["c", "a", "z", "b"], "late": [True, False, True, None]}
    found = join(tmp_path, labels)
    assert [*found.rows["late"]][:1] == [False] and [*found.rows["late"].notna()] == [
        True,
        False,
        True,
    ]
    assert found.notes == [
        "outcomes of late.csv: have come of 2 of 3 rows",
        "1 outcome left out: of requests that this log does not hold",
    ]


def test_outcomes_that_have_not_come_yet_are_none(tmp_path: Path) -> None:
    found = join(tmp_path, {"request_id": [*"ab"], "late": [None, None]})
    assert not found.rows["late"].notna().any()
    assert found.notes == ["outcomes of late.csv: have come of 0 of 3 rows"]


def test_outcomes_of_other_ids_alone_are_none(tmp_path: Path) -> None:
    found = join(tmp_path, {"request_id": ["x", "y"], "late": [True, True]})
    assert not found.rows["late"].notna().any() and len(found.rows) == 3
    assert found.notes[0] == "outcomes of late.csv: have come of 0 of 3 rows"


def test_outcomes_that_contradict_each_other_are_left_out(tmp_path: Path) -> None:
    labels = {"request_id": [*"aabbc"], "late": [True, False, True, True, False]}
    found = join(tmp_path, labels)
    assert [*found.rows["late"].notna()] == [False, True, True]
    assert "outcomes of 1 request left out: they contradict each other" in found.notes


def test_an_id_of_several_requests_gets_no_outcome(tmp_path: Path) -> None:
    found = join(tmp_path, {"request_id": [*"ab"], "late": [True, True]}, ids="aab")
    assert [*found.rows["late"].notna()] == [False, False, True]
    assert any("gave one id to several requests" in it for it in found.notes)


def test_outcomes_of_many_rows_say_of_which(tmp_path: Path) -> None:
    labels: dict[str, Sequence[Any]] = {"request_id": [*"ab"], "late": [True, True]}
    found = join(tmp_path, labels, per=2)
    assert not found.rows["late"].notna().any()
    assert any("a column 'row' would say of which" in it for it in found.notes)
    found = join(tmp_path, labels | {"row": ["1", "0"]}, per=2)
    told = found.rows[found.rows["late"].notna()]
    assert [*zip(told[REQUEST], told[ROW], strict=True)] == [("a", 1), ("b", 0)]


def test_a_file_that_says_not_whose_outcomes_it_has_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"late.csv: the column 'request_id' is missing.*'request'"
    ):
        join(tmp_path, {"request": [*"a"], "late": [True]})
    with pytest.raises(UsageError, match=r"late.csv: the column 'late' is missing"):
        join(tmp_path, {"request_id": [*"a"]})
    with pytest.raises(UsageError, match=r"'row' is not everywhere the number of a row"):
        join(tmp_path, {"request_id": [*"a"], "late": [True], "row": ["first"]})


def test_ids_that_are_numbers_are_those_ids_beside_an_empty_cell(tmp_path: Path) -> None:
    found = join(tmp_path, {"request_id": [7, None, 8], "late": [True, True, False]}, ids="789")
    assert [*found.rows["late"].notna()] == [True, True, False]


@pytest.mark.parametrize("late", [[1], "perhaps", 0.5])
def test_outcomes_of_another_kind_are_a_sentence_about_their_file(
    late: Any, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"^late.csv: columns that are not what schema.py says"):
        join(tmp_path, {"request_id": [*"ab"], "late": [late, late]})


def test_times_with_fractions_of_a_second_lie_beside_times_without(tmp_path: Path) -> None:
    """Read in the form of the first alone, the others would be of the day of their request."""
    put(tmp_path, text(ids="ab"))
    log = requests.read(tmp_path)
    said = ["2030-01-05T08:00:00", "2030-01-06T08:00:00.250000"]
    log.rows["time"] = pd.Series(said, dtype="str")
    found = requests.in_time(log, "time", date(2030, 1, 1)).rows["time"]
    assert [it.isoformat() for it in found] == said


def test_a_log_of_which_nothing_can_be_read_says_why(tmp_path: Path) -> None:
    path = put(tmp_path / "log", text())
    requests.read(tmp_path / "log")
    (packed,) = (tmp_path / "log").iterdir()
    packed.write_bytes(packed.read_bytes()[:100])
    path.with_name(path.name.replace("000Z", "001Z")).symlink_to(packed)
    with pytest.raises(UsageError, match=r"can be read \(.*is a link, and left out; .*no whole Pa"):
        requests.read(tmp_path / "log")


def test_answers_differ_by_more_than_their_last_digits() -> None:
    offline = {
        "prediction": np.array([True, False, True]),
        "probability": np.array([0.5, 0.1, 0.9]),
    }
    near = {
        **offline,
        "probability": offline["probability"] + [1e-9, 0, 0],
        "prediction": ~offline["prediction"],
    }
    assert not skew.differing(near, offline).any()
    assert [*skew.differing({**offline, "probability": np.array([0.5, 0.2, 0.9])}, offline)] == [
        False, True, False,
    ]  # fmt: skip
    assert skew.differing({}, offline).all()
    labels = {"prediction": np.array(["a", "b"], dtype=object)}
    assert [*skew.differing({"prediction": np.array(["a", "c"], dtype=object)}, labels)] == [
        False,
        True,
    ]


_LATER = pd.Timedelta(days=92)


def logged(
    here: Settings,
    *,
    left_out: Sequence[str] = (),
    off: float = 0,
    digest: str = "",
    count: int = 900,
) -> pd.DataFrame:
    """Let the folder's model be asked of October's rows, and keep it; return the rows."""
    root = here.root
    known = json.loads((root / layout.METRICS).read_text("utf-8"))["digest"]
    with checked_copy.copy(root / layout.MODEL, known) as copy:
        model = loading.load_copy(copy, ModelOrigin(known, "1", "flights"))
    frame = rows.flights()[:count]
    frame["scheduled_departure"] = frame["scheduled_departure"] + _LATER
    names = [it.name for it in model.inputs]
    kept = [it for it in names if it not in left_out]
    asked = frame[names].astype(object).where(frame[names].notna(), None)
    asked["scheduled_departure"] = frame["scheduled_departure"].dt.to_pydatetime()
    answer = model.answer({it: asked[it].tolist() for it in names}, count)
    if off:
        name = "probability" if "probability" in answer else "prediction"
        answer[name] = [it + off for it in answer[name]]
    head = Head("1", digest or known, kept, [*answer], [*left_out])
    lines = []
    for place, row in enumerate(asked.to_dict("records")):
        when = row["scheduled_departure"].replace(tzinfo=UTC) - timedelta(days=1)
        said = {it: [values[place]] for it, values in answer.items()}
        lines += [it for _, it in request_log.lines(head, f"id-{place}", when, [row], said)]
    put(root / LOG, head.text() + b"".join(lines))
    return frame.assign(request_id=[f"id-{it}" for it in range(count)])


def watch(here: Settings, **asked: Any) -> dict[str, Any]:
    code = run.monitor(here, COLUMNS, (), Order(LOG, **asked), FOLDER)
    told: dict[str, Any] = json.loads((here.root / run.JSON).read_text("utf-8"))
    return told | {"code": code}


def faults(told: dict[str, Any]) -> list[str]:
    return [it["what"] for it in told["alarms"] if it["source"] == "fault"]


def test_a_log_is_watched_like_rows_with_the_outcomes_that_came(here: Settings) -> None:
    frame = logged(here)
    frame[["request_id", "late"]][::2].to_csv(here.root / "late.csv", index=False)
    told = watch(here, outcomes="late.csv")
    assert not faults(told)
    assert told["rows"]["new"] == 900
    assert "outcomes of late.csv: have come of 450 of 900 rows" in told["notes"]
    new = [it for it in told["windows"] if it["is_new"]]
    assert all(0 < it["labelled"] < it["rows"] and it["came"] is not None for it in new)
    without = watch(here)
    assert any("carry no outcome" in it for it in without["notes"]) and not faults(without)


def test_outcomes_of_a_part_of_the_requests_are_late_once_it_is_said_how_long_they_take(
    here: Settings,
) -> None:
    frame = logged(here)
    frame[["request_id", "late"]][:90].to_csv(here.root / "late.csv", index=False)
    assert not faults(watch(here, outcomes="late.csv"))
    values = yaml.safe_load((here.root / FILE).read_text("utf-8"))
    (here.root / FILE).write_text(yaml.safe_dump(values | {"monitor": {"horizon": "2 days"}}))
    (fault,) = faults(watch(here, outcomes="late.csv"))
    assert fault.startswith("outcomes are missing though their time is over")


def test_a_server_that_answers_otherwise_than_its_model_is_a_fault(here: Settings) -> None:
    logged(here, off=0.01)
    told = watch(here, since=date(2013, 10, 1))
    assert told["code"] == Exit.DRIFT
    (fault,) = faults(told)
    assert fault == (
        "the server's answers are not those that the same version gives here, in 900 rows "
        "(100% of those that it has answered)"
    )


def test_a_stray_time_of_a_caller_moves_no_window(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged(here, count=900)
    (path,) = (here.root / LOG).iterdir()
    content = path.read_bytes()
    path.write_bytes(content + content.splitlines(keepends=True)[-1].replace(b"2013-1", b"1913-1"))
    told = watch(here)
    assert told["rows"]["known"] == 3000 and told["rows"]["new"] == 900
    assert any("by which the model is known already" in it for it in told["notes"])
    monkeypatch.setattr(requests, "in_time", lambda log, *_: log)  # Without the guards it does.
    monkeypatch.setattr(period, "_new", lambda given, *_: given)
    with pytest.raises((AssertionError, UsageError, ValueError, IndexError)):
        told = watch(here)
        assert told["rows"]["known"] == 3000


def test_rows_of_other_versions_are_looked_at_and_not_held_against_this_one(here: Settings) -> None:
    logged(here, off=0.01, digest="cd" * 32)
    told = watch(here)
    assert told["code"] == Exit.DONE and told["rows"]["new"] == 900
    assert any(it.startswith("900 rows were answered by other versions") for it in told["notes"])


def test_columns_that_are_not_kept_cost_only_themselves(here: Settings) -> None:
    frame = logged(here, left_out=["dest", "temp"])
    frame[["request_id", "late"]].to_csv(here.root / "late.csv", index=False)
    told = watch(here, outcomes="late.csv")
    assert told["code"] == Exit.DONE and not faults(told)
    names = {it["name"] for it in told["columns"]}
    assert "(prediction)" in names and not names & {"dest", "temp"}
    assert any("columns that are not kept of requests: dest, temp" in it for it in told["notes"])
    shutil.rmtree(here.root / LOG)
    logged(here)
    every = watch(here, outcomes="late.csv")
    ours, theirs = ([it for it in of["windows"] if it["is_new"]] for of in (told, every))
    assert [it["came"] for it in ours] == [it["came"] for it in theirs]  # By what was served.
    shutil.rmtree(here.root / LOG)
    logged(here, left_out=["dest"], digest="cd" * 32)
    with pytest.raises(UsageError, match="no row of the log was answered by"):
        watch(here)


def test_a_share_of_the_requests_is_not_too_few_rows(here: Settings) -> None:
    every, (path,) = logged(here, count=2400), [*(here.root / LOG).iterdir()]
    head, *lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(head + b"".join(lines[1200::8]))
    assert not faults(watch(here, since=date(2013, 10, 1)))
    as_file = every.iloc[1200::8].drop(columns="request_id")
    as_file.to_parquet(here.root / "new.parquet")  # Of which a source would have lost some.
    run.monitor(here, COLUMNS, (), Order("new.parquet"), FOLDER)
    told = json.loads((here.root / run.JSON).read_text("utf-8"))
    assert any(it.startswith(("fewer than half", "no rows came")) for it in faults(told))


def test_outcomes_are_those_of_a_log_alone(here: Settings) -> None:
    frame = logged(here)
    frame.to_parquet(here.root / "new.parquet")
    with pytest.raises(UsageError, match=r"new\.parquet is no folder of a server.s requests"):
        run.monitor(here, COLUMNS, (), Order("new.parquet", outcomes="late.csv"), FOLDER)


def test_what_the_model_answers_not_here_is_a_sentence(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlrails.core.errors import WorldError

    logged(here, count=100)

    def fails(*_: object) -> None:
        raise ValueError("SECRET")

    log = requests.in_time(requests.read(here.root / LOG), "scheduled_departure", date(2013, 9, 30))
    origin = ModelOrigin(log.rows[DIGEST][0], "1", "flights")
    with checked_copy.copy(here.root / layout.MODEL, origin.digest) as copy:
        model = loading.load_copy(copy, origin)
    monkeypatch.setattr(loading.LoadedModel, "predict", fails)
    with pytest.raises(WorldError, match=re.escape("what a server has answered (ValueError)")):
        served.of_model(log, model, "scheduled_departure")


def test_a_model_of_classes_is_held_against_all_its_probabilities() -> None:
    names = {f"(answer) probability_{it}": [0.25, np.nan] for it in ("a", "b")}
    found = served.scores(pd.DataFrame(names), ("a", "b"))
    assert found.shape == (2, 2) and np.isfinite(found[0]).all() and np.isnan(found[1]).all()
