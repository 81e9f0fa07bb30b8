"""What the heads of a request say: of the body, of the answer that is liked, of the way here."""

import codecs
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import callers
import pytest
from callers import ask

from mlrails.core.errors import UsageError
from mlrails.core.params import Task
from mlrails.serving.http import prefix
from mlrails.serving.http.connection import check_host
from mlrails.serving.http.media import parse_content_type, wants_csv
from mlrails.serving.http.messages import RefusedError
from mlrails.serving.process import options
from mlrails.serving.web.front import Front

TWO = ("POST", "/invocations")


@pytest.fixture
def front(model_of: Callable[[Task], Path]) -> Front:
    return callers.application(model_of(Task.CLASSIFICATION))[0]


@pytest.fixture
def example(model_of: Callable[[Task], Path]) -> Any:
    path = model_of(Task.CLASSIFICATION) / "serving_input_example.json"
    return json.loads(path.read_text("utf-8"))


def test_a_mark_before_utf_8_is_no_part_of_the_body(front: Front, example: Any) -> None:
    body = json.dumps(example, indent=2).encode()
    found = ask(front, *TWO, codecs.BOM_UTF8 + body)
    assert (found.status, found.body) == (200, ask(front, *TWO, body).body)
    twice = codecs.BOM_UTF8 + b'{"instances": [], "instances" : []}'
    assert ask(front, *TWO, twice).status == 422
    other = ask(front, *TWO, body.decode().encode("utf-16"))
    assert other.status == 400 and "UTF-16" in other.json()["message"]


@pytest.mark.parametrize("index", [[1, 2, 3], [], 5, "abc", {"0": 0}])
def test_an_index_belongs_to_the_rows(front: Front, example: Any, index: Any) -> None:
    example["dataframe_split"]["index"] = index
    found = ask(front, *TWO, example)
    assert found.status == 422 and "index" in found.json()["message"]


@pytest.mark.parametrize("index", [[0, 1], ["a", "b"], None])
def test_an_index_of_the_rows_changes_nothing(front: Front, example: Any, index: Any) -> None:
    expected = ask(front, *TWO, example).body
    example["dataframe_split"]["index"] = index
    assert ask(front, *TWO, example).body == expected


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"params": {"x": 1}}, "no 'params'"),
        ({"signature_name": "serving_default"}, "'signature_name' means nothing here"),
        ({"instnaces": []}, "(did you mean 'instances'?)"),
        ({"inputs": []}, "not 'dataframe_split' and 'inputs'"),
    ],
)
def test_a_name_too_many_is_named(front: Front, example: Any, more: Any, said: str) -> None:
    found = ask(front, *TWO, example | more)
    assert found.status == 422 and said in found.json()["message"]


def test_the_same_names_are_told_to_whoever_asks_plainly(front: Front) -> None:
    found = ask(front, "POST", "/predict", {"rows": [], "parmas": 1})
    assert "'parmas' means nothing here" in found.json()["message"]
    assert ask(front, *TWO, {"params": {}}).json()["message"].endswith("not none of them")


@pytest.mark.parametrize("path", ["/invocations", "/predict", "/"])
@pytest.mark.parametrize("coding", ["gzip", "br", "x-unknown", "gzip, identity"])
def test_a_packed_body_is_refused_by_its_name(front: Front, path: str, coding: str) -> None:
    found = ask(front, "POST", path, b"\x1f\x8b", content_encoding=coding)
    assert found.status == 415 and repr(coding) in found.json()["message"]
    assert found.headers["accept-encoding"] == "identity"


def test_a_body_as_it_is_may_say_so(front: Front, example: Any) -> None:
    assert ask(front, *TWO, example, content_encoding="identity").status == 200


@pytest.mark.parametrize("charset", ["utf-16", "ISO-8859-1", "utf-8-sig", '"latin-1"'])
@pytest.mark.parametrize("kind", ["application/json", "text/csv; header=absent"])
def test_letters_of_another_alphabet_are_refused(front: Front, charset: str, kind: str) -> None:
    for path in ("/invocations", "/predict"):
        found = ask(front, "POST", path, b"{}", content_type=f"{kind}; charset={charset}")
        assert found.status == 415 and "send UTF-8" in found.json()["message"]


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "us-ascii"])
def test_utf_8_may_be_named(front: Front, example: Any, charset: str) -> None:
    kind = f"application/json; charset={charset}"
    assert ask(front, *TWO, example, content_type=kind).status == 200


@pytest.mark.parametrize(
    ("accept", "csv"),
    [
        ("", False),
        ("*/*", False),
        ("text/csv", True),
        ("Text/CSV", True),
        ("text/*", True),
        ("text/csv, */*", True),
        ("text/csv, application/json", True),
        ("application/json, text/csv", False),
        ("text/csv;q=0.1, application/json", False),
        ("text/csv ; q=0.9 , application/json ; q=0.8", True),
        ("text/csv;q=0", False),
        ("text/csv;q=0, */*", False),
        ("application/json;q=0, */*", True),
        ("text/html, */*;q=0.1", False),
        ("text/html", False),
        ("text/csv;q=high", False),
        ("text/csv;q=nan, application/json;q=0.1", False),
        ("text/csvx", False),
    ],
)
def test_what_is_liked_better_comes_back(
    front: Front, example: Any, accept: str, csv: bool
) -> None:
    assert wants_csv(accept.encode()) is csv
    found = ask(front, *TWO, example, accept=accept)
    kind = "text/csv" if csv else "application/json"
    assert found.status == 200 and found.headers["content-type"].startswith(kind)


def test_latency_is_told_by_status_as_well(front: Front, example: Any) -> None:
    ask(front, *TWO, example)
    ask(front, *TWO, b"{")
    text = ask(front, "GET", "/metrics").body.decode()
    for status in ("200", "400"):
        labels = f'path="/invocations",status="{status}"'
        assert "request_seconds_count{" + labels + "} 1.0" in text


GOOD_PREFIXES = ["/model", "/a/b-c.d_e~f", "/model/"]
BAD_PREFIXES = [
    "//evil.example", "/\\evil.example", "https://evil.example", "/a//b", "/..", "/a/../b", "/a/.",
    '/"><script>', "/a b", "/%2f%2fevil", "model", "/a\r\nX: 1", "/a, /b", "/" + "a" * 300, "/é",
]  # fmt: skip


@pytest.mark.parametrize("said", GOOD_PREFIXES)
def test_pages_lead_below_the_path_that_a_proxy_names(front: Front, said: str) -> None:
    below = said.rstrip("/")
    page = ask(front, "GET", "/", x_forwarded_prefix=said)
    assert f'action="{below}/"' in page.body.decode()
    assert f'href="{below}/docs"' in page.body.decode()
    api = ask(front, "GET", "/docs", x_forwarded_prefix=said).body.decode()
    assert f"url: '{below}/openapi.json'" in api and f'src="{below}/static' in api
    document = ask(front, "GET", "/openapi.json", x_forwarded_prefix=said)
    assert document.json()["servers"] == [{"url": below}]
    assert page.headers["vary"] == document.headers["vary"] == "x-forwarded-prefix"


@pytest.mark.parametrize("said", BAD_PREFIXES)
@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/nowhere"])
def test_nothing_else_that_a_caller_names_reaches_a_page(
    front: Front, said: str, path: str
) -> None:
    found = ask(front, "GET", path, x_forwarded_prefix=said)
    plain = ask(front, "GET", path)
    assert (found.status, found.body) == (plain.status, plain.body)


def test_an_operator_s_path_goes_before_what_callers_say(
    model_of: Callable[[Task], Path], example: Any
) -> None:
    front, _ = callers.application(model_of(Task.CLASSIFICATION), root_path="/model")
    page = ask(front, "GET", "/", x_forwarded_prefix="/other").body.decode()
    assert 'action="/model/"' in page and "/other" not in page
    # Whether or not the proxy takes its own part of the path off.
    for path in ("/invocations", "/model/invocations"):
        assert ask(front, "POST", path, example).status == 200
    for path in ("/docs", "/model/docs", "/model/"):
        assert ask(front, "GET", path).status == 200
    assert ask(front, "GET", "/modelx/docs").status == 404


def test_a_token_is_asked_for_below_a_path_as_well(model_of: Callable[[Task], Path]) -> None:
    front, _ = callers.application(model_of(Task.CLASSIFICATION), "secret", root_path="/ping")
    for path in ("/metadata", "/ping/metadata", "/docs", "/ping/"):
        assert ask(front, "GET", path, x_forwarded_prefix="/ready").status == 401, path
    assert ask(front, "GET", "/ping").status == 200


def test_what_an_operator_says_is_checked_in_words() -> None:
    for said in BAD_PREFIXES:
        with pytest.raises(UsageError, match="--root-path"):
            prefix.check(said)
    for name in ("SERVING_DRAIN", "SERVING_WORKERS"):
        for value in ("soon", "-1", "nan", "inf"):
            with pytest.raises(UsageError):
                options.from_environment({name: value})
    given = {"SERVING_ROOT_PATH": "/m/", "SERVING_DRAIN": "5", "SERVING_TOKEN": "t"}
    found = options.from_environment(given)
    assert found == options.Manner("t", "/m", 5.0)
    assert options.chosen(given, drain=0.0, root_path=None) == options.Manner("t", "/m", 0.0)


@pytest.mark.parametrize(
    "hosts", [[b"a", b"b"], [b"a", b"a"], [], [b"a b"], [b"a/b"], [b"a@b"], [b"<a>"], [b"a:b"]]
)
def test_a_head_that_names_no_one_host_is_refused(hosts: list[bytes]) -> None:
    with pytest.raises(ValueError, match="Host"):
        check_host([(b"host", it) for it in hosts], "1.1")


@pytest.mark.parametrize("host", [b"a", b"a.b:80", b"[::1]:8000", b"127.0.0.1", b"", b"a_b"])
def test_a_head_may_name_any_host(host: bytes) -> None:
    check_host([(b"host", host), (b"x", b"y")], "1.1")
    check_host([], "1.0")


def test_a_server_about_to_stop_sends_its_callers_away(front: Front, example: Any) -> None:
    assert ask(front, "GET", "/ready").status == 200
    front.door.closing = True
    ready = ask(front, "GET", "/ready")
    assert ready.status == 503 and "about to stop" in ready.json()["message"]
    for method, path in (("GET", "/ping"), ("GET", "/version"), ("GET", "/nowhere"), TWO):
        found = ask(front, method, path, example)
        assert found.headers["connection"] == "close" and found.status in {200, 404}, path


def test_media_of_a_thousand_callers_are_read_once_each() -> None:
    for place in range(1000):
        with pytest.raises(RefusedError):
            parse_content_type(f"a/b; charset=x{place}".encode())
        wants_csv(f"a/{place}".encode())
    assert wants_csv.cache_info().currsize <= 256
