"""MLflow on our terms: no telemetry, no chatter, and what it raises in one sentence."""

import os
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .errors import WorldError, causes

_FOREIGN = {"mlflow", "sqlalchemy", "sqlite3", "requests", "urllib3", "alembic", "botocore"}

_NO_ANSWER = {"ConnectionError", "ConnectTimeout", "ReadTimeout", "SSLError"}
"""What `requests` raises below MLflow's own exception when a server is gone."""

_MANNERS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # Seven tries, its default, keep a person waiting for minutes when a server is gone.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


def masked(text: str) -> str:
    """Return a text without the user and password of an address in it."""
    return re.sub(r"//[^/@\s]*@", "//***@", text)


def teach_manners() -> None:
    """Set what MLflow reads when it is imported, unless the user has set it."""
    for name, value in _MANNERS.items():
        os.environ.setdefault(name, value)


def every(page: Callable[[str | None], Any]) -> list[Any]:
    """Return what all pages of a search hold; `page` is given the token of the next one."""
    found: list[Any] = []
    token = None
    while True:
        got = page(token)
        found += got
        token = getattr(got, "token", None)
        if not token:
            return found


@contextmanager
def in_words(uri: str) -> Iterator[None]:
    """Turn what MLflow, its database and its transport raise into one sentence."""
    try:
        yield
    except WorldError:
        raise
    except ImportError as error:
        raise WorldError(
            f"tracking at {masked(uri)} needs the package {error.name!r}; add it to pyproject.toml "
            "and run `nox -s lock`"
        ) from None
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in _FOREIGN:
            raise
        if any(type(cause).__name__ in _NO_ANSWER for cause in causes(error)):
            raise WorldError(f"the tracking server {masked(uri)} does not answer") from error
        first = next((line for line in str(error).splitlines() if line.strip()), "no reason given")
        reason, *more = textwrap.wrap(masked(first), 300)
        reason += " …" if more else ""
        raise WorldError(f"tracking at {masked(uri)} failed: {reason}") from error
