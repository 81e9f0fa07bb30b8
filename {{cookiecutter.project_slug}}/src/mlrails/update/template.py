"""Where versions of the template come from: a git address, or a folder."""

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.console import warn
from ..core.errors import UsageError, WorldError
from ..core.git import reason
from .repository import Repository, output, run

_QUESTIONS, _VERSION = "cookiecutter.json", "VERSION"
_ABBREVIATIONS = {
    "gh": "https://github.com/{}.git",
    "gl": "https://gitlab.com/{}.git",
    "bb": "https://bitbucket.org/{}",
}
_RELEASE = re.compile(r"v\d+(\.\d+)*")


@dataclass(frozen=True)
class Checkout:
    """One version of the template, in a folder that cookiecutter can read."""

    folder: Path
    revision: str | None

    @property
    def version(self) -> str:
        """The version as the template says it; `0` before versions began."""
        path = self.folder / _VERSION
        return path.read_text("utf-8").strip() if path.is_file() else "0"

    @property
    def questions(self) -> Mapping[str, Any]:
        """The public questions and their defaults, a list where one has to be chosen."""
        try:
            told = json.loads((self.folder / _QUESTIONS).read_text("utf-8"))
        except ValueError as problem:
            raise WorldError(f"{self.folder / _QUESTIONS}: not JSON ({problem})") from None
        return {name: it for name, it in told.items() if not name.startswith("_")}

    @property
    def changelog(self) -> str:
        """The template's changelog; empty where there is none."""
        path = self.folder / "CHANGELOG.md"
        return path.read_text("utf-8") if path.is_file() else ""


@dataclass(frozen=True)
class Template:
    """A template with its versions, or a folder that is one version."""

    place: Path
    address: str
    has_history: bool

    def newest(self) -> str | None:
        """Return the newest release (`v1.2.3`); None where nothing was released."""
        if not self.has_history:
            return None
        tags = output(self.place, "tag", "--list", "v*", "--sort=-version:refname").split()
        return next(filter(_RELEASE.fullmatch, tags), None)

    def commit(self, name: str | None) -> str | None:
        """Return the commit of a revision or a version; None where this has no such."""
        if not self.has_history or not name or name.startswith("-"):
            return None
        for revision in (name, f"v{name}"):
            words = ("rev-parse", "--quiet", "--verify", revision + "^{commit}")
            if not (found := run(self.place, *words)).returncode:
                return found.stdout.strip()
        return None

    def is_ancestor(self, one: str, other: str) -> bool:
        """Tell whether a commit is another one, or among what came before it."""
        return not run(self.place, "merge-base", "--is-ancestor", one, other).returncode

    def checkout(self, commit: str, into: Path) -> Checkout:
        """Lay a commit of the template out in a folder."""
        words = ("clone", "--quiet", "--shared", "--no-checkout", "--", str(self.place), str(into))
        output(into.parent, *words)
        output(into, "-c", "core.autocrlf=false", "checkout", "--quiet", "--detach", commit)
        return Checkout(into, commit)

    def as_it_stands(self, into: Path) -> Checkout:
        """Return the folder's version as cookiecutter would take it, or the default branch's."""
        if not (self.place / _QUESTIONS).is_file():
            return self.checkout(output(self.place, "rev-parse", "HEAD"), into)
        clean = self.has_history and not output(self.place, "status", "--porcelain")
        commit = output(self.place, "rev-parse", "HEAD") if clean else None
        return self.checkout(commit, into) if commit else Checkout(self.place, None)


def path_of(text: str) -> Path:
    """Return a path that somebody has typed, `~` included."""
    try:
        return Path(text).expanduser()
    except RuntimeError:  # `~somebody`, who is not known here.
        return Path(text)


def of_folder(path: Path) -> Template:
    """Return a template in a folder; raises UsageError where none is in it."""
    if not (path / _QUESTIONS).is_file():
        raise UsageError(f"{path}: no template, as there is no {_QUESTIONS} in it")
    found = run(path, "rev-parse", "--show-prefix")
    top = not found.returncode and not found.stdout.strip()
    has_commit = top and not run(path, "rev-parse", "--quiet", "--verify", "HEAD").returncode
    return Template(path, str(path), has_commit)


def of_address(address: str, repository: Repository) -> Template:
    """Return the template at a project's address; a git address is fetched, or kept from before.

    Raises UsageError where there is no address, WorldError where nothing is there.
    """
    if not address:
        raise UsageError(
            ".template.json names no address of the template; say where one is: "
            "`nox -s update -- --to PATH`"
        )
    for folder in (path_of(address), repository.root.parent / address):
        if folder.is_absolute() and folder.is_dir():
            return of_folder(folder)
    if not _is_remote(address):
        raise WorldError(_gone(address, "there is no such folder"))
    return _mirror(address, repository.own / "template.git")


def _is_remote(address: str) -> bool:
    return "://" in address or bool(re.match(r"[\w.-]+(@[\w.-]+)?:(?![\\/])", address))


def _mirror(address: str, place: Path) -> Template:
    """Bring a copy of a template's repository up to date, or make it."""
    kind, _, rest = address.partition(":")
    url = _ABBREVIATIONS[kind].format(rest) if kind in _ABBREVIATIONS else address
    kept = run(place, "config", "remote.origin.url") if place.is_dir() else None
    if kept and kept.stdout.strip() == url:
        done = run(place, "fetch", "--quiet", "--prune", "origin", **_unasked(place))
        if done.returncode:
            warn(f"{address} does not answer ({reason(done.stderr)}); taking what was fetched last")
        return Template(place, address, has_history=True)
    fresh = place.with_name("template.new")
    shutil.rmtree(fresh, ignore_errors=True)
    words = ("clone", "--quiet", "--mirror", "--", url, str(fresh))
    done = run(place.parent, *words, **_unasked(place.parent))
    if done.returncode:
        raise WorldError(_gone(address, reason(done.stderr)))
    shutil.rmtree(place, ignore_errors=True)
    fresh.rename(place)
    return Template(place, address, has_history=True)


def _unasked(place: Path) -> dict[str, str]:
    """Return the variables by which git asks for no password: nobody would see it asked for."""
    told = os.environ.get("GIT_SSH_COMMAND") or run(place, "config", "core.sshCommand").stdout
    command = told.strip() or os.environ.get("GIT_SSH", "").strip() or "ssh"
    silent = {"GIT_TERMINAL_PROMPT": "0"}
    if Path(command.split()[0]).stem != "ssh":  # Another's options are its own.
        return silent
    return {**silent, "GIT_SSH_COMMAND": f"{command} -o BatchMode=yes"}


def _gone(address: str, why: str) -> str:
    return (
        f"the template {address} cannot be had: {why}. Mend 'template' in .template.json, or take "
        "a clone that you have: `nox -s update -- --to PATH`"
    )
