"""What can go wrong, in words: one sentence for the user, and the exit code that goes with it."""

import difflib
import errno
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from pathlib import Path


class Exit(IntEnum):
    """Exit codes of the command line."""

    DONE = 0
    WORLD = 1
    USAGE = 2
    REJECT = 3
    UNDECIDED = 4
    DRIFT = 5
    SET_ASIDE = 6


class ProjectError(Exception):
    """Anything that is told to the user as one sentence instead of a traceback."""

    exit_code = Exit.WORLD


class WorldError(ProjectError):
    """The disk, the network, a server or a file is not as it must be."""


class OutageError(WorldError):
    """Who keeps the runs and models does not answer: what they hold is not known just now."""


class DeniedError(WorldError):
    """Who keeps the runs and models knows the account, or none, and lets it not do this."""


class UsageError(ProjectError):
    """A parameter, a column or an argument is wrong; only the user can mend it."""

    exit_code = Exit.USAGE


_LOCK = Path("requirements-dev.lock")
INTERRUPTED = "interrupted; run the same command again to go on"

_REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "the disk quota is used up; free some space and run the same command again",
    errno.EACCES: "permission denied; make it writable for this user and run again",
    errno.EPERM: "the operation is not permitted; check owner and mount, then run again",
    errno.ENOTDIR: "a file stands where a folder must be; move it away and run again",
    errno.EISDIR: "a folder stands where a file must be; move it away and run again",
    errno.EEXIST: "something stands in its place; move it away and run again",
    errno.EROFS: "the file system is read-only; use a folder that can be written to",
}


def counted(number: int, noun: str) -> str:
    """Write a number with what it counts: 1 row, 2 rows."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean 'x'?)` for the closest known name, else an empty string."""
    match = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (did you mean {match[0]!r}?)" if match else ""


def installing(lock: Path = _LOCK) -> str:
    """Return the command that installs what a lock names where this Python runs."""
    uv = ["uv", "pip", "install", "--python", sys.executable]
    tool = uv if shutil.which("uv") else [sys.executable, "-m", "pip", "install"]
    return shlex.join([*tool, "-r", str(lock)])


def of_os(error: OSError) -> WorldError:
    """Put an operating-system error into one sentence that names the file and the remedy."""
    where = f"{error.filename}: " if error.filename else ""
    remedy = _REMEDIES.get(error.errno or 0, error.strerror or str(error))
    return WorldError(f"{where}{remedy}")


def causes(problem: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and, one after the other, those that it came from, each once."""
    seen: list[BaseException] = []
    while problem is not None and problem not in seen:
        yield problem
        seen.append(problem)
        problem = problem.__cause__ or problem.__context__


def reported(act: Callable[[], object]) -> int:
    """Run an act; print what the user can mend as one line on standard error.

    Returns the exit code, which is the act's answer where that is one. A defect of ours still
    ends in a traceback: it is not the user's.
    """
    try:
        answer = act()
    except ProjectError as error:
        _tell(str(error))
        return error.exit_code
    except OSError as error:
        _tell(str(of_os(error)))
        return Exit.WORLD
    except MemoryError:
        _tell("out of memory; close other programs or use less data")
        return Exit.WORLD
    except ModuleNotFoundError as error:
        name = str(error.name).partition(".")[0]
        if name in sys.modules:  # It is there, and lacks a part of its own: a defect.
            raise
        _tell(f"{name} is not installed; `{installing()}` installs it")
        return Exit.WORLD
    except KeyboardInterrupt:
        _tell(INTERRUPTED)
        return Exit.WORLD
    return answer if isinstance(answer, Exit) else Exit.DONE


def _tell(problem: str) -> None:
    """Print an error; one that has been told already has no words."""
    if problem:
        print(f"error: {problem}", file=sys.stderr)
