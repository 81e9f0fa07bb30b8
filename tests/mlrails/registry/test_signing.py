"""Signatures: what was signed verifies, and nothing else does."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rows
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from mlrails.core import hashing
from mlrails.core.errors import UsageError, WorldError
from mlrails.core.settings import Settings
from mlrails.registry import signing, versions
from mlrails.registry.signing import fetch_artifact
from mlrails.registry.versions import Registry, Version

NOBODY = Registry(None, "", rows.NAME)
"""A registry of which nothing can be asked."""
UNMADE = Version(1, {"digest": "ab"}, "run")
PASSWORD = serialization.BestAvailableEncryption(b"secret")


def write_key(key: Any, path: Path, encryption: Any = None) -> Path:
    """Write a private key, and its public half beside it."""
    pem, public = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    form = serialization.PrivateFormat.PKCS8
    encryption = encryption or serialization.NoEncryption()
    path.write_bytes(key.private_bytes(pem, form, encryption))
    path.with_suffix(".pub").write_bytes(key.public_key().public_bytes(pem, public))
    return path


def new_key(folder: Path, name: str = "signing.pem") -> Path:
    return write_key(ec.generate_private_key(ec.SECP256R1()), folder / name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a model directory, small as they come."""
    code = tmp_path / "models" / "model" / "code"
    code.mkdir(parents=True)
    (code / "model.py").write_text("x = 1\n")
    (code.parent / "MLmodel").write_text("flavors: {}\n")
    return code.parent


@pytest.fixture
def signed(tmp_path: Path) -> Settings:
    """Return the settings of a project that has both halves of a key."""
    return Settings(tmp_path, signing_key=new_key(tmp_path))


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Registry:
    """Return the registry of a store that all tests of this file share."""
    root = tmp_path_factory.mktemp("signing")
    shutil.copy(empty_store / "mlflow.db", root / "mlflow.db")
    return versions.connect(Settings(root))


@pytest.fixture
def version(there: Registry, folder: Path) -> Version:
    run = there.client.create_run("0")
    return Version(1, {"digest": hashing.of_folder(folder)}, run.info.run_id)


def of(there: Registry, settings: Settings) -> Registry:
    """Return a registry as the project of these settings is connected to it."""
    key = settings.signing_key
    return Registry(there.client, there.uri, there.model, there.name, settings.root, key)


def signatures(there: Registry, version: Version) -> list[str]:
    return [it.path for it in there.client.list_artifacts(version.run_id, "signatures")]


def test_what_was_signed_verifies(
    there: Registry, version: Version, folder: Path, signed: Settings
) -> None:
    signing.sign(of(there, signed), version, folder)
    assert signatures(there, version) == [f"signatures/{version.digest}.json"]
    signing.check(of(there, signed), version, folder)


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()], ids=lambda it: it.name)
def test_the_other_curves_do_as_well(
    there: Registry, version: Version, folder: Path, tmp_path: Path, curve: ec.EllipticCurve
) -> None:
    key = write_key(ec.generate_private_key(curve), tmp_path / "signing.pem")
    signing.sign(of(there, Settings(tmp_path, signing_key=key)), version, folder)
    signing.check(of(there, Settings(tmp_path)), version, folder)


def test_a_new_key_takes_the_place_of_an_old_one(
    there: Registry, version: Version, folder: Path, signed: Settings
) -> None:
    old = replace(signed, signing_key=new_key(signed.root, "old.pem"))
    for settings in (old, signed):
        signing.sign(of(there, settings), version, folder)
    assert len(signatures(there, version)) == 1
    signing.check(of(there, signed), version, folder)


def test_without_a_key_nothing_is_signed_and_nothing_is_asked_for(folder: Path) -> None:
    signing.sign(of(NOBODY, Settings(folder)), UNMADE, folder)
    signing.check(of(NOBODY, Settings(folder)), UNMADE, folder)


def test_mains_key_counts_where_an_older_commit_has_none(tmp_path: Path) -> None:
    new_key(tmp_path)
    key = tmp_path / signing.PUBLIC_KEY
    text = key.read_text("utf-8")
    rows.git(tmp_path, "init", "--quiet")
    rows.git(tmp_path, "add", signing.PUBLIC_KEY)
    rows.git(tmp_path, "commit", "--quiet", "--message", "ask for signatures")
    key.unlink()
    assert signing.public_key(tmp_path) is None
    rows.git(tmp_path, "update-ref", "refs/remotes/origin/main", "HEAD")
    found = signing.public_key(tmp_path)
    assert found is not None and found.read_text("utf-8") == text
    assert signing.told(tmp_path) == "verified with signing.pub"


def test_what_is_not_content_is_not_signed(
    there: Registry, version: Version, folder: Path, signed: Settings
) -> None:
    left = [folder / "registered_model_meta", folder / "code" / "__pycache__" / "model.pyc"]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_text("left")
    signing.sign(of(there, signed), version, folder)
    for path in left:
        path.unlink()
    signing.check(of(there, signed), version, folder)


def alter(folder: Path) -> None:
    (folder / "MLmodel").write_text("flavors: {a: b}\n")


def lose(folder: Path) -> None:
    (folder / "MLmodel").unlink()


def add(folder: Path) -> None:
    (folder / "code" / "more.py").write_text("")


@pytest.mark.parametrize("harm", [alter, lose, add])
def test_other_bytes_are_refused(
    there: Registry,
    version: Version,
    folder: Path,
    signed: Settings,
    harm: Callable[[Path], None],
) -> None:
    signing.sign(of(there, signed), version, folder)
    harm(folder)
    with pytest.raises(WorldError, match=r"version 1 does not verify .*\(Signature mismatch: "):
        signing.check(of(there, signed), version, folder)


def test_a_signature_that_is_missing_is_asked_for(
    there: Registry, version: Version, folder: Path, signed: Settings
) -> None:
    with pytest.raises(WorldError, match=r"version 1 is not signed, and signing\.pub asks for it"):
        signing.check(of(there, signed), version, folder)


def test_the_signature_of_another_key_is_refused(
    there: Registry, version: Version, folder: Path, signed: Settings
) -> None:
    other = replace(signed, signing_key=new_key(signed.root, "other.pem"))
    signing.sign(of(there, other), version, folder)
    with pytest.raises(WorldError, match=r"does not verify with signing.pub \(.*; use a version"):
        signing.check(of(there, signed), version, folder)


def test_the_signature_of_another_version_is_refused(
    there: Registry, version: Version, folder: Path, signed: Settings, tmp_path: Path
) -> None:
    signing.sign(of(there, signed), version, folder)
    (path,) = signatures(there, version)
    signature = fetch_artifact(there, version.run_id, path, tmp_path)
    assert signature
    alter(folder)
    other = replace(version, tags={"digest": hashing.of_folder(folder)})
    copy = signature.rename(tmp_path / f"{other.digest}.json")
    there.client.log_artifact(version.run_id, str(copy), "signatures")
    with pytest.raises(WorldError, match="does not verify"):
        signing.check(of(there, signed), other, folder)


def test_a_signature_that_is_none_is_refused(
    there: Registry, version: Version, folder: Path, signed: Settings
) -> None:
    there.client.log_text(version.run_id, "{}", f"signatures/{version.digest}.json")
    with pytest.raises(WorldError, match=r"version 1 does not verify with signing\.pub"):
        signing.check(of(there, signed), version, folder)


def test_a_public_key_that_is_none_is_told_in_one_sentence(
    there: Registry, version: Version, folder: Path, signed: Settings
) -> None:
    signing.sign(of(there, signed), version, folder)
    (signed.root / signing.PUBLIC_KEY).write_text("no key")
    with pytest.raises(WorldError, match=r"version 1 does not verify with signing\.pub"):
        signing.check(of(there, signed), version, folder)


NO_KEYS: dict[str, Callable[[Path], object]] = {
    "no PEM": lambda path: path.write_text("no key"),
    "RSA": lambda path: write_key(rsa.generate_private_key(65537, 2048), path),
    "Ed25519": lambda path: write_key(ed25519.Ed25519PrivateKey.generate(), path),
    "another curve": lambda path: write_key(ec.generate_private_key(ec.SECP256K1()), path),
    "password": lambda path: write_key(ec.generate_private_key(ec.SECP256R1()), path, PASSWORD),
    "public": lambda path: new_key(path.parent, "a.pem").with_suffix(".pub").rename(path),
}


@pytest.mark.parametrize("kind", NO_KEYS)
def test_a_file_that_is_no_key_of_ours_is_refused_by_name(
    tmp_path: Path, folder: Path, kind: str
) -> None:
    key = tmp_path / "key.pem"
    NO_KEYS[kind](key)
    with pytest.raises(UsageError, match=r"key\.pem: not a private key without a password on"):
        signing.sign(of(NOBODY, Settings(tmp_path, signing_key=key)), UNMADE, folder)


def test_a_key_that_is_not_there_is_refused_by_its_variable(tmp_path: Path, folder: Path) -> None:
    for key in (tmp_path / "missing.pem", tmp_path):
        with pytest.raises(UsageError, match=r"^MODEL_SIGNING_KEY: .* is not a file"):
            signing.sign(of(NOBODY, Settings(tmp_path, signing_key=key)), UNMADE, folder)


def test_a_key_that_is_given_as_text_signs_and_is_not_left_behind(
    there: Registry,
    version: Version,
    folder: Path,
    signed: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    assert isinstance(signed.signing_key, Path)
    text = signed.signing_key.read_text("utf-8")
    signing.sign(of(there, replace(signed, signing_key=text)), version, folder)
    signing.check(of(there, signed), version, folder)
    assert not list(scratch.iterdir())


def test_while_it_signs_nobody_else_can_read_the_key(
    there: Registry, version: Version, folder: Path, signed: Settings, monkeypatch: Any
) -> None:
    from model_signing.signing import Config

    assert isinstance(signed.signing_key, Path)
    modes: list[int] = []
    real = Config.use_elliptic_key_signer

    def looking(self: Any, *, private_key: Path) -> Any:
        modes.append(private_key.stat().st_mode & 0o777)
        return real(self, private_key=private_key)

    monkeypatch.setattr(Config, "use_elliptic_key_signer", looking)
    text = signed.signing_key.read_text("utf-8")
    signing.sign(of(there, replace(signed, signing_key=text)), version, folder)
    assert modes == [0o600]


def test_a_text_that_is_no_key_is_refused_by_its_variable_and_not_shown(folder: Path) -> None:
    # pragma: allowlist nextline secret
    text = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
    with pytest.raises(UsageError, match=r"^MODEL_SIGNING_KEY: not a private key") as told:
        signing.sign(of(NOBODY, Settings(folder, signing_key=text)), UNMADE, folder)
    assert "c2VjcmV0" not in str(told.value)


def directory(key: Path) -> None:
    key.mkdir()


def dangling(key: Path) -> None:
    key.symlink_to("nowhere")


@pytest.mark.parametrize("harm", [directory, dangling])
def test_what_is_no_file_is_no_leave_to_go_without_a_signature(
    tmp_path: Path, folder: Path, harm: Callable[[Path], None]
) -> None:
    harm(tmp_path / signing.PUBLIC_KEY)
    with pytest.raises(WorldError, match=r"^signing\.pub: not a file, so nothing verifies"):
        signing.check(of(NOBODY, Settings(tmp_path)), UNMADE, folder)
