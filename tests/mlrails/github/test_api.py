"""Calls of the forge: tried again where that helps, told in a sentence, the token kept."""

import time
from collections.abc import Callable

import pytest
from loopback import Answer, Asked, paged, serve

from mlrails.core.errors import WorldError
from mlrails.github import api


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let no time pass between tries, and return how long it would have been."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


def failing(times: int, status: int) -> Callable[[Asked], Answer]:
    """Return what answers so many times with an error, then as it should."""
    left = [status] * times
    return lambda _: Answer(left.pop(), {}) if left else Answer(content={"number": 1})


def test_a_call_says_who_asks_and_for_which_version() -> None:
    with serve(lambda _: Answer(content={"id": 1})) as forge:
        assert api.call(forge.job(), "POST", "issues/1/comments", {"body": "ä"}) == {"id": 1}
    (asked,) = forge.asked
    assert (asked.method, asked.path) == ("POST", "issues/1/comments")
    assert asked.content == {"body": "ä"}
    assert asked.headers["Authorization"] == "Bearer a-token-of-a-job"
    assert asked.headers["X-Github-Api-Version"] == "2022-11-28"


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_all_pages_of_a_list_are_read(count: int) -> None:
    items = [{"id": number} for number in range(count)]
    with serve(lambda asked: paged(items, asked)) as forge:
        assert list(api.pages(forge.job(), "issues/1/comments")) == items
    with serve(lambda asked: paged(items, asked, "artifacts")) as forge:
        found = list(api.pages(forge.job(), "actions/artifacts", "artifacts", name="a&b"))
    assert found == items
    assert {asked.query["name"] for asked in forge.asked} == {"a&b"}


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_forge_that_stumbles_is_asked_again(status: int, waits: list[float]) -> None:
    with serve(failing(2, status)) as forge:
        assert api.call(forge.job(), "GET", "pulls/1") == {"number": 1}
    assert len(forge.asked) == 3 and waits == sorted(waits) and len(waits) == 2


def test_one_that_stays_down_is_told_in_a_sentence() -> None:
    with serve(failing(9, 502)) as forge, pytest.raises(WorldError) as told:
        api.call(forge.job(), "GET", "pulls/1?a=b")
    where = f"{forge.address}/repos/a/b/pulls/1"
    assert str(told.value) == f"GET {where} failed: 502 Bad Gateway; run the job again"
    assert len(forge.asked) == 3


@pytest.mark.parametrize("status", [401, 403, 404, 422, 429])
def test_what_the_forge_refuses_is_not_asked_again(status: int, waits: list[float]) -> None:
    with (
        serve(failing(9, status)) as forge,
        pytest.raises(WorldError, match=f"PATCH .* {status} ") as told,
    ):
        api.call(forge.job(), "PATCH", "issues/comments/1", {"body": "a"})
    assert len(forge.asked) == 1 and waits == []
    assert "a-token-of-a-job" not in str(told.value)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (403, "Settings → Actions → General"),
        (404, "Settings → General → Features"),
        (410, "Settings → General → Features"),
        (422, "does not take what was sent"),
        (429, "run the job again"),
    ],
)
def test_a_refusal_says_what_helps(status: int, words: str) -> None:
    with serve(failing(9, status)) as forge, pytest.raises(WorldError, match=words):
        api.call(forge.job(), "POST", "issues", {"title": "a"})


def test_one_who_asked_too_much_may_ask_again() -> None:
    for name, value in (("Retry-After", "60"), ("X-RateLimit-Remaining", "0")):
        refused = Answer(403, {}, headers={name: value})
        with serve(lambda _, it=refused: it) as forge, pytest.raises(WorldError, match="again"):
            api.call(forge.job(), "POST", "issues", {"title": "a"})


def test_what_may_have_been_written_is_not_written_again(waits: list[float]) -> None:
    with serve(failing(9, 502)) as forge, pytest.raises(WorldError, match=r"POST .* 502 "):
        api.call(forge.job(), "POST", "issues/1/comments", {"body": "a"})
    assert len(forge.asked) == 1 and waits == []


def test_a_forge_that_is_not_there_is_told_in_a_sentence(waits: list[float]) -> None:
    with serve(failing(0, 500)) as forge:
        pass
    with pytest.raises(WorldError, match=r"GET .*pulls/1 failed: .*refused.*; run the job again"):
        api.call(forge.job(), "GET", "pulls/1")
    assert len(waits) == 2


def test_an_answer_that_is_no_json_is_told_in_a_sentence() -> None:
    page = Answer(content=b"<html>sign in</html>")
    with serve(lambda _: page) as forge, pytest.raises(WorldError, match=r"GET .* failed: no JSON"):
        api.call(forge.job(), "GET", "pulls/1")


def test_a_download_follows_to_another_host_without_the_token() -> None:
    with serve(lambda _: Answer(content=b"bytes")) as elsewhere:
        there = {"Location": f"{elsewhere.address}/blob?signed=yes"}
        with serve(lambda _: Answer(302, b"", there)) as forge:
            assert api.download(forge.job(), "actions/artifacts/1/zip") == b"bytes"
    (asked,) = elsewhere.asked
    assert asked.query == {"signed": "yes"}
    assert "a-token-of-a-job" not in str(asked)
    assert forge.asked[0].headers["Authorization"] == "Bearer a-token-of-a-job"


def test_a_write_is_not_led_elsewhere() -> None:
    with serve(lambda _: Answer()) as elsewhere:
        there = Answer(307, b"", {"Location": f"{elsewhere.address}/"})
        with serve(lambda _: there) as forge, pytest.raises(WorldError, match=r"POST .* 307 "):
            api.call(forge.job(), "POST", "issues/1/comments", {"body": "a"})
    assert elsewhere.asked == []


def test_a_download_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_LARGEST", 4)
    with serve(lambda _: Answer(content=b"four")) as forge:
        assert api.download(forge.job(), "zip") == b"four"
    with serve(lambda _: Answer(content=b"fives")) as forge, pytest.raises(WorldError):
        api.download(forge.job(), "zip")
