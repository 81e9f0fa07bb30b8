"""Addresses of sources: which of them hold a secret, and how they may be shown."""

import re
from collections.abc import Sequence

from ..core.errors import UsageError

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_SECRET = re.compile(
    r"(pass(word|wd|phrase)?|pwd|token|secret|\bsig|signature|credential|\b(api|access)?key)$"
)
FILES = ("s3", "gs", "https", "http")
"""Which addresses are files, and not databases."""


def scheme(source: str) -> str | None:
    """Return what an address begins with; None for a path."""
    found = _ADDRESS.match(source)
    return found[1].lower() if found else None


def masked(text: str, secrets: Sequence[str] = ()) -> str:
    """Return a text without accounts in addresses, values of their queries, and these secrets."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    text = re.sub(r"(://)([^\s@/]*:(?!\d+(/|\?|\s|$))\S*@|[^\s@/]+@)", r"\1***@", text)
    return re.sub(r"([?&][^\s=&]+=)[^\s&#']+", r"\1***", text)


def check(source: str) -> None:
    """Raise UsageError for an address with a secret in it: what is committed is no secret."""
    kind, _, rest = source.partition("://")
    before, _, query = rest.partition("?")
    account, at, host = before.partition("/")[0].rpartition("@")
    port = host.rpartition("]")[2].rpartition(":")[2] if ":" in host else ""
    told = bool(at) and (":" in account or kind.lower() in FILES)
    # What looks like a port and is none is a password with a slash or a question mark in it.
    if told or (port and not port.isdecimal()):
        raise _refused(source, "an account before the @")
    for name in re.findall(r"(?:^|[&])([^=&#]+)=", query):
        if _SECRET.search(name.lower().replace("_", "-")):
            raise _refused(source, f"{name} in its query")


def lacking(source: str, package: str | None) -> UsageError:
    """Say which package an address needs."""
    return UsageError(
        f"{masked(source)}: needs {package}, which is not installed; add it to the group `train` "
        "in pyproject.toml, and run `nox -s lock`"
    )


def _refused(source: str, what: str) -> UsageError:
    return UsageError(
        f"{masked(source)}: holds a secret ({what}), and whoever sees the code would have it; take "
        "it out, and let the environment say SOURCE_USER, SOURCE_PASSWORD or SOURCE_TOKEN"
    )
