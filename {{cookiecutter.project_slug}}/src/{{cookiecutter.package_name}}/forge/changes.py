"""What a change is: params, code and data beside those of the base that it goes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import git
from ..errors import UsageError
from ..params import FILE
from ..sections import flat, parse_yaml, read_yaml

_GATE = "gate."
Param = tuple[str, str, str]
"""(name, value in the base, value here); a dash where there is none."""


@dataclass(frozen=True)
class Changes:
    """Params and files that differ from a base."""

    params: Sequence[Param]
    files: Sequence[str]

    @property
    def gate(self) -> Sequence[Param]:
        """The params that are bounds of the gate."""
        return [param for param in self.params if param[0].startswith(_GATE)]


def since(root: Path, base: str | None) -> Changes:
    """Return what differs from a base; without one nothing does."""
    if base is None:
        return Changes([], [])
    there = git.run(root, "show", f"{base}:./{FILE}").stdout
    names = git.run(root, "diff", "--name-only", "-z", "--relative", base, "--", ".").stdout
    return Changes(_params(there, root), [name for name in names.split("\0") if name])


def _params(before: str, root: Path) -> Sequence[Param]:
    try:
        old = _texts(parse_yaml(before, FILE))
    except UsageError:  # A base that is broken has nothing to be compared with.
        old = {}
    new = _texts(read_yaml(root / FILE))
    names = [*new, *(name for name in old if name not in new)]
    both = ((name, old.get(name, "–"), new.get(name, "–")) for name in names)
    return [param for param in both if param[1] != param[2]]


def _texts(values: Any) -> Mapping[str, str]:
    found = flat(values) if isinstance(values, Mapping) else ()
    return {name: str(value) for name, value in found}
