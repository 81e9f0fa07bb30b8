"""Which files of the packages in `src` a module needs: those it imports, and data that it names.

The model directory and an image carry exactly these, and `dvc.yaml` must list them: one answer for
all three.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2]
"""The folder of the engine and, in a project, of the user's package."""


def closure(*modules: str, source: Path = SOURCE, at_once: bool = False) -> tuple[str, ...]:
    """Return the files that the modules need, themselves included, relative to the source folder.

    A module is named whole: `mlrails.core.git`. A file of data lies beside the module that reads
    it, which names it in a text of its own. The result is sorted. `at_once` leaves out what is
    imported for types alone, or only when a function is called.
    """
    found: set[Path] = set()
    waiting = [_file(source.joinpath(*module.split("."))) for module in modules]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found |= {path, *_data(path)}
            waiting += [*_packages(path, source), *_needs(path, source, at_once)]
    return tuple(sorted(path.relative_to(source).as_posix() for path in found))


def _packages(path: Path, source: Path) -> Iterator[Path]:
    """Yield what Python runs before a module: the `__init__` of each folder above it."""
    for folder in path.parents[: len(path.relative_to(source).parts) - 1]:
        yield folder / "__init__.py"


def _needs(path: Path, source: Path, at_once: bool) -> Iterator[Path]:
    tree = ast.parse(path.read_text("utf-8"))
    for node in _run_at_once(tree) if at_once else ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            above = path.parents[node.level - 1] if node.level else source
            module = above.joinpath(*(node.module or "").split("."))
            # A name is a module of a package, or something of its own.
            names = [module / alias.name for alias in node.names] if module.is_dir() else []
            yield from filter(Path.is_file, map(_file, (module, *names)))
        elif isinstance(node, ast.Import):
            modules = (source.joinpath(*alias.name.split(".")) for alias in node.names)
            yield from filter(Path.is_file, map(_file, modules))


def _data(path: Path) -> Iterator[Path]:
    """Yield the files beside a module that it names, a style sheet or a template."""
    beside = {file.name: file for file in path.parent.iterdir() if file.is_file()}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and node.value in beside:
            yield beside[node.value]


def _run_at_once(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is run when a module is imported."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.If) and ast.unparse(inner.test) == "TYPE_CHECKING":
            yield from _run_at_once(ast.Module(inner.orelse, []))
        elif not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield inner
            yield from _run_at_once(inner)


def _file(module: Path) -> Path:
    return module / "__init__.py" if module.is_dir() else module.with_suffix(".py")
