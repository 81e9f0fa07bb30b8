"""What a bake writes: the exact files, with nothing of the template left in them."""

import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest
import yaml
from baking import CHOICES, PROOF, ROOT, SOURCE, bake, combinations

# Frameworks, tasks and forges meet each other; a Python and a license are words in a few files.
ALL = [
    combination
    for combination in combinations(*CHOICES)
    if all(combination[name] == CHOICES[name][0] for name in ("python_version", "license"))
    or sum(combination[name] != CHOICES[name][0] for name in CHOICES) == 1
]
NAMES_LEFT = re.compile(r"cookiecutter\.(?!json)|flight_delays")
LEFT = re.compile(rf"(?<!\$)\{{\{{|\{{%|\{{#|{NAMES_LEFT.pattern}")
ENGINE, FILLED_IN = "src/mlrails", (".jinja", ".html", ".css")
"""What the engine itself fills in has curly brackets; no mark of ours for all that."""
DECISION = re.compile(r"\bdecisions? (\d{1,4})\b|docs/decisions/(\d{4})")
DOCUMENT = re.compile(r"\bdocs/[\w/-]+\.md")
NAMED = {"project_name": "Grid Load", "description": "Tell tomorrow's load."}


def ident(combination: Mapping[str, str]) -> str:
    return "-".join(combination.values())


def expected_files(combination: Mapping[str, str], package: str) -> set[str]:
    """Derive the list from the template: its files, and those of the chosen overlays."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=SOURCE, capture_output=True, text=True, check=True).stdout
    files = set()
    # As git has them: what a tool has left in the folder would be baked, and must be seen.
    for name in (name for name in names.split("\0") if (SOURCE / name).is_file()):
        place = PurePosixPath(name)
        if place.parts[0] == "overlays":
            _, question, choice, *_ = place.parts
            if combination[question] != choice:
                continue
            place = place.relative_to(f"overlays/{question}/{choice}")
        renamed = str(place).replace("{{cookiecutter.package_name}}", package)
        files.add(renamed.removesuffix(".append"))
    return files


def known(files: set[str]) -> set[str]:
    """Return what words can point to: documents, and decisions by their numbers."""
    records = (PurePosixPath(name) for name in files if name.startswith("docs/decisions/"))
    return {*files, *(record.name.partition("-")[0] for record in records)}


def cited(text: str) -> set[str]:
    """Return what a text points its reader to."""
    numbers = (first or second for first, second in DECISION.findall(text))
    return {*DOCUMENT.findall(text), *(number.zfill(4) for number in numbers)}


def test_what_is_cited_and_not_there_would_be_found() -> None:
    there = known({"docs/serving.md", "docs/decisions/0001-example.md"})
    assert cited("docs/serving.md, decision 1, docs/decisions/0001-example.md") <= there
    for text in ("(decision 0006)", "docs/decisions/0012-x.md", "docs/none.md"):
        assert not cited(text) <= there


@pytest.mark.parametrize("combination", ALL, ids=ident)
def test_a_bake_has_exactly_its_files_and_no_mark_of_the_template(
    combination: dict[str, str], tmp_path: Path, user: Mapping[str, str]
) -> None:
    project = bake(tmp_path / "out", user, **NAMED, **combination)
    files = {
        path.relative_to(project).as_posix()
        for path in project.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(project).parts
    }
    assert files == expected_files(combination, "grid_load")
    for name in files:
        assert not LEFT.search(name), name
        text = (project / name).read_text("utf-8")
        filled_in = name.startswith(ENGINE) and name.endswith(FILLED_IN)
        assert not (NAMES_LEFT if filled_in else LEFT).search(text), name
        if not name.startswith("tests/"):
            assert cited(text) <= known(files), name
    assert engine_of(project) == engine_of(SOURCE)
    assert manifest_of(project) == engine_of(SOURCE)


def engine_of(root: Path) -> dict[str, str]:
    """Return the digest of each file of an engine, the list of them aside."""
    folder = root / ENGINE
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    files = {name: files[name] for name in files if files[name].is_file()}
    wanted = {name for name in files if name != "MANIFEST" and "__pycache__" not in name}
    return {name: hashlib.sha256(files[name].read_bytes()).hexdigest() for name in wanted}


def manifest_of(project: Path) -> dict[str, str]:
    """Return what the list beside an engine says of it."""
    lines = (project / ENGINE / "MANIFEST").read_text("utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


@pytest.mark.slow
def test_the_engine_is_the_same_bytes_whatever_is_answered(
    tmp_path: Path, user: Mapping[str, str]
) -> None:
    of_source, manifests = engine_of(SOURCE), set()
    every = [*combinations(*CHOICES)] if PROOF else ALL
    for number, combination in enumerate(every):
        more = NAMED if number % 2 else {"author_name": "Åsa O'Neill", "dvc_remote": "s3://b/c"}
        project = bake(tmp_path / "out", user, **more, **combination)
        assert engine_of(project) == of_source, combination
        manifests.add((project / ENGINE / "MANIFEST").read_bytes())
        shutil.rmtree(project)
    assert len(manifests) == 1 and number > 15


def test_an_edited_engine_is_seen_in_its_list(tmp_path: Path, user: Mapping[str, str]) -> None:
    project = bake(tmp_path, user)
    with (project / ENGINE / "core" / "git.py").open("a") as file:
        file.write("# Mine.\n")
    differ = set(engine_of(project).items()) ^ set(manifest_of(project).items())
    assert {name for name, _ in differ} == {"core/git.py"}


CONTRACT = """README.md MLproject python_env.yaml pyproject.toml params.yaml dvc.yaml noxfile.py
    requirements.lock requirements-dev.lock .dvc/config .pre-commit-config.yaml LICENSE .gitignore
    .gitattributes .github/workflows/checks.yaml .template.json AGENTS.md
    src/flight_delays/__main__.py src/flight_delays/estimator.py src/flight_delays/features.py
    src/flight_delays/model.py src/flight_delays/schema.py src/flight_delays/source.py
    src/flight_delays/steps/train.py src/mlrails/__init__.py src/mlrails/MANIFEST
    docs/decisions/0001-example.md"""


def test_the_default_bake_keeps_the_contract(tmp_path: Path, user: Mapping[str, str]) -> None:
    project = bake(tmp_path, user)
    assert project.name == "flight-delays"
    missing = [name for name in CONTRACT.split() if not (project / name).is_file()]
    assert not missing


def test_two_bakes_of_the_same_answers_are_the_same(
    tmp_path: Path, user: Mapping[str, str]
) -> None:
    first, second = (bake(tmp_path / name, user) for name in ("a", "b"))
    differ = subprocess.run(
        ["diff", "-r", "--exclude=.git", str(first), str(second)], capture_output=True, text=True
    )
    assert differ.returncode == 0, differ.stdout


def test_answers_reach_the_files_that_ask_for_them(tmp_path: Path, user: Mapping[str, str]) -> None:
    project = bake(
        tmp_path,
        user,
        project_name="Zürich Trams",
        project_slug="zurich-trams",
        description="Wie spät? Don't ask & don't tell: 50 % #1",
        author_name="Åsa O'Neill",
        task="regression",
        python_version="3.13",
        license="BSD-3-Clause",
        dvc_remote="s3://bucket/path",
    )
    about = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    assert about["name"] == "zurich-trams"
    assert about["description"] == "Wie spät? Don't ask & don't tell: 50 % #1"
    assert about["authors"] == [{"name": "Åsa O'Neill"}]
    assert about["requires-python"] == ">=3.13"
    assert yaml.safe_load((project / "params.yaml").read_text("utf-8"))["task"] == "regression"
    assert yaml.safe_load((project / "python_env.yaml").read_text("utf-8"))["python"] == "3.13"
    assert "Åsa O'Neill" in (project / "LICENSE").read_text("utf-8")
    assert "BSD 3-Clause" in (project / "LICENSE").read_text("utf-8")
    assert "url = s3://bucket/path" in (project / ".dvc" / "config").read_text("utf-8")
    assert "Zürich Trams" in (project / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("answer", "url"),
    [("/mnt/dvc", "/mnt/dvc"), ("../store", "../../store"), ("store", "../store")],
)
def test_a_relative_remote_is_relative_to_the_project(
    answer: str, url: str, tmp_path: Path, user: Mapping[str, str]
) -> None:
    # DVC reads it relative to .dvc/, where the file is.
    project = bake(tmp_path, user, dvc_remote=answer)
    assert f"    url = {url}\n" in (project / ".dvc" / "config").read_text("utf-8")


KEPT = {
    "data/mine.txt": b"as it\r\ncame\r\n",
    "mine.csv": b"a,b\r\n1,2\r\n",
    "docs/mine.png": b"\x89PNG\r\n\x1a\nno more\r\n",
}
"""Files of a user's, of which no byte may change."""


@pytest.mark.parametrize("whose", ["template", "project"])
def test_a_checkout_on_windows_has_the_same_bytes(
    whose: str, tmp_path: Path, user: Mapping[str, str]
) -> None:
    here = bake(tmp_path / "bake", user) if whose == "project" else copied(tmp_path / "template")
    for name, content in KEPT.items() if whose == "project" else ():
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_bytes(content)
    there = tmp_path / "there"
    for words in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["commit", "--quiet", "--message", "As it stands"],
        ["clone", "--quiet", "--config", "core.autocrlf=true", str(here), str(there)],
    ):
        subprocess.run(["git", *words], cwd=here, env=dict(user), check=True)
    words = ["diff", "-r", "--exclude=.git", str(here), str(there)]
    differ = subprocess.run(words, capture_output=True, text=True)
    assert differ.returncode == 0, differ.stdout
    assert b"\r" not in (there / "noxfile.py").read_bytes()


def copied(to: Path) -> Path:
    """Copy the template as git has it."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in (name for name in names.split("\0") if (ROOT / name).is_file()):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        (to / name).write_bytes((ROOT / name).read_bytes())
    return to


@pytest.mark.parametrize("slug", ["on", "null"])
def test_a_name_that_yaml_reads_as_another_type_stays_a_name(
    tmp_path: Path, user: Mapping[str, str], slug: str
) -> None:
    project = bake(tmp_path, user, project_slug=slug)
    assert yaml.safe_load((project / "MLproject").read_text("utf-8"))["name"] == slug


@pytest.mark.parametrize("slug", ["a", "z", "a" * 50])
def test_names_of_any_length_before_and_after_the_engine_s_are_formatted_as_well(
    slug: str, tmp_path: Path, user: Mapping[str, str]
) -> None:
    project = bake(tmp_path, user, project_slug=slug)
    for words in (["check"], ["format", "--check", "--diff"]):
        ruff = [sys.executable, "-m", "ruff", *words, "--no-cache"]
        done = subprocess.run(ruff, cwd=project, env=dict(user), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_bake_inside_a_repository_starts_no_second_one(
    tmp_path: Path, user: Mapping[str, str]
) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    assert not (bake(tmp_path, user) / ".git").exists()


def test_the_locks_name_no_host_and_have_a_hash_for_each_release() -> None:
    for lock in [*ROOT.glob("*.lock"), *SOURCE.rglob("*.lock")]:
        text = lock.read_text("utf-8")
        assert "://" not in text, lock
        releases = text.split("\n    --hash")[0].count("==") and re.findall(r"(?m)^\S+==.*$", text)
        assert releases and all(release.endswith("\\") for release in releases), lock
