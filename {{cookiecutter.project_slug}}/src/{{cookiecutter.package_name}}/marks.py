"""What is known to be recorded, noted here: to ask MLflow takes longer than a second `train`."""

from pathlib import Path

from . import digests, files, layout, recording, store
from .params import Params
from .places import Place
from .settings import Settings

_FOLDER = "recorded"


def is_recorded(settings: Settings, key: str, root: Path | None = None) -> bool:
    """Tell whether the run of this key is known to be whole, without importing MLflow.

    `root` is where the files are, by default the project's folder.
    """
    try:
        run_id, outputs = _mark(settings, key).read_text("utf-8").split()
        there = _made(root or settings.root)
    except (OSError, ValueError):
        return False
    return outputs == there and store.has_run(settings, run_id)


def run_of(settings: Settings, key: str) -> str:
    """Return the id of the run that `is_recorded` speaks of."""
    return _mark(settings, key).read_text("utf-8").split()[0]


def record(settings: Settings, place: Place, params: Params, key: str) -> None:
    """Log what the run of this key lacks, and note that it is whole."""
    if is_recorded(settings, key, place.root):
        return
    run = recording.open_run(settings, key)
    recording.log_inputs(run, place, params, settings.name)
    recording.log_outputs(run, place)
    run.finish("FINISHED")
    files.write_text(f"{run.id} {_made(place.root)}\n", _mark(settings, key))


def _made(root: Path) -> str:
    """Return the digest of the figures and of the data that the gate reads again."""
    raw = digests.of_file(root / layout.RAW) if (root / layout.RAW).is_file() else None
    return digests.of_values(
        [recording.outputs_digest(root), raw, digests.of_folder(root / layout.PREPARED, links=True)]
    )


def _mark(settings: Settings, key: str) -> Path:
    """Return the file that says so, one for each store and key."""
    return settings.scratch / _FOLDER / digests.of_values([store.address(settings), key])
