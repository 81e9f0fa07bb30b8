"""MLflow on our terms: no telemetry, no chatter, and what it raises in one sentence."""

import os
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from ..core.errors import DeniedError, OutageError, WorldError, causes

_FOREIGN = {"mlflow", "sqlalchemy", "sqlite3", "requests", "urllib3", "alembic", "botocore"}

_NO_ANSWER = {"ConnectionError", "ConnectTimeout", "ReadTimeout", "SSLError", "RetryError"}
"""What `requests` raises below MLflow's own exception when a server is gone."""
_NO_ANSWER |= {"EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError"}
"""What botocore raises where a bucket is not to be reached."""
_NO_DATABASE = {"OperationalError", "InterfaceError"}
"""What SQLAlchemy raises where a database cannot be reached or opened."""
_OF_A_FILE = {
    "database is locked": "another process is at work in it; run the same command again when that "
    "one has ended",
    "database or disk is full": "free some space and run the same command again",
    "attempt to write a readonly database": "make the file and its folder writable for this user "
    "and run again",
    "unable to open database file": "make its folder one that this user can write to and run again",
    "disk I/O error": "the disk is full or failing; make sure of it and run the same command again",
    "database disk image is malformed": "bring the file back from a copy, or move it away and a "
    "new one is made",
}
"""What to do about what SQLite says of a database in a file."""
_STATUS = re.compile(r"failed with error code (\d{3})")
"""How MLflow tells of an answer that is none of its own, such as a proxy's."""
MANAGE, EDIT, READ = "MANAGE", "EDIT", "READ"
"""Permissions of MLflow's own accounts."""


_ADDRESSES = re.compile(r"(?:(?P<scheme>[\w+.-]+:)?(?P<slashes>/{2,})|[^\s'\"]+:)(?P<rest>\S*@)")
"""Of an address with a scheme or without, what stands before its last @.

A password may hold @ / # and the like as they are, where a parser would see the end of it.
"""
_FILES = ("sqlite", "file")
"""Schemes whose addresses name a file, and nobody who signs in."""


def masked(text: str, uri: str = "") -> str:
    """Return a text without the users and passwords of the addresses in it.

    `uri` is the address that the text speaks of: a library that takes it to pieces may tell a
    piece of its password.
    """
    user = "" if uri.startswith(_FILES) else _user(uri)
    host = uri.rpartition("@")[2]
    password = user.partition(":")[2]
    for secret in sorted({password, unquote(password)} - {""}, key=len, reverse=True):
        text = text.replace(secret, "***")
    host = re.split("[:/?#]", host)[0]
    for start in range(len(user)):
        text = text.replace(f"{user[start:]}@{host}", f"***@{host}")
    return _ADDRESSES.sub(_without_user, text)


def _without_user(found: re.Match[str]) -> str:
    scheme, slashes = found["scheme"] or "", found["slashes"] or ""
    if scheme.startswith(_FILES):  # More addresses may follow without a blank.
        return f"{scheme}{slashes}{masked(found['rest'])}"
    return f"{scheme}{slashes}***@"


def _user(uri: str) -> str:
    """Return the user and password of an address, as they stand there."""
    return uri.rpartition("@")[0].partition("//")[2]


def account(uri: str) -> str:
    """Return what a person calls the account that an address, or the environment, signs in with."""
    user, marked, _ = _user(uri).partition(":")
    name = unquote(user) if marked else os.environ.get("MLFLOW_TRACKING_USERNAME", "")
    return f"the account {name!r}" if name else "who asks without the name of an account"


def needed(permission: str, kind: str, name: str) -> str:
    """Return what an act needs, for `in_words` to say where it is refused."""
    return f"{permission} on the {kind} {name!r}"


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
def in_words(uri: str, needs: str = "") -> Iterator[None]:
    """Turn what MLflow, its database and its transport raise into one sentence.

    Raises OutageError where nobody answers, DeniedError where the account may not do this: `needs`
    says which permission on what is asked for (`needed`).
    """
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
        if _names(error) & _NO_ANSWER:
            raise OutageError(f"the tracking server {masked(uri)} does not answer") from error
        if is_denied(error):
            raise DeniedError(_denial(uri, needs, _status(error))) from error
        reason, *more = textwrap.wrap(masked(_reason(error), uri), 300)
        reason += " …" if more else ""
        kind = OutageError if is_away(error) else WorldError
        raise kind(f"tracking at {masked(uri)} failed: {reason}") from error


def _reason(error: BaseException) -> str:
    """Return why: SQLite's own words and what to do, where those who call it put others before."""
    said = [str(cause) for cause in causes(error) if type(cause).__module__ == "sqlite3"]
    remedies = [f"{it}; {_OF_A_FILE[it]}" for it in said if it in _OF_A_FILE]
    return next(iter([*remedies, *said]), "") or first_line(error)


def is_away(error: BaseException) -> bool:
    """Tell whether an exception says that nobody answers, rather than what was asked for is not."""
    return bool(_names(error) & (_NO_ANSWER | _NO_DATABASE)) or _status(error) >= 500


def is_denied(error: BaseException) -> bool:
    """Tell whether an exception says that the account may not do this, or is not accepted."""
    return _status(error) in {401, 403}


def first_line(error: BaseException) -> str:
    """Return the first line of what an exception says."""
    return next((line for line in str(error).splitlines() if line.strip()), "no reason given")


def _names(error: BaseException) -> set[str]:
    return {type(cause).__name__ for cause in causes(error)}


def _status(error: BaseException) -> int:
    """Return the status of a server's answer that an exception of MLflow tells of; 0 of others."""
    if told := _STATUS.search(str(error)):
        return int(told[1])
    for cause in causes(error):  # What `requests` raises of an answer.
        if status := getattr(getattr(cause, "response", None), "status_code", 0):
            return int(status)
    answered = type(error).__name__ == "RestException"  # Others are raised here, and say 500 too.
    return int(error.get_http_status_code()) if answered else 0  # type: ignore[attr-defined]


def _denial(uri: str, needs: str, status: int) -> str:
    if status == 401:
        return (
            f"{masked(uri)} does not accept {account(uri)}; set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD"
        )
    words = f"; it takes {needs}" if needs else ""
    return (
        f"{masked(uri)}: {account(uri)} may not do this{words}; docs/production.md lists who needs "
        "which permission"
    )
