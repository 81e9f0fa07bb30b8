"""Who sits before an adoption may also leave it."""

import builtins

import pytest

from mlrails.cli import adoption
from mlrails.core.errors import UsageError


def test_an_input_that_is_closed_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(question: str) -> str:
        raise EOFError

    monkeypatch.setattr(builtins, "input", closed)
    with pytest.raises(UsageError, match="no answer was given; nothing has been changed"):
        adoption.asked("Write it? [Y/n] ")
