"""What an attacker puts into a model directory, so that foreign code runs when it is loaded.

Each leaves the bytes of every source as they are. `the code ran` is what the foreign code tells.
"""

import importlib.machinery
import importlib.util
import marshal
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import rows

RAN = "foreign code ran"
HARM = f"\nimport sys\nsys.foreign = {RAN!r}\n"
Attack = Callable[[Path], None]


def ran() -> bool:
    """Tell, once, whether foreign code ran."""
    return bool(sys.__dict__.pop("foreign", None) == RAN)


def code(folder: Path) -> Path:
    """Return the package that a model directory carries."""
    return folder / "code" / rows.PACKAGE


def byte_code(folder: Path) -> None:
    """Put unchecked byte code beside an unchanged source: Python never looks at that again."""
    source = code(folder) / "model.py"
    compiled = compile(source.read_text("utf-8") + HARM, str(source), "exec")
    path = Path(importlib.util.cache_from_source(str(source)))
    path.parent.mkdir(exist_ok=True)
    flags = (0b01).to_bytes(4, "little")
    path.write_bytes(importlib.util.MAGIC_NUMBER + flags + b"\0" * 8 + marshal.dumps(compiled))


def linked_package(folder: Path) -> None:
    """Link a package from outside: it wins over the module of its name."""
    outside = folder.with_name("outside")
    outside.mkdir()
    shutil.copy(code(folder) / "features.py", outside / "__init__.py")
    with (outside / "__init__.py").open("a", encoding="utf-8") as file:
        file.write(HARM)
    (code(folder) / "features").symlink_to(outside)


def linked_source(folder: Path) -> None:
    """Put a source outside, where it can be another one a moment later, and link it."""
    source = code(folder) / "features.py"
    outside = folder.with_name("features.py")
    source.rename(outside)
    source.symlink_to(outside)
    with outside.open("a", encoding="utf-8") as file:
        file.write(HARM)


def package(folder: Path) -> None:
    """Add a package that wins over the module of its name."""
    (code(folder) / "features").mkdir()
    text = (code(folder) / "features.py").read_text("utf-8") + HARM
    (code(folder) / "features" / "__init__.py").write_text(text, "utf-8")


def other_case(folder: Path) -> None:
    """Add a source whose name is another one in its case alone."""
    (code(folder) / "Task.py").write_text(HARM, "utf-8")


def other_normal_form(folder: Path) -> None:
    """Add two sources whose names look the same."""
    for name in ("tâsk.py", "ta\u0302sk.py"):
        (code(folder) / name).write_text(HARM, "utf-8")


def native(folder: Path) -> None:
    """Add a native module, which wins over a source of its name."""
    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
    (code(folder) / f"features{suffix}").write_bytes(b"\x7fELF")


def sourceless(folder: Path) -> None:
    """Add byte code in the place of a source."""
    (code(folder) / "tasks.pyc").write_bytes(b"code")


def note(folder: Path) -> None:
    """Hide a package below the name of MLflow's note."""
    hidden = folder / "code" / "registered_model_meta"
    hidden.mkdir()
    (hidden / "__init__.py").write_text(HARM, "utf-8")
    (hidden / "model.py").write_text(HARM, "utf-8")


def path_file(folder: Path) -> None:
    """Add a file of which Python reads paths, and code, where a folder is one of packages."""
    (folder / "code" / "more.pth").write_text(HARM, "utf-8")


def archive(folder: Path) -> None:
    """Add an egg, of which Python imports."""
    shutil.make_archive(str(folder / "code" / "more"), "zip", code(folder))
    (folder / "code" / "more.zip").rename(folder / "code" / "more.egg")
