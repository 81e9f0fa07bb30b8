"""Which modules of this package a module needs, read from its imports.

The model directory carries exactly these, `dvc.yaml` must list exactly these, and the tests hold
the floors of the house against them: one answer for all three.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent


def closure(*modules: str, package: Path = PACKAGE) -> tuple[str, ...]:
    """Return the files that the modules need, themselves included, relative to the package.

    A module is named as in an import: `steps.train`. The result is sorted.
    """
    found: set[Path] = set()
    waiting = [_file(package.joinpath(*module.split("."))) for module in modules]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [package / "__init__.py", path.parent / "__init__.py", *_needs(path)]
    return tuple(sorted(path.relative_to(package).as_posix() for path in found))


def _needs(path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            source = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            yield _file(source)
            if source.is_dir():  # A name is one of its modules, or something of its own.
                modules = (_file(source / alias.name) for alias in node.names)
                yield from filter(Path.is_file, modules)


def _file(module: Path) -> Path:
    return module / "__init__.py" if module.is_dir() else module.with_suffix(".py")
