"""python -m mlrails.github.issue FILE

Keep the one issue of the watch: open while an alarm stands, closed when it is over; and push the
branch that lets newer rows count. Nothing but the standard library: this runs with the right to
write, without an environment, and takes a day and a text from the job that trains, no file.
"""

import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from ..core import git, settings
from ..core.errors import UsageError, WorldError, reported
from ..core.settings import find_root
from . import api
from .api import Job
from .comment import cut

_PARAMS = "params.yaml"
_WRITER = "github-actions[bot]"
_EMAIL = "41898282+github-actions[bot]@users.noreply.github.com"
_MOST = 65_536
_MISSING = 2
"""What git says of a branch that is not there."""
_NOTHING, _ALL = "nothing", "all"
_CALLS = re.compile(r"[@#](?=\w)|\b(?:https?|ftp):(?=//)|\bwww(?=\.)", re.IGNORECASE)
"""What a forge makes a mention or a link of; nobody vouches for values of rows, which are here."""
_UNTIL = re.compile(
    r"^(data:[^\n]*\n(?:[ \t#][^\n]*\n|\r?\n)*?[ \t]+until:[ \t]*)(['\"]?)(\d{4}-\d\d-\d\d)\2",
    re.MULTILINE,
)


def keep(job: Job, root: Path, text: str) -> None:
    """Open the issue, bring it up to date or close it, as the job's verdict says.

    Its `until` is the last day that counts after the retraining, empty where that failed. A branch
    that is there already is left alone: somebody may be at work on it. Of several open issues, as
    where an old one was opened again by hand, the newest stays. Raises UsageError or WorldError for
    a branch that cannot be pushed, after the issue tells of the alarm all the same.
    """
    name = settings.read_identity(root).name
    mark = f"<!-- the watch over {name} -->"
    ours = sorted(_own(job, mark), reverse=True)
    known, failure = ours[0] if ours else None, None
    if job.verdict == "drift":
        step, failure = _next_step(job, root)
        title, head = f"{name}: something is not as it was", f"{mark}\n{_alarm(job)}\n\n{step}"
        content = {"title": title, "body": _body(job, head, text)}
        if known is None:
            api.call(job, "POST", "issues", content)
        else:
            api.call(job, "PATCH", f"issues/{known}", content)
    elif known is not None and job.verdict in _OTHERS:
        told = _OTHERS[job.verdict].format(run=_run(job))
        closed = {"state": "closed", "state_reason": "completed"} if job.verdict == "calm" else {}
        content = {"body": _body(job, f"{mark}\n{told}", text), **closed}
        api.call(job, "PATCH", f"issues/{known}", content)
    for it in ours[1:]:
        api.call(job, "PATCH", f"issues/{it}", {"state": "closed", "state_reason": "not_planned"})
    if failure:
        raise failure


_OTHERS = {
    "calm": "**The alarm is over**: {run} found none.",
    "unknown": (
        "**Whether the alarm still stands cannot be told**: {run} says why, below. What it was is "
        "in the edits of this text, which stays open until it is known to be over."
    ),
}
"""What is said first where no alarm is found."""


def _alarm(job: Job) -> str:
    return (
        f"**An alarm stands**, says {_run(job)}: below is what is wrong, since when, what to do; "
        "the page with pictures is in the run's artifact `watched`. This text is kept up to date, "
        "and closed when the alarm is over."
    )


def _run(job: Job) -> str:
    return f"[this run of the watch]({job.page})"


def _body(job: Job, head: str, text: str) -> str:
    """Return a body that is short enough, calls nobody and no other issue, and leads nowhere."""
    quiet = _CALLS.sub("\\g<0>\u200b", text)
    return f"{head}\n\n{cut(quiet, job.page, _MOST - len(head) - 2)}"


def _own(job: Job, mark: str) -> Iterator[int]:
    """Yield the numbers of our open issues."""
    for it in api.pages(job, "issues", state="open"):
        writer = (it["user"] or {}).get("login")
        if writer == _WRITER and (it["body"] or "").startswith(mark):
            yield int(it["number"])


def _next_step(job: Job, root: Path) -> tuple[str, Exception | None]:
    """Return what became of the retraining, and what is wrong with its branch, if anything is."""
    if not job.until:
        return f"**Training on newer rows has failed**: {_run(job)} says why.", None
    if job.until in _UNMOVED:
        return _UNMOVED[job.until], None
    try:
        branch = push(job, root, job.until)
    except (UsageError, WorldError) as error:
        return f"**Pushing a branch for newer rows has failed**: {_run(job)} says why.", error
    compare = f"{job.server}/{job.repository}/compare/main...{branch}?expand=1"
    return (
        f"Are the rows sound, and shall those up to {job.until} count? **[Open a pull request of "
        f"`{branch}`]({compare})**: its checks hold the new model against the champion. What the "
        "gate says of it now is at the end of this text. Nothing is promoted before it is merged."
    ), None


_UNMOVED = {
    _NOTHING: "There are no newer rows to train on yet; the gate's answer is at the end.",
    _ALL: (
        f"`{_PARAMS}` has no `data.until`, so all rows count: the next push to main trains on what "
        "has come. The gate's answer is at the end."
    ),
}
"""What is said where no branch is needed."""


def push(job: Job, root: Path, until: str) -> str:
    """Push the branch on which rows up to a day count, unless it is there; return its name.

    Raises UsageError for what is no later day.
    """
    day = _later(root, until)
    branch = _branch(day)
    where, rights = f"{job.server}/{job.repository}", git.with_token(job.token)
    asked = git.run(root, "ls-remote", "--exit-code", where, f"refs/heads/{branch}", **rights)
    if asked.returncode == 0:
        return branch
    if asked.returncode != _MISSING:
        raise WorldError(f"git ls-remote failed: {git.reason(asked.stderr):.200}")
    path = root / _PARAMS
    text = path.read_bytes().decode("utf-8")  # Not as text: lines end as they did.
    path.write_bytes(_UNTIL.sub(rf'\g<1>"{day}"', text, count=1).encode("utf-8"))
    who = ["-c", f"user.name={_WRITER}", "-c", f"user.email={_EMAIL}"]
    words = ["--quiet", "--message", f"Let rows up to {day} count"]
    git.check(root, *who, "commit", *words, "--", _PARAMS)
    refs = f"HEAD:refs/heads/{branch}"
    git.check(root, "push", "--quiet", where, refs, **rights)
    return branch


def _branch(day: date) -> str:
    return f"retrain-{day}"


def _later(root: Path, until: str) -> date:
    """Return the day, which comes from a job that runs other people's code: nothing else may."""
    found = _UNTIL.search((root / _PARAMS).read_text("utf-8"))
    if found is None:
        raise UsageError(f"{_PARAMS}: 'data.until' is no day in a line of its own; write it so")
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise UsageError(f"UNTIL: {until!r:.40} is no day; run the job that trains again") from None
    if day <= date.fromisoformat(found[3]):
        raise UsageError(f"UNTIL: {day} is not after {found[3]}, which counts already")
    return day


def _from_file(words: list[str]) -> None:
    if len(words) != 1 or not Path(words[0]).is_file():
        raise UsageError("issue: name the file to show, as in `nox -s issue -- FILE`")
    text = Path(words[0]).read_text("utf-8", errors="replace")
    keep(api.this(), find_root(Path.cwd()), text)


if __name__ == "__main__":
    sys.exit(reported(lambda: _from_file(sys.argv[1:])))
