"""`params.yaml` where it lies, with some keys changed: read back before it is written.

Lines are changed by their look, and YAML can be written in more ways than lines tell: braces, an
anchor, quotes. What would not read back as what was meant is refused, and the file stays.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...core import config, files
from ...core.errors import UsageError
from ...core.params import FILE
from . import params_yaml
from .spelling import scalar

Change = tuple[str, str, Any]
"""Section, key and value."""


def change(root: Path, changes: Iterable[Change], comment: str = "") -> tuple[str, str]:
    """Set keys; return the text before and after. Ends of lines stay what they are.

    `comment` is put behind a key that is new. Raises UsageError, with nothing changed, where the
    file is written so that its lines cannot be changed one by one.
    """
    path, changes = root / FILE, [*changes]
    wanted: dict[str, Any] = config.read_yaml(path)
    given = path.read_bytes().decode("utf-8")
    before = given.replace("\r\n", "\n")
    after = before if before.endswith("\n") else f"{before}\n"
    for section, key, it in changes:
        wanted[section] = {**(wanted.get(section) or {}), key: it}
        after = params_yaml.put(after, section, key, it, comment)
    if not _says(after, wanted):
        said = ", ".join(f"{section}.{key}: {scalar(it)}" for section, key, it in changes)
        raise UsageError(
            f"{FILE}: is written so that no program can change single lines of it (braces, an "
            f"anchor, or keys that do not begin after two blanks); write by hand: {said}"
        )
    if after != before:
        files.write_text(after.replace("\n", "\r\n") if "\r\n" in given else after, path)
    return before, after


def _says(text: str, wanted: object) -> bool:
    try:
        return bool(config.parse_yaml(text, FILE) == wanted)
    except UsageError:
        return False
