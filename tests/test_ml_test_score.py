"""The page of the ML Test Score: its links lead somewhere, and its points add up."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "ml-test-score.md"
TEXT = PAGE.read_text("utf-8")
SECTIONS = "Data", "Model", "Infrastructure", "Monitoring"
LINK = re.compile(r"\[(`?)([^]`]+)`?\]\(([^)]+)\)")
POINTS = {"0": 0.0, "0.5": 0.5, "1": 1.0}


class Line(NamedTuple):
    """What is asked, how it is answered, what shows it, and what that is worth."""

    asked: str
    answer: str
    shown: str
    points: str


def lines(text: str) -> Mapping[str, Sequence[Line]]:
    """Return the lines of each section."""
    parts = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    return {
        part.partition("\n")[0]: [
            Line(*(cell.strip() for cell in row.strip("|").split("|")))
            for row in part.splitlines()
            if re.match(r"\| \d\. ", row)
        ]
        for part in parts
    }


def broken(text: str) -> list[str]:
    """Return the links that lead nowhere, and the tests that are not where they are said to be."""
    found = []
    for code, words, place in LINK.findall(text):
        if place.startswith("https://doi.org/"):
            continue
        path = PAGE.parent / place
        there = path.is_file() and (not code or f"def {words}(" in path.read_text("utf-8"))
        found += [] if there else [f"{words}: {place}"]
    return found


def told(text: str, title: str) -> float:
    """Return the figure that the table on top has for a title."""
    (figure,) = re.findall(rf"^\| \**{title}\** \| \**([\d.]+)\** \|$", text, re.MULTILINE)
    return float(figure)


def test_every_link_leads_to_what_shows_it() -> None:
    assert broken(TEXT) == []


@pytest.mark.parametrize("what", ["](../tests/", "](../{{cookiecutter.project_slug}}/", "[`test_"])
def test_a_link_that_leads_nowhere_would_be_found(what: str) -> None:
    assert broken(TEXT.replace(what, f"{what}no_", 1)) != []


def test_there_are_seven_lines_of_each_of_four_sections() -> None:
    found = lines(TEXT)
    assert tuple(found) == SECTIONS
    for section in found.values():
        assert [it.asked.partition(".")[0] for it in section] == list("1234567")


def test_the_points_add_up() -> None:
    sums = {name: sum(POINTS[it.points] for it in its) for name, its in lines(TEXT).items()}
    assert sums == {name: told(TEXT, name) for name in SECTIONS}
    assert told(TEXT, "Sum of 28") == sum(sums.values())
    assert told(TEXT, "Least, the paper's score") == min(sums.values())


@pytest.mark.parametrize("line", [it for section in lines(TEXT).values() for it in section])
def test_what_gives_points_is_shown_and_what_does_not_is_said(line: Line) -> None:
    assert bool(LINK.search(line.shown)) is (POINTS[line.points] > 0)
    assert ("Lacks:" in line.answer) is (POINTS[line.points] < 1)
