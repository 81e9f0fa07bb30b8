"""A model loaded with the code that its directory carries, not with the project's own."""

import importlib.util
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import digests
from .errors import WorldError

if TYPE_CHECKING:
    from .predictor import Predictor

DATA = "data/model"
"""Where the predictor's files lie in a model directory."""


def load(folder: Path) -> "Predictor":
    """Load the predictor of a model directory; it runs the directory's code, so know its bytes.

    The carried package is imported under a name with its digest, so that models with different
    features can live in one process, and writes no byte code into the directory.
    """
    about(folder)
    code = next((folder / "code").iterdir())
    name = f"_carried_{digests.of_folder(code)[:16]}"
    if name not in sys.modules:
        _import_package(name, code)
    predictor: Predictor = import_module(f"{name}.predictor").load(folder / DATA)
    return predictor


def warm() -> None:
    """Import what the predictors of this project import, so that loading one takes no seconds."""
    import_module(".predictor", __package__)


def _import_package(name: str, code: Path) -> None:
    spec = importlib.util.spec_from_file_location(
        name, code / "__init__.py", submodule_search_locations=[str(code)]
    )
    if spec is None or spec.loader is None:
        raise WorldError(f"{code}: no package of Python; run `nox -s train`")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with _no_byte_code():
        spec.loader.exec_module(module)
        import_module(f"{name}.predictor")


@contextmanager
def _no_byte_code() -> Iterator[None]:
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def about(folder: Path) -> Mapping[str, Any]:
    """Return what the directory says of itself: `task`, `threshold` and `encoder`."""
    path = folder / DATA / "predictor.json"
    try:
        values: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        raise WorldError(f"{path}: not a model of this project; run `nox -s train`") from None
    return values
