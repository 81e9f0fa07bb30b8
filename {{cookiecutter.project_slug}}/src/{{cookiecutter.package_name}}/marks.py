"""What is known to be recorded, noted here: to ask MLflow takes longer than a second `train`."""

from pathlib import Path

from . import digests, recording, store
from .settings import Settings

_FOLDER = "recorded"


def is_recorded(settings: Settings, key: str) -> bool:
    """Tell whether the run of this key is known to be whole, without importing MLflow."""
    try:
        run_id, outputs = _mark(settings, key).read_text("utf-8").split()
        there = recording.outputs_digest(settings.root)
    except (OSError, ValueError):
        return False
    return outputs == there and store.has_run(settings, run_id)


def set_recorded(settings: Settings, key: str, run_id: str) -> None:
    """Note that the run of this key holds all that the stages made."""
    mark = _mark(settings, key)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(f"{run_id} {recording.outputs_digest(settings.root)}\n", "utf-8")


def _mark(settings: Settings, key: str) -> Path:
    """Return the file that says so, one for each store and key."""
    return settings.scratch / _FOLDER / digests.of_values([store.address(settings), key])
