"""The import closure: what a module needs, and nothing else."""

from pathlib import Path

import pytest

from mlrails.core import imports

FILES = {
    "__init__.py": "",
    "top.py": "import os\nfrom . import middle\n",
    "middle.py": "from .low import thing\nif True:\n    from .parts import piece\n",
    "low.py": "def lazily():\n    from . import late\n",
    "late.py": "from . import top\n",
    "alone.py": "import numpy\n",
    "parts/__init__.py": "",
    "parts/piece.py": "from .. import deep\nfrom .other import x\n",
    "parts/other.py": "",
    "deep.py": "",
    "drawn.py": "from . import alone\n\nPAGE, NONE = 'page.html', 'none.css'\n",
    "page.html": "",
    "other.html": "",
}

APART = {"alone.py", "drawn.py", "page.html", "other.html"}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_all_that_is_needed_is_found_lazy_and_nested_imports_too(package: Path) -> None:
    assert imports.closure("top", package=package) == tuple(sorted(set(FILES) - APART))


def test_nothing_else_is_found(package: Path) -> None:
    assert imports.closure("alone", package=package) == ("__init__.py", "alone.py")


def test_a_file_that_a_module_names_is_found_where_it_lies_beside_it(package: Path) -> None:
    needed = ("__init__.py", "alone.py", "drawn.py", "page.html")
    assert imports.closure("drawn", package=package) == needed


def test_modules_of_a_folder_bring_the_folder_along(package: Path) -> None:
    needed = ("__init__.py", "deep.py", "parts/__init__.py", "parts/other.py", "parts/piece.py")
    assert imports.closure("parts.piece", package=package) == needed


def test_the_model_carries_neither_steps_nor_stores() -> None:
    carried = imports.closure("model", at_once=True)
    assert carried == ("__init__.py", "estimator.py", "features.py", "model.py")


def test_what_is_imported_for_types_or_in_a_function_is_not_needed_at_once(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").touch()
    (tmp_path / "top.py").write_text(
        "if TYPE_CHECKING:\n    from .a import x\nelse:\n    from . import b\n"
        "class C:\n    from . import c\n    def f(self):\n        from . import d\n"
    )
    for name in "abcd":
        (tmp_path / f"{name}.py").touch()
    found = imports.closure("top", package=tmp_path, at_once=True)
    assert found == ("__init__.py", "b.py", "c.py", "top.py")
    assert {"a.py", "d.py"} < set(imports.closure("top", package=tmp_path))
