"""An adoption from its first question on: what is asked, what is refused, what is left behind."""

import csv
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random

import plans
import pytest
import sample
from plans import FILE, SCHEMA, SOURCE, columns, params

from mlrails.adopt.writing import files, places, questions, run
from mlrails.adopt.writing.questions import LEFT_OUT
from mlrails.adopt.writing.run import Order, Person
from mlrails.audit.finding import Finding
from mlrails.core.errors import UsageError
from mlrails.core.settings import Settings

ROWS = 600
NOBODY = Person()


def git(root: Path, *words: str) -> str:
    person = ("-c", "user.name=A user", "-c", "user.email=user@example.org")
    done = subprocess.run(
        ["git", "-C", str(root), *person, *words], check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project, committed, with the files that adoption may change."""
    folder = tmp_path / "project"
    records = [f"docs/decisions/{it.name}" for it in (sample.ROOT / "docs/decisions").iterdir()]
    own = (".gitignore", ".dvc/.gitignore", ".dvc/config")
    for name in (*files.paths(sample.PACKAGE), *records, *own):
        if (sample.ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((sample.ROOT / name).read_bytes())
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Begin")
    return folder


def flats(path: Path, **more: Callable[[int], object]) -> Path:
    """Write a table of flats to let, with more columns if asked for."""
    chance, rows = Random(1), []
    for number in range(ROWS):
        area = chance.randrange(20, 200)
        row: dict[str, object] = {
            "day": date(2024, 1, 1) + timedelta(number // 3),
            "town": chance.choice(["Ulm", "Bonn", "Aachen"]),
            "area": area,
            "rooms": 1 + chance.randrange(area // 10),
            "rent": round(area * chance.uniform(5, 25) + chance.uniform(0, 900)),
        }
        rows.append(row | {name: make(number) for name, make in more.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    return path


def adopt(root: Path, source: Path | str, *, person: Person = NOBODY, **more: object) -> None:
    order = Order(str(source), **{"target": "rent", **more})  # type: ignore[arg-type]
    settings = Settings(root, package=sample.PACKAGE)
    run.adopt(settings, order, person, columns((root / SCHEMA).read_text("utf-8")))


def says(*answers: str) -> tuple[Person, list[str]]:
    """Return a person who gives these answers, and a list of what they are asked."""
    asked: list[str] = []
    lines: Iterator[str] = iter(answers)

    def ask(question: str) -> str:
        asked.append(question)
        return next(lines)

    return Person(ask), asked


def text(root: Path, name: str) -> str:
    return (root / name).read_text("utf-8")


def test_a_table_from_outside_is_copied_kept_by_dvc_and_named(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adopt(root, flats(tmp_path / "my flats (1).csv"))
    name = "data/source/my-flats-1-.csv"
    assert (root / name).read_bytes() == (tmp_path / "my flats (1).csv").read_bytes()
    assert (root / f"{name}.dvc").is_file()
    assert git(root, "check-ignore", name).strip() == name
    assert f'"{name}"' in text(root, SOURCE)
    assert f"      - {name}\n" in text(root, "dvc.yaml")
    assert params(text(root, FILE)).data.target == "rent"
    said = capsys.readouterr().out
    assert "600 rows, 5 columns" in said
    assert "Split by time" in said
    assert "takes it all back" in said


def test_what_is_said_to_take_it_back_does(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adopt(root, flats(tmp_path / "flats.csv"))
    (line,) = [it for it in capsys.readouterr().out.splitlines() if "takes it all back" in it]
    subprocess.run(line.split("`")[1], shell=True, cwd=root, check=True)  # noqa: S602 - as is said
    assert git(root, "status", "--porcelain", "--ignored", "--", ":!.dvc").strip() == ""


def test_a_table_that_git_keeps_stays_where_it_is(root: Path) -> None:
    flats(root / "data" / "flats.csv")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Data")
    adopt(root, "data/flats.csv", person=Person(start=root))
    assert not (root / "data" / "flats.csv.dvc").exists()
    assert '"data/flats.csv"' in text(root, SOURCE)


def test_a_table_that_nobody_keeps_stays_and_is_kept_by_dvc(root: Path) -> None:
    flats(root / "data" / "flats.csv")
    adopt(root, "data/flats.csv", person=Person(start=root))
    assert (root / "data" / "flats.csv.dvc").is_file()


@pytest.mark.parametrize("folder", ["data/raw", "models", "src"])
def test_a_table_where_stages_write_is_copied(root: Path, folder: str) -> None:
    place = places.of(root, str(flats(root / folder / "flats.csv")), root)
    assert place.name == "data/source/flats.csv"
    assert [*place.copies] == [place.name]


def test_another_file_in_its_place_is_never_written_over(root: Path, tmp_path: Path) -> None:
    mine = flats(root / "data" / "source" / "flats.csv")
    mine.write_text("mine", "utf-8")
    with pytest.raises(UsageError, match=r"data/source/flats\.csv: another file stands there"):
        adopt(root, flats(tmp_path / "flats.csv"))
    assert mine.read_text("utf-8") == "mine"


def unchanged(root: Path) -> bool:
    return git(root, "status", "--porcelain", "--untracked-files=all").strip() == ""


def leak(root: Path) -> Path:
    """Write a table with a column that tells the target."""
    rents = [it.split(",")[4] for it in flats(root / "plain.csv").read_text().splitlines()[1:]]
    return flats(root / "leaky.csv", deposit=lambda number: 3 * int(rents[number]))


@pytest.mark.parametrize("yes", [True, False])
def test_a_leak_stops_it_and_nothing_is_written(root: Path, tmp_path: Path, yes: bool) -> None:
    with pytest.raises(UsageError, match=r"'deposit'.*--drop deposit.*nothing has been written"):
        adopt(root, leak(tmp_path), yes=yes)
    assert unchanged(root)


def test_a_leak_that_is_answered_for_is_let_in_with_its_reason(root: Path, tmp_path: Path) -> None:
    adopt(root, leak(tmp_path), known=["deposit=it is agreed before the rent"])
    assert 'known="it is agreed before the rent"' in text(root, SCHEMA)
    assert "deposit" in params(text(root, FILE)).features.numeric


def test_two_columns_that_are_the_target_are_answered_for_together_and_once(
    root: Path, tmp_path: Path
) -> None:
    rents = [int(it.split(",")[4]) for it in flats(tmp_path / "f.csv").read_text().split()[1:]]
    base = Random(2).choices(range(10**4, 10**6), k=ROWS)
    paid, owed = base.__getitem__, lambda number: base[number] + rents[number]
    source = flats(tmp_path / "both.csv", paid=paid, owed=owed)
    ways = r"`--drop paid` leaves one out, `--known paid=WHY --known owed=WHY` lets both in"
    with pytest.raises(UsageError, match=rf"difference of 'paid' and 'owed' tells .*{ways}"):
        adopt(root, source, known=["owed=it is of the offer"])
    adopt(root, source, known=["owed=it is of the offer", "paid=it is of the bank"])
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Flats")
    adopt(root, source, target=None)
    assert unchanged(root)
    assert {"paid", "owed"} <= {*params(text(root, FILE)).features.numeric}


def test_a_leak_that_is_left_out_stays_out_the_next_time(root: Path, tmp_path: Path) -> None:
    source = leak(tmp_path)
    adopt(root, source, drop=["deposit"])
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Flats")
    adopt(root, source, target=None)
    assert unchanged(root)
    assert "deposit" not in params(text(root, FILE)).features.numeric


def test_more_columns_later_are_a_small_change(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adopt(root, flats(tmp_path / "flats.csv"))
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Flats")
    adopt(root, flats(tmp_path / "flats.csv", balcony=lambda number: number % 7 == 0), target=None)
    changed = {*git(root, "diff", "HEAD", "--name-only").split()}
    assert changed == {SCHEMA, FILE, "data/source/flats.csv.dvc"}
    assert "`balcony` is new: number." in text(root, "docs/decisions/0002-data.md")
    assert "3 files changed" in capsys.readouterr().out


def adopt_again_after(root: Path, tmp_path: Path, params: str, chosen: str) -> Path:
    """Adopt, put something else in the place of some params, and adopt a table of more columns."""
    adopt(root, flats(tmp_path / "flats.csv"))
    path = root / FILE
    path.write_text(re.sub(params, chosen, path.read_text("utf-8")), "utf-8")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Divide the rows otherwise")
    more = flats(tmp_path / "flats.csv", balcony=lambda number: number % 7 == 0)
    adopt(root, more, target=None)
    return more


@pytest.mark.parametrize("final", [False, True])
def test_the_lengths_of_the_parts_stay_and_are_what_the_plan_says(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], final: bool
) -> None:
    chosen = "\n  validation: 2 weeks\n  test: 5 weeks" + "\n  final: 1 week" * final
    adopt_again_after(root, tmp_path, r"\n  validation: .*\n  test: .*", chosen)
    assert chosen in text(root, FILE)
    said = " ".join(capsys.readouterr().out.split("Split by time")[-1].split())
    assert said.startswith("(validation 2 weeks, test 5 weeks): 'day' tells when each row is of")
    assert "the last 5 weeks are the test" in said
    assert "105 test rows of their own" in said


DEALT = """split:
  by: random
  acknowledge: rows of one day may be in training and test
  validation: 0.1
  test: 0.25
"""


def test_how_a_project_divides_its_rows_stays_until_more_is_said(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = adopt_again_after(root, tmp_path, r"(?m)^split:\n(  .*\n)+", DEALT)
    assert DEALT in text(root, FILE)
    assert params(text(root, FILE)).data.time == "day"
    assert "Split at random (validation 10%, test 25%)" in capsys.readouterr().out
    adopt(root, more, target=None, time="day", dirty=True)
    assert params(text(root, FILE)).split.by == "time"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"target": "rnt"}, "there is no column 'rnt'.*'rent'"),
        ({"target": None}, "--target COLUMN"),
        ({"task": "regresion"}, "--task 'regresion'.*did you mean 'regression'"),
        ({"known": ["rooms"]}, "--known 'rooms': say it as COLUMN=REASON"),
        ({"known": ["roms=why"]}, "did you mean 'rooms'"),
        ({"query": "select 1"}, "flats.csv: --query asks a database, and this is none"),
    ],
)
def test_what_is_said_wrong_is_told(
    root: Path, tmp_path: Path, more: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        adopt(root, flats(tmp_path / "flats.csv"), **more)
    assert unchanged(root)


def test_uncommitted_changes_are_refused_unless_allowed(root: Path, tmp_path: Path) -> None:
    source = flats(tmp_path / "flats.csv")
    with (root / "README.md").open("a") as file:
        file.write("mine\n")
    with pytest.raises(UsageError, match=r"README\.md: not committed"):
        adopt(root, source)
    adopt(root, source, dirty=True)
    assert text(root, "README.md").endswith("mine\n")


def test_a_person_may_say_no(root: Path, tmp_path: Path) -> None:
    person, asked = says("n")
    with pytest.raises(UsageError, match="not written, as you have said"):
        adopt(root, flats(tmp_path / "flats.csv"), person=person)
    assert asked == ["Write it? [Y/n] "]
    assert unchanged(root)


def words(number: int) -> str:
    return "won" if number % 5 in {0, 2} else "lost"


def test_a_guess_that_nobody_confirms_is_refused_in_a_script(root: Path, tmp_path: Path) -> None:
    source = flats(tmp_path / "flats.csv", end=words)
    asks = r"Which value of 'end' is the event\? Say `--positive lost` or `--positive won`; nobody"
    with pytest.raises(UsageError, match=asks + r" can be asked .*`--yes` takes won; nothing has"):
        adopt(root, source, target="end")
    assert unchanged(root)
    adopt(root, source, target="end", yes=True)
    assert '{"end": "won"}' in text(root, SOURCE)


def test_a_script_that_says_it_all_is_not_asked(root: Path, tmp_path: Path) -> None:
    adopt(root, flats(tmp_path / "flats.csv", end=words), target="end", positive="lost")
    assert '{"end": "lost"}' in text(root, SOURCE)


def test_no_value_of_a_target_is_told_where_logs_are_public(root: Path, tmp_path: Path) -> None:
    order = Order(str(flats(tmp_path / "flats.csv", end=words)), "end")
    settings = Settings(root, package=sample.PACKAGE, in_ci=True)
    with pytest.raises(UsageError, match=r"`--yes` takes a guess") as told:
        run.adopt(settings, order, NOBODY, columns(text(root, SCHEMA)))
    assert "won" not in str(told.value) and "lost" not in str(told.value)


def test_the_event_of_before_stays_though_it_is_no_longer_the_rarer(
    root: Path, tmp_path: Path
) -> None:
    adopt(root, flats(tmp_path / "flats.csv", end=words), target="end", positive="won")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Flats")
    turned = {"lost": "won", "won": "lost"}
    adopt(root, flats(tmp_path / "flats.csv", end=lambda it: turned[words(it)]), target=None)
    assert '{"end": "won"}' in text(root, SOURCE)


DOUBT = replace(
    plans.HOUSES,
    findings=(
        Finding("outcome", ("garden",), "column 'garden' sounds like an outcome", "question"),
    ),
)


def test_a_doubt_is_asked_about_and_the_reason_is_kept() -> None:
    person, asked = says("y", "it is  known for years")
    plan = questions.answered(DOUBT, person.ask, defaults=False)
    assert [it.column.known for it in plan.columns if it.column.known] == ["it is known for years"]
    assert "Is 'garden' known when you predict? [y/N]" in asked[0]
    assert [*questions.open_questions(plan)] == []


@pytest.mark.parametrize("answers", [[""], ["n"], None])
def test_a_doubt_that_nobody_dispels_is_left_out(answers: Sequence[str] | None) -> None:
    ask = None if answers is None else says(*answers)[0].ask
    plan = questions.answered(DOUBT, ask, defaults=answers is None)
    (column,) = [it for it in plan.columns if it.column.name == "garden"]
    assert (column.role, column.column.leaks) == ("left out", LEFT_OUT)


def test_a_doubt_without_anybody_to_ask_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'garden'.*--drop garden.*--known garden=WHY.*--yes"):
        questions.answered(DOUBT, None, defaults=False)


def test_a_table_whose_columns_are_all_in_doubt_is_refused_in_one_sentence() -> None:
    doubted = {name for it in DOUBT.findings for name in it.columns}
    others = [it for it in DOUBT.columns if it.role == "target" or it.column.name in doubted]
    alone = replace(DOUBT, columns=tuple(others), calendar=())
    with pytest.raises(UsageError, match=r"no column is left to predict .*--known .*WHY") as error:
        questions.answered(alone, None, defaults=True)
    assert "\n" not in str(error.value)
    dated = questions.answered(replace(alone, calendar=("day_of_week",)), None, defaults=True)
    assert dated.calendar and not dated.named("number")


def test_what_stops_is_one_sentence_that_says_how_many_more_there_are() -> None:
    found = [Finding("leak", (name,), f"column {name!r} tells it.", "stop") for name in "ab"]
    for findings, more in (found, " (and 1 more, named above)"), (found[:1], ""):
        with pytest.raises(UsageError) as stopped:
            questions.stopped(replace(DOUBT, findings=tuple(findings)))
        options = "(`--drop a` leaves it out, `--known a=WHY` lets it in)"
        said = f"column 'a' tells it {options}{more}; nothing has been written"
        assert str(stopped.value) == said
