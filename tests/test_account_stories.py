"""A server with accounts: what each may do is asked before work, and of two one wins."""

import base64
import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from baking import Project
from serving import free_port

pytestmark = pytest.mark.slow

ADMIN = ("admin", "adm1n/p@ss:word-9")
ACCOUNTS = {"ann": "p@ss/w:rd#1-ann", "bob": "p@ss/w:rd#1-bob"}
EXTRA = ("flask-wtf==1.3.0", "wtforms==3.3.2")
"""What `mlflow[auth]` has beside mlflow."""
CONFIGURATION = """[mlflow]
default_permission = READ
database_uri = sqlite:///{folder}/accounts.db
admin_username = admin
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 300
"""


class Server:
    """An MLflow server with accounts, as its administrator sees it."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    def ask(self, method: str, path: str, **said: str) -> Any:
        body = json.dumps(said).encode() if said else None
        request = urllib.request.Request(f"{self.uri}/api/{path}", body, method=method)  # noqa: S310
        secret = base64.b64encode(":".join(ADMIN).encode()).decode()
        request.headers |= {"Authorization": f"Basic {secret}", "Content-type": "application/json"}
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)

    def experiment(self, name: str) -> str:
        return str(self.ask("POST", "2.0/mlflow/experiments/create", name=name)["experiment_id"])

    def model(self, name: str) -> str:
        self.ask("POST", "2.0/mlflow/registered-models/create", name=name)
        return name

    def grant(self, who: str, kind: str, name: str) -> None:
        about = {"resource_type": kind, "resource_id": name, "permission": "EDIT"}
        self.ask("POST", "3.0/mlflow/users/permissions/grant", username=who, **about)

    def account(self, who: str) -> dict[str, str]:
        """Return the variables of an account."""
        named = {"MLFLOW_TRACKING_USERNAME": who, "MLFLOW_TRACKING_PASSWORD": ACCOUNTS[who]}
        return {"MLFLOW_TRACKING_URI": self.uri, **named}


@contextmanager
def server(project: Project, folder: Path) -> Iterator[Server]:
    """Run a server with accounts on loopback, ended by its process group."""
    extra, port = folder / "extra", free_port()
    install = ["uv", "pip", "install", "--quiet", "--no-deps", "--python", project.python]
    done = project.run(*install, "--target", str(extra), *EXTRA)
    assert done.returncode == 0, done.stderr
    (folder / "auth.ini").write_text(CONFIGURATION.format(folder=folder), "utf-8")
    command = [project.python, "-m", "mlflow", "server", "--app-name", "basic-auth"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/server.db"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    env = {
        **project.env,
        "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN[1],
        "MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "for a test",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "PYTHONPATH": str(extra),
    }
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True
        )
    try:
        there = Server(f"http://127.0.0.1:{port}")
        for _ in range(600):
            assert process.poll() is None, (folder / "server.log").read_text("utf-8")
            with suppress(OSError):
                urllib.request.urlopen(f"{there.uri}/health", timeout=1).close()  # noqa: S310
                break
            time.sleep(0.2)
        yield there
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def promoting(project: Project, variables: dict[str, str]) -> "subprocess.Popen[str]":
    env = {**project.env, "PYTHONPATH": str(project.root / "src"), **variables}
    return subprocess.Popen(
        [project.python, "-m", project.package, "promote", "--dirty"],
        cwd=project.root,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_accounts_are_asked_before_work_and_of_two_at_once_exactly_one_wins(
    trained: Project, tmp_path: Path
) -> None:
    (tmp_path / "server").mkdir()
    mine, yours = trained.copy(tmp_path / "a" / "p"), trained.copy(tmp_path / "b" / "p")
    with server(trained, tmp_path / "server") as there:
        for who, password in ACCOUNTS.items():
            there.ask("POST", "2.0/mlflow/users/create", username=who, password=password)
        name = "flight-delays"
        resources = [
            ("experiment", there.experiment(name)),
            ("experiment", there.experiment(f"{name}-promotions")),
            ("registered_model", there.model(name)),
            ("registered_model", there.model(f"{name}-turn")),
        ]
        for who in ACCOUNTS:
            for kind, resource in resources[:3]:
                there.grant(who, kind, resource)
        refused = mine.verb("promote", "--dirty", **there.account("ann"))
        assert refused.returncode == 1, refused.stderr
        lacking = f"the account 'ann' lacks EDIT on the registered model '{name}-turn'"
        assert lacking in refused.stderr and refused.stderr.count("\n") == 1
        for who in ACCOUNTS:
            there.grant(who, *resources[3])
        for project, who in ((mine, "ann"), (yours, "bob")):
            done = project.verb("train", **there.account(who))
            assert done.returncode == 0, done.stderr
        two = [promoting(mine, there.account("ann")), promoting(yours, there.account("bob"))]
        said = [process.communicate(timeout=300)[0] for process in two]
        codes = [process.returncode for process in two]
        assert "Traceback" not in "".join(said) and codes.count(0) >= 1, said
        assert sum("is the champion in" in it for it in said) == 1, said
        told = json.loads(mine.verb("history", "--json", **there.account("bob")).stdout)
        assert [entry["version"] for entry in told] == ["1"]
        assert told[0]["vouched_by"] == "self-declared"
        assert not [it for it in ACCOUNTS.values() if it in "".join(said)]
        again = yours.verb("promote", "--dirty", **there.account("bob"))
        assert again.returncode == 0 and "gate: unchanged" in again.stdout, again.stderr
