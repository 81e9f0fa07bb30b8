"""The Dockerfile of an image that serves one model: `Dockerfile.in`, filled in."""

import re
from pathlib import Path
from string import Template

_TEXT, _OF_ITS_OWN = "Dockerfile.in", "Dockerfile.apart.in"
_APART = "torch"
"""What has builds for the processor alone in an index of its own: the usual one is for CUDA."""


class _Marked(Template):
    """A text with marks as `@{name}`: a Dockerfile has dollars of its own."""

    delimiter = "@"


def dockerfile_text(
    name: str, package: str, python: str, version: str, digest: str, apart: str | None = None
) -> str:
    """Return the Dockerfile; `python` is the minor version that the model was made with.

    `apart` is a package whose index is asked for when the image is built.
    """
    more = _filled(_OF_ITS_OWN, apart=apart, argument=index_argument(apart)) if apart else ""
    about = {"name": name, "package": package, "python": python, "version": version}
    return _filled(_TEXT, **about, digest=digest, apart=more)


def _filled(file: str, **values: str) -> str:
    return _Marked(Path(__file__).with_name(file).read_text("utf-8")).substitute(values)


def index_argument(apart: str) -> str:
    """Return the build argument that says where a package's builds are."""
    return f"{apart.upper()}_INDEX"


def parted_lock(lock: str) -> tuple[str, str | None, str]:
    """Return a lock without what has an index of its own, that package's name, and its lines."""
    found = re.search(rf"(?m)^{_APART}==(?:.*\\\n)*.*\n", lock)
    if found is None:
        return lock, None, ""
    return lock.replace(found[0], ""), _APART, found[0]
