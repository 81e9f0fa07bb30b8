"""`nox -s update`: a newer template becomes an ordinary merge in the user's tree, or nothing."""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import updates
from baking import ROOT, Once
from filelock import FileLock
from updates import ENGINE, FILES, NEWER, Project, Template

EDITED = {
    "README.md": "# Flight Delays\n\nMine, first.\n\nSecond.\n\nThird.\n",
    "noxfile.py": 'PACKAGE = "flight_delays"\n\nONE = 11\n\nTWO = 2\n',
    "params.yaml": "task: classification\n\nrate: 0.3\n\nrounds: 300\n",
    "src/flight_delays/own.py": "OWN = 1\n",
}


@pytest.fixture
def template(once: Once, user: Mapping[str, str], tmp_path: Path) -> Template:
    """A template with a release, in a folder of the test's own."""
    made = once("small-template", lambda folder: updates.template(folder, user))
    shutil.copytree(made, tmp_path / "template")
    return Template(tmp_path / "template", user)


@pytest.fixture
def project(template: Template, tmp_path: Path) -> Project:
    """A project of the first release, which was edited; the second release is there."""
    made = template.bake(tmp_path / "made")
    made.write(EDITED)
    (made.root / "docs" / "more.md").unlink()
    made.commit()
    template.release("1.0.1", NEWER, f"{ENGINE}/old.py")
    return made


def test_a_project_says_where_it_came_from(template: Template, tmp_path: Path) -> None:
    made = template.bake(tmp_path / "made", task="regression")
    told = json.loads(made.text(".template.json"))
    assert told["template"] == str(template.root) and told["version"] == "1.0.0"
    assert told["revision"] == template.git("rev-parse", "HEAD")
    assert told["answers"] == {
        "project_name": "Flight Delays",
        "project_slug": "flight-delays",
        "package_name": "flight_delays",
        "task": "regression",
    }


ADDRESSES = {
    "gh:org/template": "gh:org/template",
    "git@host.example:org/template.git": "git@host.example:org/template.git",
    "https://me:secret@host.example/org/template.git": "https://host.example/org/template.git",
    "https://host.example/a@b.git": "https://host.example/a@b.git",
    "git+https://me:token@host.example/template": "https://host.example/template",
    "HTTPS://me:to@ken@host.example/template": "HTTPS://host.example/template",
    "ftps://me:token@host.example/template": "ftps://host.example/template",
    "git+ssh://git@host.example/template": "ssh://git@host.example/template",
    "ssh://git:token@host.example:22/template": "ssh://git@host.example:22/template",
    "../nowhere-to-be-found": "../nowhere-to-be-found",
    "/usr/../usr/": "/usr",
    str(Path.home() / "template"): "~/template",
}


@pytest.mark.parametrize("given", ADDRESSES)
def test_an_address_is_kept_without_what_is_secret_or_private(given: str) -> None:
    code = "import local_extensions as it, sys; print(it.address_of(sys.argv[1]))"
    words = [sys.executable, "-c", code, given]
    assert updates.ran(words, ROOT, os.environ) == f"{ADDRESSES[given]}\n"


@pytest.mark.parametrize("given", [".", "../template", "elsewhere/../../template/"])
def test_a_template_baked_by_a_relative_path_is_found_by_an_update(
    template: Template, tmp_path: Path, given: str
) -> None:
    (template.root / "elsewhere").mkdir()
    words = ("cookiecutter", given, "--no-input", "--output-dir", "../made/below")
    updates.ran([sys.executable, "-m", *words], template.root, template.env)
    made = Project(tmp_path / "made" / "below" / "flight-delays", template.env)
    assert json.loads(made.text(".template.json"))["template"] == str(template.root)
    made.git("init", "--quiet")
    made.commit()
    template.release("1.0.1", NEWER)
    assert "→ 1.0.1" in made.update()


def test_an_update_merges_what_both_have_changed_and_is_one_merge_commit(
    project: Project, template: Template
) -> None:
    before = project.state()
    said = project.update()
    assert said.startswith(f"baking version 1.0.1 of the template {template.root}\n")
    assert "1.0.0" in said and "→ 1.0.1" in said and "conflict" not in said
    assert "1.0.1: Call it `learning_rate` in your own scripts." in said
    assert "Nothing, as nothing was before" not in said
    assert "stays deleted, as you have deleted it: docs/more.md" in said

    assert project.text("README.md") == EDITED["README.md"].replace("Third", "The third")
    assert "ONE = 11" in project.text("noxfile.py") and "THREE = 3" in project.text("noxfile.py")
    assert "learning_rate: 0.3" in project.text("params.yaml")
    assert "seed: 1" in project.text("params.yaml") and "\nrate" not in project.text("params.yaml")
    assert project.text("docs/new.md") == "New.\n"
    assert project.text("src/flight_delays/own.py") == "OWN = 1\n"
    assert project.text(f"{ENGINE}/words.py") == 'WORDS = "{{ newer }}"\n'
    assert not (project.root / ENGINE / "old.py").exists()
    assert not (project.root / "docs" / "more.md").exists()
    assert json.loads(project.text(".template.json"))["revision"] == template.git(
        "rev-parse", "HEAD"
    )

    # Nothing is committed: who likes it commits a merge, who does not takes all of it back.
    assert project.git("rev-parse", "HEAD") == before[0]
    project.git("commit", "--quiet", "--no-edit")
    first, second = project.git("log", "-1", "--format=%P").split()
    assert first == before[0] and project.git("log", "-1", "--format=%s") == (
        "Update the template to version 1.0.1"
    )
    bare = project.git("ls-tree", "-r", "--name-only", second).splitlines()
    assert "docs/more.md" in bare and "src/flight_delays/own.py" not in bare
    assert not project.git("for-each-ref", "refs/mlrails")
    assert "up to date" in project.update()


def test_an_abort_takes_an_update_back_to_the_byte(project: Project) -> None:
    project.write({"notes.txt": "not committed, and of no commit\n"})
    before = project.state()
    project.update()
    assert project.state() != before
    project.git("merge", "--abort")
    assert project.state() == before
    project.update()
    project.git("reset", "--quiet", "--hard")
    assert project.state() == before


def test_conflicts_are_gits_own_and_can_be_aborted(project: Project) -> None:
    mine = EDITED["noxfile.py"].replace("TWO = 2", "TWO = 22")
    project.write({"noxfile.py": mine, "README.md": EDITED["README.md"].replace("Third", "3rd")})
    project.commit()
    before = project.state()
    said = project.update()
    assert "conflict: README.md" in said and "conflict: noxfile.py" in said
    text = project.text("README.md")
    assert "<<<<<<< HEAD\n3rd.\n=======\nThe third.\n>>>>>>> " in text
    assert "UU README.md" in project.git("status", "--porcelain")
    refused = project.update(code=2)
    assert "a merge is in progress" in refused
    project.git("merge", "--abort")
    assert project.state() == before


def test_a_lock_that_both_have_changed_is_to_be_made_anew(
    template: Template, project: Project
) -> None:
    template.release("1.0.2", {"requirements-dev.lock": "a==1\n"})
    project.update()
    project.commit()
    project.write({"requirements-dev.lock": "a==1\nmine==1\n"})
    project.commit()
    template.release("1.0.3", {"requirements-dev.lock": "a==2\nb==1\n"})
    said = project.update()
    assert "run `nox -s lock`, then `git add requirements-dev.lock`" in said
    assert project.text("requirements-dev.lock") == "a==2\nb==1\n"
    assert "UU requirements-dev.lock" in project.git("status", "--porcelain")


def test_a_dirty_tree_is_left_alone(project: Project) -> None:
    project.write({"README.md": "Half of a thought"})
    before = project.state()
    assert "README.md: not committed" in project.update(code=2)
    assert project.state() == before


def test_a_file_that_git_does_not_know_is_not_written_over(project: Project) -> None:
    project.write({"docs/new.md": "Mine, and not committed.\n"})
    before = project.state()
    said = project.update(code=1)
    assert "docs/new.md" in said and "nothing has been changed" in said
    assert project.state() == before and not project.git("for-each-ref", "refs/mlrails")


@pytest.mark.parametrize("name", ["docs/new.md", "docs/more.md", "local", "local/more.md"])
def test_a_file_that_git_ignores_is_not_written_over(
    template: Template, project: Project, name: str
) -> None:
    template.release("1.0.2", {"local/more.md" if name == "local" else "local": "The template's"})
    project.write({".gitignore": "docs/new.md\ndocs/more.md\nlocal\n", name: "A secret"})
    project.commit()
    before = project.state()
    assert name not in project.git("ls-files").split()
    said = project.update(code=1)
    assert name.removesuffix("/more.md") in said and "nothing has been changed" in said
    assert project.state() == before
    (project.root / name).rename(project.root / ".git" / "away")
    project.update()


def test_two_updates_at_once_are_one(project: Project) -> None:
    place = project.root / ".git" / "mlrails"
    place.mkdir()
    before = project.state()
    with FileLock(place / "update.lock"):
        assert "another update works here" in project.update(code=1)
    assert project.state() == before
    assert "→ 1.0.1" in project.update()


JOURNALS = [
    "",
    "{",
    "[]",
    "null",
    '{"other": 1}',
    '{"head": 1, "theirs": "x", "made": [2]}',
    "\xff",
]


@pytest.mark.parametrize("text", JOURNALS)
def test_a_journal_that_is_none_says_nothing_was_begun(project: Project, text: str) -> None:
    journal = project.root / ".git" / "mlrails" / "update.json"
    journal.parent.mkdir()
    journal.write_bytes(text.encode("latin-1"))
    project.write({"README.md": "Half of a thought"})
    assert "README.md: not committed" in project.update(code=2)
    assert project.text("README.md") == "Half of a thought" and not journal.exists()


def test_an_edited_engine_is_refused_with_the_names_and_can_be_made_ones_own(
    template: Template, project: Project
) -> None:
    project.write({f"{ENGINE}/words.py": "WORDS = 'mine'\n", f"{ENGINE}/own.py": "A = 1\n"})
    project.commit()
    before = project.state()
    said = project.update(code=2)
    assert f"{ENGINE}/own.py, {ENGINE}/words.py" in said and "--eject" in said
    assert project.state() == before

    assert "yours now" in project.update("--eject")
    project.commit()
    said = project.update()
    assert f"conflict: {ENGINE}/words.py" in said
    assert not (project.root / ENGINE / "old.py").exists()
    assert "A = 1" in project.text(f"{ENGINE}/own.py")
    project.write({f"{ENGINE}/words.py": "WORDS = 'ours'\n"})
    project.commit()
    # For good: the next one merges it as well, from the bare bake that the last one has left.
    assert json.loads(project.text(".template.json"))["engine"] == "yours"
    template.release("1.0.2", {f"{ENGINE}/fresh.py": "F = 1\n"})
    assert "conflict" not in project.update()
    assert project.text(f"{ENGINE}/words.py") == "WORDS = 'ours'\n"
    assert project.text(f"{ENGINE}/fresh.py") == "F = 1\n"


def test_the_manifest_names_what_was_edited(project: Project) -> None:
    engine = project.root / ENGINE
    words = ["sha256sum", "--check", "--quiet", "MANIFEST"]
    assert updates.ran(words, engine, project.env) == ""
    project.write({f"{ENGINE}/words.py": "WORDS = 1\n", f"{ENGINE}/own.py": "A = 1\n"})
    (engine / "old.py").unlink()
    code = "from pathlib import Path; from mlrails.update import engine; "
    said = project.python(code + "print(*engine.edited(Path('src/mlrails')))")
    assert said == "old.py own.py words.py\n"


def test_a_second_update_needs_no_old_version_of_the_template(
    template: Template, project: Project, tmp_path: Path
) -> None:
    project.update()
    project.commit()
    template.release("1.0.2", {"docs/new.md": "Newer.\n"})
    # As it comes in an archive: one version, and no history.
    shutil.copytree(template.root, tmp_path / "plain", ignore=shutil.ignore_patterns(".git"))
    shutil.rmtree(template.root)
    assert "→ 1.0.2" in project.update("--to", str(tmp_path / "plain"))
    assert project.text("docs/new.md") == "Newer.\n"


def test_a_squashed_update_is_followed_by_one_all_the_same(
    template: Template, project: Project
) -> None:
    project.git("switch", "--quiet", "--create", "update")
    project.update()
    project.commit()
    project.git("switch", "--quiet", "main")
    project.git("merge", "--quiet", "--squash", "update")
    project.commit()
    template.release("1.0.2", {"docs/new.md": "Newer.\n"})
    said = project.update()
    assert "conflict" not in said and project.text("docs/new.md") == "Newer.\n"
    changed = project.git("diff", "--cached", "--name-only").splitlines()
    assert set(changed) == {".template.json", "docs/new.md"}


def test_an_address_that_was_mended_after_an_update_is_no_conflict(
    template: Template, project: Project, tmp_path: Path
) -> None:
    project.update()
    project.commit()
    template.root.rename(tmp_path / "moved")
    text = project.text(".template.json").replace(str(template.root), str(tmp_path / "moved"))
    project.write({".template.json": text})
    project.commit("Mend the address")
    moved = Template(tmp_path / "moved", template.env)
    moved.release("1.0.2", {"docs/new.md": "Newer.\n"})
    assert "conflict" not in project.update()
    told = json.loads(project.text(".template.json"))
    assert told["template"] == str(moved.root) and told["version"] == "1.0.2"
    project.commit()
    moved.release("1.0.3", {"docs/new.md": "Newest.\n"})
    assert "conflict" not in project.update()


def test_what_is_left_out_of_this_clone_alone_is_part_of_a_bake(project: Project) -> None:
    (project.root / ".git" / "info").mkdir(exist_ok=True)
    project.write({".git/info/exclude": "*.md\nold.py\n__main__.py\n"})
    project.update()
    assert project.text("docs/new.md") == "New.\n"
    assert "The third" in project.text("README.md") and "Mine" in project.text("README.md")
    assert not (project.root / ENGINE / "old.py").exists()
    assert "docs/guide.md" in project.git("ls-tree", "-r", "--name-only", "MERGE_HEAD")


def test_a_recorded_address_is_asked_last_and_without_a_password(
    template: Template, project: Project, tmp_path: Path
) -> None:
    program, log = tmp_path / "bin" / "ssh", tmp_path / "log"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> "{log}"\nexit 1\n', "utf-8")
    program.chmod(0o755)
    told = {**json.loads(project.text(".template.json")), "template": "git@127.0.0.1:no/no.git"}
    project.write({".template.json": json.dumps(told)})
    project.commit()
    path = f"{program.parent}:{project.env['PATH']}"
    assert "→ 1.0.1" in project.update("--to", str(template.root), PATH=path)
    assert not log.exists()
    project.git("merge", "--abort")
    assert "cannot be had" in project.update(code=1, PATH=path)
    assert "-o BatchMode=yes" in log.read_text("utf-8")


HOOKS = ("reference-transaction", "post-index-change", "post-checkout", "post-merge", "pre-commit")


def test_no_hook_runs_and_a_name_stands_for_one_file(
    template: Template, project: Project, tmp_path: Path
) -> None:
    template.release("1.0.2", {"docs/mor[e].md": "Odd.\n"})
    project.update()
    project.commit()
    (project.root / "docs" / "mor[e].md").unlink()
    project.write({"docs/more.md": "Mine again.\n"})
    project.commit()
    template.release("1.0.3", {"docs/mor[e].md": "Odder.\n"})
    hooks = project.root / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in HOOKS:
        (hooks / name).write_text(f"#!/bin/sh\necho {name} >> '{tmp_path}/ran'\n", "utf-8")
        (hooks / name).chmod(0o755)
    said = project.update()
    assert "stays deleted, as you have deleted it: docs/mor[e].md" in said
    assert project.text("docs/more.md") == "Mine again.\n"
    assert not (tmp_path / "ran").exists()


def test_an_answer_that_was_spoilt_by_hand_is_told_in_a_sentence(project: Project) -> None:
    told = json.loads(project.text(".template.json"))
    for answers, code, words in (
        ({**told["answers"], "project_name": 'The "best"'}, 2, "project_name"),
        ({"task": "classification", "project_slug": "flight-delays"}, 2, "package_name"),
    ):
        project.write({".template.json": json.dumps({**told, "answers": answers})})
        project.commit()
        before = project.state()
        said = project.update(code=code)
        assert words in said and ".template.json" in said and project.state() == before


def test_an_empty_title_in_a_changelog_is_passed_over(project: Project) -> None:
    text = "## \n\n##  x\n\n## 1.0.1\n\n### What to do when you update\n\nRest.\n"
    code = f"from mlrails.update.changes import to_do; print(to_do({text!r}, '1', '1.0.1'))"
    assert project.python(code) == "1.0.1: Rest.\n"


@pytest.mark.parametrize("how", ["rebased", "rebased and merged"])
def test_a_rebased_update_is_no_bare_bake(template: Template, project: Project, how: str) -> None:
    project.update()
    project.commit()
    project.git("switch", "--quiet", "--create", "others", "HEAD^1")
    project.write({"others.txt": "Another's work.\n"})
    project.commit("Work of another")
    project.git("rebase", "--quiet", "--strategy-option", "ours", "others", "main")
    if how == "rebased and merged":
        project.git("switch", "--quiet", "others")
        project.git("merge", "--quiet", "--no-ff", "--no-edit", "main")
    assert "Bare bake of the template: version 1.0.1" in project.git("log", "--format=%s")
    template.release("1.0.2", {"docs/new.md": "Newer.\n"})
    project.update()
    assert project.text("src/flight_delays/own.py") == "OWN = 1\n"
    assert project.text("others.txt") == "Another's work.\n"
    assert "Mine, first" in project.text("README.md")
    assert project.text("docs/new.md") == "Newer.\n"


def test_a_revision_or_a_folder_can_be_named(
    template: Template, project: Project, tmp_path: Path
) -> None:
    assert "--to 'nowhere'" in project.update("--to", "nowhere", code=2)
    template.release("1.0.2", {"docs/new.md": "Newest.\n"})
    assert "→ 1.0.1" in project.update("--to", "1.0.1")
    assert project.text("docs/new.md") == "New.\n"
    project.git("merge", "--abort")
    # A template that somebody works on is taken as it stands, as a bake would.
    updates.write(template.root / "{{cookiecutter.project_slug}}", {"docs/new.md": "A draft.\n"})
    project.update("--to", str(template.root))
    assert project.text("docs/new.md") == "A draft.\n"
    assert json.loads(project.text(".template.json"))["revision"] is None
    project.commit()
    assert "up to date" in project.update("--to", str(template.root))


def test_going_back_is_refused(template: Template, project: Project) -> None:
    project.update()
    project.commit()
    said = project.update("--to", "1.0.0", code=2)
    assert "older than yours" in said and "m9001_learning_rate" in said


def test_going_back_within_the_same_migrations_is_refused(
    template: Template, project: Project, tmp_path: Path
) -> None:
    template.release("1.0.2", {"docs/new.md": "Newest.\n"})
    project.update()
    project.commit()
    before = project.state()
    shutil.copytree(template.root, tmp_path / "older")
    template.git("-C", str(tmp_path / "older"), "checkout", "--quiet", "v1.0.1")
    shutil.rmtree(tmp_path / "older" / ".git")  # A folder says no more than its version.
    for to in ("1.0.1", str(tmp_path / "older")):
        said = project.update("--to", to, code=2)
        assert "version 1.0.1 is older than yours; go back with `git revert -m 1`" in said
        assert project.state() == before


def test_a_git_address_works_and_works_offline_once_it_was_fetched(
    template: Template, tmp_path: Path
) -> None:
    template.git("checkout", "--quiet", "--detach")
    address = f"file://{tmp_path / 'bare.git'}"
    template.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    project = template.bake(tmp_path / "made", address)
    assert json.loads(project.text(".template.json"))["template"] == address
    template.release("1.0.1", NEWER)
    template.git("push", "--quiet", "--tags", address)
    assert "→ 1.0.1" in project.update()
    assert json.loads(project.text(".template.json"))["template"] == address
    project.git("merge", "--abort")
    (tmp_path / "bare.git").rename(tmp_path / "away.git")
    said = project.update()
    assert "does not answer" in said and "→ 1.0.1" in said


def test_a_template_that_is_gone_is_told_and_another_place_can_be_named(
    template: Template, project: Project, tmp_path: Path
) -> None:
    template.root.rename(tmp_path / "moved")
    before = project.state()
    said = project.update(code=1)
    assert str(template.root) in said and "--to PATH" in said and project.state() == before
    for address in (f"file://{tmp_path}/none.git", "git@127.0.0.1:none/none.git"):
        told = {**json.loads(project.text(".template.json")), "template": address}
        project.write({".template.json": json.dumps(told)})
        project.commit()
        said = project.update(code=1, GIT_SSH_COMMAND="false")
        assert address in said and "--to PATH" in said
    assert "→ 1.0.1" in project.update("--to", str(tmp_path / "moved"))


def test_an_old_version_that_is_nowhere_can_be_given_in_a_folder(
    template: Template, project: Project, tmp_path: Path
) -> None:
    plain = shutil.ignore_patterns(".git")
    shutil.copytree(template.root, tmp_path / "new", ignore=plain)
    template.git("checkout", "--quiet", "v1.0.0")
    shutil.copytree(template.root, tmp_path / "old", ignore=plain)
    shutil.rmtree(template.root)
    new = ("--to", str(tmp_path / "new"))
    said = project.update(*new, code=1)
    assert "version 1.0.0" in said and "--from PATH" in said
    assert "→ 1.0.1" in project.update(*new, "--from", str(tmp_path / "old"))
    assert project.text("docs/new.md") == "New.\n"


def test_answers_that_the_new_version_does_not_know_are_told(
    template: Template, project: Project
) -> None:
    path = template.root / "cookiecutter.json"
    asked = json.loads(path.read_text("utf-8"))
    asked["task"] = ["regression"]
    path.write_text(json.dumps(asked), "utf-8")
    template.release("1.0.2", {})
    before = project.state()
    said = project.update(code=2)
    assert "'classification'" in said and "only regression" in said and project.state() == before

    del asked["task"]
    asked["license"] = ["MIT", "Apache-2.0"]
    path.write_text(json.dumps(asked), "utf-8")
    template.release(
        "1.0.3",
        {
            "params.yaml": NEWER["params.yaml"]
            .replace("task: {{", "task: #{{")
            .replace("cookiecutter.task", "cookiecutter.license")
        },
    )
    said = project.update()
    assert "does not ask for task: 'classification' is left out" in said
    assert "asks for license: 'MIT' is taken" in said
    answers = json.loads(project.text(".template.json"))["answers"]
    assert answers["license"] == "MIT" and "task" not in answers


SPOILT = {
    "{": "not JSON",
    "[]": "an object with template",
    '{"template": "x", "version": "1", "answers": {"a": 1}}': "'answers' has to be",
    '{"template": 1, "version": "1", "answers": {}}': "'template' has to be a text",
    '{"template": "", "version": "1.0.0", "answers": {}}': "names no address",
}


@pytest.mark.parametrize("text", SPOILT)
def test_a_spoilt_origin_is_told_in_a_sentence(project: Project, text: str) -> None:
    project.write({".template.json": text})
    project.commit()
    before = project.state()
    assert SPOILT[text] in project.update(code=1 + (text != "")) and project.state() == before


def test_without_an_origin_it_says_how_to_make_one_and_that_is_enough(
    template: Template, project: Project
) -> None:
    (project.root / ".template.json").unlink()
    project.write({"pyproject.toml": '[project]\nname = "flight-delays"\n'})
    project.commit()
    said = project.update(code=2)
    assert ".template.json is not there" in said and "commit" in said
    told = json.loads(said[said.index("{") :])
    assert told["answers"]["package_name"] == "flight_delays"
    assert told["answers"]["project_name"] == "Flight Delays"
    assert told["answers"]["task"] == "classification"
    told |= {"template": str(template.root), "revision": template.git("rev-parse", "v1.0.0")}
    project.write({".template.json": json.dumps(told)})
    assert ".template.json: not committed" in project.update(code=2)
    project.commit()
    said = project.update()
    assert "→ 1.0.1" in said and "conflict" not in said
    assert set(json.loads(project.text(".template.json"))["answers"]) == set(updates.ASKED)


FLAT_SOURCE = "from .words import WORDS\n\n\ndef rows():\n    return [WORDS]\n\n\nLAST = 9\n"
NEWER_SOURCE = FLAT_SOURCE.replace("from .words", "from mlrails.words")


def flat_project(template: Template, folder: Path) -> Project:
    """Return a project of before versions, with edits; the template has two packages since."""
    package = "src/{{cookiecutter.package_name}}"
    words = {f"{package}/{name}.py": f"{name.upper()} = 1\n" * 9 for name in ("words", "more")}
    words |= {f"{package}/{name}.py": "" for name in ("digests", "console")}
    project = template.root / "{{cookiecutter.project_slug}}"
    shutil.copytree(project, folder / "newer")
    shutil.rmtree(project / ENGINE)
    (project / ".template.json").unlink()
    (template.root / "VERSION").unlink()
    updates.write(project, {f"{package}/source.py": FLAT_SOURCE, **words})
    template.git("add", "--all")
    template.git("commit", "--quiet", "--message", "As it was before versions")
    flat = template.git("rev-parse", "HEAD")
    made = template.bake(folder / "made")
    shutil.rmtree(project)
    (folder / "newer").rename(project)
    template.release("1.0.1", {f"{package}/source.py": NEWER_SOURCE})
    answers = {"package_name": "flight_delays", "task": "classification"}
    origin = {"template": str(template.root), "revision": flat, "answers": answers}
    made.write(
        {
            "src/flight_delays/source.py": FLAT_SOURCE.replace("9", "10"),
            "src/flight_delays/more.py": "MORE = 2\n" + "MORE = 1\n" * 8,
            "src/flight_delays/own.py": "from . import digests\nfrom .console import say\n",
            "params.yaml": EDITED["params.yaml"],
            ".template.json": json.dumps(origin),
        }
    )
    made.commit()
    return made


def test_a_flat_project_of_before_versions_gets_two_packages(
    template: Template, tmp_path: Path
) -> None:
    made = flat_project(template, tmp_path)
    before = made.state()
    said = made.update()
    assert "version 0" in said and "→ 1.0.1" in said
    assert made.text("src/flight_delays/source.py") == NEWER_SOURCE.replace("9", "10")
    assert "rate: 0.3" in made.text("params.yaml")
    assert not (made.root / "src/flight_delays/words.py").exists()
    own = "from mlrails.core import hashing as digests\nfrom mlrails.core.console import say\n"
    assert made.text("src/flight_delays/own.py") == own and "m0001_two_packages" in said
    # What the user has made of a module of the engine is theirs to sort out.
    assert "conflict: src/flight_delays/more.py" in said
    assert made.text("src/flight_delays/more.py").startswith("MORE = 2")
    assert (made.root / ENGINE / "MANIFEST").is_file()
    assert not made.git("diff", "--cached", "MERGE_HEAD", "--", ENGINE)
    made.git("merge", "--abort")
    assert made.state() == before


def test_a_package_that_was_renamed_is_followed(template: Template, project: Project) -> None:
    project.git("mv", "src/flight_delays", "src/trams")
    text = EDITED["noxfile.py"].replace("flight_delays", "trams")
    project.write({"noxfile.py": text, "src/trams/source.py": '"""My rows."""\n\n\nLAST = 9\n'})
    project.commit()
    package = "src/{{cookiecutter.package_name}}"
    template.release(
        "1.0.2",
        {
            f"{package}/source.py": FILES[f"{package}/source.py"].replace("9", "10"),
            f"{package}/fresh.py": "A = 1\n",
        },
    )
    said = project.update()
    assert "flight_delays is called trams here" in said and "conflict" not in said
    assert project.text("src/trams/source.py") == '"""My rows."""\n\n\nLAST = 10\n'
    assert project.text("src/trams/fresh.py") == "A = 1\n"
    assert not (project.root / "src" / "flight_delays").exists()
    assert json.loads(project.text(".template.json"))["answers"]["package_name"] == "trams"


def test_a_project_below_the_top_of_a_repository_is_updated_there(
    template: Template, tmp_path: Path
) -> None:
    house = Project(tmp_path / "house", template.env)
    house.write({"README.md": "The house.\n", "docs/more.md": "Of the house.\n"})
    house.git("init", "--quiet")
    project = template.bake(tmp_path / "house")
    assert not (project.root / ".git").exists()
    project.write(EDITED)
    project.commit()
    template.release("1.0.1", NEWER)
    before = house.state()
    assert "conflict" not in project.update()
    assert "learning_rate: 0.3" in project.text("params.yaml")
    assert project.text("docs/more.md") == "Much more.\n"
    assert house.text("docs/more.md") == "Of the house.\n"
    changed = house.git("diff", "--cached", "--name-only").splitlines()
    assert all(name.startswith("flight-delays/") for name in changed)
    house.git("merge", "--abort")
    assert house.state() == before


def test_a_project_without_commits_or_without_git_is_told(
    template: Template, tmp_path: Path
) -> None:
    project = template.bake(tmp_path / "made")
    shutil.rmtree(project.root / ".git")
    assert "not a git repository" in project.update(code=2)
    project.git("init", "--quiet")
    assert "nothing is committed yet" in project.update(code=2)


STEPS = ("commit-tree", "update-ref", "read-tree", "merge", "status", "rm", "for-each-ref")
"""git's commands from the journal on, in their order."""
KILLER = """#!/bin/sh
# Kill who calls git for the {nth}th time since the journal was written.
if [ -e "{root}/.git/mlrails/update.json" ]; then
    echo "$@" >> "{log}"
    if [ "$(wc -l < "{log}")" -eq {nth} ]; then
        {first}kill -9 $PPID; exit 9
    fi
fi
exec {git} "$@"
"""
MERGE = """
import sys; from pathlib import Path; from mlrails.update import merge, repository
project = repository.Repository.of(Path().absolute())
merge.recover(project); merge.must_be_free(project)
merge.merge(project, merge.Sides(*sys.argv[1:]))
"""


def sides(project: Project, lock: str | None = None) -> list[str]:
    """Write what an update would merge: a base, theirs, and ours with a migration."""
    locks = {"requirements.lock": lock} if lock else {}

    def tree(files: Mapping[str, str | None]) -> str:
        for name, text in files.items():
            if text is None:
                (project.root / name).unlink()
            else:
                project.write({name: text})
        project.git("add", "--all")
        return project.git("write-tree")

    head = project.git("rev-parse", "HEAD")
    ours = tree({"params.yaml": EDITED["params.yaml"].replace("rate", "learning_rate")})
    base = tree({**FILES_OF_A_PROJECT, **locks, "src/flight_delays/own.py": None})
    base = project.git("commit-tree", base, "-m", "Base")
    newer = {name: it for name, it in NEWER.items() if name not in {"params.yaml", "README.md"}}
    locks = {name: f"{text}theirs\n" for name, text in locks.items()}
    theirs = tree({**newer, **locks, f"{ENGINE}/old.py": None})
    theirs = project.git("commit-tree", theirs, "-p", base, "-m", "Theirs")
    project.git("reset", "--quiet", "--hard", head)
    return [head, base, theirs, ours, "An update"]


FILES_OF_A_PROJECT = {
    "noxfile.py": FILES["noxfile.py"],
    "params.yaml": FILES["params.yaml"].replace("rate", "learning_rate"),
    "docs/more.md": FILES["docs/more.md"],
}


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_a_kill_leaves_the_tree_as_it_was_or_a_merge_and_the_next_call_goes_on(
    project: Project, tmp_path: Path, late: bool
) -> None:
    words = ("-c", MERGE, *sides(project))
    before = project.state()
    assert not project.started(*words).returncode
    after = project.state()
    project.git("merge", "--abort")
    git, log, program = shutil.which("git"), tmp_path / "log", tmp_path / "bin" / "git"
    program.parent.mkdir()
    nth, code = 0, 1
    while code:
        nth += 1
        log.unlink(missing_ok=True)
        first = f'{git} "$@"; ' if late else ""
        text = KILLER.format(nth=nth, root=project.root, log=log, git=git, first=first)
        program.write_text(text, "utf-8")
        program.chmod(0o755)
        code = project.started(*words, PATH=f"{program.parent}:{project.env['PATH']}").returncode
        again = project.started(*words) if code else None
        if again and again.returncode:  # An ordinary merge, which can be taken back.
            assert "a merge is in progress" in again.stderr
        else:
            assert project.state() == after, nth
        project.git("merge", "--abort")
        assert project.state() == before, nth
    calls = log.read_text("utf-8")
    assert nth > 9 and all(f" {step} " in calls for step in STEPS), calls


def test_a_merge_whose_caller_was_killed_is_settled_by_the_next_call(project: Project) -> None:
    """git has come to its end, and nobody has said yet what stays deleted and what is a lock."""
    project.write({"requirements.lock": "of before\nours\n"})
    project.commit()
    words = sides(project, lock="of before\n")
    killed = MERGE.replace("merge.recover", "merge._settle = lambda _: os._exit(9); merge.recover")
    assert project.started("-c", f"import os{killed}", *words).returncode == 9
    marked = project.text("requirements.lock")
    assert "<<<<<<<" in marked and (project.root / "docs" / "more.md").exists()
    assert "a merge is in progress" in project.update(code=2)
    assert project.text("requirements.lock") == "of before\ntheirs\n"
    assert not (project.root / "docs" / "more.md").exists()


def test_what_was_written_after_a_kill_is_kept(project: Project) -> None:
    head = project.git("rev-parse", "HEAD")
    (project.root / ".git" / "mlrails").mkdir()
    journal = {"head": head, "theirs": head, "made": ["docs/new.md"]}
    project.write(
        {
            ".git/mlrails/update.json": json.dumps(journal),
            "README.md": "Written since.\n",
            "docs/new.md": "Half of it",
        }
    )
    said = project.update()
    assert "killed halfway" in said and "`git checkout refs/mlrails/killed -- .`" in said
    assert project.git("show", "refs/mlrails/killed:README.md") == "Written since."
    assert project.git("show", "refs/mlrails/killed:docs/new.md") == "Half of it"
    assert "Mine, first" in project.text("README.md") and project.text("docs/new.md") == "New.\n"
