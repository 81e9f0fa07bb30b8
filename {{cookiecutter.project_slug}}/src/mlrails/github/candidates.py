"""The candidate that a merged pull request had evaluated: evidence, never the bytes to promote.

Anyone who can open a pull request can upload anything under any name, so a candidate counts only
where the forge itself says that the train workflow of this repository made it, from the last commit
of the pull request that was merged.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from ..core.errors import WorldError
from ..lifecycle import bundle
from . import api
from .api import Job

WORKFLOW = ".github/workflows/train.yaml"
_MOST = 500_000_000
"""Bytes that a candidate may unpack to."""


def of_merge(job: Job, key: str, folder: Path) -> str | None:
    """Unpack the candidate of an input key that the merge of this commit brought in.

    Returns the address of the run that made it, or None where there is no such candidate.
    """
    for head in _heads(job):
        artifacts = api.pages(job, "actions/artifacts", "artifacts", name=f"{bundle.NAME}-{key}")
        for artifact in artifacts:
            if _is_own(artifact, head) and _is_trained(job, artifact):
                _unpack(api.download(job, f"actions/artifacts/{artifact['id']}/zip"), folder)
                run = artifact["workflow_run"]["id"]
                return f"{job.server}/{job.repository}/actions/runs/{run}"
    return None


def _heads(job: Job) -> Iterator[str]:
    """Yield the last commit of each pull request whose merge made this commit."""
    for pull in api.pages(job, f"commits/{job.sha}/pulls"):
        if pull["merged_at"] and pull["merge_commit_sha"] == job.sha:
            yield str(pull["head"]["sha"])


def _is_own(artifact: Any, head: str) -> bool:
    """Tell whether the artifact is of this repository, not of a fork, and of the last commit."""
    run = artifact["workflow_run"]
    own = run and run["repository_id"] == run["head_repository_id"]
    return bool(own and not artifact["expired"] and run["head_sha"] == head)


def _is_trained(job: Job, artifact: Any) -> bool:
    """Tell whether the train workflow made it, on a pull request, to a good end."""
    run = api.call(job, "GET", f"actions/runs/{artifact['workflow_run']['id']}")
    of_train = str(run["path"]).partition("@")[0] == WORKFLOW
    return bool(of_train and run["event"] == "pull_request" and run["conclusion"] == "success")


def _unpack(archive: bytes, folder: Path) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as file:
            members = file.infolist()
            for member in members:
                parts = PurePosixPath(member.filename).parts
                if ".." in parts or member.filename.startswith("/") or "\\" in member.filename:
                    raise WorldError(f"a candidate's file lies outside of it: {member.filename!r}")
            if sum(member.file_size for member in members) > _MOST:
                raise WorldError(f"a candidate of more than {_MOST / 1e6:,.0f} MB is none")
            file.extractall(folder)
    except (zipfile.BadZipFile, zlib.error, RuntimeError):  # The last one: it is encrypted.
        raise WorldError("the candidate is no archive; run the pull request's job again") from None
