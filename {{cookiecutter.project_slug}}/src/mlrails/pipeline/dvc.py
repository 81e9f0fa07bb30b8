"""DVC, run in this process: another one would cost a fifth of a second of every call."""

import importlib
import logging
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager, suppress
from copy import deepcopy
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any

import yaml

from ..core import git
from ..core.errors import Exit, ProjectError, WorldError, causes, of_os
from .forkserver import ForkServer, interrupts_left_to_the_stage

_LIBRARIES = ("dvc.cli.parser", "dvc.commands.add", "dvc.repo", "networkx", "ruamel.yaml", "pygit2")
"""Most of what a command imports."""
_STAGE_ENDED = re.compile(r"failed to run: .*exited with (-?\d+)$", re.DOTALL)
_INTERRUPTED = {-2, 130}
_ADVICE = ("Use `dvc push`", "Having any troubles?")
_AFTER_A_KILL = "Auto removed it from the lock file"


class StageFailedError(ProjectError):
    """A stage has told the user already what is wrong; only its exit code is left to pass on."""

    def __init__(self, code: Exit) -> None:
        super().__init__("")
        self.exit_code = code


def begin(*before: str) -> Thread:
    """Begin to import what a command needs, after some other modules, while something else is done.

    Whoever runs one then waits for the end first: modules of DVC import each other in circles.
    """

    def imported() -> None:
        for name in (*before, *_LIBRARIES):
            with suppress(Exception):  # Whoever needs it says what is wrong with it.
                importlib.import_module(name)

    thread = Thread(target=imported, daemon=True)  # A refusal need not wait for it.
    thread.start()
    return thread


def run(root: Path, *arguments: str, stages: ForkServer | None = None, **variables: str) -> int:
    """Run a DVC command in a project's folder; returns its exit code.

    Stages that it starts run with this Python and with the code of this folder, whatever else is
    installed, and are told the variables. Raises StageFailedError where one of them has failed and
    said why, and WorldError for what the system refused.
    """
    from dvc.cli import main

    ours = _Ours()
    for handler in logging.getLogger("dvc").handlers:
        handler.filters = [*filter(_is_not_ours, handler.filters), ours]
    told = _set(surroundings(root) | variables)
    with chdir(root), told, _without_advice(), _parsed_once(), _run_by(stages):
        code = int(main(list(arguments)))
    if code and ours.known:
        raise ours.known[0]
    return code


def stages(root: Path) -> ForkServer:
    """Return what runs the stages of this folder, with this Python and the code of this folder."""
    return ForkServer(root, surroundings(root))


def is_stale(root: Path) -> bool:
    """Tell whether a stage would run again, or an output is not what it made."""
    from dvc.exceptions import DvcException
    from dvc.lock import LockError
    from dvc.repo import Repo

    try:
        return bool(Repo(str(root)).status())
    except LockError:
        raise WorldError(
            f"{root}: another process is at work with DVC in this folder; run the same command "
            "again when it has ended"
        ) from None
    except DvcException as error:
        raise WorldError(f"DVC cannot tell what is stale ({error}); run `nox -s train`") from None


def bring(root: Path) -> None:
    """Bring data that git knows by its digest alone (`*.dvc`), from the cache or from the remote.

    Only what is not there: what is may be newer than its digest. Where neither has it, DVC says so.
    """
    known = [root / name for name in git.files(root) if name.endswith(".dvc")]
    lacking = [str(it) for it in known if it.is_file() and not it.with_suffix("").exists()]
    if not lacking:
        return
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        Repo(str(root)).checkout(targets=lacking)
    except DvcException:
        run(root, "pull", "--quiet", *lacking)


def lend(root: Path, copied: Path) -> None:
    """Let a copy of the project have the cache, the remotes and the data of the project."""
    from dvc.repo import Repo

    local = Path(".dvc", "config.local")
    if (root / local).is_file():
        shutil.copy2(root / local, copied / local)
    cache = Repo(str(root)).cache.local_cache_dir
    run(copied, "config", "--quiet", "--local", "cache.dir", cache)
    bring(copied)


def mend(root: Path) -> None:
    """Take away what a kill in the middle of a write has left of DVC's own files.

    Both can be made again: a stage that `dvc.lock` does not know is restored from the run cache.
    """
    for path in (root / ".dvc" / "tmp" / "rwlock", root / "dvc.lock"):
        try:
            whole = not path.exists() or isinstance(_values(path), dict)
        except (yaml.YAMLError, UnicodeDecodeError):
            whole = False
        if not whole:
            path.unlink()


def _values(path: Path) -> object:
    """Return what makes the file one of DVC's: its mapping, and for a lock that of its stages."""
    values = yaml.safe_load(path.read_text("utf-8"))
    return values.get("stages") if path.suffix == ".lock" and isinstance(values, dict) else values


def surroundings(root: Path) -> dict[str, str]:
    """Return the variables by which DVC and its stages find our Python and our code."""
    return {
        "DVC_NO_ANALYTICS": "true",
        "PATH": _with_first("PATH", Path(sys.executable).parent),
        "PYTHONPATH": _with_first("PYTHONPATH", root / "src"),
    }


@contextmanager
def _set(given: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in given}
    os.environ |= given
    try:
        yield
    finally:  # One by one: another thread may read the others.
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _with_first(variable: str, folder: Path) -> str:
    others = os.environ.get(variable, "").split(os.pathsep)
    first = str(folder)
    return os.pathsep.join([first, *(it for it in others if it not in {"", first})])


@contextmanager
def _run_by(stages: ForkServer | None) -> Iterator[None]:
    """Let a server of forks run the stages, where there is one, and DVC itself what it does not."""
    if stages is None:
        yield
        return
    from dvc.stage import run as of_dvc
    from dvc.stage.exceptions import StageCmdFailedError

    run_ = of_dvc._run

    def run(program: str | None, command: str, **how: Any) -> None:
        with interrupts_left_to_the_stage():
            code = stages.run(command, how["cwd"], how["env"])
        if code is None:
            run_(program, command, **how)
        elif code:
            raise StageCmdFailedError(command, code)

    of_dvc._run = run
    try:
        yield
    finally:
        of_dvc._run = run_


@contextmanager
def _without_advice() -> Iterator[None]:
    """Keep back what DVC writes of commands and people that are not this project's."""
    from dvc.ui import ui

    write = ui.write

    def quieter(*words: Any, **how: Any) -> None:
        if not any(advice in str(words) for advice in _ADVICE):
            write(*words, **how)

    ui.write = quieter
    try:
        yield
    finally:
        ui.write = write


@contextmanager
def _parsed_once() -> Iterator[None]:
    """Let DVC parse a text once: it asks the params anew for each stage and each question."""
    from dvc.utils.serialize import _toml, _yaml

    names = {_yaml: "parse_yaml", _toml: "parse_toml"}
    before = {module: getattr(module, name) for module, name in names.items()}
    for module, name in names.items():
        setattr(module, name, _remembering(before[module]))
    try:
        yield
    finally:
        for module, name in names.items():
            setattr(module, name, before[module])


def _remembering(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Return what parses as before, and has each caller its own values."""
    known = cache(parse)

    def parsed(text: str, path: str, *how: Any, **named: Any) -> Any:
        if how or named:  # To be written again, with the comments.
            return parse(text, path, *how, **named)
        return deepcopy(known(text, path))

    return parsed


class _Ours(logging.Filter):
    """Keep DVC from telling in its own words what a stage or the system has said."""

    def __init__(self) -> None:
        super().__init__()
        self.known: list[BaseException] = []
        """What is raised in the place of DVC's words."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Collect what is told in our words; let pass what nobody else tells."""
        problems = causes(record.exc_info[1] if record.exc_info else None)
        known = [ours for ours in map(_in_our_words, problems) if ours]
        self.known += known
        return not known and _AFTER_A_KILL not in record.getMessage()


def _in_our_words(cause: BaseException) -> BaseException | None:
    if isinstance(cause, OSError) and cause.errno:
        return of_os(cause)
    if isinstance(cause, KeyboardInterrupt):
        return KeyboardInterrupt()
    told = _STAGE_ENDED.search(str(cause))
    return ended(int(told[1])) if told else None


def ended(code: int) -> BaseException | None:
    """Return what it means that a stage has ended with a code; None where it has told nobody."""
    if code in _INTERRUPTED:
        return KeyboardInterrupt()
    return StageFailedError(Exit(code)) if code in {Exit.WORLD, Exit.USAGE} else None


def _is_not_ours(other: object) -> bool:
    return not isinstance(other, _Ours)
