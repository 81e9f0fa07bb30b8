"""The bytes of a version, fetched from the registry and checked before anybody loads them."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core import files
from ..core.errors import OutageError, WorldError, of_os
from ..core.settings import scratch_of
from ..modeling import checked_copy
from ..modeling.checked_copy import Copy
from ..tracking.client import READ, first_line, in_words, is_away, is_denied, masked, needed
from . import signing
from .versions import Registry, Version

_OURS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""What the disk says that is written to, and never the one that is read from."""


@contextmanager
def model(registry: Registry, version: Version) -> Iterator[Copy]:
    """Yield the model directory of a version, whose code may be run; it is removed after.

    Whoever wants to keep it may move it away.

    Raises WorldError where the bytes are gone, are not those of the version's digest, or lack the
    signature that this project asks for.
    """
    with by_digest(registry, version) as folder:
        signing.check(registry, version, folder)
        yield folder


def check(registry: Registry, version: Version) -> None:
    """Raise WorldError as `model` does, where the registry does not hold what was registered."""
    with model(registry, version):
        pass


@contextmanager
def copied(folder: Path, digest: str, home: Path) -> Iterator[Copy]:
    """Yield a copy of a model directory that holds what its digest names.

    It lies in a folder of its own below `home`, which is on the project's disk.
    """
    with files.scratch_folder(home) as scratch:
        yield checked_copy.lay(folder, scratch / "model", digest)


@contextmanager
def by_digest(registry: Registry, version: Version) -> Iterator[Copy]:
    """Yield the model directory of a version, whoever has made it; nothing of it should be run."""
    with files.scratch_folder(scratch_of(registry.root)) as scratch:
        folder = scratch / "model"
        found = checked_copy.copied(_download(registry, version, scratch / "download"), folder)
        if found != version.digest:
            raise WorldError(
                f"{registry.name}: the bytes of version {version.number} are not those that were "
                f"registered (found {found[:12]}, registered {version.digest[:12]}); restore them "
                "from a backup, or go to another version with `nox -s rollback -- VERSION`"
            )
        yield Copy(folder)


def _download(registry: Registry, version: Version, into: Path) -> Path:
    into.mkdir()
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    name = registry.model
    needs = [needed(READ, "registered model", name), needed(READ, "experiment", name)]
    with in_words(registry.uri, " and ".join(needs)):
        source = registry.client.get_model_version_download_uri(name, str(version.number))
        try:
            folder = Path(
                download_artifacts(
                    artifact_uri=source, dst_path=str(into), tracking_uri=registry.uri
                )
            )
        except (MlflowException, OSError) as error:
            if is_denied(error):
                raise
            if full := _of_this_disk(error, into):
                raise full from error
            if is_away(error):
                raise OutageError(
                    f"{registry.name}: the bytes of version {version.number} cannot be had just "
                    f"now ({masked(first_line(error), registry.uri)}); try again later"
                ) from error
            folder = into / "nothing"
    if not folder.is_dir() or not any(folder.iterdir()):
        raise WorldError(
            f"{registry.name}: the bytes of version {version.number} are gone, or not to be had; "
            "restore them from a backup, or go to another version with `nox -s rollback -- VERSION`"
        )
    return folder


def _of_this_disk(error: Exception, into: Path) -> WorldError | None:
    """Return why nothing could be written here, which MLflow tells among words of its own."""
    told = {int(number) for number in re.findall(r"\[Errno (\d+)\]", str(error))}
    return next((of_os(OSError(it, "", str(into))) for it in _OURS if it in told), None)
