"""Zip archives that are the same for the same files, and what libraries write made so."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_ALWAYS = "1980-01-01@00:00:00"


def canonical(files: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of the files, in order of their names and without the time of day."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for name in sorted(files):
            out.writestr(zipfile.ZipInfo(name, _LONG_AGO), files[name], zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def _files(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        return {name: source.read(name) for name in source.namelist()}


def pt2(archive: bytes) -> bytes:
    """Take where and when it was made out of PyTorch's archive, and the rows, its one pickle."""
    return canonical({name: _plain(name, content) for name, content in _files(archive).items()})


def _plain(name: str, content: bytes) -> bytes:
    if "/sample_inputs/" in name or name.endswith("/serialization_id"):
        return b""
    if not name.endswith("/models/model.json"):
        return content
    program = json.loads(content)
    for node in program["graph_module"]["graph"]["nodes"]:
        node["metadata"].pop("stack_trace", None)
    return json.dumps(program, sort_keys=True).encode()


def keras(archive: bytes) -> bytes:
    """Take the time of day and the addresses of objects out of an archive of Keras."""
    files = _files(archive)
    about = json.loads(files["metadata.json"]) | {"date_saved": _ALWAYS}
    config = json.loads(files["config.json"], object_hook=_without_address)
    files["metadata.json"] = json.dumps(about, sort_keys=True).encode()
    files["config.json"] = json.dumps(config, sort_keys=True).encode()
    return canonical(files)


def _without_address(values: dict[str, Any]) -> dict[str, Any]:
    return {name: it for name, it in values.items() if name != "shared_object_id"}
