"""Bake a version of the template with a project's answers, as cookiecutter would on day one."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ..core.console import say
from ..core.errors import UsageError, WorldError
from .origin import FILE, Origin, parse
from .template import Checkout

_REFUSED = " will not do: "
"""What the template says of an answer that it does not take."""


def bake(checkout: Checkout, answers: Mapping[str, str], into: Path) -> Path:
    """Bake into a folder without asking; return the project's folder.

    Raises UsageError for an answer that the version does not take, WorldError where it cannot be
    baked.
    """
    into.mkdir()
    own = into / "config.yaml"
    # Neither answers of the user's configuration nor a replay of this bake in their home.
    places = {name: str(into / name) for name in ("cookiecutters_dir", "replay_dir")}
    own.write_text(json.dumps(places), "utf-8")
    words = [f"{name}={answer}" for name, answer in answers.items()]
    command = [sys.executable, "-m", "cookiecutter", str(checkout.folder), "--no-input"]
    command += ["--config-file", str(own), "--output-dir", str(into / "made"), *words]
    # A cache in the template's folder would be taken for a file of the project.
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
    # In a folder of its own, whose modules would be found before the template's extensions.
    done = subprocess.run(
        command, capture_output=True, check=False, cwd=into, text=True, errors="replace", env=env
    )
    said = done.stdout + done.stderr
    if done.returncode:
        if _REFUSED in said:
            raise UsageError(f"{FILE}: {_why(checkout, said)}")
        raise WorldError(_why(checkout, said))
    return next(path for path in (into / "made").iterdir() if path.is_dir())


def _why(checkout: Checkout, said: str) -> str:
    if "No module named" in said and "cookiecutter" in said:
        return "cookiecutter is not installed; `nox -s update` brings it along"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = lines[-1] if lines else "it says nothing"
    return f"version {checkout.version} of the template does not bake with your answers: {last}"


def fitting(checkout: Checkout, origin: Origin) -> dict[str, str]:
    """Return the answers that a version asks for, and say which ones it does not.

    Raises UsageError for an answer that it no longer offers.
    """
    questions, version = checkout.questions, checkout.version
    for name in sorted(set(origin.answers) - set(questions)):
        say(f"version {version} does not ask for {name}: {origin.answers[name]!r} is left out")
    kept = {name: it for name, it in origin.answers.items() if name in questions}
    for name, answer in kept.items():
        choices = questions[name]
        if isinstance(choices, list) and answer not in choices:
            raise UsageError(
                f"{FILE}: version {version} of the template has no {name} {answer!r}, only "
                f"{', '.join(choices)}; stay with your version, or change that answer, commit it, "
                "and update again"
            )
    return kept


def sign(project: Path, checkout: Checkout, old: Origin, address: str) -> Origin:
    """Write into a bake where it came from, which it cannot know by itself; return that."""
    path = project / FILE
    answers = parse(path.read_text("utf-8")).answers if path.is_file() else old.answers
    for name in sorted(set(answers) - set(old.answers)):
        say(f"version {checkout.version} asks for {name}: {answers[name]!r} is taken")
    made = Origin(address, checkout.version, checkout.revision, answers, old.engine)
    path.write_bytes(made.text().encode("utf-8"))
    return made
