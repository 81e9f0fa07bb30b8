"""Bad answers: each is refused in one line that names the question and what would do.

Run alone: `python -m pytest tests/test_answers.py`
"""

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[1]
QUESTIONS = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
PUBLIC = [name for name in QUESTIONS if not name.startswith("_")]

spec = importlib.util.spec_from_file_location("local_extensions", ROOT / "local_extensions.py")
answers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(answers)

# fmt: off
MENDED = {
    "project_name": {
        "Flight Delays ": "Flight Delays", "Flight\nDelays": "Flight Delays",
        'The "best"': "The best", "O'Hare": "OHare", "Back\\slash": "Backslash",
        "Fly \U0001f680": "Fly", "bell\x07": "bell", "back\u202ewards": "backwards",
        "{{ 1+1 }}": "1+1", "x" * 200: "x" * 80},
    "project_slug": {
        "Flight Delays": "flight-delays", "z\xfcrich": "zurich", "../x": "x", "/etc": "etc",
        "a--b-": "a-b", "2024-forecast": "forecast", "x" * 51: "x" * 50, "slug\n": "slug",
        "con": "con-project", "lpt9": "lpt9-project", "mlflow": "mlflow-project",
        "Scikit Learn": "scikit-learn-project"},
    "package_name": {
        "flight-delays": "flight_delays", "_private": "private", "class": "class_project",
        "match": "match_project", "list": "list_project", "json": "json_project",
        "sklearn": "sklearn_project", "tests": "tests_project", "mlflow": "mlflow_project"},
    "description": {"two\nlines": "two lines", "{% raw %}": "% raw %", "x" * 201: "x" * 200},
    "author_name": {"Jane <jane@example.org>": "Jane jane@example.org"},
    "python_version": {3.11: "3.11"},
    "dvc_remote": {
        "s3://key:word@bucket/path": "s3://bucket/path", "https://word@host/x": "https://host/x",
        "https://host/x?sig=word": "https://host/x", "ssh://me:word@host/x": "ssh://host/x",
        "C:\\data": "C:/data", "/mnt/dvc\n": "/mnt/dvc"},
}
REFUSED = {
    "project_name": ["", "   ", "\n"], "project_slug": ["", "-", "42", "\u2603"],
    "package_name": [""], "description": [""], "author_name": ["", "\udc80"],
    "task": ["", "other", ["classification"]],
    "forge": ["github, none"], "license": [None, "GPL"],
    "dvc_remote": [
        "s3://key:word", "me:word@host:/path", "s3:/bucket", "ftp://host/x", "s3://", "/my data",
        "s3://${BUCKET}/x", "/mnt/dvc\n[core]", "//host/x#y"],
    "_copy_without_render": [[], ["*"], "*"], "_extensions": [["other.Extension"]],
    "_jinja2_env_vars": [{"block_start_string": "<"}], "__slug": ["x"], "framwork": ["x"],
}
TAKEN = {
    "project_name": ["Flight Delays", "Z\xfcrich \u2013 2. Quartal", "R&D: A/B", "\u822a\u73ed"],
    "project_slug": ["flight-delays", "x", "a1-2b", "x" * 50],
    "package_name": ["flight_delays", "x", "a1_2b"],
    "description": ["It's 20 \xb0C, or so.", "Ships 10% more; #1.", "Two.  Spaces."],
    "author_name": ["The authors", "Ren\xe9e O'Brien", "Acme, Inc."],
    "dvc_remote": [
        "", "/mnt/dvc", "../store", "~/dvc", "C:/dvc", "//server/share/x", "s3://bucket/a/b", "gs://b",
        "azure://container/x", "ssh://me@host:22/x", "https://host:8443/x", "webdavs://host/dav"],
    "_copy_without_render": [QUESTIONS["_copy_without_render"][::-1]], "_commit": ["0f0f0f"],
}
# fmt: on


def each(table):
    """All (question, answer) pairs of `table`."""
    return [(question, answer) for question, found in table.items() for answer in found]


@pytest.mark.parametrize(("question", "answer"), each(MENDED) + each(REFUSED))
def test_a_bad_answer_gets_one_line_that_names_the_question_and_a_remedy(question, answer):
    line = answers.complaint(question, answer)
    good = MENDED.get(question, {}).get(answer) if answer.__hash__ else None
    assert line.isprintable() and len(line) < 400 and question in line and line.endswith(".")
    assert f"; try {good!r}." in line if good else "try" not in line


@pytest.mark.parametrize(("question", "answer"), each(TAKEN))
def test_a_good_answer_is_taken(question, answer):
    assert answers.complaint(question, answer) is None


@pytest.mark.parametrize("answer", [*MENDED["dvc_remote"], *REFUSED["dvc_remote"]])
def test_a_password_in_a_remote_is_never_shown(answer):
    assert "word" not in answers.complaint("dvc_remote", answer).split("will not do")[0]


@pytest.mark.parametrize("name", PUBLIC)
def test_each_question_has_a_rule_a_prompt_and_a_default_that_is_taken(name):
    prompt, value = QUESTIONS["__prompts__"][name], QUESTIONS[name]
    assert answers.RULES[name] and prompt
    if isinstance(value, list):
        assert all(answers.complaint(name, choice) is None for choice in value)
        assert isinstance(prompt, str) or {"__prompt__", *value} == set(prompt)


@settings(database=None, deadline=None)
@given(st.text(max_size=90), st.text(max_size=210), st.text(max_size=90))
@example("Z\xfcrich: #1 & 'co'", "no: - [x], *y* | %z # $1", "Acme, Inc.\u0301")
def test_accepted_words_come_back_whole_from_toml_yaml_and_python(title, description, author):
    words = {"project_name": title, "description": description, "author_name": author}
    words = {name: answers.RULES[name][0].mend(text) for name, text in words.items()}
    words = {name: text for name, text in words.items() if text}
    assert all(answers.complaint(name, text) is None for name, text in words.items())
    assert tomllib.loads("".join(f'{name} = "{text}"\n' for name, text in words.items())) == words
    assert (
        yaml.safe_load("{" + ",".join(f'{name}: "{words[name]}"' for name in words) + "}") == words
    )
    assert all(ast.literal_eval(f'"{text}"') == text for text in words.values())


@pytest.fixture
def template(tmp_path):
    """A template of the real questions, checks and hooks, whose project is one file."""
    project = tmp_path / "template" / "{{cookiecutter.project_slug}}"
    shutil.copytree(ROOT / "hooks", project.parent / "hooks")
    for part in ("cookiecutter.json", "local_extensions.py"):
        shutil.copy(ROOT / part, project.parent)
    project.mkdir()
    (project / "about.json").write_text("{{ cookiecutter | jsonify }}")
    return project.parent


def python(template, *arguments, **more):
    """The finished Python on `arguments`, next to `template` and with a home of its own."""
    env = {**os.environ, "HOME": "home", "USERPROFILE": "home", "PYTHONIOENCODING": "utf-8"}
    run = {"cwd": template.parent, "env": env, "capture_output": True, "encoding": "utf-8", **more}
    return subprocess.run([sys.executable, *arguments], check=False, **run)


def bake(template, *arguments, **more):
    """The finished `cookiecutter template -o out` with `arguments`."""
    return python(template, "-m", "cookiecutter", "template", "-o", "out", *arguments, **more)


def assert_refused(template, done, question, asked=""):
    before, _, line = done.stdout.rpartition(f"{question}=")
    assert done.returncode == 1 and done.stderr == "" and not (template.parent / "out").exists()
    assert line.count("\n") == 1 and " will not do: " in line and asked in before
    assert asked or before == ""


def change(path, old, new):
    """Replace `old`, which `path` must hold, by `new`."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    "answer",
    [
        *("project_name=", "project_name={{ 1+1 }}", "project_name={{", "project_name=a\nb"),
        *("project_slug=Flight Delays", "project_slug=../x", "package_name=class"),
        *("description=\U0001f680", "author_name=x ", "dvc_remote=s3://key:word@bucket"),
    ],
)
def test_the_command_refuses_in_one_line_and_writes_nothing(template, answer):
    assert_refused(template, bake(template, "--no-input", answer), answer.partition("=")[0])
    assert not (template.parent / "home").exists()


def test_a_wrong_choice_is_refused_by_cookiecutter_itself(template):
    """In a traceback, before any line of the template's runs; nobody but cookiecutter can help."""
    done = bake(template, "--no-input", "task=other")
    assert done.returncode == 1 and "the choices are ['classification'" in done.stderr
    assert not (template.parent / "out").exists()


def test_a_prompt_refuses_before_the_next_one(template):
    done = bake(template, input="Flight Delays\nBad Slug\n\n\n")
    assert_refused(template, done, "project_slug", asked="[2/11]")
    assert "[3/11]" not in done.stdout


def test_the_last_question_is_checked_too(template):
    questions = {name: value for name, value in QUESTIONS.items() if name != "license"}
    (template / "cookiecutter.json").write_text(json.dumps(questions))
    change(template / "hooks" / "post_gen_project.py", "{{ cookiecutter.license }}", "")
    assert_refused(template, bake(template, "--no-input", "dvc_remote=s3:bucket"), "dvc_remote")


@pytest.mark.parametrize(("question", "answer"), [("task", "other"), ("project_slug", "../x")])
def test_a_replay_is_checked_too(template, question, answer):
    saved = template.parent / "home" / ".cookiecutter_replay" / "template.json"
    made = bake(template, "--no-input")
    assert made.returncode == 0, made.stderr
    shutil.rmtree(template.parent / "out")
    replay = json.loads(saved.read_text(encoding="utf-8"))
    replay["cookiecutter"][question] = answer
    saved.write_text(json.dumps(replay), encoding="utf-8")
    assert_refused(template, bake(template, "--replay"), question)


TWICE = """
import sys
from cookiecutter.main import cookiecutter
for template, task in (("template", "regression"), ("newer", "ranking")):
    cookiecutter(template, no_input=True, extra_context={"task": task}, output_dir=template + "-o")
"""


@pytest.mark.parametrize("guard", [True, False])
def test_each_of_two_versions_in_one_process_has_its_own_rules(template, guard):
    if not guard:
        change(template / "local_extensions.py", "sys.modules.pop(__name__, None)", "pass")
    shutil.copytree(template, template.with_name("newer"))
    change(template.with_name("newer") / "cookiecutter.json", '"regression"]', '"ranking"]')
    done = python(template, "-c", TWICE)
    assert (done.returncode == 0) is guard, done.stderr
    assert template.with_name("newer-o").exists() is guard


@pytest.mark.parametrize(
    ("guard", "gap", "question", "answer", "harm"),
    [
        ("context_class = CheckedContext", "context_class", "project_slug", "Bad Slug", "Bad Slug"),
        ("return source if own else", "return source or", "description", "{{ 1+1 }}", "2"),
    ],
)
def test_without_its_guard_the_harm_is_done(template, guard, gap, question, answer, harm):
    change(template / "local_extensions.py", guard, gap)
    assert bake(template, "--no-input", f"{question}={answer}").returncode == 0
    about = next(template.parent.glob("out/*/about.json")).read_text(encoding="utf-8")
    assert json.loads(about)[question] == harm
