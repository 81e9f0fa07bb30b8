"""A project as a user has it on the first day, laid out without a bake: the engine's tests use it.

It is the shipped project, with answers in the place of its marks; its engine is a copy of the
one that is tested, for whatever a test starts as a process of its own.
"""

import shutil
from pathlib import Path

from jinja2 import Environment, StrictUndefined

SHIPPED = Path(__file__).parents[2] / "{{cookiecutter.project_slug}}"
PACKAGE = "flight_delays"
ANSWERS = {
    "author_name": "The authors",
    "description": "Predict how late a flight arrives, from what is known before it departs.",
    "dvc_remote": "",
    "package_name": PACKAGE,
    "project_name": "Flight Delays",
    "project_slug": "flight-delays",
    "python_version": "3.11",
    "task": "classification",
}
_JINJA = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701 - no page is made
_LEFT_OUT = {"overlays", "mlrails", "tests", ".template.json"}
_OVERLAYS = ("framework/scikit-learn", "forge/github")


def lay(root: Path) -> Path:
    """Lay the sample project into a folder; return the folder."""
    _copy(SHIPPED, root)
    for overlay in _OVERLAYS:
        _copy(SHIPPED / "overlays" / overlay, root)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(SHIPPED / "src" / "mlrails", root / "src" / "mlrails", ignore=ignored)
    return root


def _copy(source: Path, root: Path) -> None:
    for path in sorted(source.rglob("*")):
        place = path.relative_to(source)
        if path.is_dir() or _LEFT_OUT & {*place.parts} or "__pycache__" in place.parts:
            continue
        target = root / _answered(place.as_posix())
        target.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_bytes()
        if ".github" not in place.parts:
            text = _answered(text.decode()).encode()
        if target.suffix == ".append":
            target = target.with_suffix("")
            text = target.read_bytes() + text
        target.write_bytes(text)


def _answered(text: str) -> str:
    return _JINJA.from_string(text).render(cookiecutter=ANSWERS)
