"""Below which path callers see the server: a proxy may put its paths below one of its own.

What comes with a request is anybody's word, so only plain names count: nothing that could leave
this host (`//elsewhere`), climb (`..`), or mean something in a page.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from ...core.errors import UsageError

HEADER = b"x-forwarded-prefix"
_PLAIN = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+)+", re.ASCII)
_LONGEST = 256


def check(root_path: str) -> None:
    """Raise UsageError for a prefix of an operator's that is no plain path."""
    if root_path and not _is_plain(root_path):
        raise UsageError(
            f"--root-path {root_path!r}: no path of plain names; say one as /models/flights"
        )


def of_request(root_path: str, headers: Mapping[bytes, bytes]) -> str:
    """Return the prefix of one request: the operator's, else what the proxy says, if plain."""
    return root_path or _forwarded(headers.get(HEADER, b""))


@lru_cache(64)
def _forwarded(value: bytes) -> str:
    found = value.decode("latin-1").strip().rstrip("/")
    return found if _is_plain(found) else ""


def _is_plain(path: str) -> bool:
    return len(path) <= _LONGEST and _PLAIN.fullmatch(path) is not None


def stripped(path: str, root_path: str) -> str:
    """Return a path as this server knows it, whether or not the proxy has taken the prefix off."""
    return path[len(root_path) :] if root_path and path.startswith(f"{root_path}/") else path
