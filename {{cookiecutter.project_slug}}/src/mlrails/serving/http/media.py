"""What a body is said to be, and what its sender would like back (RFC 9110, 8.3, 8.4 and 12.5)."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from .messages import LONGEST_NAME, RefusedError

JSON, CSV = "application/json", "text/csv"
_UTF_8 = {"utf-8", "utf8", "us-ascii", "ascii"}
"""ASCII is the part of UTF-8 that old clients name."""


class Content(NamedTuple):
    """A body by its headers: the kind, empty where none is said, and whether CSV names columns."""

    kind: str
    header: bool = True


@lru_cache(256)
def parse_content_type(content_type: bytes) -> Content:
    """Return what a `Content-Type` says; raises RefusedError for letters of another alphabet."""
    kind, *said = content_type.decode("latin-1").lower().split(";")
    parameters = dict(_parameter(it) for it in said)
    charset = parameters.get("charset", "utf-8")
    if charset not in _UTF_8:
        raise RefusedError(415, f"send UTF-8, not charset={charset[:LONGEST_NAME]!r}")
    return Content(kind.strip(), parameters.get("header") != "absent")


def check_coding(coding: bytes | None) -> None:
    """Raise RefusedError for a `Content-Encoding`: unpacked, a small body can be of any size."""
    if coding is not None and coding.strip().lower() not in {b"", b"identity"}:
        told = coding.decode("latin-1")[:LONGEST_NAME]
        raise RefusedError(
            415, f"send the body as it is, not as {told!r}", headers={"Accept-Encoding": "identity"}
        )


@lru_cache(256)
def wants_csv(accept: bytes) -> bool:
    """Tell whether an `Accept` likes CSV better than JSON, which is given to whoever likes neither.

    Of two that are liked as much it is the one that is meant more precisely, then the first.
    """
    wishes = [*_wishes(accept.decode("latin-1").lower())]
    return _liking(CSV, wishes) > _liking(JSON, wishes)


class _Wish(NamedTuple):
    kind: str
    weight: float
    place: int


def _wishes(accept: str) -> Iterator[_Wish]:
    for place, it in enumerate(accept.split(",")):
        kind, *said = it.split(";")
        weight = dict(_parameter(word) for word in said).get("q", "1")
        if weight.replace(".", "", 1).isdecimal():  # One that is no weight is no wish.
            yield _Wish(kind.strip(), min(1.0, float(weight)), place)


def _liking(kind: str, wishes: list[_Wish]) -> tuple[float, int, int]:
    """Return the weight of a kind, how precisely it is meant, and how early."""
    for precision, pattern in enumerate((kind, f"{kind.partition('/')[0]}/*", "*/*")):
        for wish in wishes:
            if wish.kind == pattern:
                return wish.weight, -precision, -wish.place
    return 0.0, 0, 0


def _parameter(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name.strip(), value.strip().strip('"')
