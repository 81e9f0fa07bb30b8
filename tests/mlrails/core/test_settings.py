"""What the machine says: the project's folder, and the variables that are read."""

from pathlib import Path

import pytest

from mlrails.core import settings
from mlrails.core.errors import UsageError

NAMED = '[project]\nname = "project"\n[tool.mlrails]\npackage = "package"\n'
JOB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "ann",
    "GITHUB_REPOSITORY": "team/project",
    "GITHUB_RUN_ID": "7",
    "GITHUB_SERVER_URL": "https://forge",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for mark in ("dvc.yaml", "params.yaml"):
        (tmp_path / mark).touch()
    (tmp_path / "pyproject.toml").write_text(NAMED, "utf-8")
    return tmp_path


def test_the_project_is_found_from_a_folder_inside_it(root: Path) -> None:
    inside = root / "src" / "deep"
    inside.mkdir(parents=True)
    assert settings.find_root(inside) == root


def test_a_folder_outside_a_project_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").touch()
    with pytest.raises(UsageError, match=f"{tmp_path}: not inside the project; go to"):
        settings.find_root(tmp_path)


def test_an_empty_environment_gives_the_defaults(root: Path) -> None:
    assert settings.from_environment({}, root) == settings.Settings(root)
    empty = {"MLFLOW_TRACKING_URI": "", "MLFLOW_RUN_ID": "", "CI": ""}
    assert settings.from_environment(empty, root) == settings.Settings(root)


@pytest.mark.parametrize(("value", "in_ci"), [("true", True), ("1", True), ("false", False)])
def test_ci_is_read(root: Path, value: str, in_ci: bool) -> None:
    assert settings.from_environment({"CI": value}, root).in_ci is in_ci


def test_a_copy_of_the_project_has_its_own_scratch_and_the_projects_checkpoints(
    root: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    found = settings.from_environment({"PIPELINE_PROJECT": str(project)}, root)
    assert found.scratch == root / ".dvc" / "tmp"
    assert found.checkpoints == project / ".dvc" / "tmp" / "checkpoints"
    assert settings.Settings(root).checkpoints == root / ".dvc" / "tmp" / "checkpoints"


def test_the_run_that_mlflow_opened_is_read(root: Path) -> None:
    assert settings.from_environment({"MLFLOW_RUN_ID": "abc"}, root).opened_run == "abc"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("http://server:5000", "http://server:5000"),
        ("sqlite:////elsewhere/mlflow.db", "sqlite:////elsewhere/mlflow.db"),
        ("sqlite:///mlflow.db", "sqlite:///ROOT/mlflow.db"),
        ("file:///elsewhere", "file:///elsewhere"),
    ],
)
def test_a_relative_database_means_the_same_in_every_folder(
    root: Path, given: str, read: str
) -> None:
    found = settings.from_environment({"MLFLOW_TRACKING_URI": given}, root / "src")
    assert found.tracking_uri == read.replace("ROOT", root.as_posix())


def test_scratch_is_made_where_neither_git_nor_dvc_looks(root: Path) -> None:
    scratch = settings.Settings(root).scratch
    assert scratch.is_dir()
    assert scratch == root / ".dvc" / "tmp"


@pytest.mark.parametrize("kind", ["local", "branch"])
def test_the_project_s_own_registries_forget_the_server(root: Path, kind: str) -> None:
    found = settings.Settings(root, tracking_uri="http://server:5000").of_registry(kind)
    assert found.tracking_uri is None
    assert found.on_branch is (kind == "branch")


@pytest.mark.parametrize("kind", [None, "server"])
def test_a_server_stays_what_the_environment_names(root: Path, kind: str | None) -> None:
    given = settings.Settings(root, tracking_uri="http://server:5000")
    assert given.of_registry(kind) is given


def test_a_registry_that_is_none_is_refused(root: Path) -> None:
    with pytest.raises(UsageError, match="--registry 'brunch': choose local, branch or server"):
        settings.Settings(root).of_registry("brunch")
    with pytest.raises(UsageError, match="MLFLOW_TRACKING_URI names no server; set it"):
        settings.Settings(root).of_registry("server")


def test_a_store_of_its_own_may_lie_elsewhere(root: Path, tmp_path: Path) -> None:
    assert settings.Settings(root).store_folder == root
    assert settings.Settings(root, store=tmp_path / "copy").store_folder == tmp_path / "copy"


@pytest.mark.parametrize("before", ["", "\n"])
def test_a_key_is_a_file_or_the_key_itself(root: Path, before: str) -> None:
    # pragma: allowlist nextline secret
    key = f"{before}-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n"
    assert settings.from_environment({"MODEL_SIGNING_KEY": key}, root).signing_key == key
    found = settings.from_environment({"MODEL_SIGNING_KEY": "keys/a.pem"}, root)
    assert found.signing_key == root / "keys" / "a.pem"


def test_a_token_is_what_a_file_holds_without_its_end() -> None:
    given = {"SERVING_TOKEN": "secret\n"}
    assert settings.serving_token(given) == given["SERVING_TOKEN"].strip()
    with pytest.raises(UsageError, match="SERVING_TOKEN: holds blanks alone"):
        settings.serving_token({"SERVING_TOKEN": " \n"})


def test_who_asks_and_with_what_is_read(root: Path) -> None:
    found = settings.from_environment(JOB | {"GITHUB_TOKEN": "ghs_1"}, root)
    page = "https://forge/team/project/actions/runs/7"
    assert (found.actor, found.job, found.token) == ("ann", page, "ghs_1")
    again = settings.from_environment(JOB | {"GITHUB_TRIGGERING_ACTOR": "bob"}, root)
    assert (again.actor, again.job) == ("bob", page)
    assert settings.from_environment(dict.fromkeys(JOB, ""), root) == settings.Settings(root)


@pytest.mark.parametrize("lacking", sorted(JOB))
def test_a_laptop_that_names_an_actor_is_not_believed(root: Path, lacking: str) -> None:
    found = settings.from_environment({**JOB, lacking: ""}, root)
    assert (found.actor, found.job) == (None, None)


def test_an_account_is_read_and_its_password_not_shown(root: Path) -> None:
    # pragma: allowlist nextline secret
    named = {"MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": "p@ss"}
    found = settings.from_environment(named, root)
    assert found.account == ("ann", "p@ss") and "p@ss" not in repr(found)
