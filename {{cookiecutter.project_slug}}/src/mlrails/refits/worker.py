"""python -m mlrails.refits.worker FOLDER REFIT...

Fit again as the stage `train` does, and write the figure on the test rows of each refit into a file
of the folder: `run.py` calls it. It ends with its standard input, and so with whoever called it.
"""

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core import files, params, processes, settings
from ..core.config import validated
from ..core.layout import Part
from ..core.params import FILE, Params, of_estimator
from ..data import parquet
from ..evaluation import selection
from ..modeling.epochs import Watch
from . import code, draws, objective
from .code import Code
from .draws import Refit

if TYPE_CHECKING:
    import pandas as pd

FIGURE = "figure"


def figure(own: Code, given: Params, rows: "Mapping[Part, pd.DataFrame]", refit: Refit) -> float:
    """Return the primary metric on the test rows of a model that is fitted with what is drawn."""
    drawn, parts = draws.drawn(given, rows, refit)
    # A metric asks for no interval, and days that are drawn twice may be too few for one.
    asked = {name: it for name, it in drawn.estimator.items() if name != "interval"}
    drawn = drawn.model_copy(update={"estimator": asked})
    hyperparameters = validated(own.hyperparameters, of_estimator(drawn), FILE, "estimator")
    seen = {part: parts[part] for part in ("train", "validation")}
    model = own.fit(drawn, hyperparameters, seen, Watch())
    metric = selection.primary(drawn.task, drawn.evaluation, own.metrics)
    return objective.figure(drawn, model, parts, metric, "test")


def path_of(folder: Path, refit: Refit) -> Path:
    """Return where the figure of a refit is kept."""
    return folder / f"{refit.name}.json"


def work(folder: Path, refits: Sequence[Refit]) -> str:
    """Fit all of them, each written as soon as it is known; return what is wrong, in words."""
    at = ""
    try:
        here = settings.from_environment(os.environ, Path.cwd())
        own, given = code.of_project(here.root, here.package), params.load(here.root)
        rows = parquet.read_parts(here.root)
        for refit in refits:
            at = f"{refit.name}: "
            found = json.dumps({FIGURE: figure(own, given, rows, refit)})
            files.write_text(f"{found}\n", path_of(folder, refit))
    except Exception as error:
        return f"{at}{code.in_words(error)}"
    return ""


def main(words: Sequence[str]) -> Any:
    """Do what is asked for, and tell what is wrong as a line of JSON."""
    processes.end_with_input()
    folder, *names = words
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # What a library prints is no answer.
        answers.write(json.dumps(work(Path(folder), [*map(Refit.named, names)])))
    processes.end(0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Whoever is interrupted closes our input.
    processes.begin()
    main(sys.argv[1:])
