"""What other seeds and other training rows make of the figure: fits on all cores, each kept.

A file for each refit lies below the folder that neither git nor DVC looks into, by a digest of all
that it hangs on: what was broken off goes on where it was, and a report that is made again fits
nothing. The test rows judge refits, which is no look at them: nothing is chosen by it, and nobody
is told which seed was the lucky one.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core import hashing, layout, processes
from ..core.console import say
from ..core.errors import WorldError, counted
from ..core.params import FILE, Params
from ..core.settings import Settings
from ..data import parquet
from . import draws, spread
from .draws import Kind, Refit
from .worker import FIGURE, path_of

_FOLDER = "refits"
_MOST = 8
"""Processes at once: each holds all rows."""
_SHARED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What says how many threads numeric libraries use."""
_COMMAND = (sys.executable, "-m", f"{__name__.rpartition('.')[0]}.worker")
_ROOMS = ("core", "data", "evaluation", "modeling", "refits")
"""Where the engine's own part of a refit's figure comes from."""
_CODE = ("metrics.py", "steps/train.py")
"""What of the project's code no model directory carries."""


def variation(settings: Settings, params: Params, digest: str) -> dict[str, Any]:
    """Return what `reports/metrics.json` holds of it; nothing where no refits are asked for.

    `digest` is the model's. Raises WorldError where a refit fails.
    """
    count = params.evaluation.refits
    if not count:
        return {}
    folder = _folder(settings, params, digest)
    refits = draws.every(count)
    missing = [it for it in refits if _figure(folder, it) is None]
    if missing:
        known = len(refits) - len(missing)
        kept = f"; {known} are kept of before" if known else ""
        say(f"evaluate: fitting the model {counted(len(missing), 'time')} more{kept}")
        _fit(settings, folder, missing)
    return {"variation": _told(settings, params, folder, refits)}


def _told(
    settings: Settings, params: Params, folder: Path, refits: Sequence[Refit]
) -> Mapping[str, Any]:
    parts = parquet.read_parts(settings.root)
    unit = draws.unit(params.data, parts)
    units = int(draws.blocks(params.data, unit, parts["train"]).max()) + 1
    values: dict[Kind, list[float]] = {kind: [] for kind in Kind}
    for it in refits:
        if (found := _figure(folder, it)) is None:
            raise WorldError(f"{path_of(folder, it)}: not whole; run `nox -s evaluate` again")
        values[it.kind].append(found)
    summary = spread.summary(values, params.evaluation.confidence)
    about = {"refits": len(refits) // len(Kind), "unit": unit.value, "units": units}
    return {**about, **summary}


def _folder(settings: Settings, params: Params, digest: str) -> Path:
    """Return the folder of these inputs, made; those of others are taken away."""
    home = settings.scratch / _FOLDER
    folder = home / _key(settings, params, digest)
    for other in home.iterdir() if home.is_dir() else ():
        if other != folder:
            shutil.rmtree(other)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _key(settings: Settings, params: Params, digest: str) -> str:
    """Return the digest of all that the figures hang on; the model's own holds most of the code."""
    root, engine = settings.root, Path(__file__).parents[1]
    rules = params.evaluation.model_dump(mode="json", include={"primary", "costs", "threshold"})
    how = params.model_dump(mode="json", include={"task", "seed", "data", "features", "estimator"})
    code = [root / "src" / settings.package / name for name in _CODE]
    files = [hashing.of_file(it) if it.is_file() else "" for it in (*code, root / layout.LOCK)]
    rooms = [hashing.of_folder(engine / room) for room in _ROOMS]
    rows = hashing.of_folder(root / layout.PREPARED, links=True)
    return hashing.of_values([digest, rows, how, rules, files, rooms])


def _figure(folder: Path, refit: Refit) -> float | None:
    try:
        return float(json.loads(path_of(folder, refit).read_text("utf-8"))[FIGURE])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _fit(settings: Settings, folder: Path, refits: Sequence[Refit]) -> None:
    """Have refits fitted by as many processes as there are cores, each with its share of both."""
    cores = processes.cores()
    count = min(cores, len(refits), _MOST)
    threads = dict.fromkeys(_SHARED, str(max(cores // count, 1)))
    environment = processes.same_code() | threads
    started = []
    try:
        for number in range(count):
            names = [it.name for it in refits[number::count]]
            how = settings.root, environment, folder / f"process-{number}.log"
            started.append((_begin([str(folder), *names], *how), how[-1]))
        for process, log in started:
            _wait(process, log)
    finally:
        for process, _ in started:
            process.kill()
            process.wait()


def _begin(
    words: Sequence[str], root: Path, environment: Mapping[str, str], log: Path
) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    with log.open("w", encoding="utf-8") as errors:
        return subprocess.Popen(
            [*_COMMAND, *words],
            cwd=root,
            env=environment,
            stdin=pipe,
            stdout=pipe,
            stderr=errors,
            encoding="utf-8",
        )


def _wait(process: "subprocess.Popen[str]", log: Path) -> None:
    """Wait for a process; raises WorldError where it could not fit what it was asked for."""
    assert process.stdout is not None
    told = process.stdout.read()
    code = process.wait()
    if code:
        why = "its process was killed: out of memory?" if code < 0 else f"it ended with {code}"
    elif not (why := json.loads(told)):
        return
    raise WorldError(
        f"{FILE}: 'evaluation.refits': the model could not be fitted again: {why}; {log} may tell "
        "more, what is fitted already is kept, and without that key nothing is fitted again"
    )
