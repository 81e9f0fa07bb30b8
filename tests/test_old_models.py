"""Models of before the split into two packages: they load, serve, predict and are made again."""

import csv
import json
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from baking import Project, bake, replaced
from old_project import MACHINE, renew, unpack
from serving import free_port, ours, started
from test_lifecycle import act, champion

pytestmark = pytest.mark.slow

OLD, CHAMPION = 1, 2
BETWEEN = (
    ("learning_rate: 0.1", "learning_rate: 0.3"),
    ("max_iter: 300", "max_iter: 4"),
    ("max_leaf_nodes: 31", "max_leaf_nodes: 6"),
    ("l2_regularization: 1.0", "l2_regularization: 3.0"),
)
MOVES = [
    ("promotion", OLD, None),
    ("promotion", CHAMPION, "1"),
    ("rollback", OLD, "2"),
    ("rollback", CHAMPION, "1"),
]


@pytest.fixture(scope="module")
def updated(
    user: Mapping[str, str], tools: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """The old project with today's code; tests only look at it."""
    folder = tmp_path_factory.mktemp("old")
    project = Project(unpack(folder), user, tools)
    renew(project.root, bake(folder / "bake", user))
    project.commit()
    return project


@pytest.fixture(scope="module")
def made_again(updated: Project) -> str:
    """What `reproduce` says of the old version."""
    return act(updated, "reproduce", str(OLD))


def recorded(project: Project, version: int) -> Sequence[Mapping[str, str]]:
    """Return what a version said on the day that it was made."""
    with (project.root.parent / "expected" / f"version-{version}.csv").open() as file:
        return list(csv.DictReader(file))


def same_class(made_again: str) -> bool:
    return "another class of machine" not in made_again


def check(said: Sequence[Mapping[str, object]], expected: Sequence[Mapping[str, str]], exact: bool):
    """Hold predictions against the recorded ones; another class of machine may round otherwise."""
    assert [it["prediction"] for it in said] == [it["prediction"] == "true" for it in expected]
    numbers = [[float(it["probability"]) for it in them] for them in (said, expected)]
    assert numbers[0] == (numbers[1] if exact else pytest.approx(numbers[1], rel=1e-12))


def test_the_two_versions_say_something_different(updated: Project) -> None:
    first, second = (recorded(updated, it) for it in (OLD, CHAMPION))
    assert len(first) == len(second) == 40
    assert not {it["probability"] for it in first} & {it["probability"] for it in second}


def test_history_tells_the_moves_of_old(updated: Project) -> None:
    ledger = json.loads(act(updated, "history", "--json"))
    assert [(it["action"], int(it["version"]), it.get("before")) for it in ledger] == MOVES
    for entry in ledger:
        known = updated.run("git", "cat-file", "-t", entry["git_commit"])
        assert known.stdout == "commit\n"
    table = act(updated, "history")
    assert "too many calls at night" in table and "The authors" in table


@pytest.mark.parametrize("version", [OLD, CHAMPION])
def test_an_old_version_predicts_what_it_always_has(
    updated: Project, made_again: str, version: int, tmp_path: Path
) -> None:
    rows, out = updated.root.parent / "expected" / "rows.csv", tmp_path / "out.csv"
    act(updated, "predict", str(rows), str(out), "--version", str(version))
    with out.open() as file:
        said = [{**it, "prediction": it["prediction"] == "true"} for it in csv.DictReader(file)]
    check(said, recorded(updated, version), same_class(made_again))


def test_an_old_champion_is_served(updated: Project, made_again: str, tmp_path: Path) -> None:
    with (updated.root.parent / "expected" / "rows.csv").open() as file:
        names, row, *_ = csv.reader(file)
    places = {name: place for place, name in enumerate(names)}
    texts = {places[it] for it in ("scheduled_departure", "carrier", "origin", "dest")}
    cells = [it if n in texts else float(it) if it else None for n, it in enumerate(row)]
    cells[places["scheduled_departure"]] = row[0].replace(" ", "T")
    body = json.dumps({"dataframe_split": {"columns": names, "data": [cells]}}).encode()
    port = free_port()
    with started(updated, ours(updated, port), port, tmp_path / "log"):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - http
            said = json.load(answer)["predictions"]
    check(said, recorded(updated, CHAMPION)[:1], same_class(made_again))


def test_an_old_version_is_made_again_to_the_byte(updated: Project, made_again: str) -> None:
    if same_class(made_again):
        assert "version 1: identical bytes" in made_again
    else:  # `act` has seen that it does not end with the code of a model that is different.
        assert f"({MACHINE})" in made_again and "version 1: different" not in made_again
    assert not updated.run("git", "status", "--porcelain").stdout


def test_an_old_registry_goes_on(updated: Project, tmp_path: Path) -> None:
    project = updated.copy(tmp_path / "project")
    act(project, "rollback", str(OLD), "--reason", "it was the model after all")
    assert champion(project) == OLD
    params = project.root / "params.yaml"
    params.write_text(replaced(params.read_text("utf-8"), *BETWEEN), "utf-8")
    project.commit()
    act(project, "train")
    said = act(project, "promote")
    assert "version 3 is the champion" in said and f"champion {digest(project, OLD)}" in said
    act(project, "rollback", str(CHAMPION), "--reason", "the old one was good")
    ledger = json.loads(act(project, "history", "--json"))
    moves = [("rollback", OLD, "2"), ("promotion", 3, "1"), ("rollback", CHAMPION, "3")]
    assert [(it["action"], int(it["version"]), it["before"]) for it in ledger[4:]] == moves


def digest(project: Project, version: int) -> str:
    ledger = json.loads(act(project, "history", "--json"))
    return next(it["digest"] for it in ledger if it["version"] == str(version))[:12]
