"""The READMEs word by word: every command block is run, as a new user would run it."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from baking import ROOT, SOURCE, Project, share_byte_code

BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
OURS = BLOCK.findall((ROOT / "README.md").read_text("utf-8"))
TRAIN, TESTS, OWN, WORK = OURS
UI = "nox -s ui\n"


def shell(command: str, cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the lines of a block as a person would paste them: the first failure ends it."""
    words = ["bash", "-e", "-c", command]
    return subprocess.run(words, cwd=cwd, env=dict(env), capture_output=True, text=True)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, user: Mapping[str, str]) -> Path:
    """A fresh clone of the template as it stands, in an empty folder."""
    folder = tmp_path_factory.mktemp("clone") / "template"
    folder.mkdir()
    listed = ["git", "-C", str(ROOT), "ls-files", "-z", "-co", "--exclude-standard"]
    for name in subprocess.run(listed, capture_output=True, text=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "As it stands"]):
        subprocess.run(["git", *words], cwd=folder, env=dict(user), check=True)
    return folder


@pytest.mark.slow
@pytest.mark.covering
def test_the_first_command_ends_with_a_trained_model(clone: Path, user: Mapping[str, str]) -> None:
    done = shell(TRAIN, clone, user)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "report: reports/report.html" in said and "roc_auc" in said
    report = Path(re.search(r"the report is (\S+)", said)[1])
    project = report.parents[1]
    assert report.is_absolute() and report.is_file()
    assert (project / "mlflow.db").is_file()
    # Who makes the environment alone, as an image does, is told that nothing was baked.
    alone = shell("nox -s train --install-only", clone, user)
    assert alone.returncode == 0 and "Traceback" not in alone.stderr, alone.stderr


def test_the_second_command_is_what_ci_runs() -> None:
    *_, tests, stories = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert tests == TESTS.strip() and stories == tests.replace("tests", "stories").split("&& ")[1]


@pytest.mark.slow
def test_your_own_project_is_baked_beside_the_template(
    clone: Path, user: Mapping[str, str]
) -> None:
    done = shell(OWN, clone, user)
    assert done.returncode == 0, done.stdout + done.stderr
    params = clone.parent / "grid-load" / "params.yaml"
    assert "task: regression" in params.read_text("utf-8")


@pytest.mark.slow
def test_the_blocks_for_work_on_the_template_name_real_sessions(
    clone: Path, user: Mapping[str, str], tmp_path: Path
) -> None:
    lint, tests, baked = WORK.strip().splitlines()
    assert shell(lint, clone, user).returncode == 0
    # The tests run themselves here, so only that pytest takes the words is seen.
    collected = shell(f"{tests} --collect-only -q", clone, user)
    assert collected.returncode == 0, collected.stdout + collected.stderr
    look = shell(baked.replace("../look", str(tmp_path / "look")), clone, user)
    assert look.returncode == 0, look.stdout + look.stderr
    assert (tmp_path / "look" / "flight-delays" / "params.yaml").is_file()


@pytest.fixture(scope="module")
def fresh(trained: Project, tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with an environment of its own; its first train is what the first command runs."""
    root = trained.copy(tmp_path_factory.mktemp("fresh") / trained.root.name).root
    project = Project(root, trained.env, root / ".nox")
    done = project.nox("train", "--install-only")
    assert done.returncode == 0, done.stdout + done.stderr
    share_byte_code(project.tools, tools)
    return project


@pytest.mark.slow
@pytest.mark.parametrize("trained", ["classification"], indirect=True)
def test_every_block_of_the_generated_readme_runs(fresh: Project) -> None:
    path = os.pathsep.join([str(Path(fresh.python).parent), fresh.env["PATH"]])
    # All of the project's tests run in the story of its first push, on the same answers.
    env = {**fresh.env, "PATH": path, "PYTEST_ADDOPTS": "-k 'params or surroundings'"}
    blocks = BLOCK.findall((fresh.root / "README.md").read_text("utf-8"))
    assert any(UI in block for block in blocks)
    for block in (block.replace(UI, "") for block in blocks):
        fresh.commit()  # An update asks for it.
        done = shell(block, fresh.root, env)
        assert done.returncode == 0, block + done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("trained", ["classification"], indirect=True)
def test_every_block_of_the_pages_about_production_runs(trained: Project, tmp_path: Path) -> None:
    project = trained.copy(tmp_path / "project")
    path = os.pathsep.join([str(Path(project.python).parent), project.env["PATH"]])
    env = {**project.env, "PATH": path}
    (project.root / "notes.md").write_text("Something to commit.\n", "utf-8")
    for page in ("production", "rollback"):
        text = (project.root / "docs" / f"{page}.md").read_text("utf-8")
        for block in BLOCK.findall(text):
            words = block.replace("nox -s", f"nox --envdir '{project.tools}' -s")
            done = shell(words, project.root, env)
            assert done.returncode == 0, block + done.stdout + done.stderr
        if page == "production":
            _make_another_champion(project)


def _make_another_champion(project: Project) -> None:
    """So that there is one to go back from."""
    params = project.root / "params.yaml"
    changed = params.read_text("utf-8").replace("max_leaf_nodes: 31", "max_leaf_nodes: 28")
    params.write_text(changed, "utf-8")
    project.commit()
    for verb in ("train", "promote"):
        done = project.verb(verb, MODEL_SIGNING_KEY="../signing-key.pem")
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("trained", ["classification"], indirect=True)
def test_the_pages_of_the_generated_readme_open(fresh: Project) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    process = subprocess.Popen(
        ["nox", "-s", "ui", "--", "--port", str(port)],
        cwd=fresh.root,
        env=dict(fresh.env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        page = ""
        for _ in range(600):
            with suppress(OSError):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                    page = answer.read().decode()
                break
            time.sleep(0.1)
        assert "MLflow" in page
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


@pytest.mark.slow
def test_the_notebook_shows_rows_runs_champion_and_report(trained: Project) -> None:
    runner = Path(__file__).with_name("notebook.py")
    done = trained.run(trained.python, str(runner), "notebooks/look.ipynb")
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("count", "metrics.test.", "of this folder", "prediction", "test rows"):
        assert words in done.stdout, words


def test_the_notebook_holds_no_outputs_and_nothing_of_the_example() -> None:
    text = (SOURCE / "notebooks" / "look.ipynb").read_text("utf-8")
    cells = [it for it in json.loads(text)["cells"] if it["cell_type"] == "code"]
    assert cells and all(it["outputs"] == [] for it in cells)
    assert all(it["execution_count"] is None for it in cells)
    assert "flight" not in text and "{{" not in text


def test_the_readmes_are_short_and_their_links_lead_somewhere() -> None:
    for readme in (ROOT / "README.md", SOURCE / "README.md"):
        text = readme.read_text("utf-8")
        assert len(text.splitlines()) <= 120
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
            assert (readme.parent / link).exists(), link
