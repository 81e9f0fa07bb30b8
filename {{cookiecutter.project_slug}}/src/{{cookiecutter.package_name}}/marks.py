"""What is known to be recorded, noted here: to ask MLflow takes longer than a second `train`."""

from pathlib import Path

from . import digests, files, layout, recording, store
from .params import Params
from .places import Place
from .settings import Settings

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
    run = recording.open_run(settings, key)
    recording.log_inputs(run, place, params, settings.name)
    recording.log_outputs(run, place)
    run.finish("FINISHED")
    files.write_text(f"{run.id} {_made(place.root)}\n", _mark(settings, key))
    return run.id


def _made(root: Path) -> str:
    """Return the digest of the figures and of the data that the gate reads again."""
    raw = digests.of_file(root / layout.RAW) if (root / layout.RAW).is_file() else None
    return digests.of_values(
        [recording.outputs_digest(root), raw, digests.of_folder(root / layout.PREPARED, links=True)]
    )


def _mark(settings: Settings, key: str) -> Path:
    """Return the file that says so, one for each store and key."""
    return settings.scratch / _FOLDER / digests.of_values([store.address(settings), key])
