"""What `prepare` would refuse is said by adoption: of few rows, of groups, and after answers."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from plans import FILE, SCHEMA, adopted, after, columns, params, present
from sample import PACKAGE, ROOT

from mlrails.adopt import proposal, table
from mlrails.adopt.proposal import Proposed
from mlrails.adopt.roles import Wishes
from mlrails.adopt.writing import files, trial
from mlrails.audit import guard
from mlrails.core.errors import UsageError
from mlrails.core.params import Params
from mlrails.data import frames, splits, validation
from mlrails.sources import source


def proposed(text: str, target: str, **said: object) -> Proposed:
    found = table.of_bytes(text.encode(), "f.csv")
    return proposal.proposed(found, "data/f.csv", Wishes(target, **said))  # type: ignore[arg-type]


def settled(found: Proposed) -> tuple[Params, dict[str, str]]:
    """Return the params and the texts of a new project, as a plan settles them."""
    texts = present(ROOT)
    _, changes = trial.settled(
        found, lambda plan: files.written(plan, texts, PACKAGE), texts[FILE], own=False
    )
    then = after(texts, {**changes})
    return params(then[FILE]), then


def patients(rows: int, deaths: int) -> str:
    chance = Random(4)
    lines = [
        f"{chance.gauss(60, 9):.2f},{chance.choice('abc')},{int(number < deaths)}\n"
        for number in range(rows)
    ]
    return "age,ward,died\n" + "".join(lines)


def visits(names: Sequence[object], each: int = 40) -> str:
    chance = Random(2)
    lines = [
        f"{name},{chance.gauss(0, 1):.3f},{chance.gauss(0, 1):.3f},{chance.gauss(9, 2):.3f}\n"
        for name in names
        for _ in range(each)
    ]
    return "shop,a,b,sold\n" + "".join(lines)


def prepare(text: str, found: Proposed, chosen: Params, folder: Path) -> dict[str, int]:
    """Read and divide the rows as the stages do, and return how many each part has."""
    (folder / "f.csv").write_text(text)
    known = columns(adopted(found.plan)[SCHEMA])
    rows = source.read("f.csv", known, root=folder, **found.plan.reading)
    rows = frames.typed(rows, known)
    parts = splits.divided(rows, chosen, validation.needed(chosen))
    validation.check_parts(parts, rows, chosen)
    guard.check(parts, chosen, known)
    return {part: len(it) for part, it in parts.items()}


def test_a_seed_that_leaves_a_part_without_an_event_is_not_taken(tmp_path: Path) -> None:
    """By the first one the validation rows have no death, which `prepare` would refuse."""
    text = patients(30, 4)
    found = proposed(text, "died")
    chosen, texts = settled(found)
    assert chosen.seed > 1
    assert f"seed: {chosen.seed}" in texts[FILE]
    assert prepare(text, found, chosen, tmp_path) == {"train": 15, "validation": 6, "test": 9}
    with pytest.raises(UsageError, match="rows have only one value of 'died'"):
        prepare(text, found, chosen.model_copy(update={"seed": 1}), tmp_path)


def test_the_first_seed_stays_where_it_divides_the_rows() -> None:
    assert settled(proposed(patients(200, 60), "died"))[0].seed == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,y\n1,2.5\n2,3\n3,4.5\n4,6\n", "'split' leaves no validation rows, of 4 in all"),
        (
            "a,y\n" + "".join(f"{it % 5},{it * 1.5}\n" for it in range(8)),
            "the validation rows have only one value of 'y'",
        ),
    ],
)
def test_a_table_that_no_seed_divides_is_one_sentence(text: str, words: str) -> None:
    with pytest.raises(UsageError) as told:
        settled(proposed(text, "y"))
    assert str(told.value).startswith(f"data/f.csv: {words}")
    assert str(told.value).endswith(
        "; adopt a table of more rows, or name another target; nothing has been written"
    )
    assert "\n" not in str(told.value)


def test_too_few_groups_are_one_sentence() -> None:
    with pytest.raises(UsageError, match=r"of 2 groups of 'shop'.*; adopt a table of more groups"):
        settled(proposed(visits(["north", "south"]), "sold", group="shop"))


def test_groups_are_dealt_by_their_names_as_ingest_reads_them(tmp_path: Path) -> None:
    """Numbers that name groups are text there, and by another text they are in other parts."""
    text = visits(range(100, 112))
    found = proposed(text, "sold", group="shop")
    chosen, _ = settled(found)
    parts = splits.divided(found.rows, chosen, validation.needed(chosen))
    assert found.rows["shop"].iloc[0] == "100"
    assert {it: len(rows) for it, rows in parts.items()} == prepare(text, found, chosen, tmp_path)


def test_a_feature_that_no_train_row_has_is_named_with_the_way_out() -> None:
    days = [f"2024-{1 + it // 28:02}-{1 + it % 28:02}" for it in range(336)]
    lines = [f"{day},{it % 9},{it if it > 330 else ''},{it % 7}.5\n" for it, day in enumerate(days)]
    with pytest.raises(UsageError, match=r"'new one', which no train row has; `--drop 'new one'`"):
        settled(proposed("day,a,new one,y\n" + "".join(lines), "y"))


def test_weights_that_are_all_zero_are_told() -> None:
    text = "".join(f"{it % 9},{it % 5}.5,0\n" for it in range(200))
    with pytest.raises(UsageError, match=r"0 in every row.*; name another with --weight"):
        settled(proposed("a,y,w\n" + text, "y", weight="w"))


def test_what_leaks_by_the_rule_of_the_stage_is_told_by_its_words() -> None:
    """As where a column that is in doubt is left out and other rows become copies."""
    found = proposed(patients(200, 60), "died")
    rows = found.rows.assign(age=found.rows["died"] * 3.0)
    with pytest.raises(UsageError, match=r"column 'age' .*`--drop age` leaves it out") as told:
        settled(found._replace(rows=rows))
    assert str(told.value).endswith("nothing has been written")


def test_of_very_many_rows_it_is_looked_for_again_only_among_other_features(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proposal, "_AUDITED", 150)
    found = proposed(patients(200, 60), "died")
    assert found.looked_at == {"age", "ward"}
    leaky = found._replace(rows=found.rows.assign(age=found.rows["died"] * 3.0))
    settled(leaky)  # Which it is not in earnest: it was looked for in `found`.
    ward = [it for it in found.plan.columns if it.column.name != "ward"]
    with pytest.raises(UsageError, match="column 'age'"):
        settled(leaky._replace(plan=replace(found.plan, columns=tuple(ward))))


def test_a_projects_own_seed_and_split_stay_and_it_is_said_what_to_change() -> None:
    found = proposed(patients(30, 4), "died")
    texts = present(ROOT)
    own = after(texts, files.written(found.plan, texts, PACKAGE))
    before = columns(own[SCHEMA])
    with pytest.raises(UsageError, match=r"or change 'split' or 'data.until' in params.yaml, then"):
        trial.settled(
            found, lambda plan: files.written(plan, own, PACKAGE, before), own[FILE], own=True
        )
