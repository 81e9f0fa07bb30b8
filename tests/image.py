"""An image without a container engine: the steps of its Dockerfile, done in a folder."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

from baking import Project
from serving import free_port, started


def megabytes_of_image(project: Project, folder: Path, **more: str) -> float:
    """Make what an image would hold, see it serve the model's own example, and return its size."""
    context, opt = project.root / "build" / "image", folder / "opt"
    opt.mkdir()
    _follow(context, opt, {**project.env, **more})
    python = opt / "venv" / "bin" / "python"
    names = {it.name.partition("-")[0].lower() for it in opt.glob("venv/lib/*/site-packages/*")}
    assert not names & {"pip", "mlflow", "dvc", "pyarrow", project.package}
    assert not [it for it in opt.glob("venv/lib/*/site-packages/*/**/tests") if it.is_dir()]
    port, log = free_port(), folder / "log"
    path = f"{python.parent}:/usr/bin:/bin"
    words = [python, "-m", "mlrails.serving", "serve", "127.0.0.1", str(port)]
    before = {it: it.stat().st_mtime_ns for it in opt.rglob("*")}
    image = {"PATH": path, "PYTHONPATH": str(opt / "app"), "PYTHONDONTWRITEBYTECODE": "1"}
    image |= {"OMP_NUM_THREADS": "1"}
    bare = Project(folder, image, project.tools)
    with started(bare, [*map(str, words)], port, log, **image):
        health = [python, "-m", "mlrails.serving", "health", str(port)]
        assert subprocess.run(health, env=image).returncode == 0
        example = (context / "model" / "serving_input_example.json").read_bytes()
        address = f"http://127.0.0.1:{port}/invocations"
        request = urllib.request.Request(address, example)
        request.headers |= {"Content-type": "application/json"}
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            assert len(json.loads(answer.read())["predictions"]) == 2
    assert {it: it.stat().st_mtime_ns for it in opt.rglob("*")} == before
    return sum(it.stat().st_size for it in opt.rglob("*") if it.is_file()) / 2**20


def _follow(context: Path, opt: Path, env: dict[str, str]) -> None:
    """Do what the Dockerfile says, with a folder in the place of /opt; nothing is left out."""
    text = (context / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    stage, arguments = 0, {}
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stage += 1
        elif word == "ARG" and "=" in rest:
            arguments.update([rest.replace('"', "").split("=", 1)])
        elif word == "COPY" and not rest.startswith("--from=build"):
            *sources, target = rest.split()
            for source in (it for name in sources for it in context.glob(name)):
                place = Path(target.replace("/opt", str(opt)))
                if source.is_dir():
                    shutil.copytree(source, place)
                else:
                    shutil.copy(source, place)
        elif word == "COPY":
            assert re.fullmatch(r"--from=build (/opt/\S+) \1", rest)
        elif word == "RUN" and stage == 1:
            command = re.sub(r"--mount=\S+", "", rest).replace("/opt/", f"{opt}/")
            base = Path(sys.base_prefix) / "bin"
            variables = {**arguments, **env, "PATH": f"{base}:{os.environ['PATH']}"}
            variables.pop("VIRTUAL_ENV", None)
            _run("sh", "-c", command, env=variables)
        elif word == "RUN" and rest.startswith("["):
            name, *words = json.loads(rest)
            path = {"PYTHONPATH": str(opt / "app"), "PYTHONDONTWRITEBYTECODE": "1"}
            _run(str(opt / "venv" / "bin" / name), *words, env=path)
        elif word == "RUN":
            # The base image's pip goes, and the machine that tests keeps its own.
            assert rest.startswith("python -m pip uninstall --yes "), rest


def _run(*words: str, env: dict[str, str]) -> None:
    done = subprocess.run(words, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
