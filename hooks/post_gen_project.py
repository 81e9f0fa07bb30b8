"""Merge the overlays of the answers, name the package in the tests, start git, say what is next."""

import shutil
import subprocess
from pathlib import Path

ANSWERS = "task/{{ cookiecutter.task }} framework/{{ cookiecutter.framework }}"
ANSWERS += " forge/{{ cookiecutter.forge }} license/{{ cookiecutter.license }}"


def add(source: str, target: str) -> None:
    """Copy a file of an overlay to its place; what `x.append` holds goes to the end of `x`."""
    place, extra = Path(target), Path(source).read_bytes()
    if place.suffix == ".append":
        place, extra = place.with_suffix(""), place.with_suffix("").read_bytes() + extra
    elif place.exists() and place.read_bytes() != extra:
        raise FileExistsError(f"{target} is there already")
    place.write_bytes(extra)


if __name__ == "__main__":
    for byte_code in [*Path().rglob("__pycache__")]:  # of a template that is worked on
        shutil.rmtree(byte_code)
    for f in (*Path("tests").glob("*.py"), *Path("overlays").glob("*/*/tests/*.py")):
        f.write_bytes(f.read_bytes().replace(b"flight_delays", b"{{ cookiecutter.package_name }}"))
    for overlay in filter(Path.is_dir, (Path("overlays", answer) for answer in ANSWERS.split())):
        shutil.copytree(overlay, ".", dirs_exist_ok=True, copy_function=add)
    shutil.rmtree("overlays", ignore_errors=True)
    asked = shutil.which("git") and subprocess.run(["git", "rev-parse"], capture_output=True)
    if asked and asked.returncode and b"safe.directory" not in asked.stderr:  # else another user's
        subprocess.run(["git", "init", "--quiet", "-b", "main"], capture_output=True)
    print("  cd {{ cookiecutter.project_slug }}\n  uvx nox -s train")
