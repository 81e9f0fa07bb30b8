import asyncio
import base64
import json
import re
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import callers
import jsonschema
import numpy as np
import pytest
from callers import ROW, ask, asking

from mlrails.core.params import Task
from mlrails.modeling import signature
from mlrails.serving.http.limits import Limits
from mlrails.serving.model.current import Holder
from mlrails.serving.model.scoring import INLINE_ROWS
from mlrails.serving.web import page as web_page
from mlrails.serving.web.front import Front


@pytest.fixture
def front(model: Path) -> Front:
    return callers.application(model)[0]


@pytest.fixture
def events(model_of: Callable[[Task], Path]) -> Path:
    return model_of(Task.CLASSIFICATION)


def test_both_ways_of_asking_give_the_models_answer(front: Front, task: Task) -> None:
    plain = ask(front, "POST", "/predict", {"rows": [ROW, ROW]})
    theirs = ask(front, "POST", "/invocations", {"dataframe_records": [ROW, ROW]})
    assert plain.status == theirs.status == 200
    assert plain.json()["predictions"] == theirs.json()["predictions"]
    names = {
        Task.CLASSIFICATION: {"prediction", "probability"},
        Task.REGRESSION: {"prediction"},
        Task.MULTICLASS: {
            *("prediction", "probability_early", "probability_late", "probability_on time")
        },
    }[task]
    assert [set(one) for one in plain.json()["predictions"]] == [names, names]
    assert plain.json()["model"]["version"] == plain.headers["x-model-version"] == "1"


def test_csv_goes_in_and_out(front: Front, task: Task) -> None:
    line = ",".join("" if value is None else str(value) for value in ROW.values())
    body = f"{','.join(ROW)}\n{line}\n".encode()
    found = ask(front, "POST", "/invocations", body, content_type="text/csv", accept="text/csv")
    assert found.headers["content-type"].startswith("text/csv")
    header, first = found.body.decode().splitlines()
    (expected,) = ask(front, "POST", "/predict", {"rows": [ROW]}).json()["predictions"]
    assert dict(zip(header.split(","), first.split(","), strict=True)) == {
        name: str(value) for name, value in expected.items()
    }


def by_distance(calls: list[int]) -> Any:
    """Return a predictor that scores each row alone: a network adds up otherwise among others."""

    def predict(columns: Any) -> Any:
        distance = np.asarray(columns["distance"], float)
        calls.append(len(distance))
        return {"prediction": distance > 150, "probability": distance / 1000}

    return SimpleNamespace(predict=predict)


def test_rows_that_arrive_together_are_scored_together_and_not_mixed(events: Path) -> None:
    front, holder = callers.application(events)
    sent = [ROW | {"distance": 100.0 + place} for place in range(60)]
    calls: list[int] = []
    holder.replace(replace(holder.now.served, predictor=by_distance(calls)))
    alone = [ask(front, "POST", "/predict", {"rows": [row]}).json()["predictions"] for row in sent]
    assert calls == [1] * 60
    calls.clear()

    async def together() -> list[callers.Answered]:
        return await asyncio.gather(
            *(asking(front, "POST", "/predict", {"rows": [row]}) for row in sent)
        )

    answers = asyncio.run(together())
    assert [it.json()["predictions"] for it in answers] == alone
    assert sum(calls) == 60 and len(calls) < 10


def test_many_rows_are_scored_aside(events: Path) -> None:
    front, holder = callers.application(events)
    holder.replace(replace(holder.now.served, predictor=by_distance([])))
    rows = [ROW | {"distance": 1.0 + place} for place in range(INLINE_ROWS + 1)]
    many = ask(front, "POST", "/predict", {"rows": rows}).json()["predictions"]
    last = ask(front, "POST", "/predict", {"rows": rows[-1:]}).json()["predictions"]
    assert len(many) == INLINE_ROWS + 1 and many[-1] == last[0]


def test_one_request_that_the_model_cannot_take_does_not_fail_the_others(events: Path) -> None:
    front, holder = callers.application(events)
    served = holder.now.served

    class Touchy:
        def predict(self, columns: Any) -> Any:
            if 13.0 in columns["distance"]:
                raise RuntimeError("thirteen")
            return served.predictor.predict(columns)

    touchy: Any = Touchy()
    holder.replace(replace(served, predictor=touchy))

    async def together() -> list[int]:
        rows = [ROW | {"distance": value} for value in (12.0, 13.0, 14.0)]
        answers = [asking(front, "POST", "/predict", {"rows": [row]}) for row in rows]
        return [it.status for it in await asyncio.gather(*answers)]

    assert asyncio.run(together()) == [200, 500, 200]


@pytest.mark.parametrize("raised", [StopIteration(), SystemExit(3), BaseException("odd")])
@pytest.mark.parametrize("rows", [1, INLINE_ROWS + 1])
def test_whatever_a_model_raises_every_request_is_answered(
    events: Path, raised: BaseException, rows: int
) -> None:
    front, holder = callers.application(events)
    usual: Any = holder.now.served.predictor

    class Odd:
        def predict(self, columns: Any) -> Any:
            if 13.0 in columns["distance"]:
                raise raised
            return usual.predict(columns)

    odd: Any = Odd()
    holder.replace(replace(holder.now.served, predictor=odd))

    async def together() -> list[int]:
        sent = [[ROW | {"distance": it}] * rows for it in (12.0, 13.0, 14.0)]
        answers = [asking(front, "POST", "/predict", {"rows": it}) for it in sent]
        return [it.status for it in await asyncio.gather(*answers)]

    assert asyncio.run(together()) == [200, 500, 200]


def test_a_defect_is_told_to_the_log_alone_and_without_a_value(
    events: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    front, holder = callers.application(events)

    class Broken:
        def predict(self, columns: Any) -> Any:
            return float(columns["dest"][0])

    broken: Any = Broken()
    holder.replace(replace(holder.now.served, predictor=broken))
    found = ask(front, "POST", "/predict", {"rows": [ROW | {"dest": "SECRET"}]})
    assert found.status == 500 and "float" not in found.body.decode()
    said = capfd.readouterr().err
    assert "ValueError" in said and " predict" in said and "SECRET" not in said


def test_the_log_has_the_id_and_no_value(front: Front, capfd: pytest.CaptureFixture[str]) -> None:
    found = ask(front, "POST", "/predict", {"rows": [ROW | {"dest": "SECRET"}]}, x_request_id="a.b")
    assert found.headers["x-request-id"] == "a.b"
    ask(front, "POST", "/predict", {"rows": [ROW | {"distance": "SECRET"}]}, x_request_id="\n")
    said = capfd.readouterr().err
    first, second = map(json.loads, said.splitlines())
    assert (first["id"], first["status"], first["rows"]) == ("a.b", 200, 1)
    assert (second["status"], len(second["id"])) == (422, 32)
    assert "SECRET" not in said


def test_custom_attributes_of_sagemaker_come_back(front: Front) -> None:
    name = "x_amzn_sagemaker_custom_attributes"
    found = ask(front, "POST", "/invocations", {"instances": [ROW]}, **{name: "trace=7"})
    assert found.headers[name.replace("_", "-")] == "trace=7"


@pytest.mark.parametrize("path", ["/ping", "/health", "/ready", "/version", "/docs"])
def test_probes_and_people_are_answered(front: Front, path: str) -> None:
    assert ask(front, "GET", path).status == 200


def test_the_page_of_the_api_asks_no_other_host(front: Front) -> None:
    page = ask(front, "GET", "/docs").body.decode()
    asked = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(asked) >= 3
    assert {ask(front, "GET", path).status for path in asked} == {200}
    assert "//" not in "".join(asked)


def test_metadata_tells_the_signature(front: Front) -> None:
    found = ask(front, "GET", "/metadata").json()
    inputs = {it["name"]: it for it in found["inputs"]}
    assert inputs["temp"] == {
        "name": "temp", "type": "double", "nullable": True, "minimum": -60.0, "maximum": 140.0,
        "unit": "°F",
    }  # fmt: skip
    assert found["version"] == "1" and len(found["digest"]) == 64


def test_metrics_count_requests_by_path_and_status(front: Front) -> None:
    ask(front, "POST", "/predict", {"rows": [ROW]})
    ask(front, "POST", "/predict", {"rows": [{}]})
    ask(front, "GET", "/made/up/by/a/caller")
    text = ask(front, "GET", "/metrics").body.decode()
    assert 'requests_total{path="/predict",status="200"} 1.0' in text
    assert 'requests_total{path="/predict",status="422"} 1.0' in text
    assert 'requests_total{path="other",status="404"} 1.0' in text
    assert "made/up" not in text and 'version="1"' in text


def test_paths_that_callers_make_up_grow_no_figures(events: Path) -> None:
    front, _ = callers.application(events, "secret")

    def series() -> int:
        text = ask(front, "GET", "/metrics", authorization="Bearer secret").body.decode()
        return len([line for line in text.splitlines() if "path=" in line])

    ask(front, "GET", "/made/up")
    _, before = series(), series()
    for place in range(1000):
        ask(front, "GET", f"/made/up/{place}", authorization="Bearer wrong")
    assert series() == before


def test_the_document_describes_the_rows_with_an_example_that_works(front: Front) -> None:
    document = ask(front, "GET", "/openapi.json").json()
    temp = document["components"]["schemas"]["Row"]["properties"]["temp"]
    assert {"type": "null"} in temp["anyOf"] and temp["anyOf"][0]["maximum"] == 140
    carrier = document["components"]["schemas"]["Row"]["properties"]["carrier"]
    assert "AA" in carrier["description"] and carrier["examples"]
    for path in ("/predict", "/invocations"):
        content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        assert ask(front, "POST", path, content["example"]).status == 200


SHAPES: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "rows": lambda rows: rows,
    "columns": lambda rows: {name: [row[name] for row in rows] for name in rows[0]},
    "one row": lambda rows: rows[0],
    "lists": lambda rows: [[*row.values()] for row in rows],
    "a value beside lists": lambda rows: {**{name: [it] for name, it in ROW.items()}, "temp": 1.0},
    "a text for a number": lambda rows: rows[0] | {"distance": "187"},
    "nothing": lambda rows: None,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("form", ["dataframe_records", "inputs", "instances"])
def test_the_document_and_the_server_take_the_same_shapes(
    front: Front, form: str, shape: str
) -> None:
    document = ask(front, "GET", "/openapi.json").json()
    body = document["paths"]["/invocations"]["post"]["requestBody"]["content"]
    schema = {**body["application/json"]["schema"], "components": document["components"]}
    sent = {form: SHAPES[shape]([ROW, ROW | {"carrier": "EV"}])}
    told = jsonschema.Draft202012Validator(schema).is_valid(sent)
    assert told is (ask(front, "POST", "/invocations", sent).status == 200)


def test_the_document_says_what_is_taken_and_what_may_come_back(front: Front) -> None:
    document = ask(front, "GET", "/openapi.json").json()
    time = document["components"]["schemas"]["Row"]["properties"]["scheduled_departure"]
    assert "format" not in time and "without a zone" in time["description"]
    for text, right in {"2030-01-07T08:00:00": True, "2030-01-07T08:00:00Z": False}.items():
        assert bool(re.search(time["pattern"], text)) is right
        sent = {"rows": [ROW | {"scheduled_departure": text}]}
        assert ask(front, "POST", "/predict", sent).status == (200 if right else 422)
    paths = document["paths"]
    responses = paths["/invocations"]["post"]["responses"]
    assert "text/csv" in responses["200"]["content"] and "415" in responses
    assert "415" in paths["/predict"]["post"]["responses"]
    for path in ("/metadata", "/metrics", "/version"):
        told = paths[path]["get"]
        assert told["security"] == [{}, {"token": []}] and "401" in told["responses"]
    assert "security" not in paths["/ping"]["get"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/predict", "POST"), ("DELETE", "/invocations", "POST"), ("POST", "/ping", "GET")],
)
def test_another_method_is_told_which_one_is_taken(
    front: Front, method: str, path: str, allowed: str
) -> None:
    found = ask(front, method, path)
    assert (found.status, found.headers["allow"]) == (405, allowed)
    assert found.json()["message"] == f"{path} takes {allowed}"


@pytest.mark.parametrize("path", ["/", "/ping", "/version"])
def test_whoever_asks_for_the_head_alone_is_answered_as_well(front: Front, path: str) -> None:
    head, whole = (ask(front, method, path) for method in ("HEAD", "GET"))
    assert (head.status, head.headers["content-length"]) == (200, whole.headers["content-length"])


def test_nobody_is_led_to_a_host_that_the_caller_names(front: Front) -> None:
    found = ask(front, "GET", "/ping/", host="elsewhere.example")
    assert found.status == 404 and "location" not in found.headers


def test_the_document_begins_with_predictions_and_tells_every_path(front: Front) -> None:
    paths = ask(front, "GET", "/openapi.json").json()["paths"]
    assert next(iter(paths)) == "/predict"
    told = [it for methods in paths.values() for it in methods.values()]
    assert len({it["summary"] for it in told}) == len(told) and all(it["tags"] for it in told)


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"me:{password}".encode()).decode()


def test_a_token_is_asked_for_where_there_is_one(events: Path) -> None:
    front, _ = callers.application(events, "secret")

    def ask_with(**sent: str) -> callers.Answered:
        return ask(front, "POST", "/predict", {"rows": [ROW]}, **sent)

    assert ask_with().status == 401
    assert "Basic" in ask_with().headers["www-authenticate"]
    for wrong in ("Bearer secrets", "Bearer ", "secret", basic("x"), "Basic %%%", "Bearer é"):
        assert ask_with(authorization=wrong).status == 401, wrong
    for right in ("Bearer secret", "bearer secret", basic("secret")):
        assert ask_with(authorization=right).status == 200, right
    for path in ("/", "/docs", "/metadata", "/metrics", "/openapi.json", "/version"):
        assert ask(front, "GET", path).status == 401, path
    assert ask(front, "GET", "/ping").status == 200


def test_a_body_too_large_is_refused_before_or_while_it_comes(events: Path) -> None:
    front, _ = callers.application(events, limits=Limits(body=1000))
    declared = ask(front, "POST", "/predict", b"{}", content_length="1001")
    assert (declared.status, declared.headers["connection"]) == (413, "close")
    assert ask(front, "POST", "/predict", [b" " * 600, b" " * 600]).status == 413


def test_all_bodies_together_are_bounded(events: Path) -> None:
    front, _ = callers.application(events, limits=Limits(body=1000, bodies=500))
    found = ask(front, "POST", "/predict", [b" " * 600, b""])
    assert (found.status, found.headers["retry-after"]) == (503, "1")
    assert ask(front, "POST", "/predict", {"rows": [ROW]}).status == 200


def test_a_body_counts_until_it_is_answered(events: Path) -> None:
    body = {"rows": [ROW]}
    size = len(json.dumps(body))
    front, _ = callers.application(events, limits=Limits(bodies=3 * size))

    async def together() -> list[int]:
        answers = [asking(front, "POST", "/predict", body) for _ in range(5)]
        return [it.status for it in await asyncio.gather(*answers)]

    assert sorted(asyncio.run(together())) == [200, 200, 200, 503, 503]
    assert ask(front, "POST", "/predict", body).status == 200


def test_one_request_too_many_is_sent_away_and_the_others_are_answered(events: Path) -> None:
    front, _ = callers.application(events, limits=Limits(requests=3))

    async def together() -> list[int]:
        answers = [asking(front, "POST", "/predict", {"rows": [ROW]}) for _ in range(5)]
        return [it.status for it in await asyncio.gather(*answers)]

    assert sorted(asyncio.run(together())) == [200, 200, 200, 503, 503]


def test_a_body_too_slow_is_given_up(events: Path) -> None:
    front, _ = callers.application(events, limits=Limits(body_seconds=0.01))
    said: list[Any] = []

    async def never() -> Any:
        await asyncio.sleep(60)

    async def send(message: Any) -> None:
        said.append(message)

    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": []}
    asyncio.run(front(scope, never, send))
    assert said[0]["status"] == 408


def test_an_answer_too_slow_is_given_up(events: Path) -> None:
    front, holder = callers.application(events, limits=Limits(answer_seconds=0.01))
    released = threading.Event()

    class Slow:
        def predict(self, columns: Any) -> Any:
            released.wait(30)

    slow: Any = Slow()
    holder.replace(replace(holder.now.served, predictor=slow))

    async def asked() -> int:
        rows = [ROW] * (INLINE_ROWS + 1)
        found = await asking(front, "POST", "/predict", {"rows": rows})
        released.set()
        return found.status

    assert asyncio.run(asked()) == 504


def test_a_new_model_answers_with_its_own_schema(
    model_of: Callable[[Task], Path], tmp_path: Path
) -> None:
    front, holder = callers.application(model_of(Task.CLASSIFICATION))
    before = ask(front, "POST", "/predict", {"rows": [ROW]})
    holder.replace(callers.model(model_of(Task.REGRESSION), "2"))
    after = ask(front, "POST", "/predict", {"rows": [ROW]})
    assert before.json()["model"]["version"] == "1" and after.json()["model"]["version"] == "2"
    assert set(after.json()["predictions"][0]) == {"prediction"}
    shutil.rmtree(tmp_path)


def test_the_page_shows_a_form_that_answers(front: Front) -> None:
    shown = ask(front, "GET", "/").body.decode()
    listed = re.search(r'<select id="carrier" name="carrier">(.*?)</select>', shown)
    assert listed and re.findall("<option[^>]*>(.*?)</option>", listed[1]) == [
        "AA",
        "B6",
        "DL",
        "EV",
        "UA",
    ]
    assert listed[1].count(" selected") == 1 and "missing" not in listed[1]
    assert '<label for="wind_speed">wind_speed <span>(mph)</span></label>' in shown
    assert "may be empty" in shown and '.0"' not in shown
    form = "&".join(f"{name}={'' if it is None else it}" for name, it in ROW.items())
    found = ask(front, "POST", "/", form.encode())
    assert found.status == 200 and "<dt>prediction</dt>" in found.body.decode()
    assert '"answer refused"' not in found.body.decode()
    wrong = ask(front, "POST", "/", form.replace("187.0", "far").encode())
    said = wrong.body.decode()
    assert wrong.status == 422 and '<dl class="answer refused"' in said
    assert "must be a valid number</small><small>from 1</small>" in said


def test_a_category_may_be_missing_or_unknown(front: Front) -> None:
    field = signature.Field("kind", "string", nullable=True, known=("a", "b"))
    shown = web_page._field(field, "", {})
    assert '<option value="" selected>missing</option>' in shown
    assert '<option value="&lt;c" selected>&lt;c</option>' in web_page._field(field, "<c", {})
    many = replace(field, known=tuple(map(str, range(1000))))
    assert "<datalist" in web_page._field(many, "7", {}) and "and 992 more" in web_page._field(
        many, "7", {}
    )
    yes = web_page._field(signature.Field("rain", "boolean"), "true", {})
    assert '<option value="true" selected>' in yes and "missing" not in yes


def test_a_form_that_is_no_person_s_is_refused(front: Front) -> None:
    found = ask(front, "POST", "/", b"temp=1&" * 10_000)
    assert found.status == 413 and "64 KiB" in found.json()["message"]


def test_the_page_repeats_what_was_sent_as_text_alone(front: Front) -> None:
    found = ask(front, "POST", "/", b"carrier=%22%3E%3Cscript%3Ex")
    assert "<script" not in found.body.decode()
    assert "default-src 'none'" in found.headers["content-security-policy"]


def test_a_holder_lets_requests_keep_the_model_they_began_with(events: Path) -> None:
    _, holder = callers.application(events)
    first = holder.now
    holder.replace(first.served)
    assert isinstance(holder, Holder) and holder.now is not first


def test_the_page_tells_the_likeliest_classes_first_and_the_others_as_one() -> None:
    shares = {f"probability_<{place}>": place / 66 for place in range(12)}
    told = list(web_page._told({"prediction": "<11>", **shares}))
    assert told[:3] == [
        ("prediction", "<11>"),
        ("probability_<11>", 11 / 66),
        ("probability_<10>", 10 / 66),
    ]
    assert told[-1] == ("2 more classes", pytest.approx(1 / 66))
    assert list(web_page._told({"prediction": True, "probability": 0.7})) == [
        ("prediction", True),
        ("probability", 0.7),
    ]


def test_the_page_shows_the_label_and_each_probability(model_of: Callable[[Task], Path]) -> None:
    front, _ = callers.application(model_of(Task.MULTICLASS))
    sent = urlencode({name: "" if it is None else str(it) for name, it in ROW.items()}).encode()
    form = "application/x-www-form-urlencoded"
    found = ask(front, "POST", "/", sent, content_type=form).body.decode()
    told = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", found)
    assert told[0][0] == "prediction"
    shares = [float(value) for name, value in told if name.startswith("probability_")]
    assert len(shares) == 3
    assert shares == sorted(shares, reverse=True)
    assert told[0][1] == told[1][0].removeprefix("probability_")


def test_the_document_names_each_class(model_of: Callable[[Task], Path]) -> None:
    front, _ = callers.application(model_of(Task.MULTICLASS))
    document = ask(front, "GET", "/openapi.json").json()
    assert document["components"]["schemas"]["Prediction"]["properties"] == {
        "prediction": {"type": "string"},
        **{f"probability_{it}": {"type": "number"} for it in ("early", "late", "on time")},
    }
