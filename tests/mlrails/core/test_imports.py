"""The import closure: what a module needs, and nothing else."""

from pathlib import Path

import pytest
import rows

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
def source(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / name).write_text(text)
    return tmp_path


def closure(source: Path, *modules: str, at_once: bool = False) -> set[str]:
    """Return what modules of the package need, which must come in order, relative to it."""
    named = (f"p.{module}" for module in modules)
    found = imports.closure(*named, source=source, at_once=at_once)
    assert list(found) == sorted(set(found))
    assert all(file.startswith("p/") for file in found)
    return {file.removeprefix("p/") for file in found}


def test_all_that_is_needed_is_found_lazy_and_nested_imports_too(source: Path) -> None:
    assert closure(source, "top") == set(FILES) - APART


def test_nothing_else_is_found(source: Path) -> None:
    assert closure(source, "alone") == {"__init__.py", "alone.py"}


def test_a_file_that_a_module_names_is_found_where_it_lies_beside_it(source: Path) -> None:
    assert closure(source, "drawn") == {"__init__.py", "alone.py", "drawn.py", "page.html"}


def test_modules_of_a_folder_bring_the_folder_along(source: Path) -> None:
    needed = {"__init__.py", "deep.py", "parts/__init__.py", "parts/other.py", "parts/piece.py"}
    assert closure(source, "parts.piece") == needed


def test_what_several_modules_need_is_found_once(source: Path) -> None:
    both = closure(source, "alone", "parts.piece")
    assert both == closure(source, "alone") | closure(source, "parts.piece")


def test_a_package_beside_is_found_by_its_name(source: Path) -> None:
    (source / "user.py").write_text("import p.alone\nfrom p.parts import other\n")
    files = ("p/__init__.py", "p/alone.py", "p/parts/__init__.py", "p/parts/other.py", "user.py")
    assert imports.closure("user", source=source) == files


def test_the_model_carries_the_users_four_files_and_nothing_of_the_engine() -> None:
    carried = imports.closure(f"{rows.PACKAGE}.model", source=rows.ROOT / "src", at_once=True)
    names = ("__init__.py", "estimator.py", "features.py", "model.py")
    assert carried == tuple(f"{rows.PACKAGE}/{name}" for name in names)


def test_what_is_imported_for_types_or_in_a_function_is_not_needed_at_once(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "__init__.py").touch()
    (tmp_path / "p" / "top.py").write_text(
        "if TYPE_CHECKING:\n    from .a import x\nelse:\n    from . import b\n"
        "class C:\n    from . import c\n    def f(self):\n        from . import d\n"
    )
    for name in "abcd":
        (tmp_path / "p" / f"{name}.py").touch()
    assert closure(tmp_path, "top", at_once=True) == {"__init__.py", "b.py", "c.py", "top.py"}
    assert {"a.py", "d.py"} < closure(tmp_path, "top")
