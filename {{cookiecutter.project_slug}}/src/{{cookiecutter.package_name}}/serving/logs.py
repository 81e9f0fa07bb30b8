"""Lines of JSON on standard error: one for each request, and one for each thing that happens.

No value of a row ever gets here: logs are read by more people than data is.
"""

import logging
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from pydantic_core import to_json

from ..errors import causes

_LINES: list[bytes] | None = None
_LINES_AT_ONCE = 16
"""No more than a pipe takes whole, so that the lines of several processes stay apart."""
_LONGEST_MESSAGE, _MOST_FRAMES = 200, 20


def log(event: str, **said: object) -> None:
    """Write one line, at once and whole."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = to_json({"time": now, "event": event, **said})
    if _LINES is None:
        _put([line])
    else:
        _LINES.append(line)


@contextmanager
def log_together() -> Iterator[None]:
    """Keep the lines of one moment, and write them at once at its end."""
    global _LINES  # noqa: PLW0603 - there is one standard error
    if _LINES is not None:
        yield
        return
    _LINES = []
    try:
        yield
    finally:
        lines, _LINES = _LINES, None
        for start in range(0, len(lines), _LINES_AT_ONCE):
            _put(lines[start : start + _LINES_AT_ONCE])


def _put(lines: Sequence[bytes]) -> None:
    with suppress(OSError):  # Nobody reads on, which must not end the server.
        os.write(sys.stderr.fileno(), b"".join(it + b"\n" for it in lines))


def log_defect(error: BaseException, **said: object) -> None:
    """Write what was raised and where, without its message, which may quote a value."""
    log("defect", **said, raised=[_told(it) for it in causes(error)])


def _told(error: BaseException) -> dict[str, object]:
    frames = [*traceback.walk_tb(error.__traceback__)][-_MOST_FRAMES:]
    places = [f"{it.f_code.co_filename}:{line} {it.f_code.co_name}" for it, line in frames]
    return {"type": type(error).__name__, "frames": places}


def take_over_logging() -> None:
    """Let what libraries log be lines of the same kind."""
    logging.basicConfig(handlers=[_Lines()], force=True)


class _Lines(logging.Handler):
    """Writes the first line of a message: asyncio's others show objects, and so their values."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, and where something was raised another."""
        first = record.getMessage().partition("\n")[0]
        log("library", name=record.name, message=first[:_LONGEST_MESSAGE])
        if record.exc_info and record.exc_info[1]:
            log_defect(record.exc_info[1], name=record.name)
