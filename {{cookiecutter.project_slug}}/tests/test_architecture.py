"""The house: every room has a floor, imports go down only, and no room grows too large.

How to change this: a new module gets its floor in `FLOORS`; one that needs a module above itself
is on the wrong floor, or holds two things. The rules hold for what the template brought: files that
are yours (`YOURS`, and every module that you add) may be as they like.
"""

import ast
import shutil
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

from flight_delays import imports

FLOORS = {
    # The ways in, and a forge in a folder, which has one of its own.
    6: "__main__ cli replay",
    # Doors.
    5: "doors",
    # What answers requests, and what speaks to a forge.
    4: "forge serving",
    # Steps, and the acts that the doors compose.
    3: "acts pipeline steps",
    # Edges: files, runs, the model's bytes, and whoever else speaks to the outside world.
    2: "aws bounds branch candidate card carried challenge console contest "
    "csv_blocks csv_lines data datasets deployment digests dvc_cli dvc_lock embedded "
    "endpoints fetched fields foreign files gate_report git headers imports installed "
    "interface kept last_good ledger likeness live looks machine marks model_dir moves outcomes "
    "outputs parcel permissions places processes provenance rebuild recording registry remote "
    "report reporting runs sbom served sieve signature signing sockets sought source stage "
    "staging standing store summary tables tracking tracking_server trial turns twins "
    "verified watching workspace",
    # Pure: no clock, no network, no environment.
    1: "archives arrays baselines behaviour calibration cells checkpoint checks columns "
    "comparison constants decisions diagnostics dialect dockerfile estimator evaluation examples "
    "features fitting formats frames gate holdout intervals labelled layout margins metrics "
    "model protocols schema skops_archive slices splits trees validation values versions",
    # Words.
    0: "errors identity params sections settings task",
}
FLOOR = {room: floor for floor, names in FLOORS.items() for room in names.split()}
YOURS = frozenset({"estimator", "features", "schema", "source", "steps"})
"""The rooms that a project's owner writes anew."""
IMPURE = {"dvc", "http", "mlflow", "os", "random", "requests", "secrets", "shutil", "socket"}
IMPURE |= {"subprocess", "tempfile", "time", "urllib", "uuid"}
LAZY = {"dvc", "matplotlib", "mlflow"}
"""Libraries that take long to import and that only some processes need."""
LONGEST = {"estimator.py": 320}
"""The one file that a user replaces must be whole."""
LONGEST_MODULE, LONGEST_FUNCTION, MEDIAN_FUNCTION = 300, 40, 10

Functions = ast.FunctionDef, ast.AsyncFunctionDef


def faults(package: Path, yours: frozenset[str] = YOURS) -> list[str]:
    """Return all that is wrong with a package, in words."""
    found = placed(package, yours)
    return sorted({*upward(package, found), *impure(package, found), *large(package, found)})


def modules(package: Path) -> list[str]:
    return sorted(path.relative_to(package).as_posix() for path in package.rglob("*.py"))


def room(module: str) -> str:
    """Return the room that a module stands in: itself, or its folder; the replay is one apart."""
    if module.startswith("forge/replay/"):
        return "replay"
    return module.partition("/")[0].removesuffix(".py")


def shared(module: str, other: str) -> bool:
    """Tell whether modules of an upper floor may build on each other: within a room of its own."""
    alone = {"doors", "forge", "replay", "serving"}
    return module == "__main__.py" or room(module) == room(other) in alone


def parsed(package: Path, module: str) -> ast.Module:
    return of_text((package / module).read_text("utf-8"))


@cache
def of_text(text: str) -> ast.Module:
    return ast.parse(text)


def needs(package: Path, module: str) -> set[str]:
    """Return the modules that one imports itself."""
    found = imports._needs(package / module)
    return {it.relative_to(package).as_posix() for it in found if it.name != "__init__.py"}


def placed(package: Path, yours: frozenset[str]) -> list[str]:
    return [module for module in modules(package) if room(module) in {*FLOOR} - yours]


def unplaced(package: Path) -> set[str]:
    return {module for module in modules(package) if room(module) not in {*FLOOR, "__init__"}}


def upward(package: Path, found: list[str]) -> Iterator[str]:
    graph = {module: needs(package, module) for module in found}
    for module, needed in graph.items():
        here = FLOOR[room(module)]
        for other in (it for it in needed if room(it) in FLOOR):
            there = FLOOR[room(other)]
            if there > here:
                yield f"{module} imports {other}, which is above"
            if here == there >= 3 and not shared(module, other):
                yield f"{module} imports {other}, which is beside it"
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"{error.args[1][0]} imports itself in the end"


def libraries(tree: ast.AST) -> set[str]:
    """Return the libraries that are imported anywhere below a node."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and not node.level:
            names.add(str(node.module))
    return {name.partition(".")[0] for name in names}


def for_types_only(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def impure(package: Path, found: list[str]) -> Iterator[str]:
    for module in found:
        body = [node for node in parsed(package, module).body if not for_types_only(node)]
        at_once = [node for node in body if not isinstance(node, (*Functions, ast.ClassDef))]
        eager = libraries(ast.Module(at_once, [])) & LAZY
        yield from (f"{module} imports {library} at once" for library in eager)
        floor = FLOOR[room(module)]
        if floor == 1:
            here = libraries(ast.Module(body, [])) & IMPURE
            yield from (f"{module} is pure, but imports {library}" for library in here)
        if floor not in {2, 3} and "mlflow" in libraries(ast.Module(body, [])):
            yield f"{module} speaks to mlflow"


def lengths(tree: ast.Module) -> list[int]:
    """Return the number of lines of each function."""
    found = [node for node in ast.walk(tree) if isinstance(node, Functions)]
    return [(node.end_lineno or 0) - node.lineno + 1 for node in found]


def large(package: Path, found: list[str]) -> Iterator[str]:
    every: list[int] = []
    for module in found:
        lines = (package / module).read_text("utf-8").count("\n")
        if lines > LONGEST.get(module, LONGEST_MODULE):
            yield f"{module} has {lines} lines"
        tree = parsed(package, module)
        if not ast.get_docstring(tree):
            yield f"{module} does not say what it is for"
        every += lengths(tree)
        if max(lengths(tree), default=0) > LONGEST_FUNCTION:
            yield f"{module} has a function of {max(lengths(tree))} lines"
    if every and median(every) > MEDIAN_FUNCTION:
        yield f"functions have {median(every)} lines in the median"


def test_the_house_stands() -> None:
    assert faults(imports.PACKAGE) == []


def test_every_floor_holds_only_rooms_that_are_there() -> None:
    there = {room(module) for module in modules(imports.PACKAGE)}
    assert set(FLOOR) == there - {"__init__"}


PLANTED = {
    "attic.py": "x = 1",
    "card.py": "def long() -> None:\n" + "    print()\n" * 40,
    "errors.py": "from . import sections",
    "features.py": "from . import data\n\ndef f():\n    import os",
    "params.py": "def f():\n    import mlflow.pyfunc",
    "pipeline.py": "from .steps import train\nfrom dvc.repo import Repo",
    "schema.py": "def long() -> None:\n" + "    print()\n" * 40,
    "splits.py": "\n" * 300,
    "steps/train.py": "from .prepare import label",
    "store.py": "import mlflow",
    "task.py": "def f():\n    from .features import x",
}


@pytest.fixture(scope="module")
def found_in_ruins(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return what is found wrong where all that can be wrong has been planted."""
    package = tmp_path_factory.mktemp("house") / "package"
    shutil.copytree(imports.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    for module, code in PLANTED.items():
        with (package / module).open("a") as file:
            file.write(f"\n{code}\n")
    assert "attic.py" in unplaced(package)
    return faults(package, yours=frozenset())


@pytest.mark.parametrize(
    "fault",
    [
        "card.py has a function of 41 lines",
        "features.py imports data.py, which is above",
        "features.py is pure, but imports os",
        "params.py speaks to mlflow",
        "pipeline.py imports dvc at once",
        "pipeline.py imports steps/train.py, which is beside it",
        "schema.py has a function of 41 lines",
        "splits.py has 4",
        "steps/train.py imports steps/prepare.py, which is beside it",
        "store.py imports mlflow at once",
        "task.py imports features.py, which is above",
        "imports itself in the end",
    ],
)
def test_a_fault_would_be_found(found_in_ruins: list[str], fault: str) -> None:
    assert [found for found in found_in_ruins if fault in found]


YOUR_OWN = {
    "attic.py": "def long() -> None:\n" + "    print()\n" * 60,
    "estimator.py": "\n" * 400,
    "features.py": "import os\nfrom . import data",
    "schema.py": "from .attic import long",
    "source.py": "from .attic import long\n" + "# a line\n" * 400,
    "steps/clean.py": "def long() -> None:\n" + "    print()\n" * 60,
    "steps/ingest.py": "import requests\nfrom . import clean",
}


def test_your_own_files_may_be_as_you_like(tmp_path: Path) -> None:
    package = tmp_path / "package"
    shutil.copytree(imports.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    for module, code in YOUR_OWN.items():
        (package / module).write_text(code)
    assert faults(package) == []


def test_functions_that_are_long_on_the_whole_would_be_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(globals(), "MEDIAN_FUNCTION", 2)
    assert [found for found in faults(imports.PACKAGE) if "lines in the median" in found]


def test_what_is_imported_for_types_alone_costs_nothing(tmp_path: Path) -> None:
    code = '"""A."""\nif TYPE_CHECKING:\n    import mlflow\n'
    (tmp_path / "fitting.py").write_text(code + "def f() -> None:\n    pass\n")
    assert faults(tmp_path) == []
