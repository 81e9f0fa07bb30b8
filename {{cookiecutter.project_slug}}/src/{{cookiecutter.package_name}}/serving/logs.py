"""Lines of JSON on standard error: one for each request, and one for each thing that happens.

No value of a row ever gets here: logs are read by more people than data is.
"""

import os
import sys
from contextlib import suppress
from datetime import UTC, datetime

from pydantic_core import to_json


def write(event: str, **said: object) -> None:
    """Write one line, at once and whole."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = to_json({"time": now, "event": event, **said})
    with suppress(OSError):  # Nobody reads on, which must not end the server.
        os.write(sys.stderr.fileno(), line + b"\n")
