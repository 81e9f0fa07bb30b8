"""What can go wrong, in words and as exit codes."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mlrails.core import errors

FULL = Path("/dev/full")


def raising(error: BaseException) -> Callable[[], object]:
    def act() -> object:
        raise error

    return act


def of_number(number: int, path: str | None = "data/raw/rows.parquet") -> OSError:
    return OSError(number, os.strerror(number), path)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (errors.UsageError("the key"), 2, "error: the key\n"),
        (errors.WorldError("the server"), 1, "error: the server\n"),
        (errors.ProjectError(""), 1, ""),
        (of_number(errno.ENOSPC), 1, "error: data/raw/rows.parquet: the disk is full; free some"),
        (of_number(errno.EDQUOT), 1, "error: data/raw/rows.parquet: the disk quota is used up;"),
        (of_number(errno.EACCES), 1, "error: data/raw/rows.parquet: permission denied; make it"),
        (of_number(errno.EROFS), 1, "error: data/raw/rows.parquet: the file system is read-only;"),
        (of_number(errno.ENOSPC, None), 1, "error: the disk is full; free some space"),
        (
            of_number(errno.EISDIR),
            1,
            "error: data/raw/rows.parquet: a folder stands where a file must be; "
            "move it away and run again\n",
        ),
        (OSError("something odd"), 1, "error: something odd\n"),
        (MemoryError(), 1, "error: out of memory; close other programs"),
        (KeyboardInterrupt(), 1, "error: interrupted; run the same command again"),
    ],
)
def test_what_a_user_can_mend_is_one_line_and_an_exit_code(
    error: BaseException, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert errors.reported(raising(error)) == code
    shown = capsys.readouterr().err
    assert shown.startswith(words)
    assert shown.count("\n") == bool(words)


def test_a_defect_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        errors.reported(lambda: 1 / 0)


def test_success_is_zero_and_silent(capsys: pytest.CaptureFixture[str]) -> None:
    assert errors.reported(lambda: None) == errors.Exit.DONE
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_is_told_by_a_real_write() -> None:
    with pytest.raises(OSError, match="No space left") as caught:
        FULL.write_text("x" * 10_000)
    assert "the disk is full" in str(errors.of_os(caught.value))


@pytest.mark.parametrize(
    ("name", "hint"),
    [("seeed", " (did you mean 'seed'?)"), ("zebra", ""), ("", "")],
)
def test_the_nearest_name_is_offered_when_there_is_one(name: str, hint: str) -> None:
    assert errors.nearest(name, ["task", "seed", "data"]) == hint
