"""The REST calls that the workflows make, as docs.github.com/rest (2022-11-28) describes them.

Fields are those of the page that names the call, and none that it does not name. How to change
this: a call gets a function and a line in `ROUTES`, with the permission that its page names.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import git
from .files import FULL_NAME, Files, Record
from .rights import Rights

BLOBS = "/blobs/"
"""Where an artifact's address leads to: a store of its own, which takes no token."""
LONGEST_COMMENT = 65_536


@dataclass(frozen=True)
class Asked:
    """A request: of which forge, with which words."""

    files: Files
    url: str
    path: str
    query: dict[str, str]
    given: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


MISSING = Answer({"message": "Not Found"}, 404)
REPOSITORY = f"/api/v3/repos/{FULL_NAME}"


def blob(asked: Asked, header: str | None) -> Answer:
    """Return the bytes of an artifact, from the store that its address leads to."""
    if header is not None:  # The store refuses two ways of signing in at once.
        return Answer({"message": "InvalidAuthenticationInfo"}, 401)
    number = asked.path.removeprefix(BLOBS)
    return Answer((asked.files.folder("artifacts") / f"{number}.zip").read_bytes())


def pulls_of_commit(asked: Asked, commit: str) -> Answer:
    """List the pull requests that brought a commit, or that hold it."""
    pulls = asked.files.every("pulls")
    found = [it for it in pulls if commit in {it["merge_commit_sha"], *it["_commits"]}]
    return _page(asked, found)


def files_of_pull(asked: Asked, number: str) -> Answer:
    """List the files that a pull request changes."""
    found = asked.files.get("pulls", number)
    if found is None:
        return MISSING
    span = f"{found['base']['sha']}...{found['head']['sha']}"
    names = git.git(asked.files.remote, "diff", "--name-only", span).splitlines()
    return _page(asked, [{"filename": name} for name in names])


def artifacts(asked: Asked) -> Answer:
    """List the artifacts of a name, the newest first."""
    name = asked.query.get("name")
    found = [it for it in asked.files.every("artifacts") if name in {None, it["name"]}]
    page = _page(asked, [_at(asked, it) for it in reversed(found)])
    return Answer({"total_count": len(found), "artifacts": page.body}, headers=page.headers)


def artifact(asked: Asked, number: str) -> Answer:
    """Lead to the bytes of an artifact."""
    if asked.files.get("artifacts", number) is None:
        return MISSING
    return Answer(b"", 302, {"Location": f"{asked.url}{BLOBS}{number}"})


def run(asked: Asked, number: str) -> Answer:
    """Return one run of a workflow."""
    found = asked.files.get("runs", number)
    return Answer(_public(found)) if found else MISSING


def comments(asked: Asked, issue: str) -> Answer:
    """List the comments of a pull request, the oldest first."""
    return _page(asked, [it for it in asked.files.every("comments") if it["_issue"] == int(issue)])


def comment(asked: Asked, issue: str) -> Answer:
    """Write a comment."""
    if asked.files.get("pulls", issue) is None:
        return MISSING
    if refusal := _too_long(asked.given):
        return refusal
    user = {"login": "github-actions[bot]", "type": "Bot"}
    made = {"_issue": int(issue), "user": user, "body": asked.given["body"]}
    return Answer(_public(asked.files.new("comments", made)), 201)


def change_comment(asked: Asked, number: str) -> Answer:
    """Change a comment."""
    return _changed(asked, "comments", number, lambda: {"body": asked.given["body"]})


def issues(asked: Asked) -> Answer:
    """List the issues, by default those that are open, the newest first."""
    state = asked.query.get("state", "open")
    found = [it for it in asked.files.every("issues") if state in {"all", it["state"]}]
    return _page(asked, found[::-1])


def issue(asked: Asked) -> Answer:
    """Open an issue."""
    if refusal := _too_long(asked.given):
        return refusal
    user = {"login": "github-actions[bot]", "type": "Bot"}
    made = asked.files.new("issues", {"state": "open", "user": user, **asked.given})
    made = asked.files.keep("issues", {**made, "number": made["id"]})
    return Answer(_public(made), 201)


def change_issue(asked: Asked, number: str) -> Answer:
    """Change an issue, or close it."""
    return _changed(asked, "issues", number, lambda: asked.given)


def _changed(asked: Asked, kind: str, number: str, values: Callable[[], Record]) -> Answer:
    """Keep a record with other values, which are asked for once it is known to be there."""
    found = asked.files.get(kind, number)
    if found is None:
        return MISSING
    if refusal := _too_long(asked.given):
        return refusal
    return Answer(_public(asked.files.keep(kind, {**found, **values()})))


def ref(asked: Asked, name: str) -> Answer:
    """Return the commit of a branch."""
    found = git.commit(asked.files.remote, f"refs/{name}")
    if found == git.ZERO:
        return MISSING
    return Answer({"ref": f"refs/{name}", "object": {"type": "commit", "sha": found}})


def _page(asked: Asked, found: list[Record]) -> Answer:
    size = min(int(asked.query.get("per_page", 30)), 100)
    number = int(asked.query.get("page", 1))
    headers = {}
    if number * size < len(found):
        words = "&".join(f"{k}={v}" for k, v in {**asked.query, "page": number + 1}.items())
        headers["Link"] = f'<{asked.url}{asked.path}?{words}>; rel="next"'
    return Answer([*map(_public, found[(number - 1) * size : number * size])], headers=headers)


def _public(record: Record) -> Record:
    return {name: value for name, value in record.items() if not name.startswith("_")}


def _at(asked: Asked, record: Record) -> Record:
    address = f"{asked.url}{REPOSITORY}/actions/artifacts/{record['id']}"
    return {**record, "url": address, "archive_download_url": f"{address}/zip"}


def _too_long(given: dict[str, Any]) -> Answer | None:
    if len(given.get("body", "")) <= LONGEST_COMMENT:
        return None
    return Answer({"message": "Validation Failed: body is too long"}, 422)


Route = Callable[..., Answer]

ROUTES: list[tuple[str, str, str, str, Route]] = [
    (r"/commits/([0-9a-f]{40})/pulls", "GET", "pull-requests", "read", pulls_of_commit),
    (r"/pulls/(\d+)/files", "GET", "pull-requests", "read", files_of_pull),
    (r"/actions/artifacts", "GET", "actions", "read", artifacts),
    (r"/actions/artifacts/(\d+)/zip", "GET", "actions", "read", artifact),
    (r"/actions/runs/(\d+)", "GET", "actions", "read", run),
    (r"/issues/(\d+)/comments", "GET", "issues pull-requests", "read", comments),
    (r"/issues/(\d+)/comments", "POST", "issues pull-requests", "write", comment),
    (r"/issues/comments/(\d+)", "PATCH", "issues pull-requests", "write", change_comment),
    (r"/issues", "GET", "issues", "read", issues),
    (r"/issues", "POST", "issues", "write", issue),
    (r"/issues/(\d+)", "PATCH", "issues", "write", change_issue),
    (r"/git/ref/(heads/.+)", "GET", "contents", "read", ref),
]


def answer(asked: Asked, method: str, header: str | None, rights: Rights) -> Answer:
    """Find who answers a request, and ask whether its token may do this."""
    if asked.path.startswith(BLOBS):
        return blob(asked, header)
    for pattern, of_method, need, level, route in ROUTES:
        if of_method == method and (found := re.fullmatch(REPOSITORY + pattern, asked.path)):
            if status := rights.refused(header, need, level):
                words = {401: "Requires authentication"}
                message = words.get(status, "Resource not accessible by integration")
                return Answer({"message": message}, status)
            return route(asked, *found.groups())
    return MISSING
