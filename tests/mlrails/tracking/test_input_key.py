"""Where a model comes from: a key that changes with what the stages read, and with nothing else."""

import re
from pathlib import Path
from platform import python_version

import numpy as np
import pytest
import rows
import threadpoolctl

from mlrails.core import files, git, layout
from mlrails.core.errors import UsageError, WorldError
from mlrails.core.hashing import of_file
from mlrails.tracking import input_key, origin

FILES = {
    "dvc.yaml": """
stages:
  first:
    cmd: python first.py
    deps: [first.py, lib]
    params: [seed, data.target, {settings.toml: [group.train]}]
    outs: [made]
  second:
    cmd: python second.py
    deps: [made, second.py]
    params: [section]
    outs: [{table.csv: {cache: false}}]
    metrics: [figures.json]
""",
    "params.yaml": "seed: 1\ndata: {target: late, time: when}\nsection: {a: 1, b: 2}\nunread: 1\n",
    "settings.toml": '[group]\ntrain = ["numpy"]\ndev = ["ruff"]\n',
    "first.py": "1",
    "second.py": "2",
    "lib/a.txt": "a",
    "made/rows.parquet": "rows",
    "src/flights/a.html": "<html>",
    "README.md": "read me",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("first.py", "1", "3"),
        ("second.py", "2", "3"),
        ("lib/a.txt", "a", "b"),
        ("lib/new.txt", "", "b"),
        ("params.yaml", "seed: 1", "seed: 2"),
        ("params.yaml", "target: late", "target: early"),
        ("params.yaml", "b: 2", "b: 3"),
        ("params.yaml", "section: {a: 1, b: 2}", ""),
        ("settings.toml", "numpy", "pandas"),
        ("dvc.yaml", "cmd: python second.py", "cmd: python -O second.py"),
        ("dvc.yaml", "deps: [first.py, lib]", "deps: [first.py, lib, README.md]"),
        ("dvc.yaml", "params: [section]", "params: [section, unread]"),
    ],
)
def test_the_key_changes_with_whatever_a_stage_reads(
    root: Path, name: str, before: str, after: str
) -> None:
    key = input_key.input_key(root)
    text = (root / name).read_text() if before else ""
    assert before in text
    (root / name).write_text(text.replace(before, after) if before else after)
    assert input_key.input_key(root) != key


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("README.md", "read me", "read me again"),
        ("made/rows.parquet", "rows", "other rows"),
        ("params.yaml", "unread: 1", "unread: 2"),
        ("params.yaml", "time: when", "time: then"),
        ("params.yaml", "seed: 1", "seed:   1  # a comment"),
        ("params.yaml", "{a: 1, b: 2}", "{b: 2, a: 1}"),
        ("settings.toml", "ruff", "mypy"),
    ],
)
def test_the_key_changes_with_nothing_else(root: Path, name: str, before: str, after: str) -> None:
    key = input_key.input_key(root)
    text = (root / name).read_text()
    assert before in text
    (root / name).write_text(text.replace(before, after))
    assert input_key.input_key(root) == key


def test_the_key_is_the_same_in_another_folder(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    key = input_key.input_key(root)
    moved = root.rename(tmp_path_factory.mktemp("other") / "place")
    assert input_key.input_key(moved) == key
    assert re.fullmatch("[0-9a-f]{64}", key)


def test_byte_code_in_a_folder_that_is_read_changes_nothing(root: Path) -> None:
    key = input_key.input_key(root)
    (root / "lib" / "__pycache__").mkdir()
    (root / "lib" / "__pycache__" / "a.pyc").write_text("code")
    assert input_key.input_key(root) == key


def test_a_file_that_is_missing_is_named(root: Path) -> None:
    (root / "second.py").unlink()
    with pytest.raises(UsageError, match=r"dvc\.yaml names second\.py, which is missing; restore"):
        input_key.input_key(root)


@pytest.mark.parametrize(
    ("key", "named"),
    [("seed", True), ("data.target", True), ("section.c", True), ("data.time", False)],
)
def test_a_key_that_a_stage_does_not_name_is_told_with_its_line(
    root: Path, key: str, named: bool
) -> None:
    stage = "second" if key.startswith("section") else "first"
    if named:
        input_key.check_listed(root, stage, key)
        return
    words = f"the stage '{stage}' reads '{key}' of params.yaml, .* add the line `- {key}` to them"
    with pytest.raises(UsageError, match=words):
        input_key.check_listed(root, stage, key)


def test_a_repository_without_a_commit_is_all_new(root: Path) -> None:
    rows.git(root, "init", "-q")
    found = state(root)
    assert found.commit is None
    assert found.dirty
    assert "+++ b/params.yaml" in found.diff.splitlines()
    assert not (root / ".git" / "index").exists()


def test_a_pipeline_that_is_none_is_told(root: Path) -> None:
    rows.git(root, "init", "-q")
    (root / "dvc.yaml").write_text("stages: [first]")
    with pytest.raises(UsageError, match="not the stages of a pipeline"):
        state(root)


def state(root: Path) -> git.Revision:
    """Return what git says of all that a model is made of, told in both ways."""
    inputs = input_key.inputs(root)
    found = git.revision(root, inputs)
    assert git.is_dirty(root, inputs) is found.dirty
    return found


@pytest.fixture
def committed(root: Path) -> Path:
    rows.git(root, "init", "-q")
    rows.git(root, "add", ".")
    rows.git(root, "commit", "-q", "-m", "first")
    return root


def test_a_clean_tree_is_its_commit(committed: Path) -> None:
    head = rows.git(committed, "rev-parse", "HEAD")
    assert state(committed) == git.Revision(head, dirty=False, diff="")


def test_a_change_is_told_with_its_diff(committed: Path) -> None:
    (committed / "first.py").write_text("3")
    (committed / "lib" / "new.txt").write_text("4")
    found = state(committed)
    assert found.dirty
    assert found.commit == rows.git(committed, "rev-parse", "HEAD")
    assert "+3" in found.diff.splitlines()
    assert "+++ b/lib/new.txt" in found.diff.splitlines()
    assert "+4" in found.diff.splitlines()
    status = rows.git(committed, "status", "--porcelain").split()
    assert status == ["M", "first.py", "??", "lib/new.txt"]


@pytest.mark.parametrize(
    "name",
    [
        *("dvc.yaml", "params.yaml", "settings.toml", "second.py", "lib/a.txt", "lib/new.txt"),
        *("requirements.lock", "requirements-dev.lock", "src/flights/new.py", "src/flights/a.html"),
        *("first.py.dvc", "src/flights/deep/new.py"),
    ],
)
def test_what_a_stage_reads_and_the_code_is_dirt_and_can_be_made_again(
    committed: Path, name: str
) -> None:
    path = committed / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((path.read_text() if path.exists() else "") + "# another\n")
    found = state(committed)
    assert found.dirty and f"+++ b/{name}" in found.diff.splitlines()
    whole = path.read_bytes()
    if f"--- a/{name}" in found.diff.splitlines():
        rows.git(committed, "checkout", name)
    else:
        path.unlink()
    (committed / "diff").write_text(found.diff)
    rows.git(committed, "apply", "diff")
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "name",
    [
        *("train.log", "README.md", "lib.log", "notes/new.py", "tests/test_new.py", "dvc.lock"),
        *("made/rows.parquet", "figures.json", "src/flights/notes.log", "src/nohup.out"),
    ],
)
def test_nothing_else_is_dirt(committed: Path, name: str) -> None:
    path = committed / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("something\n")
    assert not state(committed).dirty
    rows.git(committed, "add", "--all")
    assert not state(committed).dirty or name.startswith("src/")


def test_what_was_deleted_or_staged_or_taken_back_is_told_as_it_is(committed: Path) -> None:
    (committed / "first.py").write_text("3")
    rows.git(committed, "add", "first.py")
    assert state(committed).dirty
    (committed / "first.py").write_text("1")
    assert not state(committed).dirty
    (committed / "lib" / "a.txt").unlink()
    assert "deleted file mode 100644" in state(committed).diff


def test_what_lies_outside_of_the_repository_is_none_of_it(committed: Path) -> None:
    text = (committed / "dvc.yaml").read_text()
    deps = "deps: [first.py, lib, ../outside.csv, /outside.csv, 's3://bucket/rows']"
    (committed / "dvc.yaml").write_text(text.replace("deps: [first.py, lib]", deps))
    rows.git(committed, "commit", "--all", "-q", "-m", "second")
    assert not state(committed).dirty
    (committed / "first.py").write_text("3")
    assert state(committed).dirty


def test_a_large_diff_is_cut(committed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (committed / "first.py").write_text("3\n" * 1000)
    monkeypatch.setattr(git, "_LARGEST_DIFF", 100)
    cut, said = state(committed).diff.rsplit("\n[", 1)
    assert len(cut) == 100
    assert said.startswith("cut after 100 of ")


def test_of_a_larger_repository_the_project_counts_and_what_it_reads(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    top = tmp_path_factory.mktemp("larger")
    project = root.rename(top / "project")
    text = (project / "dvc.yaml").read_text().replace("lib]", "lib, ../shared.csv]")
    (project / "dvc.yaml").write_text(text)
    for name in ("beside.py", "shared.csv"):
        (top / name).write_text("a")
    rows.git(top, "init", "-q")
    rows.git(top, "add", ".")
    rows.git(top, "commit", "-q", "-m", "first")
    (top / "beside.py").write_text("b")
    assert not state(project).dirty
    (top / "shared.csv").write_text("b")
    assert state(project).dirty


def test_a_folder_of_another_user_is_told_with_gits_reason_and_remedy(
    committed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("LANGUAGE", "de")
    with pytest.raises(WorldError) as caught:
        state(committed)
    said = str(caught.value)
    assert said.startswith("git: ") and "\n" not in said
    assert f"run `git config --global --add safe.directory {committed}`" in said


def test_without_a_repository_it_is_said_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a git repository; run `git init` in it"):
        git.revision(tmp_path, ())


def test_without_git_it_is_said_where_to_get_it(
    committed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(committed))
    with pytest.raises(WorldError, match="git is not installed; install it"):
        state(committed)


@pytest.mark.parametrize("platform", ["", "AVX512 Some GPU (80 GB)"])
def test_the_class_of_the_machine_is_one_word_with_what_the_estimator_tells(platform: str) -> None:
    found = origin.cpu_class(platform)
    assert re.fullmatch(r"[a-z0-9_-]+", found)
    assert ("-avx512-some-gpu-80-gb-" in f"{found}-") == bool(platform)


def test_the_class_of_the_machine_does_not_depend_on_what_else_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = origin.cpu_class.__wrapped__()
    pools = threadpoolctl.threadpool_info()
    folder = Path(np.__file__).resolve().parents[1]
    other = {"architecture": "Other", "filepath": str(folder / "scipy.libs" / "libopenblas.so")}
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: [other, *pools])
    assert origin.cpu_class.__wrapped__() == found
    own = {"architecture": "Own", "filepath": str(folder / "numpy.libs" / "libopenblas.so")}
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: [other, own])
    assert "-own-" in f"{origin.cpu_class.__wrapped__()}-"


def test_where_numpy_brings_no_linear_algebra_it_is_the_system_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = {"architecture": "Shared", "filepath": "/usr/lib/libopenblas.so"}
    threads = {"filepath": "/usr/lib/libgomp.so"}
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: [threads, shared])
    assert "-shared-" in f"{origin.cpu_class.__wrapped__()}-"


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ("linux-avx512", "linux-avx512", True),
        ("linux-avx512", "linux-avx2", False),
        ("linux-avx512-cudax", "linux-avx512-cudax", True),
        ("linux-avx512-h100-cuda-13-0", "linux-avx512-h100-cuda-13-0", False),
        ("linux-avx512-mi300-rocm-7-0", "linux-avx512-mi300-rocm-7-0", False),
        ("", "linux-avx512", False),
    ],
)
def test_the_same_bytes_are_made_in_one_class_without_a_gpu(
    ours: str, theirs: str, same: bool
) -> None:
    assert origin.same_bytes(ours, theirs) is same


def test_which_machine_has_fitted_a_model_is_told_by_its_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin.note_machine(tmp_path)
    here = origin.noted_machine(tmp_path)
    assert here == (origin.cpu_class(), python_version())
    monkeypatch.setattr(origin, "cpu_class", lambda: "another")
    assert origin.noted_machine(tmp_path) == here


@pytest.mark.parametrize("text", [None, "{", "[]", '{"cpu_class": "x"}'])
def test_a_model_without_a_note_of_its_machine_is_said_in_words(
    tmp_path: Path, text: str | None
) -> None:
    if text is not None:
        files.write_text(text, tmp_path / layout.MACHINE)
    with pytest.raises(WorldError, match=r"models/machine\.json: .* run `nox -s train`"):
        origin.noted_machine(tmp_path)


def test_the_locks_are_there() -> None:
    for name in (layout.LOCK, layout.SERVING_LOCK):
        assert of_file(rows.ROOT / name)
