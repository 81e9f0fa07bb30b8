"""Which files of this package a module needs: those it imports, and data that it names.

The model directory carries exactly these, `dvc.yaml` must list exactly these, and the tests hold
the floors of the house against them: one answer for all three.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent


def closure(*modules: str, package: Path = PACKAGE, at_once: bool = False) -> tuple[str, ...]:
    """Return the files that the modules need, themselves included, relative to the package.

    A module is named as in an import: `steps.train`. A file of data lies beside the module that
    reads it, which names it in a text of its own. The result is sorted. `at_once` leaves out what
    is imported for types alone, or only when a function is called.
    """
    found: set[Path] = set()
    waiting = [_file(package.joinpath(*module.split("."))) for module in modules]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found |= {path, *_data(path)}
            needed = _needs(path, at_once)
            waiting += [package / "__init__.py", path.parent / "__init__.py", *needed]
    return tuple(sorted(path.relative_to(package).as_posix() for path in found))


def _needs(path: Path, at_once: bool = False) -> Iterator[Path]:
    tree = ast.parse(path.read_text("utf-8"))
    for node in _run_at_once(tree) if at_once else ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            source = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            yield _file(source)
            if source.is_dir():  # A name is one of its modules, or something of its own.
                modules = (_file(source / alias.name) for alias in node.names)
                yield from filter(Path.is_file, modules)


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
