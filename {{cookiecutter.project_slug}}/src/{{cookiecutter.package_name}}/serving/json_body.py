"""A body of JSON as an object, in which no name stands twice."""

import json
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from contextlib import suppress
from typing import Any

from pydantic_core import from_json

from .refusals import LONGEST_NAME, RefusedError

_MARKS_OF_UTF_16 = (BOM_UTF16_BE, BOM_UTF16_LE)
_APART = (b" :", b"\t:", b"\r:", b"\n:")
"""A colon that does not follow its name at once, or one in a text."""


def parse_json(body: bytes) -> dict[str, Any]:
    """Return the object; raises RefusedError where the body is none."""
    if body.startswith(_MARKS_OF_UTF_16):
        raise RefusedError(400, "the body is not JSON in UTF-8, but UTF-16 by its mark")
    try:
        content = from_json(body.removeprefix(BOM_UTF8))
    except ValueError as error:
        raise RefusedError(400, f"the body is not JSON ({error})") from None
    except RecursionError:
        raise RefusedError(400, "the body is not JSON (nested too deeply)") from None
    if not isinstance(content, dict):
        raise RefusedError(422, "the body must be a JSON object")
    return content


def refuse_repeated(body: bytes, names: int) -> None:
    """Raise RefusedError for a name that stands twice in an object.

    `names` is how many the quick parser has kept, which is silent about those that it has not:
    where as many stand in the body, as good as all bodies are, there is no need to look again.
    """
    if body.count(b'":') != names or any(it in body for it in _APART):
        with suppress(ValueError):  # What Python's parser cannot read, the other one has read.
            json.loads(body.removeprefix(BOM_UTF8), object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((name, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise RefusedError(422, f"the name {name[:LONGEST_NAME]!r} stands twice in one object")
    return found
