"""What is kept of requests: columns that may be, of the chosen share, and never at their cost."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import callers
import numpy as np
import pytest
import sample
from callers import ROW

from mlrails.core.errors import UsageError
from mlrails.core.params import Task
from mlrails.core.sockets import listen
from mlrails.data import request_log
from mlrails.data.request_log import PIECE, Piece
from mlrails.modeling.loading import ModelOrigin
from mlrails.serving import __main__
from mlrails.serving.http import telemetry
from mlrails.serving.http.telemetry import Metrics
from mlrails.serving.model.current import Holder
from mlrails.serving.model.scoring import INLINE_ROWS
from mlrails.serving.process import options
from mlrails.serving.process.options import Manner
from mlrails.serving.requests import log
from mlrails.serving.requests.log import RequestLog
from mlrails.serving.requests.pieces import Pieces, Rules
from mlrails.serving.web import app
from mlrails.serving.web.front import Front

ALL = frozenset(ROW)
SERVED: Any = SimpleNamespace(
    origin=ModelOrigin("ab" * 32, "7", "flights"),
    inputs=[SimpleNamespace(name="a"), SimpleNamespace(name="secret")],
    interface=SimpleNamespace(outputs={"prediction": "double"}),
)


def pieces(folder: Path) -> list[Piece]:
    found = (request_log.parsed(it.read_bytes()) for it in sorted(folder.iterdir())
             if PIECE.fullmatch(it.name))  # fmt: skip
    return [it for it in found if it is not None]


def counted(metrics: Metrics) -> dict[str, float]:
    lines = metrics.text().decode().splitlines()
    told = (it.split("result=") for it in lines if it.startswith("request_log_rows_total"))
    return {it[1].split('"')[1]: float(it[1].split()[-1]) for it in told}


def keeper(folder: Path, **rules: Any) -> tuple[RequestLog, Metrics]:
    metrics = Metrics()
    given: dict[str, Any] = {"columns": frozenset({"a"}), **rules}
    return RequestLog(Rules(folder, **given), metrics), metrics


def keep(found: RequestLog, name: str = "one", value: Any = 1.5, rows: int = 1) -> None:
    asked = [{"a": value, "secret": "SECRET"}] * rows
    found.keep(name.encode(), SERVED, asked, {"prediction": [2.5] * rows}, rows * 20)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(telemetry, "log", lambda event, **more: found.append({"e": event, **more}))
    return found


@pytest.fixture
def served(model: Path, tmp_path: Path) -> Iterator[tuple[Front, Path, Metrics]]:
    metrics = Metrics()
    with log.keeping(Rules(tmp_path / "log", ALL - {"dest"}), metrics) as found:
        yield app.make(Holder(callers.model(model)), metrics, log=found), tmp_path / "log", metrics


def test_what_was_asked_and_answered_is_kept(served: tuple[Front, Path, Metrics]) -> None:
    front, folder, metrics = served
    asked = {"dataframe_records": [ROW, {**ROW, "carrier": 'é"\n,'}]}
    answer = callers.ask(front, "POST", "/invocations", asked, x_request_id="mine-1")
    many = callers.ask(front, "POST", "/predict", {"rows": [ROW] * (INLINE_ROWS + 1)})
    assert callers.ask(front, "POST", "/predict", {"rows": [{**ROW, "more": 1}]}).status == 422
    assert callers.ask(front, "POST", "/", b"carrier=AA").status in {200, 422}
    front.quick._log.close()
    (piece,) = pieces(folder)
    assert piece.head.version == "1" and piece.head.digest == answer.headers["x-model-digest"]
    assert [*piece.head.left_out] == ["dest"] and "dest" not in piece.head.columns
    first, *others = piece.lines
    assert first.request == "mine-1" and first.first == 0
    kept = [dict(zip(piece.head.columns, it, strict=True)) for it in first.rows]
    assert kept[0] == {name: value for name, value in ROW.items() if name != "dest"}
    assert kept[1]["carrier"] == 'é"\n,'
    told = [dict(zip(piece.head.outputs, it, strict=True)) for it in first.answers]
    assert told == answer.json()["predictions"]
    assert [(it.first, len(it.rows)) for it in others] == [(0, INLINE_ROWS), (INLINE_ROWS, 1)]
    assert {it.request for it in others} == {many.headers["x-request-id"]}
    assert counted(metrics) == {"kept": 2 + INLINE_ROWS + 1}
    assert all(b"BOS" not in it.read_bytes() for it in folder.iterdir())


def test_a_column_that_may_not_be_kept_is_in_no_file(tmp_path: Path) -> None:
    for columns, leaks in ((frozenset({"a"}), False), (frozenset({"a", "secret"}), True)):
        found, _ = keeper(tmp_path / f"log-{leaks}", columns=columns)
        keep(found)
        found.write()
        text = b"".join(it.read_bytes() for it in (tmp_path / f"log-{leaks}").iterdir())
        assert (b"SECRET" in text) is leaks
        assert b'"secret"' in text  # Its name says what is missing.


def test_all_servers_keep_the_same_requests(tmp_path: Path) -> None:
    chosen = []
    for name in ("a", "b"):
        found, metrics = keeper(tmp_path / name, share=0.3)
        for number in range(2000):
            keep(found, f"request-{number}")
        found.write()
        chosen.append({it.request for piece in pieces(tmp_path / name) for it in piece.lines})
        assert counted(metrics) == {"kept": len(chosen[-1])}
    assert chosen[0] == chosen[1]
    assert 500 < len(chosen[0]) < 700
    none, _ = keeper(tmp_path / "none", share=0.0)
    keep(none)
    none.write()
    assert not (tmp_path / "none").exists()


def test_what_is_no_number_comes_back_so(tmp_path: Path) -> None:
    found, _ = keeper(tmp_path / "log")
    keep(found, value=float("nan"))
    keep(found, value=float("inf"))
    keep(found, value=None)
    found.write()
    (piece,) = pieces(tmp_path / "log")
    nan, infinite, none = (it.rows[0][0] for it in piece.lines)
    assert np.isnan(nan) and np.isinf(infinite) and none is None


def test_a_queue_without_room_costs_rows_and_no_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_MOST_WAITING", 1000)
    found, metrics = keeper(tmp_path / "log")
    for number in range(50):
        keep(found, str(number))
    keep(found, "many", rows=10_000)
    lost = counted(metrics)["no room"] - 10_000
    assert 0 < lost < 50
    found.write()
    assert counted(metrics)["kept"] == 50 - lost
    keep(found, "later")
    found.write()
    assert counted(metrics)["kept"] == 51 - lost  # There is room again.


def test_a_huge_text_is_counted_and_the_others_are_kept(tmp_path: Path) -> None:
    found, metrics = keeper(tmp_path / "log", most=2**20)
    keep(found, "huge", value="x" * 2**20)
    keep(found, "small")
    found.write()
    assert counted(metrics) == {"too large": 1, "kept": 1}
    assert sum(it.stat().st_size for it in (tmp_path / "log").iterdir()) < 1000


def test_a_disk_that_is_full_is_told_once_and_again_when_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[dict[str, Any]]
) -> None:
    found, metrics = keeper(tmp_path / "log")
    with monkeypatch.context() as patch:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(Pieces, "write", full)
        for _ in range(5):
            keep(found)
            found.write()
            found._again = 0.0
    assert [it["e"] for it in said] == ["requests not kept"]
    assert said[0]["problem"] == "No space left on device"
    keep(found)
    found.write()
    assert said[1:] == [{"e": "requests kept again", "rows_lost": 5}]
    assert counted(metrics) == {"no disk": 5, "kept": 1}


def test_a_disk_that_fails_is_left_alone_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[dict[str, Any]]
) -> None:
    tries: list[int] = []

    def full(*_: object) -> None:
        tries.append(1)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Pieces, "write", full)
    found, metrics = keeper(tmp_path / "log")
    for _ in range(5):
        keep(found)
        found.write()
    assert len(tries) == 1 and counted(metrics) == {"no disk": 5}


def test_what_cannot_be_written_down_fails_no_request(
    tmp_path: Path, said: list[dict[str, Any]]
) -> None:
    found, metrics = keeper(tmp_path / "log")
    keep(found, value=object())
    keep(found, value=object(), rows=1000)
    keep(found)
    found.write()
    assert counted(metrics) == {"failed": 1001, "kept": 1}
    assert all("SECRET" not in json.dumps(it) for it in said)


def test_what_goes_wrong_once_does_not_end_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[dict[str, Any]]
) -> None:
    monkeypatch.setattr(log, "_SECONDS_BETWEEN", 0.001)
    wrong = threading.Event()

    def fails(_: Pieces) -> None:
        if not wrong.is_set():
            wrong.set()
            raise RuntimeError("once")

    monkeypatch.setattr(Pieces, "end_old", fails)
    found, metrics = keeper(tmp_path / "log")
    found.start()
    assert wrong.wait(60)
    keep(found)
    found.close()
    assert counted(metrics) == {"kept": 1}
    assert [it["e"] for it in said] == ["defect"]
    monkeypatch.setattr(RequestLog, "_go_on", lambda _, act: act())  # Without the guard it does.
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    wrong.clear()
    found, metrics = keeper(tmp_path / "log")
    found.start()
    found._thread.join(60)
    keep(found)
    found.close()
    assert counted(metrics) == {}


def test_a_failing_log_fails_no_request(
    served: tuple[Front, Path, Metrics], monkeypatch: pytest.MonkeyPatch
) -> None:
    front, _, metrics = served

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(request_log, "lines", broken)
    assert callers.ask(front, "POST", "/predict", {"rows": [ROW]}).status == 200
    assert counted(metrics) == {"failed": 1}
    monkeypatch.setattr(RequestLog, "keep", broken)  # Without the guard it does.
    assert callers.ask(front, "POST", "/predict", {"rows": [ROW]}).status == 500


def test_an_id_that_is_none_is_not_taken(served: tuple[Front, Path, Metrics]) -> None:
    front, folder, _ = served
    for name in ("../../etc/passwd", "a/b", "x" * 129, "a\tb", "{}"):
        answer = callers.ask(front, "POST", "/predict", {"rows": [ROW]}, x_request_id=name)
        assert answer.status == 200 and answer.headers["x-request-id"] != name
    front.quick._log.close()
    (piece,) = pieces(folder)
    assert all(it.request.isalnum() for it in piece.lines) and len(piece.lines) == 5


def test_a_server_without_a_folder_keeps_nothing_and_counts_nothing(tmp_path: Path) -> None:
    metrics = Metrics()
    with log.keeping(Manner().rules, metrics) as found:
        assert found is None
    assert b"request_log" not in metrics.text()


def test_the_environment_and_the_words_say_what_is_kept() -> None:
    said = {"SERVING_REQUESTS": "log", "SERVING_REQUESTS_SHARE": "0.5", "SERVING_REQUESTS_MIB": "8"}
    rules = options.chosen(said, requests_columns=["a"], workers=2).rules
    assert rules == Rules(Path("log"), frozenset({"a"}), 0.5, 2**23, 2)
    rules = options.chosen(said, requests="other", requests_share=1.0, requests_columns=[]).rules
    assert rules and (rules.folder, rules.share, rules.columns) == (Path("other"), 1.0, frozenset())
    again = Manner(**json.loads(json.dumps(asdict(Manner(requests="a", requests_columns=["b"])))))
    assert again.rules == Rules(Path("a"), frozenset({"b"}))  # As a worker gets it.
    for words in ({"requests_share": 1.5}, {"requests_mib": 0}, {"requests_mib": 1, "workers": 8}):
        with pytest.raises(UsageError, match="choose one from"):
            options.chosen({}, **words)
    with pytest.raises(UsageError, match="SERVING_REQUESTS_SHARE: is no number"):
        options.from_environment({"SERVING_REQUESTS_SHARE": "half"})
    with pytest.raises(UsageError, match="nothing says which columns of requests may be kept"):
        _ = options.from_environment(said).rules


SERVE = """
import os, sys
from pathlib import Path
from mlrails.serving import __main__
__main__.main(Path(sys.argv[1]), ["serve", "127.0.0.1", sys.argv[2]], os.environ)
"""


def test_several_workers_keep_all_that_they_answer_until_they_are_told_to_end(
    model_of: Any, tmp_path: Path
) -> None:
    folder = model_of(Task.CLASSIFICATION)
    origin = asdict(callers.model(folder).origin)
    shutil.copytree(folder, tmp_path / "model")
    told = origin | {"logged": sorted(ALL - {"dest"})}
    (tmp_path / "served.json").write_text(json.dumps(told))
    assert __main__.found(tmp_path, tmp_path, {})[1] == ModelOrigin(**origin)
    with listen("127.0.0.1", 0, "") as free:
        port = free.getsockname()[1]
    more = {"SERVING_WORKERS": "2", "SERVING_REQUESTS": str(tmp_path / "log"), "SERVING_DRAIN": "0"}
    source = {"PYTHONPATH": str(sample.SHIPPED / "src")}
    words = [sys.executable, "-c", SERVE, str(tmp_path), str(port)]
    server = subprocess.Popen(words, env={**os.environ, **more, **source}, stderr=subprocess.PIPE)
    try:
        wait_for(port, server)
        for number in range(40):
            body = json.dumps({"rows": [{**ROW, "distance": float(number + 1)}]}).encode()
            assert asked(port, "POST", "/predict", body, str(number)) == 200
        server.terminate()
        server.communicate(timeout=60)
    finally:
        server.kill()
        server.wait()
    found = pieces(tmp_path / "log")
    assert len(found) == 2 and not any(it.broken for it in found)
    kept = {it.request: it.rows[0] for piece in found for it in piece.lines}
    place = [*found[0].head.columns].index("distance")
    assert {name: row[place] for name, row in kept.items()} == {
        str(number): number + 1.0 for number in range(40)
    }
    assert not [*(tmp_path / "log").glob("*.open")]


def asked(port: int, method: str, path: str, body: bytes = b"", name: str = "") -> int:
    """Ask the server on a connection of its own, so that both workers get some."""
    sent = {"Content-Type": "application/json", "X-Request-Id": name}
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, sent)
        return connection.getresponse().status
    finally:
        connection.close()


def wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        assert server.poll() is None, server.communicate()[1].decode()
        try:
            assert asked(port, "GET", "/ping") == 200
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")
