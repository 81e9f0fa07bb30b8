"""The image that `nox -s image` lays out, built and run by a real engine, locked up as can be."""

import json
import shutil
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import container
import pytest
from baking import Project
from container import Container, Engine
from serving import asks, free_port
from test_lifecycle import act

pytestmark = [
    pytest.mark.slow,
    pytest.mark.container,
    pytest.mark.parametrize("trained", ["classification"], indirect=True),
]

TAG, TOKEN = "localhost/flight-delays:1", "a token of the test"
MOST = 600e6
"""Bytes of the whole image, the base included."""
AT_ONCE, ROWS = 16, 2000
"""Requests that are under way when the container is told to stop, and how large each is."""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    if reason := container.hindrance():
        pytest.fail(reason)
    # Podman takes no folder of more than 50 letters, and those of pytest's workers have more.
    with tempfile.TemporaryDirectory(prefix="engine-", dir="/tmp") as folder:
        engine = Engine(Path(folder))
        yield engine
        engine.close()


@pytest.fixture(scope="module")
def project(trained: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose champion was laid out for an image."""
    project = trained.copy(tmp_path_factory.mktemp("container") / "project")
    act(project, "promote")
    act(project, "image")
    return project


@pytest.fixture(scope="module")
def built(engine: Engine, project: Project) -> Engine:
    """An engine that has built the image."""
    context = project.root / "build" / "image"
    (base,) = [
        line.partition("=")[2]
        for line in (context / "Dockerfile").read_text("utf-8").splitlines()
        if line.startswith("ARG BASE=")
    ]
    engine.base(base)
    engine.build(context, TAG)
    return engine


def test_the_image_is_small_and_holds_what_serves_and_nothing_else(built: Engine) -> None:
    about = built.image(TAG)
    assert about["Size"] < MOST
    config = about["Config"]
    assert config["User"] == "10001:10001" and config["StopSignal"] == "SIGTERM"
    assert about["Healthcheck"]["Test"][0] == "CMD"
    assert config["Labels"]["com.amazonaws.sagemaker.capabilities.accept-bind-to-port"] == "false"
    look = (
        "import json, pathlib, sysconfig; from importlib import metadata; "
        "packages = pathlib.Path(sysconfig.get_path('purelib')); "
        "print(json.dumps([[it.name.lower() for it in metadata.distributions()], "
        "[str(it) for it in packages.glob('**/tests')]]))"
    )
    how = ["run", "--rm", *container.LIMITS, "--network", "none", "--entrypoint", "python", TAG]
    names, tests = json.loads(built.podman(*how, "-c", look).stdout)
    assert {"scikit-learn", "fastapi"} <= set(names) and not tests
    assert not {"mlflow", "dvc", "pyarrow", "pip", "setuptools", "wheel", "pytest"} & set(names)


def test_a_locked_up_container_answers_is_well_and_ends_what_it_has_taken(
    built: Engine, project: Project, tmp_path: Path
) -> None:
    model, port = project.root / "models" / "model", free_port()
    single = _lines(asks(project, tmp_path / "single", 20, 1, model))
    (large,) = _lines(asks(project, tmp_path / "large", 1, ROWS, model))
    options = ["--network", "host", "--env", f"SERVING_TOKEN={TOKEN}"]
    with built.running(TAG, options, "serve", "127.0.0.1", str(port)) as served:
        _wait_until_well(served)
        for body, predictions in single:
            status, answer = _ask(port, "/invocations", body)
            assert status == 200 and json.loads(answer)["predictions"] == predictions
        example = (model / "serving_input_example.json").read_bytes()
        assert len(json.loads(_ask(port, "/invocations", example)[1])["predictions"]) == 2
        assert _ask(port, "/invocations", example, "another")[0] == 401
        assert b"<form" in _ask(port, "/")[1]
        assert b"\nrequests_total{" in _ask(port, "/metrics")[1]
        _is_locked_up(served)
        assert _stopped_meanwhile(served, port, large[0]) == [large[1]] * AT_ONCE
        assert not served.changed()
        last = [json.loads(it) for it in served.log().splitlines() if it.startswith("{")][-1]
        assert last["event"] == "stopped"


def _lines(file: Path) -> list[tuple[bytes, list]]:
    """Return each request, and what the model says to it where it was trained."""
    found = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return [(json.dumps(it["body"]).encode(), it["predictions"][0]) for it in found]


def _wait_until_well(served: Container) -> None:
    for _ in range(300):
        if served.is_well():
            return
        assert served.state()["Running"], served.log()
        time.sleep(0.2)
    raise AssertionError(served.log())


def _ask(port: int, path: str, body: bytes | None = None, token: str = TOKEN) -> tuple[int, bytes]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body)
    request.headers |= {"Content-type": "application/json", "Authorization": f"Bearer {token}"}
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - http
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def _is_locked_up(served: Container) -> None:
    """See that the process has no rights, and that it can write nowhere a model could be put."""
    status = served.run("cat", "/proc/1/status").stdout
    told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert told["Uid"].split() == ["10001"] * 4 and told["NoNewPrivs"] == "1"
    assert {told[it] for it in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
    refused = served.run("touch", "/tmp/file", "/opt/file", ok=False)  # noqa: S108 - in there
    assert refused.stderr.count("Read-only file system") == 2


def _stopped_meanwhile(served: Container, port: int, body: bytes) -> list[list]:
    """Stop the container when the first of many requests is answered; return all predictions."""
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    first, answers = threading.Event(), []

    def ask() -> None:
        with socket.create_connection(("127.0.0.1", port)) as caller:
            caller.sendall(head.encode() + body)
            answer = caller.makefile("rb").read()
        answers.append(json.loads(answer.partition(b"\r\n\r\n")[2])["predictions"])

    def look() -> None:
        with socket.create_connection(("127.0.0.1", port)) as caller:
            caller.sendall(head.encode() + body)
            caller.recv(1)
            first.set()

    callers = [threading.Thread(target=it) for it in (look, *[ask] * AT_ONCE)]
    for it in callers:
        it.start()
    assert first.wait(60)
    assert served.stop() == 0  # Not 137: nobody had to kill it.
    for it in callers:
        it.join(60)
    return answers


INSIDE = """
import sys, urllib.request
asked = urllib.request.Request("http://127.0.0.1:8080/invocations", sys.stdin.buffer.read())
asked.add_header("Content-Type", "application/json")
for it in ("http://127.0.0.1:8080/ping", asked):
    with urllib.request.urlopen(it) as answer:
        print(answer.status, answer.read().decode().strip())
"""


def test_the_same_container_keeps_to_sagemaker_s_contract(
    built: Engine, project: Project, tmp_path: Path
) -> None:
    laid = tmp_path / "model"
    shutil.copytree(project.root / "models" / "model", laid)
    served = json.loads((project.root / "build" / "image" / "served.json").read_text("utf-8"))
    about = f"SERVING_DIGEST={served['digest']}"
    options = ["--network", "none", "--env", "SERVING_EVERYONE=true"]
    options += ["--volume", f"{laid}:/opt/ml/model:ro"]
    with built.running(TAG, options, "serve") as unnamed:
        assert unnamed.ended() == 2 and "set SERVING_DIGEST" in unnamed.log()
    # On two cores, so that a worker's process is seen to be in the image as well.
    two = ["--env", about, "--env", "SERVING_WORKERS=2"]
    with built.running(TAG, [*options, *two], "serve") as named:
        _wait_until_well(named)
        example = (laid / "serving_input_example.json").read_text("utf-8")
        ping, answer = named.run("python", "-c", INSIDE, input=example).stdout.splitlines()
        assert ping.startswith("200 ") and answer.startswith("200 ")
        assert len(json.loads(answer[4:])["predictions"]) == 2
        assert f'"digest":"{served["digest"]}"' in named.log()
        assert named.stop() == 0
    (laid / "data" / "model" / "predictor.json").open("a").write("\n")
    with built.running(TAG, [*options, "--env", about], "serve") as altered:
        assert altered.ended() == 1 and "the bytes are not those" in altered.log()
