"""The interval beside a number: what it promises, what it is made of, and who gets to see it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import callers
import numpy as np
import pytest
import rows

from flight_delays import model as module
from flight_delays.schema import COLUMNS
from mlrails.batch.explain import in_words
from mlrails.core.errors import UsageError
from mlrails.core.layout import SERVING_LOCK
from mlrails.core.params import Params, Task, Unit, of_held_out
from mlrails.evaluation import figures
from mlrails.evaluation.held_out import conformal
from mlrails.explaining.explanation import Explainer
from mlrails.modeling import directory, signature

NUMBERS = Task.REGRESSION
OUTPUTS = ["prediction", "lower", "upper"]
SURE = "90% of what comes is to lie between lower and upper."


def asked(level: float = 0.9, **sections: object) -> Params:
    told = rows.values(NUMBERS)["estimator"] | {"interval": level}
    return rows.parameters(NUMBERS, estimator=told, **sections)


@pytest.fixture(scope="module")
def model() -> module.Predictor:
    return rows.fit(asked())


@pytest.fixture(scope="module")
def written(model: module.Predictor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("interval") / "model"
    of = model, COLUMNS, rows.parts()["train"], "rows", rows.ROOT / SERVING_LOCK
    directory.write(*of, folder, (8, 7), 0.9)
    return folder


def days(count: int, seed: int, likeness: float = 0.0) -> Mapping[str, np.ndarray]:
    """Return skewed errors of days, a third of whose variance is the day's, each like the last."""
    rng = np.random.default_rng(seed)
    luck = np.empty(count)
    luck[0] = rng.normal()
    for day in range(1, count):
        luck[day] = likeness * luck[day - 1] + np.sqrt(1 - likeness**2) * rng.normal()
    of_day = (np.exp(0.9 * luck) - np.exp(0.405)) / 1.67
    day = np.repeat(np.arange(count), rng.integers(20, 60, count))
    own = rng.exponential(1, len(day)) - 1
    return {"day": day, "off": np.sqrt(1 / 3) * of_day[day] + np.sqrt(2 / 3) * own}


def covered(likeness: float, corrected: bool = True) -> float:
    """Return how often a month's interval holds what the day after it brings."""
    held = []
    for seed in range(400):
        made = days(31, seed, likeness)
        before = made["day"] < 30
        off, day = made["off"][before], made["day"][before]
        if corrected:
            low, high = conformal.interval(off, {Unit.DAY: day}, None, 0.9)
        else:
            low, high = np.quantile(off, [0.05, 0.95])
        new = made["off"][~before]
        held.append(float(np.mean((new >= low) & (new <= high))))
    return float(np.mean(held))


def test_a_day_to_come_is_held_as_often_as_is_said_and_days_as_such_are_not_enough() -> None:
    """Quantiles of the rows alone, as if a month of them were thousands, promise too much."""
    assert covered(0.0) >= 0.9 and covered(0.5) >= 0.9
    assert covered(0.5, corrected=False) < 0.9


def test_each_side_has_its_own_quantile() -> None:
    made = days(60, 1)
    low, high = conformal.interval(made["off"], {Unit.DAY: made["day"]}, None, 0.9)
    assert high > 1.5 * -low > 0


def test_a_day_counts_the_same_whatever_its_rows_are() -> None:
    off, day = np.repeat(np.arange(20.0), 3), np.repeat(np.arange(20), 3)
    many = np.append(off, np.full(5000, 3.0)), np.append(day, np.full(5000, 3))
    found = [conformal.interval(*it, None, 0.5) for it in ((off, {Unit.DAY: day}),)]
    found.append(conformal.interval(many[0], {Unit.DAY: many[1]}, None, 0.5))
    assert found[0] == found[1]
    assert conformal.interval(many[0], {Unit.ROW: np.arange(5060)}, None, 0.5) != found[0]


def test_rows_that_weigh_nothing_set_nothing_and_the_wider_of_two_kinds_counts() -> None:
    made = days(40, 2)
    day, off = made["day"], made["off"]
    outlier = off > np.quantile(off, 0.95)
    found = conformal.interval(off, {Unit.DAY: day}, np.where(outlier, 0.0, 1.0), 0.9)
    assert found.upper < conformal.interval(off, {Unit.DAY: day}, None, 0.9).upper
    alone, other = {Unit.DAY: day}, {Unit.GROUP: np.arange(len(day)) % 12}
    wide = [conformal.interval(off, it, None, 0.9) for it in (alone, other, {**alone, **other})]
    assert wide[2] == (min(wide[0].lower, wide[1].lower), max(wide[0].upper, wide[1].upper))


def test_a_model_that_is_always_off_has_ends_on_both_sides_of_what_it_says() -> None:
    off = np.linspace(5, 9, 100)
    assert conformal.interval(off, {Unit.ROW: np.arange(100)}, None, 0.9).lower == 0


@pytest.mark.parametrize(("level", "count"), [(0.9, 10), (0.95, 20), (0.5, 2), (0.99, 100)])
def test_too_few_days_are_refused_with_how_many_it_takes(level: float, count: int) -> None:
    off = np.arange(float(count))
    assert conformal.interval(off, {Unit.DAY: np.arange(count)}, None, level)
    with pytest.raises(UsageError, match=rf"at least {count} days, and there are {count - 1}"):
        conformal.interval(off[1:], {Unit.DAY: np.arange(count - 1)}, None, level)


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.MULTICLASS])
def test_only_numbers_have_an_interval(task: Task) -> None:
    told = rows.values(task)["estimator"] | {"interval": 0.9}
    with pytest.raises(UsageError, match=rf"'estimator\.interval' is of numbers; {task} has none"):
        rows.fit(rows.parameters(task, estimator=told))


@pytest.mark.parametrize("key", ["interval", "calibration"])
@pytest.mark.parametrize("value", ["0.9", True, "most"])
def test_a_share_in_quotes_is_none(key: str, value: object) -> None:
    told = rows.values(NUMBERS)["estimator"]
    asked = rows.parameters(NUMBERS, estimator=told | {key: value})
    with pytest.raises(UsageError, match=rf"^params.yaml: 'estimator\.{key}' = [^;]*number$"):
        of_held_out(asked)
    whole = of_held_out(rows.parameters(NUMBERS, estimator=told | {"calibration": 1}))
    assert whole.calibration == 1


def test_a_prediction_has_its_ends_beside_it_and_they_come_back(
    model: module.Predictor, tmp_path: Path
) -> None:
    few = rows.parts()["test"].head(20)
    found = model.predict(few)
    assert list(found) == OUTPUTS
    np.testing.assert_array_equal(found["prediction"], rows.fitted(NUMBERS).scores(few))
    ends = model.interval[0] < 0 < model.interval[1]
    assert ends and (found["lower"] < found["prediction"]).all()
    model.save(tmp_path)
    assert module.load(tmp_path).interval == model.interval
    bare = replace(model, interval=())
    assert rows.digest_of(bare) == rows.digest_of(rows.fitted(NUMBERS)) != rows.digest_of(model)


def test_a_level_that_is_set_is_in_what_the_interval_lies_around() -> None:
    told = rows.values(NUMBERS)["estimator"] | {"interval": 0.9, "calibration": 1.0}
    both, seen = rows.fit(rows.parameters(NUMBERS, estimator=told)), rows.parts()["validation"]
    off = seen["arr_delay"].to_numpy(float) - both.scores(seen)
    low, high = both.interval
    assert np.mean(off < low) < 0.1 and np.mean(off > high) < 0.1
    assert (low, high) != rows.fit(asked()).interval


def test_everybody_who_asks_a_server_sees_the_ends(written: Path) -> None:
    front, _ = callers.application(written)
    (told,) = callers.ask(front, "POST", "/predict", {"rows": [callers.ROW]}).json()["predictions"]
    assert list(told) == OUTPUTS and told["lower"] < told["prediction"] < told["upper"]
    line = ",".join("" if value is None else str(value) for value in callers.ROW.values())
    sent = f"{','.join(callers.ROW)}\n{line}\n".encode()
    way = {"content_type": "text/csv", "accept": "text/csv"}
    table = callers.ask(front, "POST", "/invocations", sent, **way).body.decode()
    assert table.splitlines()[0] == ",".join(OUTPUTS)
    shape = callers.ask(front, "GET", "/openapi.json").json()["components"]["schemas"]
    assert list(shape["Prediction"]["properties"]) == OUTPUTS
    form = urlencode({name: "" if it is None else it for name, it in callers.ROW.items()}).encode()
    page = callers.ask(front, "POST", "/", form, content_type="application/x-www-form-urlencoded")
    assert all(f"<dt>{name}</dt>" in page.body.decode() for name in OUTPUTS)


def test_everybody_who_asks_a_server_is_told_how_sure_the_ends_are(
    written: Path, model: module.Predictor, tmp_path: Path
) -> None:
    def told(folder: Path) -> tuple[object, object, bool]:
        front, _ = callers.application(folder)
        about = callers.ask(front, "GET", "/metadata").json()
        shape = callers.ask(front, "GET", "/openapi.json").json()["components"]["schemas"]
        sent = {name: "" if it is None else it for name, it in callers.ROW.items()}
        way = {"content_type": "application/x-www-form-urlencoded"}
        page = callers.ask(front, "POST", "/", urlencode(sent).encode(), **way).body.decode()
        described = shape["Prediction"].get("description")
        return about.get("interval"), described, f"<p>{SURE}</p>" in page

    assert told(written) == (0.9, SURE, True)
    of = model, COLUMNS, rows.parts()["train"], "rows", rows.ROOT / SERVING_LOCK
    directory.write(*of, tmp_path / "untold")
    assert told(tmp_path / "untold") == (None, None, False)


def test_the_stage_writes_the_level_that_its_params_ask_for(
    model: module.Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = list[object]()
    monkeypatch.setattr(directory, "write", lambda *of: levels.append(of[-1]) or "digest")
    (tmp_path / "data/prepared").mkdir(parents=True)
    (tmp_path / "models").mkdir()
    for params in (asked(0.8), rows.parameters(NUMBERS), None):
        directory.save(model, COLUMNS, rows.parts()["train"], tmp_path, params)
    assert levels == [0.8, None, None]


def test_the_signature_names_the_ends_and_only_their_loss_breaks_a_caller(
    written: Path, tmp_path: Path
) -> None:
    rows.write_model(NUMBERS, tmp_path / "before")
    assert list(signature.columns(written)[1].items()) == [(it, "double") for it in OUTPUTS]
    assert signature.breaking_changes(written, tmp_path / "before") == []
    lost = signature.breaking_changes(tmp_path / "before", written)
    assert lost == [f"{it!r} no longer comes back as double" for it in OUTPUTS[1:]]


def test_what_is_explained_is_the_prediction_and_not_an_end_of_it(written: Path) -> None:
    explainer = Explainer(callers.model(written))
    assert explainer.outputs == ("prediction",)
    names = explainer._encoder.columns
    row = {name: rows.parts()["test"][name].iloc[0] for name in names}
    found = explainer.explain(row)
    moved = found.base + sum(it.contribution for it in found.contributions)
    assert found.output == "prediction" and moved == pytest.approx(found.prediction, abs=1e-9)


def test_who_asks_for_an_explanation_sees_the_ends_too(
    written: Path, model: module.Predictor, tmp_path: Path
) -> None:
    front, _ = callers.application(written)
    rows_sent = {"rows": [callers.ROW]}
    (told,) = callers.ask(front, "POST", "/explain", rows_sent).json()["explanations"]
    (said,) = callers.ask(front, "POST", "/predict", rows_sent).json()["predictions"]
    assert {name: told[name] for name in OUTPUTS} == said
    shape = callers.ask(front, "GET", "/openapi.json").json()["components"]["schemas"]
    assert shape["Explanation"]["required"] == [*told] and {*OUTPUTS} < {*told}
    found = Explainer(callers.model(written)).explain(callers.ROW)
    ends = f"{said['lower']:.6g} to {said['upper']:.6g}"
    head, sure, *_ = in_words("row 1", found, True).splitlines()
    assert head.startswith(f"row 1: prediction {said['prediction']:.6g} ({ends}), where typical")
    assert f"{sure}." == SURE
    of = model, COLUMNS, rows.parts()["train"], "rows", rows.ROOT / SERVING_LOCK
    directory.write(*of, tmp_path / "untold", (8, 7))
    untold = Explainer(callers.model(tmp_path / "untold")).explain(callers.ROW)
    assert f"({ends})" in (words := in_words("row 1", untold, True)) and "to lie" not in words


def test_a_model_without_an_interval_is_explained_as_before(
    explained_of: Callable[[Task], Path],
) -> None:
    front, _ = callers.application(explained_of(NUMBERS))
    told = callers.ask(front, "POST", "/explain", {"rows": [callers.ROW]}).json()["explanations"]
    assert not {*OUTPUTS[1:]} & {*told[0]}
    shape = callers.ask(front, "GET", "/openapi.json").json()["components"]["schemas"]
    assert [*shape["Explanation"]["properties"]] == [*told[0]]


def test_the_test_rows_say_how_often_it_holds_also_slice_by_slice(model: module.Predictor) -> None:
    found = figures.of_model(asked(), model, rows.parts())
    told = found["interval"]
    test = rows.parts()["test"]
    said = model.predict(test)
    inside = (test["arr_delay"] >= said["lower"]) & (test["arr_delay"] <= said["upper"])
    assert told["coverage"]["value"] == pytest.approx(inside.mean(), abs=1e-6)
    assert told["coverage"]["low"] < told["coverage"]["value"] <= told["coverage"]["high"] <= 1
    by_carrier = {it["name"]: it["coverage"]["value"] for it in told["slices"]["carrier"]}
    of = inside.groupby(test["carrier"]).mean()
    assert by_carrier == pytest.approx(of.to_dict(), abs=1e-6)
    assert (told["level"], told["lower"], told["upper"]) == (0.9, *model.interval)
    assert "interval" not in figures.of_model(asked(), rows.fitted(NUMBERS), rows.parts())
