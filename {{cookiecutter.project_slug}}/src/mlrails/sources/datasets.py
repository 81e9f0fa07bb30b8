"""Which files a path, a folder or a glob means, and what their folders' names say of them.

Other programs keep books among their files: names that begin with `_` or `.` are no data (Hadoop's
convention), and a table whose log names its files is not the sum of what lies in its folder.
"""

import glob
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote

from ..core.errors import UsageError

ENDINGS = {".parquet", ".csv"}
LOGS = {"_delta_log": "Delta", ".hoodie": "Hudi"}
_DEPTH = 4
"""Of so many folders above one that is named the log is looked for: it may be a table's part."""
_MISSING = "__HIVE_DEFAULT_PARTITION__"


def find(root: Path, wanted: str, named_so: bool = True) -> list[Path]:
    """Return the files that a path, a folder or a glob names, in order.

    Unless they must be `named_so`, one file that is named itself may end in any way. Raises
    UsageError where there are none, where a file is neither Parquet nor CSV, and for a folder that
    is a table with a log.
    """
    path = root / wanted
    if path.is_file():
        found = [path]
        if not named_so:
            return found
    elif path.is_dir():
        _refuse_logged(path, (it for it in path.rglob("*") if it.is_dir()))
        found = sorted(it for it in path.rglob("*") if _is_data(it, path) and it.suffix in ENDINGS)
    else:
        matches = map(Path, glob.glob(str(path), recursive=True))  # noqa: PTH207 - it may be absolute
        base = _fixed(path)
        found = sorted(it for it in matches if _is_data(it, base, _asked(path)))
        _refuse_logged(base, {it.parent for it in found})
    for it in found:
        if it.suffix not in ENDINGS:
            raise UsageError(f"{it}: neither .parquet nor .csv; convert it, or name its format so")
    if not found:
        raise nothing(wanted)
    return found


def nothing(where: str) -> UsageError:
    """Say that no file there is data."""
    return UsageError(
        f"{where}: no .parquet or .csv file there (names that begin with _ or . are no data); "
        "name a file, folder or glob"
    )


def is_glob(wanted: str) -> bool:
    """Tell whether a name is a pattern of names."""
    return glob.has_magic(wanted)


def partition(path: Path, root: Path) -> Mapping[str, str | None]:
    """Return the columns that the names of a file's folders hold, as `origin=EWR`; None is missing.

    What is above the project's folder says nothing of its files.
    """
    parts = path.relative_to(root).parts if path.is_relative_to(root) else path.parts
    pairs = (it.partition("=") for it in parts[:-1])
    return {
        unquote(name): None if value in {"", _MISSING} else unquote(value)
        for name, equals, value in pairs
        if equals and name
    }


def _is_data(path: Path, base: Path, asked: str = "") -> bool:
    """Tell whether a file below a folder is to be read; `asked` are first letters that may hide."""
    parts = path.relative_to(base).parts
    return path.is_file() and not any(it[0] not in asked and is_hidden(it) for it in parts)


def is_hidden(name: str) -> bool:
    """Tell whether a name is bookkeeping; a column's name may begin so too, as `_day=1`."""
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def _asked(pattern: Path) -> str:
    """Return the letters of `_` and `.` that a part of a glob begins with itself."""
    return "".join(it[0] for it in pattern.parts if it[0] in "_." and it != "..")


def _fixed(pattern: Path) -> Path:
    """Return the folder in which a glob looks."""
    parts = []
    for part in pattern.parts[:-1]:
        if glob.has_magic(part):
            break
        parts.append(part)
    return Path(*parts)


def refuse_logged_names(where: str, names: Iterable[Path]) -> None:
    """Raise UsageError where files of a folder are of a table's log."""
    for name in names:
        for kind in (kind for log, kind in LOGS.items() if log in name.parts):
            raise _of_a_log(where, kind)
        if name.match("metadata/*.metadata.json"):
            raise _of_a_log(where, "Iceberg")


def _of_a_log(where: object, kind: str) -> UsageError:
    return UsageError(
        f"{where}: a table of {kind}, whose log says which of its files count; let its "
        "own reader write the rows to a file, and name that"
    )


def _refuse_logged(folder: Path, below: Iterable[Path]) -> None:
    """Raise UsageError for a table whose log says which of its files count."""
    for place in (folder, *folder.parents[:_DEPTH], *below):
        found = [kind for name, kind in LOGS.items() if (place / name).is_dir()]
        if any((place / "metadata").glob("*.metadata.json")):
            found.append("Iceberg")
        if found:
            raise _of_a_log(place, found[0])
