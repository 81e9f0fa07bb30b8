"""One run of a workflow: `act` on the copy of its file, and what came of each job."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import WorldError
from . import actions
from .files import FULL_NAME, Files, Record, artifacts_of
from .git import git
from .machine import Machine
from .rights import Configuration, Rights
from .server import API
from .workflow import SYSTEM, Workflow, for_act, secret_name

_NOISE = "LocalRepositoryCache"


@dataclass(frozen=True)
class Result:
    """What a run has done."""

    files: Files
    run: Record
    jobs: dict[str, str]
    log: str

    @property
    def conclusion(self) -> str:
        """`success`, `failure`, `skipped` or `cancelled`."""
        return str(self.run["conclusion"])

    @property
    def folder(self) -> Path:
        """Where the run keeps its log, its summaries and the copy of its workflow."""
        return self.files.folder("runs", self.run["id"])

    @property
    def summaries(self) -> dict[str, Path]:
        """The summaries that jobs have written, as files."""
        return {path.stem: path for path in sorted(self.folder.glob("summaries/*.md"))}

    @property
    def artifacts(self) -> list[Record]:
        """The artifacts of the run."""
        return artifacts_of(self.files, self.run)


def _read(log: str, names: list[str]) -> tuple[dict[str, str], str]:
    """Return each job's conclusion (act is silent on skipped ones), and the log for people."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    jobs = dict.fromkeys(names, "skipped")
    for line in lines:
        if "jobResult" in line and jobs[line["jobID"]] != "failure":
            jobs[line["jobID"]] = line["jobResult"]
    said = [it for it in lines if not it.get("msg", "").startswith(_NOISE)]
    told = [f"{it.get('jobID', '')}: {it.get('msg', '').rstrip()}" for it in said]
    return jobs, "\n".join(told) + "\n"


def _worst(jobs: dict[str, str]) -> str:
    """Return the conclusion of a run from those of its jobs."""
    for conclusion in ("failure", "cancelled", "success"):
        if conclusion in jobs.values():
            return conclusion
    return "skipped"


_FLAGS = ["--json", f"--platform={SYSTEM}=-self-hosted", "--pull=false", "--no-skip-checkout"]
_FLAGS += ["--action-offline-mode", "--no-cache-server"]
_FILES = {
    "workflows": "workflow.yaml",
    "eventpath": "event.json",
    "secret-file": "secrets.yaml",
    "var-file": "variables.yaml",
    "env-file": "environment.yaml",
}
"""Options of act, and the files of a run's folder that they name."""


@dataclass(frozen=True)
class Runner:
    """Runs workflows of one forge, on one machine."""

    files: Files
    rights: Rights
    server: str
    machine: Machine
    configuration: Configuration

    def run(self, run: Record, workflow: Workflow) -> Result:
        """Run all jobs of a workflow, and keep what each has come to."""
        here = self.files.folder("runs", run["id"])
        let_in = self._let_in(run["_ref"], workflow)
        own = {job: self._secrets(job, workflow, run["_trusted"]) for job in let_in}
        tokens = [values["GITHUB_TOKEN"] for values in own.values()]
        named = {
            secret_name(job, name): value
            for job, values in own.items()
            for name, value in values.items()
        }
        try:
            done = self._act(here, run, workflow.allowing(let_in), named)
        finally:
            self.rights.revoke(tokens)
            (here / "secrets.yaml").unlink(missing_ok=True)
        (here / "log.jsonl").write_text(done.stdout + done.stderr, "utf-8")
        jobs, log = _read(done.stdout, list(workflow.jobs))
        if done.returncode and "failure" not in jobs.values():
            raise WorldError(f"{workflow.path}: act: {done.stderr.strip() or log}")
        (here / "log.txt").write_text(log, "utf-8")
        (here / "jobs.json").write_text(json.dumps(jobs), "utf-8")
        run |= {"status": "completed", "conclusion": _worst(jobs)}
        return Result(self.files, self.files.keep("runs", run), jobs, log)

    def _let_in(self, ref: str, workflow: Workflow) -> list[str]:
        """Return the jobs that no environment refuses."""
        named = {job: workflow.environment(job) for job in workflow.jobs}
        return [job for job, name in named.items() if self.configuration.lets_in(ref, name)]

    def _secrets(self, job: str, workflow: Workflow, trusted: bool) -> dict[str, str]:
        token = self.rights.grant(workflow.permissions(job, trusted))
        seen = self.configuration.seen_in(workflow.environment(job)) if trusted else {}
        return {**seen, "GITHUB_TOKEN": token}

    def _act(
        self, here: Path, run: Record, workflow: Workflow, secrets: dict[str, str]
    ) -> "subprocess.CompletedProcess[str]":
        number, files, machine = run["id"], self.files, self.machine
        shell = machine.shell(files, number, self.server, self.server + API)
        (here / "workflow.yaml").write_text(for_act(workflow, str(shell)), "utf-8")
        given = {
            "secrets": secrets,
            # GitHub hands a fork's pull request no variables either.
            "variables": dict(self.configuration.variables) if run["_trusted"] else {},
            "environment": _of_a_run(run, workflow),
        }
        for name, values in given.items():
            (here / f"{name}.yaml").write_text(json.dumps(values), "utf-8")
        words = [machine.runner(), run["event"], *_FLAGS, "--actor", run["actor"]["login"]]
        words += ["--directory", str(_commit_of(files, here, run))]
        words += [f"--{option}={here / name}" for option, name in _FILES.items()]
        folders = actions.write(files, number, self.server)
        for use in _uses(workflow):
            if folder := folders.get(use.partition("@")[0]):
                words += ["--local-repository", f"{use}={folder}"]
        environment = machine.environment(files, number)
        return subprocess.run(
            words,
            cwd=here,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )


def _of_a_run(run: Record, workflow: Workflow) -> dict[str, str]:
    """Return what the forge sets and act knows nothing of, or something else."""
    of_run = {
        "run_id": run["id"],
        "run_number": run["run_number"],
        "run_attempt": run["run_attempt"],
        "actor_id": run["actor"]["id"],
        "triggering_actor": run["actor"]["login"],
        "repository_id": run["repository"]["id"],
        "repository_owner_id": run["repository"]["owner"]["id"],
        "ref_protected": "false",
        "retention_days": 90,
        "workflow_ref": f"{FULL_NAME}/{workflow.path}@{run['_ref']}",
        "workflow_sha": run["_sha"],
    }
    return {f"GITHUB_{name}".upper(): str(value) for name, value in of_run.items()}


def _uses(workflow: Workflow) -> set[str]:
    steps = [step for job in workflow.jobs.values() for step in job.get("steps", [])]
    return {step["uses"] for step in steps if "uses" in step}


def _commit_of(files: Files, here: Path, run: Record) -> Path:
    """Make the repository that act reads commit, branch and name from; no job sees it."""
    folder = here / "commit"
    if not folder.exists():
        branch = run["_ref"].removeprefix("refs/heads/")
        git(here, "init", "--quiet", "--initial-branch", branch, str(folder))
        (folder / ".git/objects/info/alternates").write_text(f"{files.remote / 'objects'}\n")
        git(folder, "remote", "add", "origin", f"https://github.com/{FULL_NAME}.git")
        git(folder, "update-ref", f"refs/heads/{branch}", run["_sha"])
    return folder
