"""What is plain to see is said: rare classes, gaps, texts, late labels, personal data."""

import honest
import leaky
import numpy as np
import pandas as pd
import pytest

from mlrails.audit import look, people

RNG = np.random.default_rng(5)


def said(rows: pd.DataFrame, rule: str, **more: object) -> list[str]:
    found = look.findings(rows, leaky.roles(rows, "time" if "t" in rows else "random", **more))
    return [it.sentence for it in found if it.rule == rule]


def test_classes_of_five_rows_are_named_with_their_count() -> None:
    rows = leaky.base(RNG, "classes", 500)
    rows["y"] = np.where(np.arange(500) < 5, "yak", rows["y"])
    assert ["yak (5)" in it for it in said(rows, "rare classes")] == [True]


def test_many_missing_values_are_said_with_their_share() -> None:
    rows = leaky.base(RNG, count=500)
    rows["gaps"] = np.where(np.arange(500) % 2, np.nan, RNG.normal(size=500))
    assert ["50%" in it for it in said(rows, "missing values")] == [True]
    assert said(leaky.base(RNG), "missing values") == []


def test_a_target_that_is_a_date_is_a_question() -> None:
    rows = leaky.base(RNG, count=500)
    rows["y"] = rows["t"] + pd.Timedelta(days=3)
    assert len(said(rows, "target is a date")) == 1


def test_free_text_and_identifiers_are_told_apart() -> None:
    rows = leaky.base(RNG, count=500)
    rows["words"] = [f"the parcel number {it} came too late" for it in range(500)]
    rows["ref"] = [f"A{it:05d}" for it in RNG.permutation(500)]
    rows["serial"] = RNG.permutation(500).astype(float)
    assert ["'words'" in it for it in said(rows, "free text")] == [True]
    rows["income"] = RNG.lognormal(10, 1, 500).round()
    assert ["'income'" in it for it in said(rows, "identifier")] == [False, False]


def test_labels_that_have_not_come_yet_are_seen() -> None:
    rows = leaky.base(RNG, count=3000)
    assert said(rows, "late labels") == []
    rows.loc[2850:, "y"] = False
    assert ["data.until" in it for it in said(rows, "late labels")] == [True]


def test_contradictory_duplicates_set_a_ceiling() -> None:
    rows = honest.cells(np.random.default_rng(1), columns=2)
    assert ["no model can be right about more than" in it for it in said(rows, "duplicates")]


def test_a_file_sorted_by_its_target_is_noted() -> None:
    rows = leaky.base(RNG).drop(columns="t").sort_values("y", ignore_index=True)
    assert len(said(rows, "order of the rows")) == 1
    assert said(rows.sample(frac=1, random_state=1), "order of the rows") == []


def test_a_name_of_an_outcome_is_asked_about_even_where_it_tells_little() -> None:
    rows = leaky.base(RNG)
    rows["churnReason"] = RNG.choice(["price", "quality"], len(rows))
    assert len(said(rows, "named like an outcome")) == 1
    assert said(rows, "named like an outcome", known={"churnReason": "of last year"}) == []


def test_what_was_known_before_is_no_outcome() -> None:
    rows = leaky.renamed(np.random.default_rng(1), "previous_outcome", flips=0.02)
    found = look.findings(rows, leaky.roles(rows, "time"))
    assert {it.level for it in found if "previous_outcome" in it.columns} == {"question"}


def test_a_time_after_the_row_is_asked_about() -> None:
    rows = leaky.base(RNG)
    rows["seen_at"] = rows["t"] + pd.to_timedelta(RNG.integers(1, 9, len(rows)), "D")
    assert len(said(rows, "later than the row")) == 1


KINDS = {
    "e-mail addresses": [f"a.{it}@example.org" for it in range(9)],
    "bank accounts (IBAN)": [
        "DE89 3704 0044 0532 0130 00",
        "GB82WEST12345698765432",
        "FR1420041010050500013M02606",
        "NL91ABNA0417164300",
        "BE68539007547034",
    ],
    "numbers of payment cards": [
        "4111 1111 1111 1111",
        "5555555555554444",
        "378282246310005",
        "6011111111111117",
        "3530111333300000",
    ],
    "telephone numbers": [f"+49 30 {it}234 567" for it in range(9)],
    "Spanish identity numbers": ["12345678Z", "00000000T", "00000001R", "99999999R", "87654321X"],
    "addresses of computers": [f"10.0.0.{it}" for it in range(9)],
}


@pytest.mark.parametrize("kind", KINDS)
def test_personal_data_is_known_by_its_shape(kind: str) -> None:
    assert people.looks_like(pd.Series(KINDS[kind], dtype="str"), "c") == kind


def test_a_wrong_check_digit_is_no_personal_data() -> None:
    for is_one, right, wrong in (
        (people.is_iban, "NL91ABNA0417164300", "NL92ABNA0417164300"),
        (people.is_card, "4111111111111111", "4111111111111112"),
        (people.is_german_tax_number, "86095742719", "86095742718"),
        (people.is_french_number, "255081416802538", "255081416802539"),
        (people.is_spanish_number, "12345678Z", "12345678A"),
    ):
        assert is_one(right), right
        assert not is_one(wrong), wrong


def test_names_of_persons_need_a_name_of_the_column_as_well() -> None:
    names = pd.Series(["Ada Lovelace", "Émilie du Châtelet", "Grace", "Katherine", "Sofja", "Mary"])
    assert people.looks_like(names, "last_name") == "names of persons"
    assert people.looks_like(names, "city") is None


@pytest.mark.parametrize("count", [1, 2, 3, 5, 12])
def test_tables_of_a_few_rows_are_looked_at_without_an_error(count: int) -> None:
    rows = leaky.base(RNG, count=count)
    rows["c"], rows["gone"] = "a", np.nan
    assert [it for it in look.findings(rows, leaky.roles(rows, "time")) if it.level == "stop"] == []


def test_the_same_table_is_told_the_same() -> None:
    rows = leaky.CASES["patients"].make(np.random.default_rng(2))
    one, two = (look.findings(rows, leaky.roles(rows, "random")) for _ in range(2))
    assert one == two


@pytest.mark.parametrize(
    ("name", "is_told"), [("sex", True), ("applicantGender", True), ("sextant", False)]
)
def test_features_that_name_groups_of_people_are_told(name: str, is_told: bool) -> None:
    rows = leaky.base(RNG, count=300)
    rows[name] = RNG.choice(["f", "m"], 300)
    told = said(rows, "sensitive")
    assert [f"`data.sensitive: [{name}]`" in it for it in told] == [True] * is_told
