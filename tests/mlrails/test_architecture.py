"""The house of the engine: imports go down only, and no room grows too large.

How to change this: a new folder gets its floor in `FLOORS`; a module that needs a folder above its
own is in the wrong one, or holds two things. `docs/architecture.md` draws what is found here.
"""

import ast
import re
import shutil
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

import pytest
import sample
from house import ENGINE, PAGE, drawn, folder, modules, needs, of_text, parsed, path_of

FLOORS = (
    # From the ground up; folders of one floor do not know each other.
    ("core",),
    ("data",),
    ("modeling", "audit", "sources"),
    ("evaluation", "tracking", "explaining"),
    ("evaluation.held_out",),
    ("reporting", "stages", "monitoring", "refits"),
    ("registry",),
    ("pipeline",),
    ("gate",),
    ("lifecycle", "batch", "serving.http", "monitoring.watch"),
    ("serving.requests",),
    ("serving.model",),
    ("serving.web",),
    ("serving.process",),
    ("serving",),
    ("serving.deploy",),
    ("update", "update.migrations", "adopt", "upkeep"),
    ("adopt.writing",),
    ("github", "tuning", "retraining"),
    ("cli",),
    ("replay",),
)
FLOOR = {folder: floor for floor, folders in enumerate(FLOORS) for folder in folders}
PURE = {
    "audit",
    "data",
    "evaluation",
    "explaining",
    "monitoring",
    "gate.checks",
    "gate.calibration",
    "gate.fairness",
    "gate.looks",
    "gate.slices",
    "gate.verdict",
    "refits.draws",
    "refits.spread",
    "tuning.search",
    "tuning.space",
    "tuning.trial",
}
"""No clock, no network, no environment: folders, and modules of others."""
NOT_PURE = {"data.parquet", "evaluation.declared"}
IMPURE = {"dvc", "http", "mlflow", "os", "random", "requests", "secrets", "shutil", "socket"}
IMPURE |= {"subprocess", "tempfile", "time", "urllib", "uuid"}
LAZY = {"dvc", "matplotlib", "mlflow", "optuna"}
"""Libraries that take long to import and that only some processes need."""
MARK = re.compile(r"cookiecutter\.(?!json)|{{")
"""What a bake fills in; the tool itself and its file bear names that an update has to say."""
LONGEST_MODULE, LONGEST_FUNCTION, MEDIAN_FUNCTION, MOST_MODULES = 300, 40, 10, 14

Functions = ast.FunctionDef, ast.AsyncFunctionDef


def faults(engine: Path) -> list[str]:
    """Return all that is wrong with an engine, in words."""
    found = modules(engine)
    rules = upward, impure, large, unitless
    every = (*(rule(engine, found) for rule in rules), full(found))
    return sorted({fault for each in every for fault in each})


def upward(engine: Path, found: list[str]) -> Iterator[str]:
    rooms = [module for module in found if not module.endswith("__init__") and "." in module]
    graph = {module: needs(engine, module) for module in rooms}
    for module, needed in graph.items():
        here = folder(module)
        if here not in FLOOR:
            yield f"{here} has no floor"
            continue
        for other in (it for it in needed if folder(it) != here):
            there = FLOOR.get(folder(other), len(FLOORS))
            if there > FLOOR[here]:
                yield f"{module} imports {other}, which is above"
            if there == FLOOR[here]:
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


def impure(engine: Path, found: list[str]) -> Iterator[str]:
    for module in found:
        body = [node for node in parsed(engine, module).body if not for_types_only(node)]
        at_once = [node for node in body if not isinstance(node, (*Functions, ast.ClassDef))]
        eager = libraries(ast.Module(at_once, [])) & LAZY
        yield from (f"{module} imports {library} at once" for library in eager)
        here = libraries(ast.Module(body, []))
        if {module, folder(module)} & PURE and module not in NOT_PURE:
            yield from (f"{module} is pure, but imports {library}" for library in here & IMPURE)
        if "mlrails" in here or "flight_delays" in here:
            yield f"{module} imports a package by its name"


def lengths(tree: ast.Module) -> list[int]:
    """Return the number of lines of each function."""
    found = [node for node in ast.walk(tree) if isinstance(node, Functions)]
    return [(node.end_lineno or 0) - node.lineno + 1 for node in found]


def large(engine: Path, found: list[str]) -> Iterator[str]:
    every: list[int] = []
    for module in found:
        text = path_of(engine, module).read_text("utf-8")
        if text.count("\n") > LONGEST_MODULE:
            yield f"{module} has {text.count(chr(10))} lines"
        if MARK.search(text):
            yield f"{module} has a mark of the template"
        tree = of_text(text)
        if not ast.get_docstring(tree):
            yield f"{module} does not say what it is for"
        every += lengths(tree)
        if max(lengths(tree), default=0) > LONGEST_FUNCTION:
            yield f"{module} has a function of {max(lengths(tree))} lines"
    if every and median(every) > MEDIAN_FUNCTION:
        yield f"functions have {median(every)} lines in the median"


def unitless(engine: Path, found: list[str]) -> Iterator[str]:
    """Yield times without a unit, which newer releases of numpy than these tests' warn of."""
    for module in found:
        calls = [it for it in ast.walk(parsed(engine, module)) if isinstance(it, ast.Call)]
        for call in calls:
            made = ast.unparse(call)
            if re.match(r"np\.timedelta64\(|np\.datetime64\('NaT'", made) and len(call.args) == 1:
                yield f"{module} has a time without a unit: {made}"


def full(found: list[str]) -> Iterator[str]:
    rooms = [module for module in found if not module.endswith("__init__")]
    for name in {folder(module) for module in rooms}:
        number = sum(folder(module) == name for module in rooms)
        if number > MOST_MODULES:
            yield f"{name} has {number} modules"


def test_the_house_stands() -> None:
    assert faults(ENGINE) == []


def test_every_floor_holds_only_folders_that_are_there() -> None:
    assert {folder(module) for module in modules(ENGINE)} - {""} == {*FLOOR}


PLANTED = {
    "attic/box.py": "x = 1",
    "core/console.py": "from ..data import parquet",
    "core/errors.py": "from . import config",
    "core/hashing.py": "\n" * 300,
    "core/params.py": "# {{ cookiecutter.package_name }}",
    "data/splits.py": "def f():\n    import os",
    "evaluation/comparison.py": "from flight_delays import schema",
    "evaluation/metrics.py": "from ..tracking.store import connect",
    "gate/verdict.py": "import time",
    "registry/ledger.py": "def long() -> None:\n" + "    print()\n" * 40,
    "sources/sql.py": "NEVER, LONG = np.datetime64('NaT'), np.timedelta64(3)",
    "tracking/store.py": "import mlflow",
    **{f"lifecycle/more{number}.py": '"""More."""' for number in range(MOST_MODULES)},
}


@pytest.fixture(scope="module")
def found_in_ruins(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return what is found wrong where all that can be wrong has been planted."""
    engine = tmp_path_factory.mktemp("house") / "mlrails"
    shutil.copytree(ENGINE, engine, ignore=shutil.ignore_patterns("__pycache__"))
    for module, code in PLANTED.items():
        (engine / module).parent.mkdir(exist_ok=True)
        with (engine / module).open("a") as file:
            file.write(f"\n{code}\n")
    return faults(engine)


@pytest.mark.parametrize(
    "fault",
    [
        "attic has no floor",
        "attic.box does not say what it is for",
        "core.console imports data.parquet, which is above",
        "core.hashing has 3",
        "core.params has a mark of the template",
        "data.splits is pure, but imports os",
        "evaluation.comparison imports a package by its name",
        "evaluation.metrics imports tracking.store, which is beside it",
        "gate.verdict is pure, but imports time",
        "imports itself in the end",
        "lifecycle has ",
        "registry.ledger has a function of 41 lines",
        "sources.sql has a time without a unit: np.datetime64('NaT')",
        "sources.sql has a time without a unit: np.timedelta64(3)",
        "tracking.store imports mlflow at once",
    ],
)
def test_a_fault_would_be_found(found_in_ruins: list[str], fault: str) -> None:
    assert [found for found in found_in_ruins if fault in found]


def test_functions_that_are_long_on_the_whole_would_be_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(globals(), "MEDIAN_FUNCTION", 2)
    assert [found for found in faults(ENGINE) if "lines in the median" in found]


def test_the_page_draws_todays_imports() -> None:
    # Where not: `nox -s docs` draws them anew.
    assert drawn(PAGE.read_text("utf-8")) == PAGE.read_text("utf-8")


def test_an_import_that_the_page_does_not_show_is_seen(tmp_path: Path) -> None:
    engine = tmp_path / "mlrails"
    shutil.copytree(ENGINE, engine, ignore=shutil.ignore_patterns("__pycache__"))
    with (engine / "reporting" / "blocks.py").open("a") as file:
        file.write("from ..tracking import store\n")
    assert drawn(PAGE.read_text("utf-8"), engine) != PAGE.read_text("utf-8")


def page() -> str:
    return (sample.ROOT / "docs" / PAGE.name).read_text("utf-8")


def test_the_links_of_the_page_lead_to_what_they_name() -> None:
    links = re.findall(r'\]\((\.\./[^)#]+)(?:#L(\d+) "([^"]+)")?\)', page())
    assert len(links) >= 7
    for place, line, words in links:
        path = sample.ROOT / "docs" / place
        assert path.exists(), place
        assert not line or words in path.read_text("utf-8").splitlines()[int(line) - 1], place
