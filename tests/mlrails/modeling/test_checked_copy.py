"""Foreign code in a model directory: none of it runs, and each guard, taken out, lets it run."""

import importlib.util
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import attacks
import pytest
import rows
from attacks import Attack

from mlrails.core import hashing
from mlrails.core.errors import ProjectError, WorldError
from mlrails.core.params import Task
from mlrails.modeling import checked_copy, equivalence, isolation, loading
from mlrails.serving.model.current import load_found

HARMLESS = [attacks.byte_code]
"""What is left behind, since no digest vouches for it: the model is the good one."""
REFUSED = [
    attacks.linked_package,
    attacks.linked_source,
    attacks.package,
    attacks.other_case,
    attacks.other_normal_form,
    attacks.native,
    attacks.sourceless,
    attacks.note,
    attacks.path_file,
    attacks.archive,
]


@pytest.fixture(autouse=True)
def byte_code_beside_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Python look for byte code where it does by itself; the tests are told another place."""
    monkeypatch.setattr(sys, "pycache_prefix", None)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # Nor may any get beside the engine.


@pytest.fixture
def folder(tmp_path: Path, model_of: Callable[[Task], Path]) -> Path:
    """Return a model directory whose code no other test has loaded."""
    there = tmp_path / "model"
    shutil.copytree(model_of(Task.REGRESSION), there, ignore=shutil.ignore_patterns("__pycache__"))
    with (attacks.code(there) / "__init__.py").open("a", encoding="utf-8") as file:
        file.write(f"# {tmp_path.name}\n")
    return there


@pytest.fixture
def digest(folder: Path) -> str:
    return hashing.of_folder(folder)


@pytest.mark.parametrize("attack", HARMLESS)
def test_what_no_digest_vouches_for_is_left_behind(
    folder: Path, digest: str, attack: Attack
) -> None:
    attack(folder)
    assert isolation.load(folder, digest).encoder.columns
    assert not attacks.ran()


@pytest.mark.parametrize("attack", REFUSED)
def test_what_no_digest_has_seen_is_refused_before_anything_runs(
    folder: Path, digest: str, attack: Attack
) -> None:
    attack(folder)
    with pytest.raises(WorldError, match=r"the bytes are not those of the model|a link, or no"):
        isolation.load(folder, digest)
    assert not attacks.ran()


def test_a_native_module_is_not_looked_at_even_where_the_digest_counts_it(folder: Path) -> None:
    attacks.native(folder)
    assert isolation.load(folder, hashing.of_folder(folder)).encoder.columns


def handed_on(folder: Path, digest: str) -> None:
    """Load it as a server does what its fetcher has laid."""
    origin = {"digest": digest, "version": "1", "name": "flights"}
    load_found({"folder": str(folder), "private": True, "origin": origin})


@pytest.mark.parametrize("attack", REFUSED)
def test_what_was_handed_on_is_looked_at_once_more(
    folder: Path, digest: str, attack: Attack
) -> None:
    attack(folder)
    with pytest.raises(WorldError, match=r"the bytes are not those of the model|a link, or no"):
        handed_on(folder, digest)
    assert not attacks.ran()


def test_what_is_served_is_copied_once_and_what_was_handed_on_is_not(
    folder: Path, digest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied, copy = [], checked_copy._copy

    def noting(path: Path, target: Path) -> None:
        copied.append(path)
        copy(path, target)

    monkeypatch.setattr(checked_copy, "_copy", noting)
    handed_on(folder, digest)
    assert not copied
    served_as(folder, digest)
    assert len(copied) == len(set(copied)) == len(list(hashing.files(folder)))


def served_as(folder: Path, digest: str) -> None:
    loading.load(folder, loading.ModelOrigin(digest, "1", "flights"))


def liked(folder: Path, digest: str) -> None:
    model = checked_copy.Model(folder, digest)
    equivalence.likeness(model, model, rows.parts()["test"], exact=True)


@pytest.mark.parametrize("door", [served_as, liked, handed_on])
@pytest.mark.parametrize("attack", [attacks.byte_code, attacks.linked_package])
def test_no_door_lets_it_in(
    folder: Path, digest: str, attack: Attack, door: Callable[[Path, str], None]
) -> None:
    attack(folder)
    with suppress(ProjectError):
        door(folder, digest)
    assert not attacks.ran()


def by_python(name: str, code: Path, module: str) -> None:
    """Import a package as Python does: from where it lies, byte code first."""
    place = [str(code)]
    spec = importlib.util.spec_from_file_location(
        name, code / "__init__.py", submodule_search_locations=place
    )
    assert spec and spec.loader
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
    import_module(module)


def unguarded(folder: Path) -> Iterator[Path]:
    """List a folder's files as they were before: some are left out, and a link is followed."""
    for path in folder.rglob("*"):
        if path.is_file() and not {"__pycache__", "registered_model_meta"} & set(path.parts):
            yield path


def in_place(folder: Path, digest: str) -> "nullcontext[Path]":
    """Check a model directory, and load it from where it lies."""
    hashing.verify(folder, digest)
    return nullcontext(folder)


@pytest.mark.parametrize("attack", [attacks.byte_code, attacks.linked_package])
def test_without_the_guards_foreign_code_runs_and_the_digest_is_the_same(
    folder: Path, digest: str, attack: Attack, monkeypatch: pytest.MonkeyPatch
) -> None:
    attack(folder)
    monkeypatch.setattr(hashing, "files", unguarded)
    monkeypatch.setattr(hashing, "of_folder", folder_digest)
    monkeypatch.setattr(checked_copy, "copy", in_place)
    monkeypatch.setattr(isolation, "_import_package", by_python)
    isolation.load(folder, digest)
    assert attacks.ran()


def folder_digest(folder: Path, links: bool = False) -> str:
    found = ((it.relative_to(folder).as_posix(), hashing.of_file(it)) for it in unguarded(folder))
    return hashing.of_values(sorted(found))


@pytest.mark.parametrize("guarded", [True, False])
def test_each_of_both_guards_keeps_byte_code_out(
    folder: Path, digest: str, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    """Loaded in place by sources alone, and from a copy by Python's own finders."""
    attacks.byte_code(folder)
    if guarded:
        monkeypatch.setattr(checked_copy, "copy", in_place)
    else:
        monkeypatch.setattr(isolation, "_import_package", by_python)
    isolation.load(folder, digest)
    assert not attacks.ran()


@pytest.mark.parametrize("guarded", [True, False])
def test_a_source_that_changes_after_it_was_checked_is_not_the_one_that_runs(
    folder: Path, digest: str, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    if not guarded:
        monkeypatch.setattr(checked_copy, "copy", in_place)
    package = isolation._package

    def changed(copy: Path, original: Path) -> Path:
        with (attacks.code(folder) / "model.py").open("a", encoding="utf-8") as file:
            file.write(attacks.HARM)
        return package(copy, original)

    monkeypatch.setattr(isolation, "_package", changed)
    isolation.load(folder, digest)
    assert attacks.ran() is not guarded


def test_a_copy_is_its_owners_alone_and_is_removed(folder: Path, digest: str) -> None:
    with checked_copy.copy(folder, digest) as copy:
        assert hashing.of_folder(copy) == digest
        assert copy.parent.stat().st_mode & 0o077 == 0
    assert not copy.parent.exists()


def test_hard_links_are_files_and_the_copy_has_its_own(folder: Path, digest: str) -> None:
    source = attacks.code(folder) / "features.py"
    os.link(source, folder.with_name("elsewhere.py"))
    with checked_copy.copy(folder, digest) as copy:
        assert (attacks.code(copy) / "features.py").stat().st_nlink == 1


def test_empty_folders_stay_behind(folder: Path, digest: str) -> None:
    (folder / "code" / "aaa").mkdir()
    assert isolation.load(folder, digest).encoder.columns


def test_mlflows_note_stays_behind(folder: Path, digest: str) -> None:
    (folder / "registered_model_meta").write_text("version: 1\n")
    with checked_copy.copy(folder, digest) as copy:
        assert not (copy / "registered_model_meta").exists()


def test_a_socket_is_refused(folder: Path, digest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)  # The name of a socket is short.
    with socket.socket(socket.AF_UNIX) as it:
        it.bind("socket")
        with pytest.raises(WorldError, match="socket: a link, or no plain file or folder"):
            isolation.load(folder, digest)


@pytest.mark.parametrize("put", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_takes_the_place_of_a_file_while_it_is_copied_is_refused(
    folder: Path, digest: str, monkeypatch: pytest.MonkeyPatch, put: Callable[[Path], None]
) -> None:
    """Nobody waits for a pipe, or reads a device without an end."""
    listed = list(hashing.files(folder))
    listed[0].unlink()
    put(listed[0])
    monkeypatch.setattr(hashing, "files", lambda *_: iter(listed))
    with pytest.raises((WorldError, OSError)):
        isolation.load(folder, digest)


def test_a_file_of_more_than_there_is_room_for_is_refused(
    folder: Path, digest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = SimpleNamespace(free=1 << 30)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: room)
    with (folder / "data" / "huge").open("wb") as file:
        file.truncate(1 << 31)  # It takes no room itself.
    with pytest.raises(WorldError, match="its copy has room for 1,074; make some, or name"):
        isolation.load(folder, digest)


def test_a_file_that_grows_while_it_is_read_is_refused(
    folder: Path, digest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fstat
    size = (folder / "MLmodel").stat().st_size

    def grown(descriptor: int) -> os.stat_result:
        found = real(descriptor)
        if found.st_size == size:
            return os.stat_result([*found[:6], size - 1, *found[7:]])
        return found

    monkeypatch.setattr(os, "fstat", grown)
    with pytest.raises(WorldError, match="MLmodel: changes while it is read"):
        isolation.load(folder, digest)


def test_half_a_package_is_not_taken_for_a_whole_one(folder: Path) -> None:
    """A model that fails once fails again, in the same words."""
    with (attacks.code(folder) / "model.py").open("a", encoding="utf-8") as file:
        file.write("\nraise ValueError('bad day')\n")
    before = [*sys.meta_path]
    for _ in range(2):
        with pytest.raises(ValueError, match="bad day"):
            isolation.load(folder, hashing.of_folder(folder))
    assert sys.meta_path == before


def test_a_package_in_the_working_directory_is_not_the_models(
    folder: Path, digest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"_carried_{hashing.of_folder(attacks.code(folder))}"
    (tmp_path / name).mkdir()
    for file in ("__init__", "predictor"):
        (tmp_path / name / f"{file}.py").write_text(attacks.HARM)
    monkeypatch.syspath_prepend(tmp_path)
    assert isolation.load(folder, digest).encoder.columns
    assert not attacks.ran()


def test_a_traceback_quotes_the_line_of_the_model(folder: Path) -> None:
    with (attacks.code(folder) / "model.py").open("a", encoding="utf-8") as file:
        file.write("\n\ndef fail() -> None:\n    raise ValueError('bad day')\n")
    loaded = isolation.load(folder, hashing.of_folder(folder))
    module = sys.modules[type(loaded).__module__]
    with pytest.raises(ValueError, match="bad day") as told:
        module.fail()
    assert "raise ValueError" in str(told.traceback[-1].statement)


def test_where_nothing_can_be_written_the_memory_is_taken_or_it_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def nowhere() -> str:
        raise FileNotFoundError("no usable temporary directory")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    monkeypatch.setattr(checked_copy, "_MEMORY", tmp_path)
    assert checked_copy.place() == str(tmp_path)
    monkeypatch.setattr(checked_copy, "_MEMORY", tmp_path / "none")
    with pytest.raises(WorldError, match=r"no folder to write to.*--tmpfs /tmp"):
        checked_copy.place()
