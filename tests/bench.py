"""python -m tests.bench: speed and size of a baked project on this machine, as a table.

Each figure is the median of some runs, of the whole process as a user starts it, with all that it
has started; memory is the largest single process. Machines differ: compare only what one run of
this has printed.
"""

import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

import bench_serving
from baking import CHOICES, Project, bake, environment

STAGES = ("ingest", "prepare", "train", "evaluate")
_OUTPUTS = (
    "data",
    "models",
    "reports",
    "mlartifacts",
    "mlflow.db",
    "dvc.lock",
    ".dvc/cache",
    ".dvc/tmp",
)


class Cost(NamedTuple):
    """Wall time in seconds, peak memory in MB, and seconds of processors."""

    seconds: float
    megabytes: float = 0
    processors: float = 0


class Row(NamedTuple):
    """A line of the table: what is measured, the bound to reach, and how it is measured."""

    what: str
    bound: str
    measure: Callable[[], Cost]
    runs: int


def cost(project: Project, *command: str) -> Cost:
    """Run a command in a project and return what it cost; a failure ends the benchmark."""
    path = os.pathsep.join([str(Path(project.python).parent), project.env["PATH"]])
    env = {**project.env, "PATH": path, "PYTHONPATH": str(project.root / "src")}
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=project.root, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    worked = usage.ru_utime + usage.ru_stime
    return Cost(time.perf_counter() - started, usage.ru_maxrss / unit, worked)


@contextmanager
def busy() -> Iterator[None]:
    """Keep every core at other work, as a neighbour on a shared runner would."""
    others = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def forget(project: Project) -> None:
    """Take away everything that stages and runs have made."""
    for name in _OUTPUTS:
        path = project.root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def rows(project: Project, folder: Path) -> Iterator[Row]:
    """List what is measured, in an order in which each row leaves what the next one needs."""

    def nox(*words: str) -> Cost:
        return cost(project, sys.executable, "-m", "nox", "--envdir", str(project.tools), *words)

    def first() -> Cost:
        forget(project)
        return nox("-s", "train")

    def baked() -> Cost:
        started = time.perf_counter()
        bake(Path(tempfile.mkdtemp(dir=folder)), project.env)
        return Cost(time.perf_counter() - started)

    def contested() -> Cost:
        for leaves in (31, next(others)):
            _set_leaves(project, leaves)
            assert project.nox("train").returncode == 0
            project.commit()
            found = nox("-s", "promote")
        return found

    def changed() -> Cost:
        _set_leaves(project, next(others))
        return nox("-s", "train")

    others = iter(range(30, 2, -1))
    python = (project.python, "-m", project.package)
    yield Row("bake", "under 2 s", baked, 5)
    yield Row("--help", "under 0.5 s", lambda: cost(project, *python, "--help"), 5)
    yield Row("first `nox -s train`, environment there", "under 20 s, 2 GB", first, 3)
    yield Row("`nox -s train` again, nothing changed", "2 s", lambda: nox("-s", "train"), 5)
    yield Row("`nox -s train`, one parameter changed", "8 s", changed, 3)
    yield Row("`nox -s promote`, against a champion", "4 s", contested, 2)
    yield Row("`nox -s promote` again, unchanged", "2 s", lambda: nox("-s", "promote"), 3)
    yield from stages(project)
    yield Row("generated tests", "under 30 s", lambda: nox("-s", "tests"), 1)
    yield from adoptions(project, folder)


def stages(project: Project) -> Iterator[Row]:
    """List the stages, each alone and beside other work."""

    def beside(*command: str) -> Cost:
        with busy():
            return cost(project, *command)

    for stage in STAGES:
        command = (project.python, "-m", f"{project.package}.steps.{stage}")
        bound = "2 s" if stage == "evaluate" else ""
        yield Row(f"stage {stage}", bound, partial(cost, project, *command), 3)
        yield Row(f"stage {stage}, every core busy", "twice as long", partial(beside, *command), 3)


_TABLES = """
import sys
import numpy as np
import pandas as pd

rng, rows = np.random.default_rng(0), 900_000
seconds = np.sort(rng.integers(0, 3 * 365 * 86_400, rows)).astype("timedelta64[s]")
number, words = rng.normal(size=rows), np.array(["please ring twice", "leave it there", ""])
table = pd.DataFrame({
    "order_id": [f"O{it:08}" for it in rng.permutation(rows)],
    "ordered": np.datetime64("2019-01-01") + seconds,
    "customer": rng.integers(0, 60_000, rows),
    "region": np.array(["north", "south", "east", "west"])[rng.integers(0, 4, rows)],
    "item": np.array([f"item {it}" for it in range(300)])[rng.integers(0, 300, rows)],
    "price": rng.lognormal(3, 1, rows).round(2),
    "weight": np.where(rng.random(rows) < 0.1, np.nan, rng.gamma(2, 3, rows).round(3)),
    "pieces": rng.poisson(3, rows) + 1,
    "gift": rng.random(rows) < 0.2,
    "zip": [f"{it:05}" for it in rng.integers(1_000, 99_999, rows)],
    "score": number.round(6),
    "note": words[rng.integers(0, 3, rows)],
    "returned": np.array(["no", "yes"])[(number + rng.logistic(size=rows) > 2).astype(int)],
})
table.to_parquet(sys.argv[1] + "/orders.parquet")
table["ordered"] = table["ordered"].dt.strftime("%d.%m.%Y %H:%M")
table.to_csv(sys.argv[1] + "/orders.csv", index=False)
table.to_csv(sys.argv[1] + "/commas.csv", index=False, sep=";", decimal=",")
values = rng.normal(size=(5_000, 2_000)).round(4)
wide = pd.DataFrame(values, columns=[f"v{it}" for it in range(2_000)])
wide["returned"] = values[:, 0] + rng.logistic(size=5_000) > 0
wide.to_csv(sys.argv[1] + "/wide.csv", index=False)
"""


def adoptions(project: Project, folder: Path) -> Iterator[Row]:
    """List adoptions of large tables, which git takes back; of some 100 MB, and of many columns."""
    project.run(project.python, "-c", _TABLES, str(folder))

    def adopted(path: Path) -> Cost:
        words = ("adopt", str(path), "--target", "returned", "--yes", "--dirty")
        found = cost(project, project.python, "-m", project.package, *words)
        for undo in (("reset", "--hard", "--quiet"), ("clean", "-fd", "--quiet")):
            subprocess.run(("git", *undo), cwd=project.root, check=True)
        return found

    for name in ("orders.csv", "commas.csv", "orders.parquet", "wide.csv"):
        yield Row(f"adopt {name}", "under 5 s", partial(adopted, folder / name), 2)


def _set_leaves(project: Project, leaves: int) -> None:
    """Change the model a little, and commit."""
    path = project.root / "params.yaml"
    text = re.sub(r"max_leaf_nodes: \d+", f"max_leaf_nodes: {leaves}", path.read_text("utf-8"))
    path.write_text(text, "utf-8")
    project.commit()


_EPOCHS = """
import statistics
from mlflow import MlflowClient
from pyarrow.parquet import read_metadata
client = MlflowClient("sqlite:///mlflow.db")
(run,) = client.search_runs([it.experiment_id for it in client.search_experiments()])
seconds = [it.value for it in client.get_metric_history(run.info.run_id, "epoch_seconds")]
print(statistics.median(seconds), read_metadata("data/prepared/train.parquet").num_rows)
"""


def networks(env: Mapping[str, str], folder: Path, task: str) -> None:
    """Print what an epoch costs in each framework that learns in epochs."""
    print(
        "\n| framework | stage train | peak memory | epoch | rows a second |\n|---|---|---|---|---|"
    )
    for framework in CHOICES["framework"][1:]:
        root = bake(folder / f"{task}-{framework}", env, task=task, framework=framework)
        project = Project(root, env, folder / "tools" / framework)
        project.commit()
        assert project.nox("train").returncode == 0, "the first train failed"
        command = (project.python, "-m", f"{project.package}.steps.train")
        stage = cost(project, *command)
        found = project.run(project.python, "-c", _EPOCHS).stdout.split()
        epoch, rows_of_it = float(found[-2]), int(found[-1])
        cells = (framework, f"{stage.seconds:.1f} s", f"{stage.megabytes:,.0f} MB")
        cells += (f"{epoch:.2f} s", f"{rows_of_it / epoch:,.0f}")
        print(f"| {' | '.join(cells)} |", flush=True)


def machine() -> str:
    """Name the machine: processor, cores, memory, system, Python."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text("utf-8").splitlines()
        model = next(
            (line.split(": ")[1] for line in lines if line.startswith("model name")), model
        )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}"


def main() -> None:
    """Bake each task, measure, and print a Markdown table."""
    print(f"{machine()}, load {os.getloadavg()[0]:.1f}\n")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        (folder / "home").mkdir()
        env = environment(folder / "home")
        for task in sys.argv[1:] or ["classification"]:
            project = Project(bake(folder / task, env, task=task), env, folder / "tools")
            project.commit()
            assert project.nox("train").returncode == 0, "the first train failed"
            print(f"| {task} | to reach | median | slowest | processors | peak memory |")
            print("|---|---|---|---|---|---|")
            for row in rows(project, folder):
                costs = [row.measure() for _ in range(row.runs)]
                seconds = [one.seconds for one in costs]
                middle, peak = statistics.median(seconds), max(one.megabytes for one in costs)
                memory = f"{peak:,.0f} MB" if peak else ""
                worked = statistics.median(one.processors for one in costs)
                cells = (row.what, row.bound, f"{middle:.2f} s", f"{max(seconds):.2f} s")
                cells += (f"{worked:.2f} s" if worked else "", memory)
                print(f"| {' | '.join(cells)} |", flush=True)
            networks(env, folder, task)
            bench_serving.report(project, folder)


if __name__ == "__main__":
    main()
