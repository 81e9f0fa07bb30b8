"""Overlays: the trees of the chosen answers become part of the project, all others vanish.

Run alone: `python -m pytest tests/test_overlays.py`
"""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOOK = ROOT / "hooks" / "post_gen_project.py"
PROJECT = ROOT / "{{cookiecutter.project_slug}}"
QUESTIONS = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
MERGED = dict(re.findall(r"(\w+)/{{ cookiecutter\.(\w+) }}", HOOK.read_text(encoding="utf-8")))
WORKFLOW = ".github/workflows/ci.yml"
FILES = {
    ".gitignore": "*.pyc\n",
    "src/{{cookiecutter.package_name}}/base.py": "BASE = 1\n",
    f"overlays/forge/github/{WORKFLOW}": "env: ${{ github.sha }}\n",
    "overlays/forge/github/.gitignore.append": ".github-cache\n",
    "overlays/forge/none/offline.md": "{{ cookiecutter.project_name }}\n",
    "overlays/framework/scikit-learn/src/{{cookiecutter.package_name}}/fit.py": "FIT = 1\n",
    "overlays/license/MIT/LICENSE": "MIT, {{ cookiecutter.author_name }}\n",
    "overlays/license/Apache-2.0/LICENSE": "Apache\n",
}
SHARED = {".gitignore", "src/flight_delays/base.py", "src/flight_delays/fit.py", "LICENSE"}


def write(folder, files):
    """Write `files`, a dict of relative paths and texts, below `folder`."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def files_in(folder):
    """Relative paths of all files below `folder`, git's own left out."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in paths if ".git" not in path.parts}


@pytest.fixture
def template(tmp_path):
    """A template of the real questions, checks and hook, with small overlays."""
    made = tmp_path / "template"
    shutil.copytree(ROOT / "hooks", made / "hooks")
    for part in ("cookiecutter.json", "local_extensions.py"):
        shutil.copy(ROOT / part, made)
    write(made / "{{cookiecutter.project_slug}}", FILES)
    return made


def bake(template, *arguments, **environment):
    """The finished `cookiecutter template --no-input` with `arguments`, and its project."""
    own = {"HOME": "home", "USERPROFILE": "home", "GIT_CEILING_DIRECTORIES": str(template.parent)}
    command = [sys.executable, "-m", "cookiecutter", "template", "--no-input", *arguments]
    run = {"cwd": template.parent, "capture_output": True, "encoding": "utf-8"}
    done = subprocess.run(command, check=False, env=os.environ | own | environment, **run)
    return done, template.parent / "flight-delays"


@pytest.mark.parametrize(("forge", "more"), [("github", WORKFLOW), ("none", "offline.md")])
def test_the_chosen_overlays_are_merged_and_the_others_are_gone(template, forge, more):
    done, project = bake(template, f"forge={forge}")
    assert done.returncode == 0, done.stderr
    assert files_in(project) == SHARED | {more} and not (project / "overlays").exists()
    ignored = "*.pyc\n.github-cache\n" if forge == "github" else "*.pyc\n"
    assert (project / ".gitignore").read_text() == ignored
    assert (project / "LICENSE").read_text() == "MIT, The authors\n"


def test_workflows_are_copied_as_they_are(template):
    _, project = bake(template)
    assert (project / WORKFLOW).read_text() == FILES[f"overlays/forge/github/{WORKFLOW}"]


def test_without_the_list_of_copies_a_workflow_stops_the_bake(template):
    write(template, {"cookiecutter.json": json.dumps(QUESTIONS | {"_copy_without_render": []})})
    done, project = bake(template)
    assert done.returncode == 1 and "'github' is undefined" in done.stdout
    assert not project.exists()


@pytest.mark.parametrize("path", ["LICENSE", "overlays/forge/github/gone.append"])
def test_an_overlay_neither_hides_a_file_nor_appends_to_none(template, path):
    write(template / "{{cookiecutter.project_slug}}", {path: "another\n"})
    done, project = bake(template)
    assert done.returncode == 1 and Path(path).stem in done.stderr
    assert not project.exists()


def test_byte_code_of_the_template_stays_there(template):
    cached = {f"{Path(path).parent}/__pycache__/a.pyc": "code" for path in FILES}
    write(template / "{{cookiecutter.project_slug}}", cached)
    done, project = bake(template, "forge=none")
    assert done.returncode == 0, done.stderr
    assert files_in(project) == SHARED | {"offline.md"}


def test_a_second_bake_over_the_first_gives_the_same(template):
    done, project = bake(template)
    before = {path: (project / path).read_bytes() for path in files_in(project)}
    again, _ = bake(template, "-f")
    assert (done.returncode, again.returncode) == (0, 0), again.stderr
    assert {path: (project / path).read_bytes() for path in files_in(project)} == before


def test_a_new_project_is_a_git_repository_on_main_and_says_what_is_next(template):
    done, project = bake(template)
    assert (project / ".git" / "HEAD").read_text() == "ref: refs/heads/main\n"
    # Who has no nox has it from uv.
    assert done.stdout == "  cd flight-delays\n  uvx nox -s train\n" and done.stderr == ""


@pytest.mark.parametrize("owner", ["we", "somebody else"])
def test_a_project_in_a_repository_is_no_repository_of_its_own(template, owner):
    subprocess.run(["git", "init", "-q", "."], cwd=template.parent, check=True)
    # Git asks this variable in its own tests, for a folder of another user.
    other = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"} if owner == "somebody else" else {}
    done, project = bake(template, GIT_CEILING_DIRECTORIES="", **other)
    assert done.returncode == 0 and not (project / ".git").exists()


def test_a_missing_git_stops_nothing(template):
    done, project = bake(template, PATH=str(template))
    assert done.returncode == 0 and done.stderr == "" and not (project / ".git").exists()
    assert files_in(project) >= SHARED


def test_an_appended_file_keeps_the_bytes_of_both(tmp_path):
    add = runpy.run_path(str(HOOK))["add"]
    (tmp_path / "a").write_bytes(b"one\r\n")
    (tmp_path / "b.append").write_bytes(b"two\xff")
    add(str(tmp_path / "b.append"), str(tmp_path / "a.append"))
    assert (tmp_path / "a").read_bytes() == b"one\r\ntwo\xff"


def test_the_hook_merges_what_is_asked():
    assert all(question == answer for question, answer in MERGED.items())


@pytest.mark.parametrize(
    "overlay", sorted(PROJECT.glob("overlays/*/*")), ids=lambda path: path.name
)
def test_each_overlay_belongs_to_a_choice_and_fits_the_project(overlay):
    assert overlay.parent.name in MERGED and overlay.name in QUESTIONS[overlay.parent.name]
    for path in map(Path, files_in(overlay)):
        place = PROJECT / path
        is_there = (
            place.with_suffix("").exists() if path.suffix == ".append" else not place.exists()
        )
        assert is_there, path
