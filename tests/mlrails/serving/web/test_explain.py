"""`/explain` and what the page shows of it."""

import asyncio
import json
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import callers
import pytest
from callers import ask, asking

from mlrails.core.params import Task
from mlrails.explaining.explanation import Contribution, Explainer, Explanation
from mlrails.explaining.outside import Outside
from mlrails.serving.http.body import MOST_EXPLAINED
from mlrails.serving.http.limits import Limits
from mlrails.serving.web import explain as web_explain
from mlrails.serving.web import why
from mlrails.serving.web.front import Front

ROW = callers.ROW | {"distance": 50.0}
ExplainedOf = Callable[[Task], Path]


@pytest.fixture
def front(explained_of: ExplainedOf, task: Task) -> Front:
    return callers.application(explained_of(task))[0]


@pytest.fixture
def events(explained_of: ExplainedOf) -> Path:
    return explained_of(Task.CLASSIFICATION)


def test_each_row_is_explained_up_to_what_predict_says(front: Front, task: Task) -> None:
    sent = [ROW, ROW | {"carrier": "EV"}]
    said = ask(front, "POST", "/predict", {"rows": sent}).json()["predictions"]
    found = ask(front, "POST", "/explain", {"rows": sent})
    assert found.status == 200
    assert found.json()["model"]["version"] == found.headers["x-model-version"] == "1"
    for one, answer in zip(found.json()["explanations"], said, strict=True):
        total = one["base"] + sum(it["contribution"] for it in one["contributions"])
        assert total == pytest.approx(one["prediction"], abs=1e-6)
        assert one["prediction"] == pytest.approx(answer[one["output"]], rel=1e-12)
        assert {it["column"]: it["value"] for it in one["contributions"]} == {
            **ROW,
            "carrier": next(
                it["value"] for it in one["contributions"] if it["column"] == "carrier"
            ),
        }
        assert one["exact"] is True and one["outside"] == []


def test_a_class_can_be_named(explained_of: ExplainedOf) -> None:
    front, _ = callers.application(explained_of(Task.MULTICLASS))
    found = ask(front, "POST", "/explain", {"rows": [ROW], "output": "probability_on time"})
    assert found.json()["explanations"][0]["output"] == "probability_on time"
    wrong = ask(front, "POST", "/explain", {"rows": [ROW], "output": "probability_on tim"})
    assert wrong.status == 422
    assert "did you mean 'probability_on time'?" in wrong.json()["message"]


def test_what_lies_outside_is_told(events: Path) -> None:
    front, _ = callers.application(events)
    sent = ROW | {"carrier": "SECRET", "distance": 5_000.0}
    (found,) = ask(front, "POST", "/explain", {"rows": [sent]}).json()["explanations"]
    assert [it["column"] for it in found["outside"]] == ["carrier", "distance"]
    assert "SECRET" not in json.dumps(found["outside"])


def test_a_model_of_before_says_in_one_sentence_why_not(
    model_of: Callable[[Task], Path],
) -> None:
    front, _ = callers.application(model_of(Task.CLASSIFICATION))
    found = ask(front, "POST", "/explain", {"rows": [ROW]})
    assert found.status == 501 and found.json()["error_code"] == "NOT_IMPLEMENTED"
    assert "write `background: 32` below `features`" in found.json()["message"]
    page = ask(front, "POST", "/", urlencode(form(ROW)).encode())
    assert page.status == 200 and "Why this prediction" not in page.body.decode()


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 422, 'send {"rows": [{column: value, ...}]}'),
        ({"rows": []}, 422, "there is no row"),
        ({"rows": {}}, 422, "the rows must be a list"),
        ({"rows": [ROW], "ouput": "x"}, 422, "'ouput' means nothing here (did you mean 'output'?)"),
        ({"rows": [ROW], "output": 1}, 422, "the name of what is to be explained"),
        ({"rows": [{**ROW, "distance": "far"}]}, 422, "column 'distance': must be a valid number"),
        ({"rows": [ROW] * (MOST_EXPLAINED + 1)}, 413, f"at most {MOST_EXPLAINED} rows"),
        (b'{"rows": [1', 400, "the body is not JSON"),
    ],
)
def test_what_cannot_be_read_is_refused(events: Path, body: Any, status: int, said: str) -> None:
    found = ask(callers.application(events)[0], "POST", "/explain", body)
    assert (found.status, said in found.json()["message"]) == (status, True), found.body


def test_a_name_that_stands_twice_is_refused(events: Path) -> None:
    body = json.dumps({"rows": [ROW]}).replace('"temp"', '"carrier": "UA", "temp"').encode()
    found = ask(callers.application(events)[0], "POST", "/explain", body)
    assert found.status == 422 and "'carrier' stands twice" in found.json()["message"]


def test_only_a_caller_with_the_token_is_told(events: Path) -> None:
    front, _ = callers.application(events, token="abc")  # noqa: S106 - of this test
    assert ask(front, "POST", "/explain", {"rows": [ROW]}).status == 401
    told = ask(front, "POST", "/explain", {"rows": [ROW]}, authorization="Bearer abc")
    assert told.status == 200
    assert ask(front, "GET", "/explain", authorization="Bearer abc").status == 405


def test_too_many_at_once_are_told_to_come_again(
    events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    front, _ = callers.application(events)
    go, good = threading.Event(), Explainer.explain

    def slow(*given: Any) -> Explanation:
        go.wait(30)
        return good(*given)

    monkeypatch.setattr(Explainer, "explain", slow)

    async def together() -> list[int]:
        asked = [
            asyncio.ensure_future(asking(front, "POST", "/explain", {"rows": [ROW]}))
            for _ in range(web_explain._MOST_WAITING + 3)
        ]
        while sum(it.done() for it in asked) < 3:
            await asyncio.sleep(0)
        # Predictions do not wait for explanations.
        assert (await asking(front, "POST", "/predict", {"rows": [ROW]})).status == 200
        go.set()
        return sorted(it.status for it in await asyncio.gather(*asked))

    assert asyncio.run(together()) == [200] * web_explain._MOST_WAITING + [503] * 3


def test_what_takes_too_long_is_given_up_between_two_rows(events: Path) -> None:
    front, _ = callers.application(events, limits=Limits(answer_seconds=0))
    found = ask(front, "POST", "/explain", {"rows": [ROW]})
    assert found.status == 504 and "longer than 0 s; send fewer rows" in found.json()["message"]


@pytest.mark.parametrize("raised", [StopIteration(), SystemExit(3), ValueError("odd")])
def test_whatever_a_model_raises_the_request_is_answered(
    events: Path, raised: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    front, _ = callers.application(events)

    def fail(*_: Any) -> None:
        raise raised

    monkeypatch.setattr(Explainer, "explain", fail)
    assert ask(front, "POST", "/explain", {"rows": [ROW]}).status == 500
    page = ask(front, "POST", "/", urlencode(form(ROW)).encode())
    assert page.status == 200 and "Why this prediction" not in page.body.decode()


def test_another_model_is_explained_by_itself(explained_of: ExplainedOf) -> None:
    front, holder = callers.application(explained_of(Task.CLASSIFICATION))
    first = ask(front, "POST", "/explain", {"rows": [ROW]}).json()
    holder.replace(replace(callers.model(explained_of(Task.REGRESSION), "2")))
    second = ask(front, "POST", "/explain", {"rows": [ROW]}).json()
    assert first["explanations"][0]["output"] == "probability"
    assert second["explanations"][0]["output"] == "prediction"
    assert second["model"]["version"] == "2"


def form(row: dict[str, Any]) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in row.items()}


def shown(front: Front, row: dict[str, Any]) -> str:
    return ask(front, "POST", "/", urlencode(form(row)).encode()).body.decode()


def test_the_page_tells_why(front: Front) -> None:
    page = shown(front, ROW | {"carrier": "<b>"})
    assert "<h2>Why this prediction</h2>" in page and "<b>carrier</b> is a category" in page
    assert "&lt;b&gt;" in page and "<td><b></td>" not in page
    moved = [float(it) for it in re.findall(r'<td class="moved">([^<]+)</td>', page)]
    assert len(moved) >= 2 and abs(moved[0]) == max(map(abs, moved))
    assert "<script" not in page
    assert "Why this prediction" not in shown(front, ROW | {"distance": "far"})


def explained(moves: Sequence[float], error: float = 0.0) -> Explanation:
    told = tuple(Contribution(f"c{n}", n, it, error) for n, it in enumerate(moves))
    return Explanation("prediction", 1.0, 1.0 + sum(moves), told, 0, (Outside("c0", "is odd"),))


def test_small_columns_are_told_together_and_bars_stay_in_their_half() -> None:
    page = why.section(explained([8, -4, *[0.5] * 8], error=0.02), str)
    assert page.count("<tr>") == 9 and "2 more columns" in page and "+1<" in page
    bars = [
        (float(start), float(width))
        for start, width in re.findall(r"left:([\d.]+)%;width:([\d.]+)%", page)
    ]
    assert bars[0] == (50, 50) and bars[1] == (25, 25)
    assert all(start >= 0 and start + width <= 100 for start, width in bars)
    assert "right to about ±0.04" in page and "<b>c0</b> is odd." in page


def test_what_moves_nothing_has_no_bar() -> None:
    assert "<tr>" not in why.section(explained([0.0, 0.0]), str)


def test_the_document_tells_how_to_ask(front: Front) -> None:
    document = ask(front, "GET", "/openapi.json").json()
    told = document["paths"]["/explain"]["post"]
    assert {"200", "401", "413", "422", "501", "503", "504"} <= {*told["responses"]}
    schemas = document["components"]["schemas"]
    assert schemas["RowsToExplain"]["properties"]["rows"]["maxItems"] == MOST_EXPLAINED
    (one,) = ask(front, "POST", "/explain", {"rows": [ROW]}).json()["explanations"]
    assert {*schemas["Explanation"]["properties"]} == {*one}
    assert {*schemas["Contribution"]["properties"]} == {*one["contributions"][0]}
