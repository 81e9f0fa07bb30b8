"""The template's source is source: it parses, is small, and reads without a bake."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from baking import QUESTIONS, ROOT, SOURCE

LISTED = subprocess.run(
    ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
).stdout.split("\0")
FILES = [path for path in sorted(ROOT / name for name in LISTED if name) if path.is_file()]
PYTHON = [path for path in FILES if path.suffix == ".py"]
WORKFLOWS = [path for path in FILES if ".github/workflows" in path.as_posix()]
LONGEST_MODULE, LONGEST_FUNCTION, LONGEST_HOOK = 300, 40, 32
YOURS = {"scikit-learn": 700, "pytorch": 850, "tensorflow": 850}
"""To be read in ten minutes: all of the user's part, with the estimator of a framework."""
SEAM = 320
"""The one file that a user replaces must be whole, so it may be longer."""


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_python_parses_and_holds_marks_only_in_strings(path: Path) -> None:
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    in_project = SOURCE in path.parents or ROOT / "hooks" in path.parents
    if in_project:
        assert "{%" not in text and "{#" not in text
        strings = [str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        assert text.count("{{") == sum(string.count("{{") for string in strings)
        marks = re.findall(r"\{\{(.*?)\}\}", text)
        assert all(re.fullmatch(r" cookiecutter\.\w+ ", mark) for mark in marks)


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_modules_and_functions_are_small(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    bound = LONGEST_HOOK if path.parent.name == "hooks" else LONGEST_MODULE
    if path.name == "estimator.py":
        bound = SEAM
    if "tests" not in path.parts and path.name != "noxfile.py":
        assert len(lines) <= bound
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, node.name


def yours(framework: str) -> list[Path]:
    """Return the modules of the user's part of a project with a framework."""
    roots = (SOURCE, SOURCE / "overlays" / "framework" / framework)
    folders = {root / "src" / "{{cookiecutter.package_name}}" for root in roots}
    return [path for path in PYTHON if folders & set(path.parents)]


@pytest.mark.parametrize("framework", YOURS)
def test_the_user_s_part_stays_small(framework: str) -> None:
    modules = yours(framework)
    names = {path.name for path in modules}
    assert {"estimator.py", "features.py", "model.py", "source.py", "train.py"} <= names
    lines = {path.name: len(path.read_text("utf-8").splitlines()) for path in modules}
    assert sum(lines.values()) <= YOURS[framework], lines


def test_every_framework_has_a_bound() -> None:
    assert set(YOURS) == set(QUESTIONS["framework"])


def test_every_question_is_asked_in_words() -> None:
    prompts = QUESTIONS["__prompts__"]
    for name, answer in QUESTIONS.items():
        if not name.startswith("_"):
            assert len(prompts[name]) > 0, name
            if isinstance(answer, list) and isinstance(prompts[name], dict):
                assert set(prompts[name]) == {"__prompt__", *answer}


def test_every_offered_choice_of_an_overlay_question_is_there() -> None:
    for question in (folder.name for folder in (SOURCE / "overlays").iterdir()):
        offered = set(QUESTIONS[question])
        there = {folder.name for folder in (SOURCE / "overlays" / question).iterdir()}
        assert there <= offered
        # A choice without a tree of its own adds nothing: only `none` may.
        assert offered - there <= {"none"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=relative)
def test_workflows_only_call_nox_sessions(path: Path) -> None:
    sessions = set(
        re.findall(r'@offered\ndef (\w+)|    \("(\w+)", "|offer\("(\w+)"', _sessions(path))
    )
    sessions = {name for found in sessions for name in found}
    workflow = yaml.safe_load(path.read_text("utf-8"))
    called = [
        step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step
    ]
    assert called
    # Packages of the system are nobody's session.
    for command in (it for it in called if not it.startswith("sudo apt-get ")):
        words = re.fullmatch(r"uvx nox -s (\w+)( -- [^\n]*)?", command)
        assert words and words[1] in sessions, command


def _sessions(workflow: Path) -> str:
    if SOURCE not in workflow.parents:
        return (ROOT / "noxfile.py").read_text("utf-8")
    added = workflow.parents[2] / "noxfile.py.append"
    return (SOURCE / "noxfile.py").read_text("utf-8") + added.read_text("utf-8")


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").iterdir()), ids=relative)
def test_our_own_workflows_hold_no_secret_and_may_write_nothing(path: Path) -> None:
    text = path.read_text("utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    assert "secrets." not in text and "pull_request_target" not in text
    for job in workflow["jobs"].values():
        assert set(job["permissions"].values()) == {"read"}
        for step in job["steps"]:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step.get("uses", "a/b@" + "0" * 40))


def test_sessions_that_follow_each_other_share_what_is_made_once() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yaml").read_text("utf-8"))
    runs = {it.get("run"): it.get("env", {}) for it in workflow["jobs"]["tests"]["steps"]}
    folder = runs["uvx nox -s tests"]["MADE_ONCE"]
    assert folder == runs["uvx nox -s stories"]["MADE_ONCE"]
    assert "export MADE_ONCE" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_no_file_names_a_machine_or_is_large() -> None:
    for path in FILES:
        assert path.stat().st_size < 500_000, path
        if path.suffix in {".py", ".md", ".yaml", ".toml", ".json", ".lock", ".in"}:
            assert str(ROOT) not in path.read_text("utf-8"), path


FORGE = SOURCE / "overlays" / "forge" / "github" / ".github" / "workflows"
OURS = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in sorted(FORGE.glob("*.yaml"))}
JOBS = {(name, job): told for name, flow in OURS.items() for job, told in flow["jobs"].items()}
RIGHTS = {
    ("checks", "checks"): {"contents": "read"},
    ("train", "train"): {"contents": "read"},
    ("train", "comment"): {"contents": "read", "pull-requests": "write"},
    ("promote", "build"): {"contents": "read", "actions": "read", "pull-requests": "read"},
    ("promote", "promote"): {"contents": "write"},
    ("rollback", "rollback"): {"contents": "write"},
    ("monitor", "watch"): {"contents": "read"},
    ("monitor", "issue"): {"contents": "write", "issues": "write"},
}
ENVIRONMENTS = {
    ("monitor", "watch"): "review",
    ("promote", "build"): "review",
    ("promote", "promote"): "production",
    ("rollback", "rollback"): "production",
}


def test_jobs_may_do_exactly_what_they_need() -> None:
    assert all(flow["permissions"] == {} for flow in OURS.values())
    assert {name: job["permissions"] for name, job in JOBS.items()} == RIGHTS
    named = {name: job["environment"] for name, job in JOBS.items() if "environment" in job}
    assert named == ENVIRONMENTS


def test_what_moves_the_champion_waits_in_one_queue_in_which_nobody_is_cancelled() -> None:
    one = {"group": "registry", "cancel-in-progress": False, "queue": "max"}
    moving = [job for name, job in JOBS.items() if ENVIRONMENTS.get(name) == "production"]
    assert [job["concurrency"] for job in moving] == [one, one]


def test_secrets_are_only_where_an_environment_guards_them() -> None:
    for name, job in JOBS.items():
        assert ("secrets." in yaml.safe_dump(job)) <= (name in ENVIRONMENTS), name
    for name, flow in OURS.items():
        events = flow[True]  # YAML 1.1 reads the word `on` so.
        assert "pull_request_target" not in events and "workflow_run" not in events
        in_pull_requests = "pull_request" in events
        assert not (in_pull_requests and "secrets." in yaml.safe_dump(flow)), name


def test_expressions_reach_commands_by_variables_and_actions_by_their_commit() -> None:
    for name, job in JOBS.items():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), name
            if "uses" in step:
                assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]), name


def test_no_checkout_leaves_its_credentials_behind() -> None:
    for name, job in JOBS.items():
        checkouts = [it for it in job["steps"] if it.get("uses", "").startswith("actions/checkout")]
        assert checkouts and all(it["with"]["persist-credentials"] is False for it in checkouts), (
            name
        )
