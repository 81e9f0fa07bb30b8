"""What a person sees."""

import pytest

from flight_delays import console


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
