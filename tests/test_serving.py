"""The model in use: load, faults and swaps, files of rows, the page."""

import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path

import psutil
import pytest
from baking import PROOF, Project
from openapi_spec_validator import validate
from serving import asks, events, free_port, load, ours, started
from test_lifecycle import OTHER, act, change

pytestmark = pytest.mark.slow

SECONDS = 60 if PROOF else 4
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
AMAZON = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-west-1",
}
ONE = pytest.mark.parametrize("trained", ["classification"], indirect=True)


@pytest.fixture(scope="module")
def promoted(trained: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with two versions, of which the first is champion; tests only look at it."""
    folder = tmp_path_factory.mktemp("promoted")
    project = trained.copy(folder / "project")
    act(project, "promote")
    shutil.copytree(project.root / "models" / "model", folder / "first")
    change(project, OTHER)
    act(project, "promote")
    shutil.copytree(project.root / "models" / "model", folder / "second")
    act(project, "rollback", "--reason", "for a test")
    return project


@pytest.fixture(scope="module")
def log(promoted: Project) -> Path:
    return promoted.root.parent / "serve.log"


@pytest.fixture(scope="module")
def port(promoted: Project, log: Path) -> Iterator[int]:
    """The port of a server of the champion."""
    found = free_port()
    with started(promoted, ours(promoted, found, "--every", "0.5"), found, log):
        yield found


@pytest.fixture(scope="module")
def rows(promoted: Project) -> Path:
    """Requests of one row each, and what both models say to them."""
    folder = promoted.root.parent
    return asks(promoted, folder / "rows", 200, 1, folder / "first", folder / "second")


def until(there: Callable[[], bool]) -> None:
    for _ in range(600):
        if there():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come to that")


@ONE
@pytest.mark.parametrize(
    ("verb", "path", "told"), [("serve", "/ping", ""), ("ui", "/health", "stop with Ctrl-C")]
)
def test_what_nox_has_started_ends_with_it(
    promoted: Project, verb: str, path: str, told: str, tmp_path: Path
) -> None:
    found, log = free_port(), tmp_path / "log"
    nox = [sys.executable, "-m", "nox", "--envdir", str(promoted.tools), "-s", verb]
    with started(promoted, [*nox, "--", "--port", str(found)], found, log, path) as process:
        below = psutil.Process(process.pid).children(recursive=True)
        assert len(below) >= 2
        # It says where its pages are only after they have answered.
        until(lambda: told in log.read_text("utf-8"))
        process.terminate()
        process.wait(timeout=60)
        _, alive = psutil.wait_procs(below, timeout=60)
        assert alive == [], log.read_text("utf-8")
    said = log.read_text("utf-8")
    assert "Traceback" not in said
    if verb == "ui":
        assert f"http://127.0.0.1:{found}/#/experiments/" in said
        assert f"http://127.0.0.1:{found}/#/models/" in said


def ask(port: int, body: bytes, kind: str = "application/json", **headers: str) -> tuple[int, dict]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body)
    request.headers |= {"Content-type": kind, **headers}
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - http
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read())


@ONE
def test_a_champion_takes_its_place_under_load_without_a_failed_request(
    promoted: Project, port: int, rows: Path, log: Path
) -> None:
    found: dict = {}

    def asking() -> None:
        found.update(load(promoted, port, 16, SECONDS + 14, rows))

    thread = threading.Thread(target=asking)
    thread.start()
    for version in ("2", "1"):
        time.sleep(1)
        act(promoted, "rollback", version, "--reason", "for a test")
        for _ in range(300):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/version") as answer:
                if answer.read().decode() == version:
                    break
            time.sleep(0.1)
    thread.join()
    assert set(found["statuses"]) == {"200"} and found["requests"] > 200, found
    assert found["wrong"] == found["lost"] == found["unanswered"] == 0, found
    served = [it["version"] for it in events(log) if it["event"] == "model served"]
    assert served == ["2", "1"]


@ONE
def test_several_workers_are_one_server(promoted: Project, tmp_path: Path) -> None:
    project = promoted.copy(tmp_path / "project")
    port, log = free_port(), tmp_path / "log"
    words = ("--workers", "2", "--every", "0.5", "--drain", "1")
    with started(project, ours(project, port, *words), port, log) as process:
        asked = _Asked(port)
        act(project, "rollback", "2", "--reason", "for a test")
        until(asked.seen.is_set)
        # Whoever has seen the new champion is not answered by the old one again.
        assert not asked.old_after_new and {"1", "2"} <= asked.versions
        first, second = map(psutil.Process, asked.pids(process.pid))
        before = _requests(port)
        second.kill()
        until(lambda: "worker replaced" in {it["event"] for it in events(log)})
        assert _requests(port) >= before > 0
        assert first.is_running() and len(asked.pids(process.pid)) == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        asked.end()
    assert not first.is_running() and events(log)[-1]["event"] == "stopped"


class _Asked:
    """Callers of new connections, who note which version answers and in which order."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}/version"
        self.seen, self._ended = threading.Event(), threading.Event()
        self.versions: set[str] = set()
        self.old_after_new = 0
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]
        for it in self._threads:
            it.start()

    def _ask(self) -> None:
        while not self._ended.is_set():
            begun_after = self.seen.is_set()
            try:
                with urllib.request.urlopen(self._address, timeout=10) as answer:  # noqa: S310
                    version = answer.read().decode()
            except (OSError, HTTPException):  # A worker was killed, or the server has ended.
                continue
            self.versions.add(version)
            self.old_after_new += begun_after and version == "1"
            if version == "2":
                self.seen.set()

    @staticmethod
    def pids(server: int) -> list[int]:
        family = psutil.Process(server).children()
        return [it.pid for it in family if "process.worker" in " ".join(it.cmdline())]

    def end(self) -> None:
        self._ended.set()
        for it in self._threads:
            it.join()


def _requests(port: int) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    return sum(float(it) for it in re.findall(r"^requests_total\{.*\} (\S+)$", text, re.MULTILINE))


@ONE
def test_a_bad_champion_never_takes_the_place_of_a_good_one(
    promoted: Project, tmp_path: Path
) -> None:
    project = promoted.copy(tmp_path / "project")
    stored = sorted((project.root / "mlartifacts").rglob("predictor.json"))
    port, log = free_port(), tmp_path / "log"
    with started(project, ours(project, port, "--every", "0.5"), port, log):
        second = json.loads(act(project, "history", "--json"))[1]["digest"]
        for path in stored:
            model = path.parents[2]
            if _digest(project, model) == second:
                path.write_text(path.read_text("utf-8") + " ", "utf-8")
        # Straight in the store, as whoever breaks things would.
        script = (
            "import sqlite3; c = sqlite3.connect('mlflow.db'); "
            "c.execute('UPDATE registered_model_aliases SET version = 2 WHERE alias = ?', "
            "('champion',)); c.commit()"
        )
        assert project.code(script).returncode == 0
        for _ in range(200):
            if [it for it in events(log) if it["event"] == "registry"]:
                break
            time.sleep(0.1)
        (said,) = {it["problem"] for it in events(log) if it["event"] == "registry"}
        assert "the bytes of version 2 are not those that were registered" in said
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/version") as answer:
            assert answer.read() == b"1"


def _digest(project: Project, model: Path) -> str:
    words = "from mlrails.core import hashing; from pathlib import Path; "
    words += f"print(hashing.of_folder(Path({str(model)!r})))"
    return project.code(words).stdout.strip()


@ONE
def test_what_callers_do_wrong_harms_nobody(promoted: Project, port: int, rows: Path) -> None:
    good = json.dumps(json.loads(rows.read_text("utf-8").splitlines()[0])["body"]).encode()
    status, answer = ask(port, good)
    assert status == 200
    for body, wanted in ((b"{", 400), (b"\x00" * 1000, 400), (b'{"inputs": 1}', 422)):
        assert ask(port, body)[0] == wanted
    with socket.create_connection(("127.0.0.1", port)) as huge:  # 100 MB, if anybody took them.
        huge.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n")
        assert b" 413 " in huge.recv(1000)
    with socket.create_connection(("127.0.0.1", port)) as endless:
        endless.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        with pytest.raises(OSError):
            for _ in range(2000):
                endless.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
    with socket.create_connection(("127.0.0.1", port)) as half:
        half.sendall(_request(good))
        half.shutdown(socket.SHUT_WR)
        assert b" 200 " in half.makefile("rb").read()
    with socket.create_connection(("127.0.0.1", port)) as large:
        large.settimeout(5)
        with pytest.raises(OSError):
            for _ in range(2000):
                large.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 0x10000)
            while large.recv(1000):
                pass
            raise ConnectionError
    gone = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
    for caller in gone:
        caller.sendall(_request(good)[:-10])
        caller.close()
    assert ask(port, good) == (200, answer)


def _request(body: bytes) -> bytes:
    head = "POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@ONE
def test_a_caller_who_never_ends_a_head_or_a_body_is_sent_away(port: int) -> None:
    heads = socket.create_connection(("127.0.0.1", port))
    heads.sendall(b"GET / HT")
    body = socket.create_connection(("127.0.0.1", port))
    body.sendall(_request(b"x" * 10)[:-1])
    for caller in (heads, body):
        caller.settimeout(30)
    assert heads.recv(100) == b""
    assert b" 408 " in body.recv(1000)


@ONE
def test_a_thousand_connections_are_answered_and_an_overload_stays_in_bounds(
    promoted: Project, port: int, rows: Path
) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    (server,) = [
        it.pid for it in psutil.net_connections("tcp")
        if it.laddr and it.laddr.port == port and it.status == "LISTEN"
    ]  # fmt: skip
    process = psutil.Process(server)
    load(promoted, port, 100, 1, rows)
    before = process.memory_info().rss
    found = load(promoted, port, 1000, SECONDS, rows)
    assert set(found["statuses"]) <= {"200", "503"} and found["requests"] >= 1000, found
    assert found["wrong"] == found["lost"] == found["unanswered"] == 0, found
    assert process.memory_info().rss < before + 100 * 2**20


@ONE
def test_a_server_that_is_told_to_stop_answers_what_it_has_taken(
    trained: Project, tmp_path: Path
) -> None:
    project, port = trained.copy(tmp_path / "project"), free_port()
    many = asks(project, tmp_path / "many", 1, 2000, project.root / "models" / "model")
    body = json.loads(many.read_text("utf-8"))
    # From src, as `mlflow run` starts what it runs.
    words = ["sh", "-c", f"cd src && exec {' '.join(ours(project, port))}"]
    with started(project, words, port, tmp_path / "log", PYTHONPATH="") as process:
        with socket.create_connection(("127.0.0.1", port)) as caller:
            caller.sendall(_request(json.dumps(body["body"]).encode()))
            time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            answer = caller.makefile("rb").read()
        assert process.wait(timeout=30) == 0
    predictions = json.loads(answer.partition(b"\r\n\r\n")[2])["predictions"]
    assert predictions == body["predictions"][0]
    log = (tmp_path / "log").read_text("utf-8")
    assert "serve: version local (" in log and "Traceback" not in log
    assert events(tmp_path / "log")[-1]["event"] == "stopped"
    assert not [*(project.root / ".dvc" / "tmp" / "copies").iterdir()]


@ONE
@pytest.mark.parametrize(
    "words",
    [
        ["--checks", "not_a_server_error,status_code_conformance,content_type_conformance"],
        # CSV and a table's rows are told as text and lists alone, so only rows that are whole here.
        ["--checks", "positive_data_acceptance", "--include-path", "/predict"],
    ],
)
def test_every_answer_keeps_to_the_document(
    promoted: Project, port: int, tmp_path: Path, words: list[str]
) -> None:
    schemathesis = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [
            schemathesis, "run", f"http://127.0.0.1:{port}/openapi.json", *words,
            "--max-examples", "15", "--phases", "examples,coverage,fuzzing", "--seed", "1",
            "--no-color",
        ],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@ONE
def test_a_generator_makes_a_whole_client_of_the_document(
    promoted: Project, port: int, rows: Path, tmp_path: Path
) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/openapi.json") as answer:
        (tmp_path / "openapi.json").write_bytes(answer.read())
    validate(json.loads((tmp_path / "openapi.json").read_text("utf-8")))
    # It has no way of its own to send CSV, which is sent as it is.
    config = "content_type_overrides: {text/csv: application/octet-stream}\npost_hooks: []\n"
    (tmp_path / "config.yaml").write_text(config, "utf-8")
    words = [
        "generate", "--path", "openapi.json", "--config", "config.yaml", "--fail-on-warning",
        "--output-path", "flights_client", "--meta", "none",
    ]  # fmt: skip
    program = Path(sys.executable).with_name("openapi-python-client")
    done = subprocess.run([program, *words], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    asked = json.loads(rows.read_text("utf-8").splitlines()[0])
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, f"http://127.0.0.1:{port}", json.dumps(asked["body"])],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) in asked["predictions"]


CLIENT = """
import json, sys
from flights_client.client import Client
from flights_client.api.predictions import predict
from flights_client.models import Rows

(table,) = json.loads(sys.argv[2]).values()
sent = [dict(zip(table["columns"], row)) for row in table["data"]]
answer = predict.sync(client=Client(sys.argv[1]), body=Rows.from_dict({"rows": sent}))
print(json.dumps(answer.to_dict()["predictions"]))
"""


@ONE
def test_what_stands_in_the_way_of_serving_is_one_sentence(promoted: Project, port: int) -> None:
    other = str(free_port())
    assert "cannot listen there" in act(promoted, "serve", "--port", str(port), code=1)
    assert "set SERVING_TOKEN" in act(promoted, "serve", "--host", "::", code=2)
    assert "there is no version 9" in act(promoted, "serve", "--version", "9", code=2)
    said = act(promoted, "serve", "--alias", "nobody", "--port", other, code=2)
    assert "no version has the alias 'nobody'" in said


@ONE
def test_a_killed_prediction_goes_on_and_mlflow_run_predicts(
    promoted: Project, tmp_path: Path
) -> None:
    project = promoted.copy(tmp_path / "project")
    script = (
        "import pandas as pd; f = pd.read_parquet('data/prepared/test.parquet'); "
        "pd.concat([f] * 20).to_parquet('many.parquet', index=False)"
    )
    assert project.code(script).returncode == 0
    act(project, "predict", "many.parquet", "whole.parquet")
    env = {**project.env, "PYTHONPATH": str(project.root / "src")}
    for kills in range(1, 4):
        words = [project.python, "-m", project.package, "predict", "many.parquet", "out.parquet"]
        process = subprocess.Popen(
            words, cwd=project.root, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None:
            parts = [*(project.root / ".out.parquet.parts").glob("*.good.parquet")]
            if len(parts) >= 2 * kills:
                process.kill()
            time.sleep(0.01)
        process.wait()
        assert not (project.root / "out.parquet").exists() and len(parts) >= 2 * kills
    act(project, "predict", "many.parquet", "out.parquet")
    script = (
        "import pandas as pd; a, b = map(pd.read_parquet, ('out.parquet', 'whole.parquet')); "
        "pd.testing.assert_frame_equal(a, b); print(len(a), a['row'].is_unique)"
    )
    done = project.code(script)
    assert done.stdout.split()[1] == "True", done.stderr
    words = ["-P", "input=data/prepared/test.parquet", "-P", "output=scored.csv"]
    done = project.run("mlflow", "run", ".", "-e", "predict", *words, "--env-manager", "local")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project.root / "scored.csv").is_file()


def _as_a_program(address: str, change: dict[str, str], picture: Path) -> tuple[str, str]:
    """Send the form as it is shown, and again with a change."""
    with urllib.request.urlopen(address) as answer:  # noqa: S310 - http
        page = answer.read().decode()
    values = dict(re.findall(r'<input[^>]* name="(\w+)" value="([^"]*)"', page))
    listed = re.findall(r'<select id="(\w+)"(.*?)</select>', page)
    values |= {name: re.findall(r'value="([^"]*)" selected', it)[0] for name, it in listed}
    assert len(values) > 5
    found = []
    for sent in (values, values | change):
        body = urllib.parse.urlencode(sent).encode()
        try:
            with urllib.request.urlopen(address, body) as answer:  # noqa: S310 - http
                found.append(answer.read().decode())
        except urllib.error.HTTPError as refused:
            found.append(refused.read().decode())
    return found[0], found[1]


def _in_chromium(address: str, change: dict[str, str], picture: Path) -> tuple[str, str]:
    """Press the button of the form as it is shown, and again with a change."""
    from playwright.sync_api import sync_playwright

    words, said = ["--no-sandbox"], []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=words)
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        found = []
        for sent in ({}, change):
            page.goto(address)
            for name, value in sent.items():
                page.fill(f"#{name}", value)
            page.click("button")
            page.wait_for_selector(".answer")
            found.append(page.inner_text("body"))
            page.screenshot(path=picture.with_stem(f"page-{len(found)}"), full_page=True)
        browser.close()
    # That an answer is 422 is told there as well.
    assert not [it for it in said if "422" not in it], said
    return found[0], found[1]


CHROMIUM = shutil.which("chromium")
WHO = {"program": _as_a_program} | ({"chromium": _in_chromium} if CHROMIUM else {})


@ONE
@pytest.mark.parametrize("who", WHO)
def test_a_person_tries_the_model_on_its_page(
    promoted: Project, port: int, who: str, tmp_path: Path
) -> None:
    example = promoted.root / "models" / "model" / "serving_input_example.json"
    _, answer = ask(port, example.read_bytes())
    expected = f"{answer['predictions'][0]['probability']:.6g}"
    right, wrong = WHO[who](f"http://127.0.0.1:{port}/", {"distance": "far"}, tmp_path / "page.png")
    assert "probability" in right and expected in right
    assert "Why this prediction" in right and "scheduled_departure" in right
    assert "no prediction" in wrong and "must be a valid number" in wrong


@ONE
def test_mlflow_evaluates_the_champion_as_the_page_says(promoted: Project, tmp_path: Path) -> None:
    project = promoted.copy(tmp_path / "project")
    page = (project.root / "docs" / "serving.md").read_text("utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    script = (
        "import mlflow, pandas as pd\nmlflow.set_tracking_uri('sqlite:///mlflow.db')\n"
        "rows = pd.read_parquet('data/prepared/test.parquet').head(1000)\n"
        f"{block.replace('mlflow.models', 'found = mlflow.models')}print(found.metrics)"
    )
    done = project.code(script)
    assert done.returncode == 0 and "accuracy_score" in done.stdout, done.stderr


@ONE
def test_every_block_of_the_page_about_serving_runs(promoted: Project, tmp_path: Path) -> None:
    project = promoted.copy(tmp_path / "project")
    blocks = BLOCK.findall((project.root / "docs" / "serving.md").read_text("utf-8"))
    assert blocks.pop(0) == "nox -s serve\n"
    port, amazon = free_port(), free_port()
    programs = Path(project.python).parent
    path = os.pathsep.join([str(Path(sys.executable).parent), str(programs), project.env["PATH"]])
    env = {**project.env, "PATH": path, **AMAZON, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{amazon}"}
    nox = [sys.executable, "-m", "nox", "--envdir", str(project.tools), "-s", "serve"]
    moto = [str(programs / "moto_server"), "--port", str(amazon)]
    with (
        started(project, [*nox, "--", "--port", str(port)], port, tmp_path / "log"),
        started(project, moto, amazon, tmp_path / "moto", path="/moto-api/"),
    ):
        for block in blocks:
            words = block.replace("nox -s", f"nox --envdir '{project.tools}' -s")
            # moto's endpoint answers nothing, so a deployment there goes back (test_sagemaker).
            words = re.sub(r".* deploy .*\n", "", words).replace(":8000", f":{port}")
            done = subprocess.run(
                ["bash", "-e", "-c", words],
                cwd=project.root,
                env=env,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, block + done.stdout + done.stderr
