"""`.template.json`: which template a project came from, in which version, with which answers."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..core.errors import UsageError
from .guess import answers_of

FILE = ".template.json"
BEFORE_VERSIONS = "0"
"""The version of what has no file VERSION."""


@dataclass(frozen=True)
class Origin:
    """Where a project came from."""

    template: str
    """The address that cookiecutter was given: of a git repository, or of a folder."""
    version: str
    revision: str | None
    """The template's commit; none where it was a folder with changes, or without git."""
    answers: Mapping[str, str]
    engine: str = ""
    """`yours` where the user has made `src/mlrails` their own."""

    @property
    def is_ejected(self) -> bool:
        """Whether updates merge the engine like any other file."""
        return self.engine == "yours"

    @property
    def name(self) -> str:
        """The version in words."""
        short = f" ({self.revision[:9]})" if self.revision else ""
        return f"the template's version {self.version}{short}"

    def is_same(self, other: "Origin") -> bool:
        """Tell whether both bake to the same files."""
        return replace(self, template="", engine="") == replace(other, template="", engine="")

    def text(self) -> str:
        """Return it as the file holds it."""
        told = {name: value for name, value in asdict(self).items() if name != "engine"}
        if self.engine:
            told["engine"] = self.engine
        return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def read(root: Path) -> Origin:
    """Read a project's origin; raises UsageError where there is none, with how to make one."""
    try:
        text = (root / FILE).read_text("utf-8")
    except FileNotFoundError:
        raise UsageError(_how_to_make_one(root)) from None
    except UnicodeDecodeError:
        raise UsageError(f"{root / FILE}: not UTF-8; restore it from git") from None
    return parse(text)


def parse(text: str) -> Origin:
    """Read an origin out of a file's text; raises UsageError where it is none."""
    try:
        told: Any = json.loads(text)
    except ValueError as problem:
        raise UsageError(f"{FILE}: not JSON ({problem}); mend it or restore it from git") from None
    if not isinstance(told, dict):
        raise UsageError(f"{FILE}: an object with template, version and answers is wanted")
    answers = told.get("answers")
    if not isinstance(answers, dict) or not all(isinstance(it, str) for it in answers.values()):
        raise UsageError(f"{FILE}: 'answers' has to be an object of texts; restore it from git")
    return Origin(
        _text(told, "template"),
        _text(told, "version") or BEFORE_VERSIONS,
        _text(told, "revision") or None,
        answers,
        _text(told, "engine"),
    )


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name) or ""
    if not isinstance(value, str):
        raise UsageError(f"{FILE}: {name!r} has to be a text, not {value!r:.60}")
    return value


def _how_to_make_one(root: Path) -> str:
    """Say what to write, as far as the project's own files tell it."""
    made = Origin(
        "ADDRESS-OF-THE-TEMPLATE", BEFORE_VERSIONS, "COMMIT-OF-THE-TEMPLATE", answers_of(root)
    )
    return (
        f"{FILE} is not there: the project is of before version 1.0.0, or the file was deleted. "
        f"Write {root / FILE} as below, with the address that cookiecutter was given and the "
        "commit of the template that the project was made from (that of its day, see `git log` "
        "in a clone of the template), see to it that the answers are those that you gave, commit "
        f"it, and run the same command again.\n{made.text()}"
    )
