"""Signatures of models: who made the bytes, where the digest says only which bytes they are.

A signature is a file of the run that made the model, `signatures/DIGEST.json`, in the format of
https://github.com/sigstore/model-transparency. It is made where `MODEL_SIGNING_KEY` names a private
key, and asked for where the project holds `signing.pub`, the public half.
"""

import os
from contextlib import suppress
from pathlib import Path, PurePosixPath

from ..core import files, git
from ..core.errors import UsageError, WorldError
from ..core.settings import scratch_of
from ..modeling import checked_copy
from ..tracking.client import EDIT, READ, in_words, needed
from .versions import Registry, Version

PUBLIC_KEY = "signing.pub"


def sign(registry: Registry, version: Version, folder: Path) -> None:
    """Sign the bytes of a version where a key is configured, and keep that with its run."""
    key = registry.signing_key
    if key is None:
        return
    from model_signing.signing import Config

    with files.scratch_folder(scratch_of(registry.root)) as scratch:
        name = key if isinstance(key, Path) else "MODEL_SIGNING_KEY"
        if isinstance(key, str):
            key = _written(key, scratch / "key.pem")
        if not key.is_file():
            raise UsageError(f"MODEL_SIGNING_KEY: {key} is not a file; name a private key (PEM)")
        signature = scratch / f"{version.digest}.json"
        try:
            config = Config().use_elliptic_key_signer(private_key=key)
        except (ValueError, TypeError, AttributeError):  # The last one: a key without a curve.
            raise UsageError(
                f"{name}: not a private key without a password on the curve secp256r1, secp384r1 "
                "or secp521r1 (PEM); make one as docs/production.md shows"
            ) from None
        with checked_copy.copy(folder, version.digest) as copy:
            config.sign(copy, signature)
        with in_words(registry.uri, needed(EDIT, "experiment", registry.model)):
            registry.client.log_artifact(version.run_id, str(signature), "signatures")


def public_key(root: Path) -> Path | None:
    """Return the key with which models have to verify, if the project or its main holds one.

    Raises WorldError where something else stands in its place, which is no leave to go without.
    """
    key = root / PUBLIC_KEY
    if key.is_file():
        return key
    if os.path.lexists(key):
        raise WorldError(f"{PUBLIC_KEY}: not a file, so nothing verifies; restore it from git")
    return _of_main(root)


def _of_main(root: Path) -> Path | None:
    """Return main's key: a run of an older commit, run again, must not go without it."""
    with suppress(WorldError):  # Where there is no git, there is no main.
        found = git.run(root, "show", f"refs/remotes/origin/main:./{PUBLIC_KEY}")
        if found.returncode == 0:
            path = scratch_of(root) / PUBLIC_KEY
            files.write_text(found.stdout, path)
            return path
    return None


def told(root: Path) -> str:
    """Return what the ledger says of the signature of a version that was checked."""
    return "not asked for" if public_key(root) is None else f"verified with {PUBLIC_KEY}"


def check(registry: Registry, version: Version, folder: Path) -> None:
    """Raise WorldError unless the bytes are signed by the key that the project names, if any."""
    key = public_key(registry.root)
    if key is None:
        return
    with files.scratch_folder(scratch_of(registry.root)) as scratch:
        signature = fetch(registry, version, scratch)
        if signature is None:
            raise WorldError(
                f"{registry.name}: version {version.number} is not signed, and {PUBLIC_KEY} asks "
                f"for it; set MODEL_SIGNING_KEY and run `nox -s register -- {version.number}`"
            )
        verify(key, folder, signature, f"{registry.name}: version {version.number}")


def verify(key: Path, folder: Path, signature: Path, name: str) -> None:
    """Raise WorldError, which calls the model by its name, unless the key has signed its bytes."""
    from model_signing.verifying import Config

    try:
        Config().use_elliptic_key_verifier(public_key=key).verify(folder, signature)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WorldError(
            f"{name} does not verify with {PUBLIC_KEY} "
            f"({reason:.120}); use a version that was signed with the key of this project"
        ) from None


def _written(key: str, path: Path) -> Path:
    """Write a key where only this user reads it; its folder goes when the model is signed."""
    path.touch(mode=0o600)
    path.write_text(key, "utf-8")
    return path


def fetch(registry: Registry, version: Version, scratch: Path) -> Path | None:
    """Return a copy of a version's signature below `scratch`, or None where it is not signed."""
    return fetch_artifact(registry, version.run_id, f"signatures/{version.digest}.json", scratch)


def has_artifact(registry: Registry, run_id: str, path: str) -> bool:
    """Tell whether a run keeps a file."""
    folder = str(PurePosixPath(path).parent)
    with in_words(registry.uri, needed(READ, "experiment", registry.model)):
        return path in {it.path for it in registry.client.list_artifacts(run_id, folder)}


def fetch_artifact(registry: Registry, run_id: str, path: str, scratch: Path) -> Path | None:
    """Return a copy of a file below `scratch`, or None where the run does not keep it."""
    if not has_artifact(registry, run_id, path):
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
