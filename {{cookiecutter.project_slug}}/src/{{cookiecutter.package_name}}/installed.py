"""Whether the packages that are installed are the ones that `requirements.lock` names."""

import re
from collections import defaultdict
from importlib import metadata
from pathlib import Path

from .errors import WorldError, installing
from .layout import LOCK, SERVING_LOCK

_PIN = re.compile(r"^([a-z0-9-]+)==([^\s;]+)( ;)?", re.MULTILINE)


def check(root: Path) -> None:
    """Raise WorldError for a package that fits a model and is missing or of another version."""
    wanted, anywhere = defaultdict(set), set()
    for name, release, only_somewhere in _PIN.findall((root / SERVING_LOCK).read_text("utf-8")):
        wanted[name].add(release)
        anywhere |= set() if only_somewhere else {name}
    for name, releases in wanted.items():
        found = _version(name)
        if found not in releases and (found or name in anywhere):
            raise WorldError(
                f"{name} {found or 'is not installed'}: {SERVING_LOCK} names "
                f"{' or '.join(sorted(releases))}; `{installing(root / LOCK)}` mends it"
            )


def _version(name: str) -> str:
    """Return the release that is installed, whichever build of it; nothing where there is none."""
    try:
        return metadata.version(name).partition("+")[0]
    except metadata.PackageNotFoundError:
        return ""
