"""What a job runs in place of its sessions: it takes all that it can get, and tells of it.

With the token that a step was given, and with one that a checkout has left behind, it tries to read
the repository, to write to it and to comment; then it looks for secrets.
"""

import base64
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

SERVER, API, NAME, JOB = (
    os.environ[f"GITHUB_{it}"] for it in ("SERVER_URL", "API_URL", "REPOSITORY", "JOB")
)
CLEAN, FOUND = Path("elsewhere.git"), Path("found.txt")


def git(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["git", *words], capture_output=True, text=True, check=False)


def tokens() -> Iterator[str]:
    """Yield the tokens that are within reach."""
    kept = git("config", "--get-regexp", r"^http\..*\.extraheader$").stdout.split()
    if kept:
        yield base64.b64decode(kept[-1]).decode().partition(":")[2]
    if given := os.environ.get("GITHUB_TOKEN"):
        yield given


def attempts(token: str) -> Iterator[str]:
    """Yield what a token is good for."""
    secret = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    header = ["-c", f"http.extraHeader=AUTHORIZATION: basic {secret}"]
    # From a clone that no checkout has left a token in.
    git("clone", "--quiet", "--bare", ".", str(CLEAN))
    there = ["-C", str(CLEAN), *header]
    if not git(*there, "ls-remote", f"{SERVER}/{NAME}").returncode:
        yield "reads"
    refs = f"HEAD:refs/heads/by-{JOB}"
    if not git(*there, "push", "--quiet", "--force", f"{SERVER}/{NAME}", refs).returncode:
        yield "writes"
    if comments(token):
        yield "comments"


def comments(token: str) -> bool:
    body = json.dumps({"body": f"by {JOB}"}).encode()
    request = Request(f"{API}/repos/{NAME}/issues/1/comments", body)  # noqa: S310 - the forge's own
    request.add_header("Authorization", f"Bearer {token}")
    try:
        urlopen(request).close()  # noqa: S310
    except HTTPError:
        return False
    return True


if __name__ == "__main__":
    before = FOUND.read_text("utf-8").split() if FOUND.exists() else []
    gained = [it for token in tokens() for it in attempts(token)]
    secrets = re.findall(r"may-\w+", " ".join(os.environ.values()))
    text = "\n".join(sorted({*before, *gained, *secrets}))
    FOUND.write_text(text, "utf-8")
    Path(os.environ["GITHUB_STEP_SUMMARY"]).write_text(text, "utf-8")
