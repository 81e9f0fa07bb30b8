"""The verb: what it reads, writes and tells, on a project of small rows with a champion."""

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rows
import yaml
from typer.testing import CliRunner

from flight_delays.schema import COLUMNS
from mlrails.cli import app
from mlrails.core import layout
from mlrails.core.errors import Exit, UsageError
from mlrails.core.params import FILE
from mlrails.core.settings import Settings
from mlrails.data import parquet
from mlrails.data.reading import Reading
from mlrails.monitoring.watch import frame as frames_of
from mlrails.monitoring.watch import period, record, run
from mlrails.monitoring.watch.period import Known, Order
from mlrails.registry.versions import CHAMPION, FOLDER
from mlrails.sources import declared
from mlrails.tracking import store

NEW = "new.parquet"
DAYS = 92
"""Of the rows of July to September, and of those that come after them."""
_LATER = pd.Timedelta(days=DAYS)


def later(**changes: Any) -> pd.DataFrame:
    """Return rows of October to December, as those of July to September were."""
    frame = rows.flights()
    time = frame["scheduled_departure"] + _LATER
    return frame.assign(scheduled_departure=time, **changes)


def rule(root: Path, **rules: object) -> None:
    values = yaml.safe_load((root / FILE).read_text("utf-8"))
    (root / FILE).write_text(yaml.safe_dump(values | {"monitor": rules}), "utf-8")


def watch(here: Settings, frame: pd.DataFrame | None = None, **asked: Any) -> dict[str, Any]:
    """Run the verb on the folder's model; return what is told, with the exit code."""
    data = None
    if frame is not None:
        parquet.write(frame, here.root / NEW)
        data = NEW
    wanted = asked.pop("wanted", FOLDER)
    code = run.monitor(here, COLUMNS, (), Order(data, **asked), wanted)
    told: dict[str, Any] = json.loads((here.root / run.JSON).read_text("utf-8"))
    assert (code == Exit.DRIFT) is (told["verdict"] == "drift")
    return told | {"code": code}


def faults(told: dict[str, Any]) -> list[str]:
    return [it["what"] for it in told["alarms"] if it["source"] == "fault" and it["counts"]]


def test_rows_as_they_were_are_no_drift(here: Settings) -> None:
    told = watch(here, later())
    assert told["code"] == Exit.DONE and not faults(told)
    assert told["rows"]["known_to"] == "2013-09-30" and told["rows"]["to"] == "2013-12-31"
    assert told["rows"]["new"] == 3000
    assert any("cannot be told yet" in it for it in told["notes"])
    assert {it["name"] for it in told["columns"]} >= {"carrier", "temp", "(prediction)"}


def test_a_unit_that_has_changed_is_drift_and_all_is_written(
    here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    told = watch(here, later(temp=rows.flights()["temp"] * 5 + 200))
    assert told["code"] == Exit.DRIFT
    (fault,) = faults(told)
    assert fault.startswith("'temp' is outside of what schema.py allows in ")
    said = capsys.readouterr().out
    assert "monitor: drift: " in said and "since 2013-10-01: 'temp'" in said
    assert "what to do: look at the source" in said
    page = (here.root / run.PAGE).read_text("utf-8")
    assert not re.search(r'(?:src|href)="(?!#)', page)  # It asks for nothing beside itself.
    assert "Drift: something is not as it was" in page and "temp" in page
    assert (here.root / run.TEXT).read_text("utf-8").startswith("# Drift")
    pictures = {it.stem for it in (here.root / run.PICTURES).iterdir()}
    assert {"metric", "level", "column-0"} <= pictures


def test_all_days_that_were_looked_at_are_told_and_from_when_on_alarms_count(
    here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    watch(here, later())
    said = capsys.readouterr().out
    assert "looked at: 2013-10-01 to 2013-12-31, alarms count from 2013-12-24 on; " in said
    watch(here, later(), since=date(2013, 10, 1))
    assert "looked at: 2013-10-01 to 2013-12-31; the model" in capsys.readouterr().out


def test_columns_that_are_missing_or_of_another_kind_are_what_is_wrong(here: Settings) -> None:
    frame = later(wind_speed="strong").drop(columns="temp")
    told = watch(here, frame.assign(gate="B4"))
    assert told["code"] == Exit.DRIFT
    wrong = {"the column 'temp' is missing", "'wind_speed' is not what schema.py says"}
    assert {*faults(told)} == wrong
    assert any("new columns, which nobody looks at: gate" in it for it in told["notes"])
    assert not any(it["is_prediction"] for it in told["columns"])  # Nobody can score them.


def test_outcomes_in_the_words_of_the_source_are_outcomes(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its words they are a fault: an alarm on the first file that a user holds against."""
    frame = later()
    frame["late"] = frame["late"].map({True: "yes", False: "no"})
    source = here.root / "src" / here.package / "source.py"
    assert faults(watch(here, frame)) == ["'late' is not what schema.py says"]
    how = Reading(positive={"late": "yes"})
    monkeypatch.setattr(declared, "reading", lambda path: how if path == source else None)
    assert faults(watch(here, frame)) == []


def test_words_that_nobody_can_tell_matter_where_a_file_is_named_alone(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(path: Path) -> None:
        raise UsageError(f"{path}: separator of sources.read is no plain value")

    monkeypatch.setattr(declared, "reading", told)
    assert watch(here)["code"] == Exit.DONE
    with pytest.raises(UsageError, match="no plain value"):
        watch(here, later())


def test_rows_without_outcomes_have_an_estimate(here: Settings) -> None:
    told = watch(here, later().drop(columns=["late", "arr_delay", "dep_delay"]))
    assert any("carry no outcome" in it for it in told["notes"])
    new = [it for it in told["windows"] if it["is_new"]]
    assert all(it["came"] is None and it["estimated"] > 0.5 for it in new)
    assert all(it["outcomes"] is None for it in new)


def test_outcomes_that_have_come_for_a_part_are_taken(here: Settings) -> None:
    frame = later()
    frame["late"] = frame["late"].astype(object).where(np.arange(3000) % 3 > 0, None)
    new = [it for it in watch(here, frame)["windows"] if it["is_new"]]
    assert all(0 < it["labelled"] < it["rows"] for it in new)


def test_metrics_over_time_are_told_once(here: Settings) -> None:
    for _ in range(2):
        told = watch(here, later())
    client = store.connect(here)
    experiment = store.found(client, here, record.experiment_of(here.name))
    assert experiment is not None
    (found,) = client.search_runs([experiment])
    assert found.data.tags["digest"] == told["model"]["digest"]
    points = client.get_metric_history(found.info.run_id, "rows")
    new = [it for it in told["windows"] if it["is_new"]]
    assert [(it.step, it.value) for it in points] == [(it["day"], it["rows"]) for it in new]
    assert {"roc_auc.estimated", "mean.temp", "missing.temp"} <= found.data.metrics.keys()
    kept = {it.path for it in client.list_artifacts(found.info.run_id, "page")}
    assert kept == {"page/monitor.html"}


@pytest.mark.parametrize(
    "column",
    ["paid", "a/b", "https://x.y", "a/../b", "net/", "a/./b", "x|<b>", "ö " * 200, "a//b"],
)
def test_every_name_of_a_column_is_a_name_of_a_metric(column: str) -> None:
    """One that MLflow refuses would cost the figures of all columns."""
    from mlflow.utils.validation import _validate_metric

    made = record.key(f"mean.{column}")
    _validate_metric(made, 1.0, 0, 0)
    assert made == f"mean.{column}" or column not in ("paid", "a/b")


def test_a_store_that_is_gone_costs_the_metrics_alone(
    here: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mlrails.core.errors import OutageError

    def gone(settings: Settings) -> None:
        raise OutageError("the server does not answer")

    monkeypatch.setattr(store, "connect", gone)
    assert watch(here, later())["code"] == Exit.DONE
    assert "MLflow was told nothing" in capsys.readouterr().err


def test_without_a_file_the_raw_rows_after_the_model_are_looked_at(here: Settings) -> None:
    every = pd.concat([rows.flights(), later()], ignore_index=True)
    parquet.write(every, here.root / layout.RAW)
    told = watch(here)
    assert told["rows"]["new"] == 3000 and told["rows"]["known"] == 3000
    until = watch(here, until=date(2013, 10, 31))
    assert until["rows"]["to"] == "2013-10-31" and until["rows"]["new"] < 1100


def test_rows_that_are_kept_for_the_end_are_not_watched_and_not_missed(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in them changes nothing of what is told; without the guard it does."""
    data = rows.values()["data"] | {"until": "2013-10-31"}
    split = {"by": "time", "validation": "2 weeks", "test": "1 month", "final": "31 days"}
    values = rows.values() | {"data": data, "split": split}
    (here.root / FILE).write_text(yaml.safe_dump(values), "utf-8")
    every = pd.concat([rows.flights(), later()], ignore_index=True)
    kept = every["scheduled_departure"].between("2013-10-01", "2013-10-31 23:59")
    other = every.assign(wind_speed=every["wind_speed"].mask(kept, 1000.0))

    def of_both() -> list[dict[str, Any]]:
        found = []
        for frame in (every, other):
            parquet.write(frame, here.root / layout.RAW)
            found.append(watch(here))
        return found

    told = of_both()
    new = int((every["scheduled_departure"] >= "2013-11-01").sum())
    assert told[0]["rows"]["new"] == new and not faults(told[0])
    assert told[0] == told[1]
    monkeypatch.setattr(frames_of, "_unopened", lambda raw, _, *asked, **__: (raw, *asked))
    told = of_both()
    assert told[0]["rows"]["new"] > new and told[0] != told[1]


def test_a_window_that_has_moved_on_is_watched_up_to_the_rows_that_are_kept(
    here: Settings,
) -> None:
    data = rows.values()["data"] | {"until": "2013-11-30"}
    split = {"by": "time", "validation": "2 weeks", "test": "1 month", "final": "1 month"}
    values = rows.values() | {"data": data, "split": split}
    (here.root / FILE).write_text(yaml.safe_dump(values), "utf-8")
    every = pd.concat([rows.flights(), later()], ignore_index=True)
    parquet.write(every, here.root / layout.RAW)
    months = every["scheduled_departure"].dt.month
    told = watch(here)["rows"]
    assert (told["new"], told["to"]) == (int((months == 10).sum()), "2013-10-31")
    told = watch(here, every[months == 12])["rows"]
    assert (told["new"], told["to"]) == (int((months == 12).sum()), "2013-12-31")


def test_days_that_never_came_are_missed(here: Settings) -> None:
    told = watch(here, later()[:1500], until=date(2013, 12, 31))
    assert told["code"] == Exit.DRIFT
    assert "no rows came on days that always had some" in faults(told)


def test_days_that_the_model_is_known_by_are_looked_at_without_their_outcomes(
    here: Settings,
) -> None:
    told = watch(here, since=date(2013, 9, 1))
    assert any("among those that the model is known by" in it for it in told["notes"])
    new = [it for it in told["windows"] if it["is_new"]]
    assert next(it["from"] for it in new) == "2013-09-01"
    assert all(it["outcomes"] is None for it in new)


def test_a_column_that_may_change_is_left_out(here: Settings) -> None:
    rule(here.root, ignore=["temp"])
    frame = later(temp=rows.flights()["temp"] * 5 + 200)
    told = watch(here, frame)
    assert told["code"] == Exit.DONE
    assert "temp" not in {it["name"] for it in told["columns"]}
    rule(here.root, ignore=["tmep"])
    with pytest.raises(UsageError, match=r"'monitor.ignore' names 'tmep'.*did you mean 'temp'"):
        watch(here, frame)


def test_what_cannot_be_looked_at_is_a_sentence(here: Settings) -> None:
    with pytest.raises(UsageError, match="the column 'scheduled_departure' is missing"):
        watch(here, later().drop(columns="scheduled_departure"))
    with pytest.raises(UsageError, match="has no rows"):
        watch(here, later()[:0])
    with pytest.raises(UsageError, match="--from 2013-12-01 is after --to 2013-11-01"):
        watch(here, later(), since=date(2013, 12, 1), until=date(2013, 11, 1))
    with pytest.raises(UsageError, match="no row is of 2012-01-01 or before"):
        watch(here, later(), until=date(2012, 1, 1))
    for since, until in (("2050-01-01", None), (None, "2050-01-01")):
        days = {
            name: it and date.fromisoformat(it) for name, it in (("since", since), ("until", until))
        }
        with pytest.raises(UsageError, match="2050-01-01: the newest row is of 2013-12-31; name"):
            watch(here, later(), **days)
    with pytest.raises(UsageError, match="the model is known by rows up to 2013-09-30; name a la"):
        watch(here, later(), until=date(2013, 9, 1))
    with pytest.raises(UsageError, match="does not say of which days"):
        Known.of({"parts": {"train": {"to": None}, "test": {"to": None}}})


def moved(place: int, to: str | None) -> pd.DataFrame:
    """Return later rows of which one is of another time, or says none."""
    frame = later()
    when = frame["scheduled_departure"].copy()
    when.iloc[place] = pd.Timestamp(to) if to else pd.NaT
    return frame.assign(scheduled_departure=when)


@pytest.mark.parametrize("to", ["1970-01-01", "2023-01-01"])
def test_one_mistyped_year_moves_no_window(
    to: str, here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = watch(here, moved(7, to))
    assert told["rows"] == watch(here, later().drop(index=7))["rows"]
    assert sum(it.startswith("1 row ") and "left out" in it for it in told["notes"]) == 1
    monkeypatch.setattr(period, "_new", lambda given, *_: given)  # Without the guards it does.
    monkeypatch.setattr(period, "_near", lambda times, _: np.ones(len(times), bool))
    rows_of = watch(here, moved(7, to))["rows"]
    assert "1970-01-01" in rows_of.values() or rows_of["to"] == "2023-01-01"


def test_a_model_that_is_old_is_watched_all_the_same(here: Settings) -> None:
    frame = later()
    frame["scheduled_departure"] += pd.Timedelta(days=800)
    assert watch(here, frame)["rows"]["new"] == len(frame)


def test_rows_that_do_not_say_when_they_are_of_are_what_is_wrong(here: Settings) -> None:
    told = watch(here, moved(7, None))
    assert told["rows"]["new"] == 2999
    assert faults(told) == [
        "'scheduled_departure' is missing in 1 row, and schema.py says it never is"
    ]
    with pytest.raises(UsageError, match="'scheduled_departure', which says when a row is of, is"):
        watch(here, later().assign(scheduled_departure=pd.NaT))


def test_rows_of_known_days_are_none_of_a_files(here: Settings) -> None:
    """They would take the place of those that the model was judged by."""
    both = pd.concat([rows.flights().assign(late=True), later()], ignore_index=True)
    told, plain = watch(here, both), watch(here, later())
    assert told["windows"] == plain["windows"]
    assert "3,000 rows of new.parquet left out: of days before 2013-10-01, of which " in str(told)
    with pytest.raises(UsageError, match=r"no row is of 2013-10-01 or later, .*name --from"):
        watch(here, rows.flights())


def test_outcomes_of_another_kind_are_wrong_and_not_missing(here: Settings) -> None:
    told = watch(here, later(late="maybe"))
    assert faults(told) == ["'late' is not what schema.py says"]
    assert not any("carry no outcome" in it for it in told["notes"])


def test_before_anything_has_come_it_says_so(
    here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert watch(here)["code"] == Exit.DONE
    said = capsys.readouterr().out
    assert said.startswith("monitor: cannot tell yet: version ")
    assert "looked at: no row; the model is known by rows up to 2013-09-30" in said
    assert "no row is of a day after 2013-09-30, so there is nothing to look at yet" in said


def test_a_value_of_several_lines_gives_the_forge_no_order(
    here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "x\n::stop-commands::y\x1b[31m" + "z" * 400
    odd = np.arange(3000) % 2 > 0
    raw, new = (
        it.assign(carrier=it["carrier"].mask(odd, name)) for it in (rows.flights(), later())
    )
    parquet.write(raw, here.root / layout.RAW)
    told = watch(here, new.assign(late=new["late"] | odd, **{"a\n::b": 1}))
    where = next(it["where"] for it in told["alarms"] if it["counts"] and it["where"])
    assert where.startswith("most in carrier = x�::stop-commands::y�[31mzzz") and len(where) < 200
    said = capsys.readouterr().out
    assert "::stop" in said and "::b" in said
    assert not any(it.startswith("::") for it in said.splitlines())
    assert "\x1b" not in said + (here.root / run.TEXT).read_text("utf-8")


def test_the_champion_is_watched_by_what_its_own_run_says(promoted: None, here: Settings) -> None:
    (here.root / layout.METRICS).unlink()  # The folder holds another model's report by now.
    told = watch(here, later(), wanted=CHAMPION)
    assert told["model"]["version"] == "1" and told["rows"]["known_to"] == "2013-09-30"


def test_the_verb_reads_days_and_refuses_others(project: Path) -> None:
    done = CliRunner().invoke(app.app, ["monitor", "--local", "--from", "yesterday"])
    assert done.exit_code == Exit.USAGE
    assert done.stderr == "error: --from 'yesterday': is no day; write it as 2013-11-30\n"


def test_where_logs_are_public_no_value_is_told_but_those_of_slices(here: Settings) -> None:
    frame = later(dest="SECRET")
    for in_ci in (False, True):
        told = watch(replace(here, in_ci=in_ci), frame)
        written = [here.root / it for it in (run.JSON, run.PAGE, run.TEXT)]
        seen = any("SECRET" in it.read_text("utf-8") for it in written)
        assert seen is not in_ci
        assert told["code"] == Exit.DRIFT
        of = {it["name"]: it["series"] for it in told["columns"]}
        assert "shares" in of["carrier"] and ("shares" in of["dest"]) is not in_ci
        assert "mean" in of["temp"]
