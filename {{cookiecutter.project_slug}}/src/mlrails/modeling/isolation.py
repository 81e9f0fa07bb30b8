"""A model loaded with the code that its directory carries, not with the project's own."""

import importlib.util
import json
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from threading import Lock
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from ..core import hashing
from ..core.config import read_yaml
from ..core.errors import UsageError, WorldError
from . import checked_copy

if TYPE_CHECKING:
    from .protocols import Model


DATA = "data/model"
"""Where the predictor's files lie in a model directory."""
_LOCK = Lock()


def load(folder: Path, digest: str) -> "Model":
    """Load the model of a model directory, of a copy that was checked: its code is run.

    The carried package is imported under a name with its digest, so that models with different
    features can live in one process. Raises WorldError where the bytes are not the digest's.
    """
    with checked_copy.copy(folder, digest) as copy:
        return load_copy(copy, folder)


def load_copy(copy: checked_copy.Copy, original: Path) -> "Model":
    """Load a copy that was checked already; `original` is what messages name."""
    loader, code = _loader(copy, original), _package(copy, original)
    name = f"_carried_{hashing.of_folder(code)}"
    module = f"{name}.{loader}"
    with _LOCK:
        if name not in sys.modules:
            _import_package(name, code, module)
    model: Model = import_module(module).load(copy / DATA)
    return model


def warm(package: str) -> None:
    """Import what models of a package import, so that loading one takes no seconds."""
    import_module(f"{package}.model")


def _loader(copy: Path, original: Path) -> str:
    """Return the module of the carried package that loads the model, as MLmodel names it.

    Raises WorldError where it names none; what is read is the copy, what is named the original.
    """
    try:
        flavor = read_yaml(copy / "MLmodel")["flavors"]["python_function"]
        module = str(flavor["loader_module"]).partition(".")[2]
    except (UsageError, KeyError, TypeError):
        module = ""
    if not module or not all(part.isidentifier() for part in module.split(".")):
        raise WorldError(f"{original / 'MLmodel'}: not a model of this project; run `nox -s train`")
    return module


def _package(copy: Path, folder: Path) -> Path:
    """Return the one package that a copy carries; `folder` is what it is a copy of."""
    found = [path.parent for path in sorted(copy.glob("code/*/__init__.py"))]
    if len(found) != 1:
        raise WorldError(f"{folder}: carries {len(found)} packages of code; run `nox -s train`")
    return found[0]


def _import_package(name: str, code: Path, module: str) -> None:
    sources = _Sources(name, code)
    sys.meta_path.insert(0, sources)  # Before whoever looks for names in folders.
    try:
        import_module(module)
    except BaseException:  # Half a package would pass for a whole one the next time.
        sys.meta_path.remove(sources)
        for imported in [it for it in sys.modules if it.partition(".")[0] == name]:
            del sys.modules[imported]
        raise


class _Sources(MetaPathFinder, InspectLoader):
    """The modules of one carried package, compiled of the sources that were read when it was made.

    Python's own finders would take byte code, or a native module, that lies beside a source, and
    look again in a folder that may be another one by then.
    """

    def __init__(self, name: str, code: Path) -> None:
        self._files: dict[str, tuple[Path, bytes]] = {}
        for path in sorted(code.rglob("*.py")):
            parts = path.relative_to(code).with_suffix("").parts
            if not all(part.isidentifier() for part in parts):
                continue  # Nobody can import it.
            if parts[-1] == "__init__":
                self._files[".".join([name, *parts[:-1]])] = path, path.read_bytes()
            else:  # Where a package has the name too, it is that which Python imports.
                self._files.setdefault(".".join([name, *parts]), (path, path.read_bytes()))

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Say where a module of the package is from; no folder is looked into for those below."""
        if fullname not in self._files:
            return None
        below: list[str] | None = [] if self.is_package(fullname) else None
        file = self._files[fullname][0]
        return importlib.util.spec_from_file_location(
            fullname, file, loader=self, submodule_search_locations=below
        )

    def is_package(self, fullname: str) -> bool:
        """Tell whether a module may have others below it."""
        return self._files[fullname][0].name == "__init__.py"

    def get_source(self, fullname: str) -> str:
        """Return a module's source, for tracebacks too."""
        return importlib.util.decode_source(self._files[fullname][1])

    def get_code(self, fullname: str) -> CodeType:
        """Compile a module."""
        path, source = self._files[fullname]
        return self.source_to_code(source, str(path))


def about(folder: Path) -> Mapping[str, Any]:
    """Return what the model says of itself: `task`, `threshold` and `encoder`."""
    path = folder / DATA / "predictor.json"
    try:
        values: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        raise WorldError(f"{path}: not a model of this project; run `nox -s train`") from None
    return values
