"""The migration to two packages: own modules import from the engine what lay beside them."""

from collections.abc import Mapping
from pathlib import Path

import house
import pytest

from mlrails.update.migrations.m0001_two_packages import MOVED, migrate, rewritten

LINES = {
    "from .console import say, warn": "from mlrails.core.console import say, warn",
    "from .schema import COLUMNS": "from .schema import COLUMNS",
    "    from .errors import (": "    from mlrails.core.errors import (",
    "from trams.tables import frame": "from mlrails.sources.tables import frame",
    "from . import digests": "from mlrails.core import hashing as digests",
    "from . import metrics as m, schema, params": (
        "from . import schema\nfrom mlrails.evaluation import metrics as m\n"
        "from mlrails.core import params"
    ),
    "from trams import features": "from trams import features",
    "import errors": "import errors",
    "from .errors_of_mine import A": "from .errors_of_mine import A",
}


@pytest.mark.parametrize("line", LINES)
def test_imports_lead_to_where_a_module_is_now(line: str) -> None:
    made = f"{LINES[line]}\nX = 1\n"
    assert rewritten(f"{line}\nX = 1\n", "trams", 1) == made
    assert rewritten(made, "trams", 1) == made


def test_every_module_is_where_the_migration_leads_to() -> None:
    missing = [new for new in MOVED.values() if new not in house.modules(house.ENGINE)]
    assert not missing


def flat(root: Path, files: Mapping[str, bytes]) -> None:
    """Write a flat project with three modules of today's engine."""
    engine = {f"src/trams/{name}.py": b"" for name in ("digests", "console", "metrics")}
    for name, content in {**engine, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def test_a_project_with_an_engine_is_left_alone(tmp_path: Path) -> None:
    module = tmp_path / "src" / "trams" / "own.py"
    flat(tmp_path, {"src/trams/own.py": b"from . import digests\n"})
    (tmp_path / "src" / "mlrails").mkdir()
    migrate(tmp_path, "trams")
    assert module.read_bytes() == b"from . import digests\n"
    (tmp_path / "src" / "mlrails").rmdir()
    migrate(tmp_path, "trams")
    assert module.read_bytes() == b"from mlrails.core import hashing as digests\n"


FOUND = {
    # Of a sub-package of the user's own, with modules of such names in it.
    "src/trams/mine/use.py": (
        b"from .console import a\nfrom ..console import say\nfrom . import metrics\n"
        b"from .. import metrics\nfrom ...console import b\nfrom trams.console import warn\n",
        b"from .console import a\nfrom mlrails.core.console import say\nfrom . import metrics\n"
        b"from mlrails.evaluation import metrics\nfrom ...console import b\n"
        b"from mlrails.core.console import warn\n",
    ),
    # A folder of the user's own, which has the name of a module of the engine.
    "src/trams/own.py": (
        b"from .data import load\nfrom . import data, digests\n",
        b"from .data import load\nfrom . import data\n"
        b"from mlrails.core import hashing as digests\n",
    ),
    "src/trams/windows.py": (
        b"from . import metrics\r\nX = 1\r\n",
        b"from mlrails.evaluation import metrics\r\nX = 1\r\n",
    ),
    "tests/test_own.py": (
        b"from .console import a\nfrom . import metrics\nfrom trams import metrics\n",
        b"from .console import a\nfrom . import metrics\nfrom mlrails.evaluation import metrics\n",
    ),
    "src/trams/latin.py": (b"from .console import say  # \xe9\n",) * 2,
    "elsewhere/linked.py": (b"from .console import say\n",) * 2,
}


@pytest.mark.parametrize("name", FOUND)
def test_what_leads_elsewhere_is_left_alone(tmp_path: Path, name: str) -> None:
    flat(tmp_path, {"src/trams/data/__init__.py": b"", name: FOUND[name][0]})
    (tmp_path / "src" / "trams" / "linked.py").symlink_to(tmp_path / "elsewhere" / "linked.py")
    (tmp_path / "tests").mkdir(exist_ok=True)
    (tmp_path / "tests" / "elsewhere").symlink_to(tmp_path / "elsewhere")
    migrate(tmp_path, "trams")
    assert (tmp_path / name).read_bytes() == FOUND[name][1]
