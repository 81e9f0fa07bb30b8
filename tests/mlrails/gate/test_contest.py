"""Who meets on which rows: never on rows that a rival was trained on, each with its own columns."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rows

from mlrails.core import hashing, layout
from mlrails.core.errors import UsageError, WorldError
from mlrails.core.params import Params, Task
from mlrails.core.settings import Settings
from mlrails.data import parquet, splits
from mlrails.evaluation.own import Own, mean_of
from mlrails.gate import contest, predictions, verdict
from mlrails.gate.checks import Contest, judge
from mlrails.gate.verdict import CHALLENGER, CHAMPION, CONSTANT
from mlrails.modeling import isolation
from mlrails.modeling.checked_copy import Model
from mlrails.pipeline.candidate import Candidate
from mlrails.registry.versions import Version
from mlrails.tracking.origin import Project

TEST = rows.parts()["test"]
OF_NUMBERS: dict[str, Any] = {
    "task": Task.REGRESSION,
    "data": {"target": "late", "time": "scheduled_departure"},
}
Meet = Callable[[pd.DataFrame], Contest]
AT_RANDOM: dict[str, Any] = {
    "data": {"target": "late", "time": None},
    "split": {"by": "random", "validation": 0.2, "test": 0.2},
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    parquet.write(rows.flights(), tmp_path / layout.RAW)
    parquet.write(rows.parts()["train"], tmp_path / layout.prepared("train"))
    return Settings(tmp_path)


def of(params: Params, root: Path, folder: Path = Path("none")) -> Candidate:
    digest = hashing.of_folder(folder) if folder.is_dir() else ""
    return Candidate(folder, digest, params, "", {}, Project(root))


def raw(settings: Settings) -> pd.DataFrame:
    return parquet.read(settings.root / layout.RAW)


def rival(**tags: str) -> Version:
    return Version(1, tags, "")


def chosen(settings: Settings, *rivals: Version, **sections: Any) -> pd.DataFrame:
    return contest.rows(raw(settings), of(rows.parameters(**sections), settings.root), rivals)


def test_rivals_of_the_same_split_meet_on_all_test_rows(settings: Settings) -> None:
    same = Project(settings.root).split_digest(rows.parameters())
    found = chosen(settings, rival(split_digest=same, seen_until="2013-09-20"))
    assert found.index.equals(TEST.index)
    assert chosen(settings).index.equals(TEST.index)


@pytest.mark.parametrize(
    ("seen_until", "first"),
    [("2013-08-31", "2013-09-01"), ("2013-09-10", "2013-09-11"), ("2013-09-29", "2013-09-30")],
)
def test_a_rival_of_another_split_is_met_after_the_last_day_that_it_has_seen(
    settings: Settings, seen_until: str, first: str
) -> None:
    found = chosen(settings, rival(split_digest="another", seen_until=seen_until))
    assert str(found["scheduled_departure"].min().date()) == first
    assert found.index.equals(TEST.index[TEST["scheduled_departure"] >= first])


def test_the_rival_that_has_seen_the_most_decides(settings: Settings) -> None:
    seen = [rival(split_digest="x", seen_until=f"2013-09-{day}") for day in ("20", "10")]
    assert chosen(settings, *seen)["scheduled_departure"].min().day == 21


def test_one_that_has_seen_everything_leaves_no_rows(settings: Settings) -> None:
    assert chosen(settings, rival(split_digest="another", seen_until=rows.LAST)).empty


SEEN = (
    "21 of the 30 days of test rows (2013-09-01 to 2013-09-30) are left out, as a champion of "
    "another split may have learnt of them; 9 are left and `gate.days` asks for "
)
LATER, ON = "bring later rows", "move `data.until` in params.yaml on"
FINAL = {"validation": "1 month", "test": "20 days", "final": "10 days"}


@pytest.mark.parametrize(
    ("sections", "least", "words"),
    [
        ({}, 10, f"{SEEN}10, so it takes 1 later day at least: {LATER} and {ON}"),
        ({}, 14, f"{SEEN}14, so it takes 5 later days at least: {LATER} and {ON}"),
        ({}, 9, None),
        (
            {"split": FINAL},
            7,
            "20 of the 20 days of test rows (2013-09-01 to 2013-09-20) are left out, as a champion "
            "of another split may have learnt of them; 0 are left and `gate.days` asks for 7, so "
            "it takes 7 later days at least: shorten `split.final` (10 days) by as many, or "
            f"{LATER} and {ON}",
        ),
        (
            {"data": rows.values()["data"] | {"until": None}},
            10,
            f"{SEEN}10, so it takes 1 later day at least: {LATER}",
        ),
    ],
)
def test_days_that_a_champion_has_seen_are_told_where_too_few_are_left(
    settings: Settings, sections: dict[str, Any], least: int, words: str | None
) -> None:
    here = of(rows.parameters(**sections), settings.root)
    met = contest.rows(
        raw(settings), here, [rival(split_digest="another", seen_until="2013-09-21")]
    )
    told = contest.left_out(raw(settings), here, met, least)
    assert [*told] == ([] if words is None else [words])


def test_final_rows_that_are_too_few_are_not_asked_for(settings: Settings) -> None:
    here = of(rows.parameters(split=FINAL), settings.root)
    (told,) = contest.left_out(raw(settings), here, raw(settings)[:0], 35)
    assert "split.final" not in told and told.endswith(f"35 later days at least: {LATER} and {ON}")


def test_where_no_day_is_left_out_or_known_nothing_is_told_of_it(settings: Settings) -> None:
    same, drawn = (of(rows.parameters(**it), settings.root) for it in ({}, AT_RANDOM))
    for here in (same, drawn):
        every = raw(settings)
        assert not [*contest.left_out(every, here, contest.rows(every, here, ()), 100)]
    assert not [*contest.left_out(raw(settings), drawn, raw(settings)[:0], 100)]


@pytest.mark.parametrize("tags", [{}, {"seen_until": ""}])
def test_where_nobody_knows_what_a_rival_has_seen_there_are_no_rows(
    settings: Settings, tags: dict[str, str]
) -> None:
    assert chosen(settings, rival(split_digest="another", **tags)).empty


def test_without_time_only_the_same_split_can_be_compared(settings: Settings) -> None:
    same = Project(settings.root).split_digest(rows.parameters(**AT_RANDOM))
    seen = {"seen_until": "2013-07-01"}
    assert len(chosen(settings, rival(split_digest=same, **seen), **AT_RANDOM)) > 500
    assert chosen(settings, rival(split_digest="another", **seen), **AT_RANDOM).empty


def test_drawn_rows_stay_what_they_are_when_a_column_comes_goes_or_is_renamed(
    settings: Settings,
) -> None:
    params, here = rows.parameters(**AT_RANDOM), Project(settings.root)
    before, raw = here.split_digest(params), rows.flights()
    parquet.write(
        raw.drop(columns="flight").rename(columns={"temp": "t"}), settings.root / layout.RAW
    )
    assert here.split_digest(params) == before
    parquet.write(raw.iloc[1:], settings.root / layout.RAW)
    assert here.split_digest(params) != before


BY_GROUP: dict[str, Any] = {
    "data": {"target": "late", "time": None, "group": "flight"},
    "split": {"by": "group", "validation": 0.2, "test": 0.2},
}


def test_test_groups_stay_unseen_when_rows_and_groups_come(settings: Settings) -> None:
    """The champion of 2,000 rows meets the challenger of 3,000 on groups that it never learnt."""
    given, here, flights = rows.parameters(**BY_GROUP), Project(settings.root), rows.flights()
    parquet.write(flights[:2000], settings.root / layout.RAW)
    before = here.split_digest(given)
    labels = splits.label(flights[:2000], given)
    learnt = set(flights["flight"][:2000][labels != "test"])
    parquet.write(flights, settings.root / layout.RAW)
    assert here.split_digest(given) == before
    found = chosen(settings, rival(split_digest=before), **BY_GROUP)
    assert len(found) > 500 and not learnt & set(found["flight"])


@pytest.mark.parametrize("what", [{"seed": 8}, {"data": BY_GROUP["data"] | {"group": "carrier"}}])
def test_other_groups_are_another_split(settings: Settings, what: dict[str, Any]) -> None:
    here = Project(settings.root)
    before = here.split_digest(rows.parameters(**BY_GROUP))
    assert here.split_digest(rows.parameters(**BY_GROUP | what)) != before
    assert chosen(settings, rival(split_digest=before), **BY_GROUP | what).empty


def test_few_groups_that_may_yet_be_turned_around_are_known_by_their_names(
    settings: Settings,
) -> None:
    here, data = Project(settings.root), BY_GROUP["data"] | {"group": "origin"}
    given = rows.parameters(**BY_GROUP | {"data": data})
    before, flights = here.split_digest(given), rows.flights()
    assert not splits.deal(flights, given).settled
    more = [*flights["origin"][:-1], "SWF"]
    parquet.write(flights.assign(origin=more), settings.root / layout.RAW)
    assert here.split_digest(given) != before


def test_what_says_which_rows_are_which_is_told_as_before_there_were_groups(
    settings: Settings,
) -> None:
    """Or every champion of before would be one of another split."""
    for given, seed in ((rows.parameters(), None), (rows.parameters(**AT_RANDOM), 7)):
        data = given.data.model_dump(mode="json", include={"target", "time", "until"})
        known = hashing.of_file(settings.root / layout.RAW)
        if seed:
            known = hashing.of_values(rows.flights()["late"].tolist())
        told = [known, data, given.split.model_dump(mode="json"), seed]
        assert Project(settings.root).split_digest(given) == hashing.of_values(told)


@pytest.fixture
def met(settings: Settings, task: Task, model: Path) -> Meet:
    """Return what lets a model meet itself on some rows."""
    candidate = of(rows.parameters(task), settings.root, model)
    return lambda frame: contest.contest(
        settings.root,
        candidate,
        {CHAMPION: Model(model, candidate.digest)},
        frame,
        candidate.params,
    )


def test_everybody_is_scored_on_the_same_rows(met: Meet, task: Task) -> None:
    found, target = met(TEST), rows.parameters(task).data.target
    scores = found.scored.scores
    assert list(scores) == [CONSTANT, CHALLENGER, CHAMPION]
    expected = rows.fitted(task).scores(TEST)
    np.testing.assert_array_equal(scores[CHALLENGER], expected)
    np.testing.assert_array_equal(scores[CHAMPION], expected)
    seen = rows.parts()["train"][target]
    if task is Task.MULTICLASS:
        mix = seen.value_counts(normalize=True).sort_index().tolist()
        assert scores[CONSTANT].tolist() == [mix] * len(TEST)
        places = [found.scored.classes[int(it)] for it in found.scored.target]
        assert places == TEST[target].tolist()
    else:
        assert set(scores[CONSTANT]) <= {seen.mean(), seen.median()}
        assert found.scored.target.tolist() == TEST[target].tolist()
    assert found.slices["carrier"].tolist() == TEST["carrier"].tolist()


def test_a_slice_that_is_missing_leaves_the_others_their_whole_names(met: Meet) -> None:
    carriers = TEST["carrier"].tolist()
    frame = TEST.assign(carrier=TEST["carrier"].where(np.arange(len(TEST)) > 0))
    assert met(frame).slices["carrier"].tolist() == ["missing", *carriers[1:]]


def test_without_rows_there_are_no_scores(met: Meet) -> None:
    found = met(TEST.iloc[:0])
    assert {len(score) for score in found.scored.scores.values()} == {0}


def test_a_column_that_has_gone_is_named(met: Meet) -> None:
    with pytest.raises(UsageError, match=r"rows.*'wind_speed' that the challenger needs"):
        met(TEST.drop(columns="wind_speed"))


def test_a_column_that_the_champion_needs_and_that_has_gone_names_a_way_out(met: Meet) -> None:
    """The challenger of this contest is the same model, so it is asked first."""
    with pytest.raises(UsageError, match=r"bring it back in source\.py") as told:
        met(TEST.drop(columns="wind_speed"))
    assert "gate.renamed" not in str(told.value)  # Its own columns have no names of before.
    with pytest.raises(UsageError, match=r"`wind_speed: NEW_NAME` below 'gate\.renamed' in"):
        predictions.check_columns(TEST[["origin"]], ["wind_speed"], "that the champion needs", True)


def test_a_renamed_column_is_read_under_its_old_name_and_one_that_is_gone_is_missing() -> None:
    now = TEST.rename(columns={"wind_speed": "wind"}).drop(columns="carrier")
    renamed = {"wind_speed": "wind", "carrier": None, "origin": "wind"}
    known = predictions.as_before(now, rows.fitted(Task.CLASSIFICATION).encoder.columns, renamed)
    pd.testing.assert_series_equal(known["wind_speed"], TEST["wind_speed"])
    assert known["carrier"].isna().all()
    pd.testing.assert_series_equal(known["origin"], TEST["origin"])  # which is there, so stays
    expected = rows.fitted(Task.CLASSIFICATION).scores(TEST.assign(carrier=None))
    found = rows.fitted(Task.CLASSIFICATION).scores(known)
    np.testing.assert_array_equal(found, expected)


def test_a_new_name_that_is_none_is_told_with_the_nearest() -> None:
    now = TEST.rename(columns={"wind_speed": "wind"})
    with pytest.raises(UsageError, match=r"'wind_speed' is called 'wint' now.*did you mean 'wind"):
        predictions.as_before(now, ["wind_speed"], {"wind_speed": "wint"})


def test_what_is_called_is_what_callers_get(met: Meet, task: Task) -> None:
    calls = met(TEST).scored.calls
    got = rows.fitted(task).predict(TEST)["prediction"]
    assert list(calls) == ([] if task is Task.REGRESSION else [CHALLENGER, CHAMPION])
    for found in calls.values():
        if task is Task.MULTICLASS:
            known = np.array(rows.fitted(task).classes)
            assert (found.sum(axis=1) == 1).all()
            assert known[found.argmax(axis=1)].tolist() == got.tolist()
        else:
            assert found.tolist() == got.tolist()


def miss(target: np.ndarray, called: np.ndarray) -> np.ndarray:
    return (target > 0) & (called <= 0)


@pytest.mark.parametrize("task", [Task.CLASSIFICATION])
@pytest.mark.parametrize(
    ("primary", "title"), [("cost", "Mean cost"), ("f1", "F1"), ("missed", "Missed")]
)
def test_models_are_compared_by_the_metric_of_the_bounds(
    settings: Settings, model_of: Callable[[Task], Path], task: Task, primary: str, title: str
) -> None:
    """Calls, their costs, and a metric of the project's own: the rows decide, and it is told."""
    model = model_of(task)
    own = Own("flights", [mean_of("missed", "Missed", miss, higher_is_better=False, of_calls=True)])
    costs = {"threshold": "cost", "costs": {"false_alarm": 1, "miss": 3}}
    evaluation = rows.values()["evaluation"] | costs | {"primary": primary}
    asked = rows.parameters(evaluation=evaluation)
    rivals = {CHAMPION: Model(model, hashing.of_folder(model))}
    here = of(rows.parameters(), settings.root, model)
    found = contest.contest(settings.root, here, rivals, TEST, asked, own)
    assert (found.metric.title, found.decision.name) == (title, "cost")
    words = " ".join(found.notes)
    assert "; roc_auc, which this change" in words
    assert "`evaluation.threshold: f1` counts once" in words
    told = judge(found, asked.gate, [], ("a" * 64, "b" * 64))
    assert told.metric == title and told.figures[CHALLENGER] == told.figures[CHAMPION]
    assert found.metric.whole(found.scored.target, found.scored.calls[CHALLENGER]) > 0


def test_the_groups_are_those_of_the_bounds(
    settings: Settings, model_of: Callable[[Task], Path]
) -> None:
    here = of(rows.parameters(), settings.root, model_of(Task.CLASSIFICATION))
    asked = {"tailnum": [], "plane_seats": [50]}
    bounds = rows.parameters(data=rows.values()["data"] | {"sensitive": asked})
    found = contest.contest(settings.root, here, {}, TEST, bounds)
    assert found.sensitive.keys() == asked.keys()
    assert set(found.sensitive["plane_seats"]) == {"under 50", "50 and over", None}
    with pytest.raises(UsageError, match="'tailnum' that the gate groups rows by"):
        without = TEST.drop(columns="tailnum")
        contest.contest(settings.root, here, {}, without, bounds)


def test_the_slices_and_the_seed_are_those_of_the_bounds(
    settings: Settings, model_of: Callable[[Task], Path]
) -> None:
    model = model_of(Task.CLASSIFICATION)
    ours = rows.parameters(evaluation={"confidence": 0.9, "resamples": 100, "slices": []}, seed=1)
    found = contest.contest(
        settings.root, of(ours, settings.root, model), {}, TEST, rows.parameters()
    )
    assert (set(found.slices), found.seed) == ({"carrier", "origin"}, 7)
    with pytest.raises(UsageError, match="'origin' that the slices of the gate need"):
        without = TEST.drop(columns="origin")
        contest.contest(
            settings.root, of(ours, settings.root, model), {}, without, rows.parameters()
        )


@pytest.mark.parametrize(
    ("role", "error", "words"),
    [
        (CHALLENGER, UsageError, "the challenger predicts no number for 2 of .*; train another"),
        (CHAMPION, WorldError, "the champion predicts no number for 2 of .* `nox -s rollback`"),
    ],
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_prediction_that_is_no_number_is_told_in_one_sentence(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    role: str,
    error: type[Exception],
    words: str,
    value: float,
) -> None:
    def load(folder: Path, _: str) -> Any:
        scores = np.full(len(TEST), 0.5)
        scores[3:5] = value if folder.name == role else 0.5
        columns = SimpleNamespace(columns=["origin"])
        return SimpleNamespace(encoder=columns, predict=lambda rows: {"prediction": scores})

    monkeypatch.setattr(isolation, "load", load)
    here = of(rows.parameters(), settings.root, Path(CHALLENGER))
    with pytest.raises(error, match=words):
        contest.contest(
            settings.root, here, {CHAMPION: Model(Path(CHAMPION), "")}, TEST, here.params
        )


def holdout(settings: Settings, ours: dict[str, Any], base: dict[str, Any]) -> verdict.Check:
    return contest.same_holdout(raw(settings), rows.parameters(**ours), rows.parameters(**base))


def until(day: str | None) -> dict[str, Any]:
    return {"data": {"target": "late", "time": "scheduled_departure", "until": day}}


@pytest.mark.parametrize(
    "ours",
    [
        {},
        {"seed": 1},
        {"evaluation": {"confidence": 0.9, "resamples": 100}},
        {"features": {"numeric": ["distance"]}},
        until("2013-09-29"),
        until(None),
    ],
)
def test_a_change_that_leaves_the_test_rows_as_they_are_is_held_to_them(
    settings: Settings, ours: dict[str, Any]
) -> None:
    assert holdout(settings, ours, until("2013-09-28")).passed


@pytest.mark.parametrize(
    ("ours", "words"),
    [
        (until("2013-09-27"), "`data.until` goes back, from 2013-09-28 to 2013-09-27"),
        (until("2013-10-01"), "`data.until` is 2013-10-01, and the last row is of 2013-09-30"),
        ({"split": {"by": "time", "validation": "2 weeks", "test": "3 weeks"}}, "`split`"),
        ({"data": {"target": "arr_delay", "time": "scheduled_departure"}}, "`data.target`"),
        (AT_RANDOM, "`data.time` is another one; `split` is another one"),
        (OF_NUMBERS, "`task` is another one"),
        ({"data": rows.values()["data"] | {"group": "carrier"}}, "`data.group` is another one"),
        ({"data": rows.values()["data"] | {"weight": "flight"}}, "`data.weight` is another one"),
    ],
)
def test_a_change_that_would_choose_its_own_test_rows_is_told_what_does(
    settings: Settings, ours: dict[str, Any], words: str
) -> None:
    found = holdout(settings, ours, until("2013-09-28"))
    assert found.passed is False
    assert words in found.reason and "would choose its own test rows" in found.reason


def test_a_seed_that_draws_the_test_rows_is_not_the_changes_to_choose(settings: Settings) -> None:
    assert holdout(settings, AT_RANDOM, AT_RANDOM).passed
    found = holdout(settings, AT_RANDOM | {"seed": 1}, AT_RANDOM)
    assert found.passed is False and "`seed`" in found.reason
