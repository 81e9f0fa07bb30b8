"""python -m mlrails.tuning.worker

Fit what each line of standard input asks for, and answer with a line: `pool.py` calls it.

It fits as the stage `train` does, with the project's own `fit`, on the training and validation rows
alone, which it reads once. It ends with its standard input, and so with whoever has called it.
"""

import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, TextIO

from ..core import params, processes, settings
from ..core.config import validated
from ..core.errors import ProjectError, UsageError
from ..core.params import FILE, Params, of_estimator
from ..data import parquet
from ..evaluation import selection
from ..evaluation.own import OwnMetric
from ..refits import code, objective
from . import space
from .trial import Bounds, State
from .watch import Losses

Say = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Fitter:
    """What a trial is made with: the project's params and rows, and its own code."""

    params: Params
    rows: Mapping[Any, Any]
    fit: Any
    hyperparameters: Any
    metrics: tuple[OwnMetric, ...]

    def check(self) -> None:
        """Raise UsageError where hyperparameters may not be what the params, or an axis, say."""
        known = of_estimator(self.params)
        validated(self.hyperparameters, known, FILE, "estimator")
        for name, axis in space.of(self.params).axes.items():
            for end in axis.ends:
                values = {**known, name: end}
                validated(self.hyperparameters, values, f"{FILE}: 'tune.space.{name}'", "estimator")

    def trial(self, values: Mapping[str, Any], watch: Losses) -> float:
        """Return the figure of a model that is fitted with some values."""
        estimator = {**self.params.estimator, **values}
        tried = self.params.model_copy(update={"estimator": estimator})
        hyperparameters = validated(self.hyperparameters, of_estimator(tried), FILE, "estimator")
        model = self.fit(tried, hyperparameters, self.rows, watch)
        rules = self.params.evaluation
        metric = selection.primary(self.params.task, rules, self.metrics)
        return objective.figure(tried, model, self.rows, metric)


def of_project(root: Path, package: str) -> Fitter:
    """Read what a project's trials are made with; raises UsageError where its code has no fit."""
    own = code.of_project(root, package)
    rows = parquet.read_parts(root, ("train", "validation"))
    return Fitter(params.load(root), rows, own.fit, own.hyperparameters, own.metrics)


def answer(fitter: Fitter, asked: Mapping[str, Any], say: Say) -> None:
    """Tell what comes of a trial, of one that is given up at once."""
    started = time.monotonic()

    def tell(state: State, value: float | None = None, why: str = "") -> None:
        told = {"state": state, "value": value, "why": why, "losses": watch.kept}
        took = round(time.monotonic() - started, 2)
        say({"number": asked["number"], "seconds": took, **told})

    bounds = Bounds(**asked["bounds"]) if asked["bounds"] else None
    watch = Losses(bounds, lambda: tell(State.PRUNED))
    try:
        value = fitter.trial(asked["values"], watch)
    except Exception as error:
        if not watch.given_up:
            tell(State.FAILED, why=code.in_words(error))
        return
    if watch.given_up:
        return
    if math.isfinite(value):
        tell(State.WHOLE, value)
    else:
        tell(State.FAILED, why=f"the metric is {value}")


def asked_for(lines: TextIO) -> Iterator[Mapping[str, Any]]:
    """Yield what is asked for; the process ends where nobody can ask any more, also in a fit."""
    queue: SimpleQueue[str] = SimpleQueue()

    def listen() -> None:
        for line in lines:
            queue.put(line)
        os._exit(0)

    Thread(target=listen, daemon=True).start()
    while True:
        yield json.loads(queue.get())


def work(tell: TextIO) -> None:
    """Answer until nobody asks."""

    def say(told: Mapping[str, Any]) -> None:
        tell.write(json.dumps(told) + "\n")
        tell.flush()

    try:
        here = settings.from_environment(os.environ, Path.cwd())
        fitter = of_project(here.root, here.package)
        fitter.check()
    except ProjectError as error:
        return say({"error": str(error), "usage": isinstance(error, UsageError)})
    say({"ready": True})
    for asked in asked_for(sys.stdin):
        answer(fitter, asked, say)
        say({"ready": True})
    return None


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Whoever is interrupted closes our input.
    processes.begin()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # What a library prints is no answer.
    work(answers)
