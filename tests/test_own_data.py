"""Somebody else's data in the place of the flights: the project's own tests stay its contract."""

import ast
import csv
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
import yaml
from baking import SOURCE, Project, bake, replaced

TESTS = sorted((SOURCE / "tests").glob("*.py"))
SEAM = "src/flight_delays/estimator.py"
MOST_LINES = 800


def words(path: Path) -> set[str]:
    """Return the words of a module's texts and names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        text = node.value if isinstance(node, ast.Constant) else getattr(node, "id", "")
        found |= set(re.findall(r"\w+", str(text)))
    return found


def shipped_columns() -> set[str]:
    tree = ast.parse((SOURCE / "src" / "{{cookiecutter.package_name}}" / "schema.py").read_text())
    calls = [it for it in ast.walk(tree) if isinstance(it, ast.Call)]
    return {str(it.args[0].value) for it in calls if isinstance(it.args[0], ast.Constant)}


# In texts for people, words such as these mean what they always do.
@pytest.mark.parametrize("path", TESTS, ids=lambda it: it.name)
def test_no_generated_test_knows_the_flights(path: Path) -> None:
    assert "scheduled_departure" in shipped_columns()
    assert words(path) & shipped_columns() == set()
    text = re.sub(r"\bflight_delays\b", "", path.read_text("utf-8"))
    assert re.findall(r"(?i)\w*(?:flight|airport|airline|delay|nycf|2013)\w*", text) == []


def test_the_generated_tests_are_few_enough_to_be_read() -> None:
    overlays = (SOURCE / "overlays").glob("*/*/tests/*.py")
    assert sum(len(it.read_text("utf-8").splitlines()) for it in (*TESTS, *overlays)) <= MOST_LINES


class Data(NamedTuple):
    """What somebody writes anew: two files, three sections of the params, the deps of `ingest`."""

    task: str
    schema: str
    source: str
    sections: Mapping[str, Any]
    deps: str


HOUSES = Data(
    "regression",
    """
    Column("sold", "time"),
    Column("town", "category"),
    Column("heating", "category", nullable=True),
    Column("area", "number", minimum=10, maximum=500, unit="m²"),
    Column("garden", "boolean"),
    Column("built", "number", nullable=True, minimum=1800, maximum=2030),
    Column("tax", "number", minimum=0, leaks="it is levied on the price"),
    Column("price", "number", minimum=1, leaks="it is the answer itself", unit="EUR"),
""",
    """    import pandas as pd

    chunks = pd.read_csv("data/mine.csv", parse_dates=["sold"], chunksize=1000)
    return pd.concat(track(chunks, "reading houses", 2), ignore_index=True)
""",
    {
        "data": {"target": "price", "time": "sold", "until": "2022-06-30"},
        "features": {
            "calendar": ["day_of_week"],
            "categorical": ["heating", "town"],
            "numeric": ["area", "garden", "built"],
        },
        "split": {"by": "time", "validation": "5 weeks", "test": "60 days"},
    },
    "      - data/mine.csv\n",
)
LOANS = Data(
    "classification",
    """
    Column("purpose", "category"),
    Column("income", "number", minimum=0),
    Column("balance", "number", nullable=True, maximum=0),
    Column("defaulted", "boolean", leaks="it is the answer itself"),
""",
    """    from mlrails import sources

    return sources.read("data/mine.csv", COLUMNS, track=track)
""",
    {
        "data": {"target": "defaulted", "time": None},
        "features": {"categorical": ["purpose"], "numeric": ["income", "balance"]},
        "split": {"by": "random", "validation": 0.2, "test": 0.25},
    },
    "      - data/mine.csv\n",
)


def houses(chance: Random) -> Iterator[Mapping[str, object]]:
    for day in sorted(chance.randrange(545) for _ in range(3000)):
        area, town = round(chance.uniform(20, 400), 1), chance.choice(["Ulm", "Bonn", "Köln"])
        price = round(3000 * area * (1.2 if town == "Köln" else 1) * chance.uniform(0.9, 1.1))
        yield {
            "sold": date(2021, 1, 1) + timedelta(day),
            "town": town,
            "heating": chance.choice(["gas", "heat pump", ""]),
            "area": area,
            "garden": chance.random() < 0.5,
            "built": chance.choice(["", chance.randrange(1850, 2021)]),
            "tax": round(price * 0.05),
            "price": price,
        }


def loans(chance: Random) -> Iterator[Mapping[str, object]]:
    for _ in range(3000):
        income = chance.randrange(500, 9000)
        yield {
            "purpose": chance.choice(["car", "house", "travel"]),
            "income": income,
            "balance": chance.choice(["", -chance.randrange(99)]),
            "defaulted": income * chance.uniform(0.5, 1.5) < 3000,
        }


def bring(data: Data, rows: list[Mapping[str, object]], root: Path) -> None:
    """Write `schema.py`, `source.py`, params and deps as somebody with other data would."""
    package = root / "src" / "flight_delays"
    head = '"""What each column is."""\n\nfrom mlrails.data.schema import Column\n\n'
    (package / "schema.py").write_text(f"{head}COLUMNS = ({data.schema})\n", "utf-8")
    needs = "\nfrom .schema import COLUMNS\n" if "COLUMNS" in data.source else ""
    (package / "source.py").write_text(
        f'"""Where rows come from."""\n\nfrom collections.abc import Callable, Iterable\n'
        f"from typing import TYPE_CHECKING\n{needs}\n"
        "if TYPE_CHECKING:\n    import pandas as pd\n\n"
        'Track = Callable[[Iterable["pd.DataFrame"], str, int], Iterable["pd.DataFrame"]]\n\n\n'
        f'def rows(track: Track) -> "pd.DataFrame":\n    """Read the file."""\n{data.source}',
        "utf-8",
    )
    params = yaml.safe_load((root / "params.yaml").read_text("utf-8"))
    params |= data.sections
    params["evaluation"]["slices"] = data.sections["features"]["categorical"]
    (root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), "utf-8")
    pipeline = root / "dvc.yaml"
    told = ("steps.ingest\n    deps:\n", f"steps.ingest\n    deps:\n{data.deps}")
    pipeline.write_text(replaced(pipeline.read_text("utf-8"), told), "utf-8")
    (root / "data").mkdir(exist_ok=True)
    with (root / "data" / "mine.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)


@pytest.fixture(scope="module", params=["houses", pytest.param("loans", marks=pytest.mark.proof)])
def owned(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    user: Mapping[str, str],
    tools: Path,
) -> Project:
    """Return a project whose data is somebody else's."""
    data, rows = {"houses": (HOUSES, houses), "loans": (LOANS, loans)}[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    project = Project(bake(folder, user, task=data.task), user, tools)
    bring(data, [*rows(Random(1))], project.root)
    project.commit()
    return project


def said(project: Project, *words: str) -> str:
    done = project.nox(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
def test_its_own_tests_are_green_with_data_of_ones_own(owned: Project) -> None:
    assert "was successful" in said(owned, "tests")


@pytest.mark.slow
def test_a_model_of_such_data_is_trained(owned: Project, tmp_path: Path) -> None:
    project = owned.copy(tmp_path / "project")
    assert "report: reports/report.html" in said(project, "train")


@pytest.mark.slow
@pytest.mark.parametrize("owned", ["houses"], indirect=True)
def test_what_an_owner_gets_wrong_is_said(owned: Project, tmp_path: Path) -> None:
    project = owned.copy(tmp_path / "project")
    for name, change in {
        SEAM: (
            "import skops.io\n",
            "import skops.io\nfrom mlrails.modeling.skops import canonical\n",
        ),
        "params.yaml": ("  - built\n", "  - built\n  - tax\n"),
        "dvc.yaml": ("      - src/flight_delays/source.py\n", ""),
    }.items():
        path = project.root / name
        path.write_text(replaced(path.read_text("utf-8"), change), "utf-8")
    done = project.nox("tests")
    assert done.returncode != 0
    for sentence in (
        "travel with the model, where there is no engine",
        "tax is among the features, but it is levied on the price",
        "dvc.yaml: add src/flight_delays/source.py to the deps of 'ingest'",
    ):
        assert sentence in done.stdout, done.stdout
