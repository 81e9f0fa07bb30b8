"""The migration to two packages: own modules import from the engine what lay beside them."""

from pathlib import Path

import house
import pytest

from mlrails.update.migrations.m0001_two_packages import MOVED, migrate, rewritten

LINES = {
    "from .console import say, warn": "from mlrails.core.console import say, warn",
    "from .schema import COLUMNS": "from .schema import COLUMNS",
    "    from ..errors import (": "    from mlrails.core.errors import (",
    "from trams.tables import frame": "from mlrails.batch.tables import frame",
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
    assert rewritten(f"{line}\nX = 1\n", "trams") == made
    assert rewritten(made, "trams") == made


def test_every_module_is_where_the_migration_leads_to() -> None:
    missing = [new for new in MOVED.values() if new not in house.modules(house.ENGINE)]
    assert not missing


def test_a_project_with_an_engine_is_left_alone(tmp_path: Path) -> None:
    module = tmp_path / "src" / "trams" / "own.py"
    module.parent.mkdir(parents=True)
    module.write_bytes(b"from . import digests\n")
    (tmp_path / "src" / "mlrails").mkdir()
    migrate(tmp_path, "trams")
    assert module.read_bytes() == b"from . import digests\n"
    (tmp_path / "src" / "mlrails").rmdir()
    migrate(tmp_path, "trams")
    assert module.read_bytes() == b"from mlrails.core import hashing as digests\n"
