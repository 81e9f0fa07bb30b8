"""The project's tutorial, block by block: run as it stands, and held to what it shows."""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from baking import SOURCE, Project
from serving import free_port, started
from test_readme import shell

PAGE = SOURCE / "docs" / "tutorial.md"
SERVE, PORT = "nox -s serve\n", ":8000"
_FENCED = re.compile(r"```(sh|text)\n(.*?)```", re.DOTALL)


class Step(NamedTuple):
    """A block of the page, and the lines that the page shows of what it says."""

    words: str
    shown: list[str]

    @property
    def stops(self) -> bool:
        """Whether the page says that it ends with an error."""
        return any(it.startswith("error:") for it in self.shown)

    def missing(self, said: str) -> list[str]:
        """Return the lines that it does not say; where a line breaks does not matter."""
        return [it for it in self.shown if " ".join(it.split()) not in " ".join(said.split())]


def steps(page: str) -> list[Step]:
    """Return the blocks of a page that are run, in their order."""
    found: list[Step] = []
    for kind, text in _FENCED.findall(page):
        if kind == "sh":
            found.append(Step(text, []))
        else:
            found[-1].shown.extend(text.splitlines())
    return found


def faults(page: str, project: Project, later: Path, log: Path) -> Iterator[str]:
    """Run a page in a project; yield what it says otherwise, and nothing after that.

    `later` is the environment of the project once its data are its own.
    """
    programs = os.pathsep.join([str(Path(project.python).parent), project.env["PATH"]])
    port = free_port()
    with ExitStack() as server:
        for step in steps(page):
            tools = project.tools if "nox -s adopt" in step.words else later
            if step.words == SERVE:
                call = ["nox", "--envdir", str(tools), "-s", "serve", "--", "--port", str(port)]
                server.enter_context(started(project, call, port, log))
                continue
            words = step.words.replace("nox -s", f"nox --envdir '{tools}' -s")
            words = words.replace(PORT, f":{port}")
            done = shell(words, project.root, {**project.env, "PATH": programs})
            said = done.stdout + done.stderr
            if bool(done.returncode) is not step.stops or step.missing(said):
                yield f"{step.words}\nmissing: {step.missing(said)}\n{said}"
                return
