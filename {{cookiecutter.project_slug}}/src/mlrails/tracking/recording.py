"""What the run of an input key holds, told from a project's files, and told once.

Everything here can be repeated, so it serves a fresh run, one that was killed, and one whose
stages DVC restored from its cache.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..core import files, hashing, layout
from ..core.config import flat
from ..core.git import actor
from ..core.params import FILE, Params
from ..core.settings import Settings
from ..modeling import checked_copy
from . import runs, store
from .client import EDIT, needed
from .origin import Origin, Place
from .runs import USER, Measured, Run

_TOLD_LAST = "git_commit"
_LONGEST_TAG = 5000
"""Characters that every database behind MLflow can hold."""
OUTCOMES = "outputs/outcomes.json"
DVC_LOCK = "outputs/dvc.lock"
"""What the run keeps, so that a version can be made again and be compared."""


def open_run(settings: Settings, key: str) -> Run:
    """Return the run of an input key; raises WorldError where the store fails."""
    client, name = store.connect(settings), settings.name
    return runs.open_run(
        client,
        store.address(settings),
        store.experiment(client, settings),
        key,
        settings.opened_run,
        " ".join(filter(None, [key[:12], settings.trial])),
        {USER: actor(settings)},
        needed(EDIT, "experiment", name),
    )


def log_inputs(run: Run, place: Place, params: Params, project: str) -> None:
    """Log all that is known before the fit, unless it is told already."""
    if is_told(run):
        return
    log_params(run, params)
    for part in layout.PARTS:
        log_input(run, place, part)
    log_source(run, place, project)


def is_told(run: Run) -> bool:
    """Tell whether all is logged that is known before the fit.

    The same inputs may come again from a later commit, and must not rewrite where the run came
    from; so that commit is the first one, and is told last.
    """
    return bool(run.tag(_TOLD_LAST))


def log_params(run: Run, params: Params) -> None:
    """Log every number of `params.yaml` that a model is made by, under its dotted name."""
    run.log_params(dict(flat(params.model_dump(mode="json", exclude={"monitor", "tune"}))))


def log_input(run: Run, place: Place, part: layout.Part) -> None:
    """Log which rows a part is, by their digest."""
    digest = place.origin().parts[part]
    run.log_data(part, digest, layout.prepared(part).as_posix(), context=part)


def log_source(run: Run, place: Place, project: str) -> None:
    """Log code, lock and machine, and last the commit."""
    root, origin = place.root, place.origin()
    git = origin.git
    for name in (FILE, "dvc.yaml", layout.LOCK, layout.SERVING_LOCK):
        run.log_file(root / name, "inputs")
    if git.dirty:
        run.log_text(git.diff, "inputs/uncommitted.diff")
    run.set_tags(
        {
            "data_digest": origin.data_digest,
            "git_dirty": str(git.dirty).lower(),
            "mlflow.source.git.commit": git.commit or "none",
            "mlflow.source.name": project,
            "lock_digest": hashing.of_file(root / layout.LOCK),
            **_sources(origin),
            **_machine(origin),
        }
    )
    run.set_tags({_TOLD_LAST: git.commit or "none"})


def log_model(run: Run, folder: Path, digest: str) -> str:
    """Log the model directory and its digest; return the logged model's id.

    Raises WorldError where the digest names other bytes.
    """
    with checked_copy.copy(folder, digest) as copy:
        model = run.log_model(copy, digest)
    run.set_tags({"digest": digest})
    return model


def log_outputs(run: Run, place: Place) -> None:
    """Log all that the stages made: the fit's history, the model, its figures and the reports."""
    root = place.root
    history = json.loads((root / layout.HISTORY).read_text("utf-8"))
    run.log_history(
        {
            name: {int(step): value for step, value in steps.items()}
            for name, steps in history.items()
        }
    )
    report = layout.figures(root)
    model = log_model(run, root / layout.MODEL, report["digest"])
    run.set_tags(_machine(place.origin()))  # Whoever began the run may not be who ended it.
    for part, digest in place.origin().parts.items():
        found = (it for it in metrics(report) if it[0].partition(".")[0] == part)
        # What is not defined, such as an interval of one day, is no figure.
        figures = {name: {0: value} for name, value in found if value is not None}
        run.log_history(figures, Measured(model, part, digest))
    for path in layout.REPORTS:
        run.log_file(root / path, str(path if (root / path).is_dir() else path.parent))
    run.log_text(json.dumps(place.outcomes(), indent=1), OUTCOMES)
    run.log_file(root / "dvc.lock", "outputs")


def _sources(origin: Origin) -> dict[str, str]:
    """Return tags of what the rows were read from; their names hold no secret.

    Of several sources the digest is that of their digests, each with its name.
    """
    if not origin.sources:
        return {}
    names, digests = ([it[key] for it in origin.sources] for key in ("name", "digest"))
    whole = digests[0] if len(digests) == 1 else hashing.of_values([names, digests])
    return {"source": ", ".join(names)[:_LONGEST_TAG], "source_digest": whole}


def _machine(origin: Origin) -> dict[str, str]:
    return {"cpu_class": origin.cpu_class, "python": origin.python}


def outputs_digest(root: Path) -> str:
    """Return the digest of the figures, which name the model by its own digest."""
    return hashing.of_file(root / layout.METRICS)


def metrics(report: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    """Yield the run's metrics of `reports/metrics.json`: `test.roc_auc`, `.low`, `.high`, …"""
    for part in ("validation", "test"):
        for name, metric in report[part].items():
            for model, figure in metric["models"].items():
                label = "" if model == "model" else f".{model.replace(' ', '_')}"
                yield f"{part}.{name}{label}", figure["value"]
            for end in ("low", "high"):
                yield f"{part}.{name}.{end}", metric["models"]["model"][end]


_FOLDER = "recorded"


def is_recorded(settings: Settings, key: str) -> bool:
    """Tell whether the run of this key is known to be whole."""
    return recorded(settings, key, settings.root) is not None


def recorded(settings: Settings, key: str, root: Path) -> str | None:
    """Return the id of the run of this key where that is known to be whole, else None.

    MLflow is not imported for it. `root` is where the files are.
    """
    try:
        run_id, outputs = _mark(settings, key).read_text("utf-8").split()
        there = _made(root)
    except (OSError, ValueError):
        return None
    return run_id if outputs == there and store.has_run(settings, run_id) else None


def record(settings: Settings, place: Place, params: Params, key: str) -> str:
    """Log what the run of this key lacks, and note that it is whole; return the run's id."""
    if known := recorded(settings, key, place.root):
        return known
    run = open_run(settings, key)
    log_inputs(run, place, params, settings.name)
    log_outputs(run, place)
    run.finish("FINISHED")
    files.write_text(f"{run.id} {_made(place.root)}\n", _mark(settings, key))
    return run.id


def _made(root: Path) -> str:
    """Return the digest of the figures and of the data that the gate reads again."""
    raw = hashing.of_file(root / layout.RAW) if (root / layout.RAW).is_file() else None
    return hashing.of_values(
        [outputs_digest(root), raw, hashing.of_folder(root / layout.PREPARED, links=True)]
    )


def _mark(settings: Settings, key: str) -> Path:
    """Return the file that says that a run is whole, one for each store and key."""
    return settings.scratch / _FOLDER / hashing.of_values([store.address(settings), key])
