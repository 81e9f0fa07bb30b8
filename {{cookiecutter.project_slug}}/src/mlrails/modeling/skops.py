"""What skops writes, made canonical: equal estimators give equal bytes.

skops names nodes and files by object id and stamps the time of day; neither means anything.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from ..core.files import canonical_zip


def canonical(archive: bytes) -> bytes:
    """Number the nodes of a skops archive in order and fix its dates."""
    source = zipfile.ZipFile(io.BytesIO(archive))
    schema = json.loads(source.read("schema.json"))
    files = {}
    for number, node in enumerate(_nodes(schema)):
        if node.get("__loader__") == "CachedNode":
            raise ValueError("a node that stands twice cannot be numbered in order")
        node["__id__"] = number
        if "file" in node:
            files[f"{number}.npy"] = source.read(node["file"])
            node["file"] = f"{number}.npy"
    files["schema.json"] = json.dumps(schema, sort_keys=True).encode()
    return canonical_zip(files)


def _nodes(value: object) -> Iterator[dict[str, Any]]:
    """Walk the nodes of a skops schema, keys in alphabetical order."""
    if isinstance(value, dict):
        if "__id__" in value:
            yield value
        for key in sorted(value):
            yield from _nodes(value[key])
    elif isinstance(value, list):
        for item in value:
            yield from _nodes(item)
