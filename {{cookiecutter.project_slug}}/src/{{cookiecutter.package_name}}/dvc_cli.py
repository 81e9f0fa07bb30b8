"""DVC, run in this process: another one would cost a fifth of a second of every call."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from .errors import WorldError, of_os

_STAGE_FAILED = re.compile(r"failed to run: .*exited with [12]$", re.DOTALL)


def run(root: Path, *arguments: str) -> int:
    """Run a DVC command in a project's folder; returns its exit code.

    Stages that it starts run with this Python and with the code of this folder, whatever else is
    installed.
    """
    from dvc.cli import main

    os.chdir(root)
    os.environ["DVC_NO_ANALYTICS"] = "true"
    _put_first("PATH", Path(sys.executable).parent)
    _put_first("PYTHONPATH", root / "src")
    refused: list[OSError] = []
    for handler in logging.getLogger("dvc").handlers:
        handler.filters = [*filter(_is_not_ours, handler.filters), _Ours(refused)]
    code = int(main(list(arguments)))
    if code and refused:
        raise of_os(refused[0])
    return code


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


def _put_first(variable: str, folder: Path) -> None:
    others = os.environ.get(variable, "").split(os.pathsep)
    first = str(folder)
    os.environ[variable] = os.pathsep.join([first, *(it for it in others if it not in {"", first})])


class _Ours(logging.Filter):
    """Keep DVC from telling in its own words what a stage or the system has said."""

    def __init__(self, refused: list[OSError]) -> None:
        super().__init__()
        self._refused = refused

    def filter(self, record: logging.LogRecord) -> bool:
        """Collect what the system refused; let pass what nobody else tells."""
        causes = list(_causes(record.exc_info[1] if record.exc_info else None))
        system = [cause for cause in causes if isinstance(cause, OSError) and cause.errno]
        self._refused += system
        return not system and not any(_STAGE_FAILED.search(str(cause)) for cause in causes)


def _is_not_ours(other: object) -> bool:
    return not isinstance(other, _Ours)


def _causes(problem: BaseException | None) -> Iterator[BaseException]:
    while problem is not None:
        yield problem
        problem = problem.__cause__ or problem.__context__
