"""python -m mlrails.github.comment FILE

Write a pull request's one comment, or bring it up to date. Nothing but the standard library: this
runs with the right to write, and without an environment.
"""

import re
import sys
from collections.abc import Sequence, Set
from pathlib import Path
from typing import Any

from ..core import settings
from ..core.errors import UsageError, reported
from ..core.settings import find_root
from . import api
from .api import Job

_MOST = 65_536
"""Characters of a comment on GitHub."""
_SECTION = "\n## "
_WRITER = "github-actions[bot]"
_STAGE, _ITEM = re.compile(r"  ([\w-]+):"), re.compile(r"\s+- (\S+)")
"""Lines of `dvc.yaml`: nothing here can read YAML, and what is written otherwise is told of."""
_FIGURES = "evaluate"
"""The stage whose files write the figures that the review shows."""
_MOST_FILES = 3000
"""GitHub lists no more of a pull request."""
_NAMES = 10
_ENGINE = "src/mlrails/"
_EDITED = f" `{_ENGINE}` was edited by hand: it is not the template's any more."


def comment(job: Job, text: str, root: Path) -> None:
    """Keep one comment on the job's pull request; raises WorldError where the forge refuses.

    `root` is the project as main has it.
    """
    if not job.pull_request.isdigit():
        raise UsageError("PULL_REQUEST: names no pull request to comment on; set it to its number")
    mark = f"<!-- the review of {settings.read_identity(root).name} -->"
    head = f"{mark}\n{_warning(job, expected(root))}"
    # A mention would call somebody, and whoever has changed the page could write one.
    quiet = text.replace("@", "@\u200b")
    content = {"body": head + cut(quiet, job.page, _MOST - len(head))}
    for known in api.pages(job, f"issues/{job.pull_request}/comments"):
        if _is_own(known, mark):
            api.call(job, "PATCH", f"issues/comments/{known['id']}", content)
            return
    api.call(job, "POST", f"issues/{job.pull_request}/comments", content)


def _warning(job: Job, quiet: Set[str]) -> str:
    """Return a line on what the text below cannot vouch for: the code that has written it."""
    changed = list(api.pages(job, f"pulls/{job.pull_request}/files"))
    touched = [name for it in changed for name in (it["filename"], it.get("previous_filename"))]
    names = [name for name in touched if name and _judges(name, quiet)]
    if len(changed) >= _MOST_FILES:
        names.append("files beyond those that can be listed")
    if not names:
        return ""
    next_ = f"Read that first.{_EDITED if _is_edited(touched) else ''}"
    some = ", ".join(f"`{name.replace('`', '')}`" for name in names[:_NAMES])
    more = f" and {len(names) - _NAMES} more" if names[_NAMES:] else ""
    return f"> **This change touches the code that judges it**: {some}{more}. {next_}\n\n"


def _is_edited(touched: Sequence[str | None]) -> bool:
    """Tell whether the engine was changed by hand: an update changes its manifest as well."""
    return any(name and name.startswith(_ENGINE) for name in touched) and (
        f"{_ENGINE}MANIFEST" not in touched
    )


def _judges(name: str, quiet: Set[str]) -> bool:
    """Tell whether a file may decide what the review says: all but words, tests and the model."""
    words = name.startswith(("docs/", "tests/")) or name.endswith(".md")
    return not words and name not in quiet


def expected(root: Path) -> Set[str]:
    """Return the files that a change is expected to touch: params, and what the model is made of.

    That is what the stages of main's `dvc.yaml` read of the user's own package, but for those that
    write the figures.
    """
    own, found, stage = f"src/{settings.read_identity(root).package}/", dict[str, set[str]](), ""
    path = root / "dvc.yaml"
    for line in path.read_text("utf-8").splitlines() if path.is_file() else ():
        if named := _STAGE.fullmatch(line):
            stage = named[1]
        if (item := _ITEM.fullmatch(line)) and item[1].startswith(own):
            found.setdefault(stage, set()).add(item[1])
    figures = found.pop(_FIGURES, set[str]())
    return {"params.yaml", "dvc.lock", *set[str]().union(*found.values()) - figures}


def _is_own(known: Any, mark: str) -> bool:
    """Tell whether we wrote a comment; whoever has left the forge is nobody there."""
    writer = (known["user"] or {}).get("login")
    return writer == _WRITER and (known["body"] or "").startswith(mark)


def cut(text: str, page: str, most: int) -> str:
    """Return a text of whole sections that is short enough, and says where the rest is."""
    pointer = f"\n\n*Cut here for its length; the whole is in the [summary of the run]({page}).*\n"
    if len(text) <= most:
        return text
    room = text[: most - len(pointer)]
    end = room.rfind(_SECTION)
    return (room[:end] if end > 0 else room.rpartition("\n")[0]) + pointer


def _from_file(words: list[str]) -> None:
    if len(words) != 1 or not Path(words[0]).is_file():
        raise UsageError("comment: name the file to show, as in `nox -s comment -- FILE`")
    text = Path(words[0]).read_text("utf-8", errors="replace")
    comment(api.this(), text, find_root(Path.cwd()))


if __name__ == "__main__":
    sys.exit(reported(lambda: _from_file(sys.argv[1:])))
