"""python -m mlrails.lifecycle.scorer PACKAGE: let the models of a contest predict, and end.

What models import and what the registry does take as long as each other, and neither needs the
other: so a process of its own imports the first while this one imports MLflow. It is asked once,
answers in numbers alone, and ends with its standard input, and so with whoever called it.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Self

import numpy as np

from ..core import processes
from ..core.settings import Settings
from ..gate import predictions
from ..gate.predictions import Given
from ..modeling import isolation
from ..modeling.checked_copy import Model

if TYPE_CHECKING:
    import pandas as pd


_LENGTH = 8
"""The bytes before an answer that say how long it is."""


class Scorer:
    """A process that can load a project's models; it begins when this is entered."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, self._settings.package],
            cwd=self._settings.root,
            env=processes.same_code(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # A Ctrl-C is meant for who asks, which ends this.
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        with self._process, suppress(OSError):  # Of a question that it has not read.
            assert self._process.stdin is not None
            self._process.stdin.close()

    def of_models(
        self, models: Mapping[str, Model], rows: "pd.DataFrame", renamed: Mapping[str, str | None]
    ) -> Iterable[tuple[str, Given]]:
        """Return what each model gives, by its role.

        Where the process has no answer this one looks itself, and says what is wrong.
        """
        answer = self._asked(pickle.dumps(({**models}, rows, {**renamed})))
        asked = models, rows, renamed
        return _read(answer, models) if answer else predictions.of_models(*asked)

    def _asked(self, question: bytes) -> bytes:
        """Return the whole answer, or none.

        It is read by its length: processes that a model has begun and left may hold the pipe open.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(OSError):  # It has ended; not on every system is that a broken pipe.
            self._process.stdin.write(question)
            self._process.stdin.flush()
        import_module("matplotlib.figure")  # It draws the verdict's page, and there is time now.
        length = int.from_bytes(self._process.stdout.read(_LENGTH), "big")
        answer = self._process.stdout.read(length)
        return answer if len(answer) == length else b""


def _written(found: Mapping[str, Given]) -> bytes:
    """Return the numbers as bytes; who reads them runs nothing that a model's code has made."""
    file = BytesIO()
    arrays = {f"scores of {role}": given.scores for role, given in found.items()}
    arrays |= {f"calls of {role}": it.calls for role, it in found.items() if it.calls is not None}
    arrays |= {f"classes of {role}": np.array(given.classes, str) for role, given in found.items()}
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def _read(answer: bytes, roles: Iterable[str]) -> Iterable[tuple[str, Given]]:
    with np.load(BytesIO(answer), allow_pickle=False) as file:
        known = dict(file)
    for role in roles:
        classes = tuple(map(str, known[f"classes of {role}"]))
        yield role, Given(known[f"scores of {role}"], known.get(f"calls of {role}"), classes)


def main(package: str) -> None:
    """Import what the project's models need, and answer; what goes wrong, the caller finds out."""
    from threadpoolctl import threadpool_limits

    answer = b""
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # What a library prints is no answer.
        with suppress(Exception):
            isolation.warm(package)
        with suppress(Exception):
            asked = pickle.load(sys.stdin.buffer)  # noqa: S301 - of whoever has begun this process
            processes.end_with_input()
            with threadpool_limits(1, user_api="blas"):
                answer = _written(dict(predictions.of_models(*asked)))
        with suppress(OSError):  # Nobody waits for it.
            answers.write(len(answer).to_bytes(_LENGTH, "big"))
            answers.write(answer)
            answers.flush()
    processes.end(0)


if __name__ == "__main__":
    processes.begin()
    main(sys.argv[1])
