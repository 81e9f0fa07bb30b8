"""What the code of a job can reach, however hostile it is, and what each right is there for.

The workflows are the project's own; what they call is replaced, by code that takes what it can get
(`hostile.py`), or by the one thing that a session needs its right for.
"""

import copy
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from baking import ROOT, Project
from forge_stories import MONITOR, PROMOTED, ROLLBACK, TRAIN, Repository, on_a_forge
from test_source import OURS, RIGHTS

pytestmark = [pytest.mark.slow, pytest.mark.forge]

Job = dict[str, Any]
Alter = Callable[[str, Job], None]

SECRETS = {
    "review": {"MLFLOW_TRACKING_PASSWORD": "may-read"},
    "production": {"MLFLOW_TRACKING_PASSWORD": "may-write", "MODEL_SIGNING_KEY": "may-sign"},
}
LIMITS = {"production": ["main"], "review": ["main"]}
SETTINGS = {"secrets": SECRETS, "limits": LIMITS}
PACKED = """
mkdir -p candidate/reports && echo report > candidate/reports/review.md
mkdir -p watched && echo report > watched/page.md
printf 'candidate=candidate-key\\nverdict=promote\\n' >> "$GITHUB_OUTPUT"
"""
HOSTILE = f"{PACKED}\nexec {sys.executable} {ROOT}/tests/hostile.py"
HONEST = f"""{PACKED}
export PYTHONPATH=src PYTHONDONTWRITEBYTECODE=true
secret=$(printf 'x-access-token:%s' "${{GITHUB_TOKEN:-}}" | base64 -w0)
case $3 in
  comment) $python -m mlrails.github.comment candidate/reports/review.md ;;
  prove) $python prove.py ;;
  issue) VERDICT=drift UNTIL=2014-01-31 $python -m mlrails.github.issue watched/page.md ;;
  promote | rollback)
    git -c "http.extraHeader=AUTHORIZATION: basic $secret" push origin HEAD:refs/heads/registry ||
      {{ sleep 1; exit 1; }} ;; # On a busy machine a log was once without a step's last line.
esac
"""
PROVE = """
from pathlib import Path
from mlrails.github import api, candidates
candidates.of_merge(api.this(), "key", Path("theirs"))
"""


@contextmanager
def repository(
    quick: Project,
    folder: Path,
    uvx: str,
    alter: Alter | None = None,
    only: Collection[str] = OURS,
    settings: Mapping[str, Any] = SETTINGS,
) -> Iterator[Repository]:
    """Let a repository hold some of the project's workflows, each of their jobs altered."""
    sessions = f"python={quick.python} package={quick.package}\n{uvx}"
    with on_a_forge(quick, folder, sessions, **settings) as there:
        there.git("rm", "--quiet", "-r", ".github")
        for name in only:
            there.write(f".github/workflows/{name}.yaml", workflow(name, alter))
        there.write("prove.py", PROVE)
        there.commit("main")
        yield there


def workflow(name: str, alter: Alter | None) -> str:
    """Return the text of one of the project's workflows, each of its jobs altered."""
    flow = copy.deepcopy(OURS[name])
    for job, content in flow["jobs"].items():
        if alter:
            alter(job, content)
    return yaml.safe_dump(flow)


def a_day(there: Repository) -> list[tuple[str, Any]]:
    """Open a pull request, merge it, roll back, wait for Monday; return the jobs and their runs."""
    pull = there.pull("change", {"docs/notes.md": "Only words.\n"})
    results = there.forge.run()
    there.forge.merge(pull)
    if (there.project.root / ROLLBACK).is_file():
        there.forge.dispatch("rollback.yaml", {"reason": "too many alarms"})
    if (there.project.root / MONITOR).is_file():
        there.forge.schedule()
    results += there.forge.run()
    return [(job, result) for result in results for job in result.jobs]


def keep_credentials(name: str, job: Job) -> None:
    """Let the checkout leave its token in the clone."""
    for step in job["steps"]:
        step.get("with", {}).pop("persist-credentials", None)


def may_write(name: str, job: Job) -> None:
    """Let the job's token write."""
    job["permissions"] = {"contents": "write", "pull-requests": "write"}


def keep_and_write(name: str, job: Job) -> None:
    """Take both guards out."""
    keep_credentials(name, job)
    may_write(name, job)


def train_in_production(name: str, job: Job) -> None:
    """Let the job that trains have the account that writes."""
    if name == "build":
        job["environment"] = "production"


def without_environment(name: str, job: Job) -> None:
    """Let no job belong to an environment."""
    job.pop("environment", None)


REACHED: dict[str, set[str]] = {
    "checks": set(),
    "train": set(),
    "comment": {"reads", "comments"},
    "build": {"reads", "may-read"},
    "promote": {"reads", "writes", "may-write", "may-sign"},
    "rollback": {"reads", "writes", "may-write"},
    "watch": {"may-read"},
    "issue": {"reads", "writes", "comments"},
}
"""What hostile code reaches in each job. To go back to an earlier version nothing is signed."""
ANYTHING = {"reads", "writes", "comments"}
CREDENTIALS = {"checks": {"reads"}, "train": {"reads"}, "watch": {"reads", "may-read"}}
GUARDS: dict[str, tuple[Alter | None, dict[str, set[str]]]] = {
    "none": (None, {}),
    "credentials": (keep_credentials, CREDENTIALS),
    "permissions": (
        may_write,
        {job: had | ANYTHING for job, had in REACHED.items() if "reads" in had},
    ),
    "both": (keep_and_write, {job: had | ANYTHING for job, had in REACHED.items()}),
    "review": (train_in_production, {"build": {"reads", "may-write"}}),
    "environments": (
        without_environment,
        {
            "build": {"reads"},
            "promote": {"reads", "writes"},
            "rollback": {"reads", "writes"},
            "watch": set(),
        },
    ),
}
"""Guards that are taken out, and what hostile code reaches then where it is something else."""


@pytest.mark.parametrize("taken_out", GUARDS)
def test_hostile_code_reaches_what_its_job_is_there_for_and_no_more(
    quick: Project, tmp_path: Path, taken_out: str
) -> None:
    alter, otherwise = GUARDS[taken_out]
    with repository(quick, tmp_path / "story", HOSTILE, alter) as there:
        jobs = a_day(there)
        reached = REACHED | otherwise
        assert {job for job, _ in jobs} == reached.keys()
        for job, result in jobs:
            assert set(result.summaries[job].read_text("utf-8").split()) == reached[job], job
        written = {job for job in reached if there.forge.tip(f"by-{job}").strip("0")}
        assert written == {job for job, found in reached.items() if "writes" in found}
        commented = {text.removeprefix("by ") for text in there.comments()}
        assert commented == {job for job, found in reached.items() if "comments" in found}


def test_with_its_rights_each_job_comes_to_a_good_end(quick: Project, tmp_path: Path) -> None:
    with repository(quick, tmp_path / "story", HONEST) as there:
        jobs = a_day(there)
        assert {job: it.jobs[job] for job, it in jobs} == dict.fromkeys(REACHED, "success")
        assert there.comments()[0].endswith("report\n")


@pytest.mark.parametrize(
    ("flow", "job", "right"),
    [(*names, right) for names, rights in RIGHTS.items() for right in rights],
)
def test_without_one_of_its_rights_a_job_fails(
    quick: Project, tmp_path: Path, flow: str, job: str, right: str
) -> None:
    def lower(name: str, content: Job) -> None:
        if name == job:
            rights = content["permissions"]
            rights[right] = {"write": "read", "read": "none"}[rights[right]]

    with repository(quick, tmp_path / "story", HONEST, lower, [flow]) as there:
        result = dict(a_day(there))[job]
        assert result.jobs[job] == "failure" and "403" in result.log


@pytest.mark.parametrize("guarded", [True, False])
def test_a_promotion_waits_for_the_verdict_of_its_own_attempt(
    quick: Project, tmp_path: Path, guarded: bool
) -> None:
    def at_once(name: str, job: Job) -> None:
        if name == "promote":
            del job["needs"], job["if"]

    ill, alter = tmp_path / "ill", None if guarded else at_once
    uvx = f'{PACKED}\n[ "$3" != review ] || [ ! -e {ill} ]'
    with repository(quick, tmp_path / "story", uvx, alter, ["promote"]) as there:
        there.forge.pushed("main")
        (first,) = there.forge.run()  # Unguarded, what is promoted may be there in time or not.
        assert not guarded or first.jobs == PROMOTED
        ill.touch()
        again = there.forge.rerun(first.run)
    assert again.jobs == {"build": "failure", "promote": "skipped" if guarded else "success"}


@pytest.mark.parametrize(
    ("environment", "limits", "secret"),
    [
        ("production", LIMITS, None),
        ("review", LIMITS, None),
        ("production", {}, "may-write"),
        ("review", {}, "may-read"),
        ("", LIMITS, "may-write"),
    ],
)
def test_a_pull_request_that_asks_for_a_secret_gets_it_only_where_no_environment_is_limited(
    quick: Project, tmp_path: Path, environment: str, limits: Any, secret: str | None
) -> None:
    def ask(name: str, job: Job) -> None:
        if name == "train":
            job["env"] = {"PASSWORD": "${{ secrets.MLFLOW_TRACKING_PASSWORD }}"}
            if environment:
                job["environment"] = environment

    secrets = SECRETS if environment else {"": SECRETS["production"]}
    settings = {"secrets": secrets, "limits": limits}
    with repository(quick, tmp_path / "story", HOSTILE, None, ["train"], settings) as there:
        there.pull("greedy", {TRAIN: workflow("train", ask)})
        (result,) = there.forge.run()
    assert result.jobs["train"] == ("success" if secret else "failure")
    found = {job: path.read_text("utf-8") for job, path in result.summaries.items()}
    assert found.get("train") == secret


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize(
    ("who", "guard"),
    [
        ("fork", " && github.event.pull_request.head.repo.full_name == github.repository"),
        ("bot", " && github.event.pull_request.user.type != 'Bot'"),
    ],
)
def test_who_has_no_right_to_comment_does_not_try(
    quick: Project, tmp_path: Path, who: str, guard: str, guarded: bool
) -> None:
    def try_it(name: str, job: Job) -> None:
        if name == "comment":
            assert guard in job["if"]
            job["if"] = job["if"].replace(guard, "")

    alter = None if guarded else try_it
    with repository(quick, tmp_path / "story", HONEST, alter, ["train"]) as there:
        there.pull("change", {"docs/notes.md": "Only words.\n"}, **{who: True})
        (result,) = there.forge.run()
        assert result.jobs == {"train": "success", "comment": "skipped" if guarded else "failure"}
        assert there.comments() == []


@pytest.mark.parametrize("guarded", [True, False])
def test_the_job_that_may_comment_runs_no_code_of_the_pull_request(
    quick: Project, tmp_path: Path, guarded: bool
) -> None:
    def its_code(name: str, job: Job) -> None:
        if name == "comment":
            del job["steps"][0]["with"]["ref"]

    alter = None if guarded else its_code
    with repository(quick, tmp_path / "story", HONEST, alter, ["train"]) as there:
        path = there.source("github/comment.py")
        evil = ('content = {"body": ', 'content = {"body": "Approved by the owner" + ')
        there.pull("evil", there.edit(path, evil))
        (result,) = there.forge.run()
        assert result.jobs == {"train": "success", "comment": "success"}
        (comment,) = there.comments()
    assert ("Approved by the owner" in comment) is not guarded
    assert f"touches the code that judges it**: `{path}`" in comment
