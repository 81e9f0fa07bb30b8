"""What a person sees."""

import pytest

from mlrails.core import console


def test_numbers_stand_below_each_other() -> None:
    text = console.table(["name", "value"], [["a", "1.5"], ["longer", "10.25"]])
    assert text.splitlines() == ["name    value", "a         1.5", "longer  10.25"]


def test_a_warning_is_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    console.say("done")
    console.warn("slow")
    assert capsys.readouterr() == ("done\n", "warning: slow\n")


def test_progress_passes_everything_on_and_is_silent_in_a_pipe(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert list(console.track(range(3), "reading", 3)) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_words_in_the_last_column_are_not_pushed_to_the_right() -> None:
    text = console.table(["a", "b", "why"], [["1", "2", "x"], ["1", "2", "a\nlong one"]], {0, 2})
    assert text.splitlines() == ["a  b  why", "1  2  x", "1  2  a long one"]


def test_what_a_terminal_would_obey_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    console.say("a\x1b[31m\nb\x00")
    console.warn("c\u202ed")
    assert capsys.readouterr() == ("a[31m\nb\n", "warning: cd\n")
    assert "\x1b" not in console.table(["a"], [["\x1b[2Jb"]])


def test_what_was_typed_becomes_one_line_that_is_not_too_long(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert console.one_line(" a\n\tb\x1b c ") == "a b c"
    assert console.one_line(None) is None
    assert console.one_line("x" * 300) == "x" * 300
    assert capsys.readouterr().err == ""
    assert console.one_line("x" * 9000) == "x" * 300
    assert "is 9,000 characters long, 300 are kept" in capsys.readouterr().err
