"""A year of a project in minutes: trained, edited all over, updated, and true to its versions."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import updates
from baking import Project, replaced
from test_bake import copied
from test_lifecycle import act

OWN_STAGE = """
  count:
    cmd: python -c "open('count.txt', 'w').write('1')"
    deps:
      - data/prepared
    outs:
      - count.txt
"""
MIGRATION = '''"""Keep a folder of a later version out of git."""

from pathlib import Path


def migrate(root: Path, package: str) -> None:
    """Name the folder beside the one of the same kind."""
    path = root / ".gitignore"
    path.write_text(path.read_text("utf-8").replace("/.venv\\n", "/.venv\\n/.later\\n"), "utf-8")
'''
COMMENTED = ("noxfile.py", ".gitignore", "ruff.toml", "python_env.yaml", "MLproject")


@pytest.fixture
def template(tmp_path: Path, user: Mapping[str, str]) -> updates.Template:
    """The template as it stands, as a release of its own repository."""
    made = updates.Template(copied(tmp_path / "template"), user)
    made.git("init", "--quiet", "--initial-branch", "main")
    made.release("1.0.0", {})
    return made


LATER = "# Of a later version.\n"
CHECKS = ".github/workflows/checks.yaml"


def release_a_newer_one(template: updates.Template) -> None:
    """Change the engine, a session, a param's comment, a workflow, a page, a user's file."""
    root = template.root / "{{cookiecutter.project_slug}}"

    def text(name: str, *changes: tuple[str, str]) -> str:
        return replaced((root / name).read_text("utf-8"), *changes)

    checks, schema = f"overlays/forge/github/{CHECKS}", f"{updates.PACKAGE}/schema.py"
    files = {
        f"{updates.ENGINE}/later.py": '"""Of a later version."""\n',
        f"{updates.ENGINE}/update/migrations/m9001_later.py": MIGRATION,
        ".gitignore": text(".gitignore", ("/.venv\n", "/.venv\n/.later\n")),
        "noxfile.py": text("noxfile.py", ('"""Every command of', '"""All commands of')),
        "README.md": text("README.md", ("## Exit codes\n", "## Codes at the exit\n")),
        "docs/production.md": text("docs/production.md") + "\nMore.\n",
        **{name: LATER + text(name) for name in ("params.yaml", checks, schema)},
    }
    template.release("1.0.1", files)


def own_files(project: Project) -> list[Path]:
    """Return the files of a user's that take a comment at their end."""
    root = project.root
    python = [*root.glob(f"src/{project.package}/**/*.py"), *root.glob("tests/*.py")]
    return [*python, *(root / name for name in COMMENTED)]


def edit_everything(project: Project) -> None:
    """Edit every file that is the user's, add a stage, a module and a package, and delete."""
    root = project.root
    for path in own_files(project):
        path.write_text(path.read_text("utf-8") + "# Mine.\n", "utf-8")
    for path in (root / "README.md", *root.glob("docs/*.md")):
        path.write_text(path.read_text("utf-8") + "\nMine.\n", "utf-8")
    changes = {
        "pyproject.toml": ('    "pydantic>=', '    "packaging>=24", # mine\n    "pydantic>='),
        "params.yaml": ("max_leaf_nodes: 31", "max_leaf_nodes: 25"),
    }
    for name, change in changes.items():
        path = root / name
        path.write_text(replaced(path.read_text("utf-8"), change), "utf-8")
    with (root / "dvc.yaml").open("a", encoding="utf-8") as pipeline:
        pipeline.write(OWN_STAGE.lstrip("\n"))
    (root / "docs" / "production.md").unlink()
    (root / "LICENSE").unlink()
    (root / "src" / project.package / "queries.py").write_text("# Mine.\n", "utf-8")


def rename_the_package(project: Project, name: str) -> None:
    """Call the package something else, everywhere."""
    old = project.package
    for path in project.root.rglob("*"):
        if path.is_file() and ".git" not in path.parts and path.name != ".template.json":
            text = path.read_bytes()
            if old.encode() in text:
                path.write_bytes(text.replace(old.encode(), name.encode()))
    (project.root / "src" / old).rename(project.root / "src" / name)


@pytest.fixture
def project(
    template: updates.Template, tmp_path: Path, user: Mapping[str, str], tools: Path
) -> Project:
    """A project of the first release, edited all over, its package renamed."""
    root = template.bake(tmp_path / "made", task="regression").root
    made = Project(root, user, tools)
    rename_the_package(made, "trams")
    edit_everything(made)
    made.commit()
    return made


def assert_updated(project: Project, said: str) -> None:
    """Hold what an update has made, and said, against what both sides wanted."""
    assert "flight_delays is called trams here" in said and "migration m9001_later" in said
    assert "stays deleted, as you have deleted it: docs/production.md" in said
    assert "conflict" not in said and "nox -s lock" not in said, said

    def text(name: str) -> str:
        return (project.root / name).read_text("utf-8")

    for path in own_files(project):
        assert "# Mine.\n" in path.read_text("utf-8"), path
    assert "packaging" in text("pyproject.toml") and "count:" in text("dvc.yaml")
    assert not (project.root / "LICENSE").exists()
    for name in ("params.yaml", "src/trams/schema.py", CHECKS):
        assert text(name).startswith(LATER), name
    assert "max_leaf_nodes: 25" in text("params.yaml")
    assert text(".gitignore").count("/.later\n") == 1
    assert "Codes at the exit" in text("README.md") and "All commands of" in text("noxfile.py")
    assert json.loads(text(".template.json"))["version"] == "1.0.1"
    assert (project.root / updates.ENGINE / "later.py").is_file()


def test_a_project_that_was_edited_all_over_is_updated_without_a_conflict(
    template: updates.Template, project: Project
) -> None:
    release_a_newer_one(template)
    assert_updated(project, updates.Project(project.root, project.env).update())


@pytest.mark.slow
def test_after_an_update_tests_train_promote_pass_and_old_versions_are_reproduced(
    template: updates.Template, project: Project
) -> None:
    act(project, "train")
    project.commit()
    assert "is the champion" in act(project, "promote")
    release_a_newer_one(template)
    done = project.nox("update")
    assert done.returncode == 0, done.stdout + done.stderr
    assert_updated(project, done.stdout + done.stderr)
    project.commit()
    for words in (["tests"], ["train"], ["promote"]):
        done = project.nox(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "version 1: identical bytes" in act(project, "reproduce", "1")
