"""Files that a run of the registry's store keeps."""

from pathlib import Path, PurePosixPath

from .foreign import READ, in_words, needed
from .registry import Registry


def has(registry: Registry, run_id: str, path: str) -> bool:
    """Tell whether a run keeps a file."""
    folder = str(PurePosixPath(path).parent)
    with in_words(registry.uri, needed(READ, "experiment", registry.model)):
        return path in {it.path for it in registry.client.list_artifacts(run_id, folder)}


def fetch(registry: Registry, run_id: str, path: str, scratch: Path) -> Path | None:
    """Return a copy of a file below `scratch`, or None where the run does not keep it."""
    if not has(registry, run_id, path):
        return None
    from mlflow.artifacts import download_artifacts

    with in_words(registry.uri, needed(READ, "experiment", registry.model)):
        return Path(
            download_artifacts(
                run_id=run_id,
                artifact_path=path,
                dst_path=str(scratch),
                tracking_uri=registry.uri,
            )
        )
