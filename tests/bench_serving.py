"""python -m tests.bench_serving: our server beside `mlflow models serve`, and ten million rows.

Both serve the same model, one after the other, and are asked by the same client (load.py) on the
same machine, each answer checked; the client takes its share of the cores from both.
"""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

import psutil
from baking import Project, bake, environment
from serving import asks, free_port, load, ours, started

SECONDS = 10
OVERLOAD = 60
MANY = 10_000_000
CONNECTIONS, ROWS = (1, 32), 1000


class Figures(NamedTuple):
    """What one server has shown."""

    ready: float
    """Seconds from the start to the first answer."""
    loads: Sequence[dict]
    """At one connection, at 32, and at one with many rows a request."""
    megabytes: float
    microseconds: float
    """Of processors, for one request at 32 connections: other work beside changes it less."""


def report(project: Project, folder: Path) -> None:
    """Measure a project that is trained, and print the tables."""
    model = project.root / "models" / "model"
    one = asks(project, folder / "one", 200, 1, model)
    many = asks(project, folder / "many", 5, ROWS, model)
    theirs = _measured(project, folder, _theirs(project), one, many)
    our = _measured(project, folder, lambda port: ours(project, port), one, many)
    two = _measured(project, folder, lambda port: ours(project, port, "--workers", "2"), one, many)
    print("\n| served | to reach | mlflow models serve | ours | ratio |\n|---|---|--:|--:|--:|")
    _line("ready", "under 5 s", theirs.ready, our.ready, "s")
    for place, (what, bound, key, unit) in enumerate(
        (
            ("1 connection, p50", ".5 ms", "p50_ms", "ms"),
            ("32 connections, requests a second", "80 times", "per_second", ""),
            (f"{ROWS} rows a request, requests a second", "not slower", "per_second", ""),
        )
    ):
        _line(what, bound, theirs.loads[place][key], our.loads[place][key], unit)
    _line(
        "32 connections, p99", "below a hundredth", *(it.loads[1]["p99_ms"] for it in (theirs, our))
    )
    _line("memory after", "", theirs.megabytes, our.megabytes, "MB")
    _line("processor for a request", "an eightieth", theirs.microseconds, our.microseconds, "µs")
    rates = [it.loads[1]["per_second"] for it in (our, two)]
    print(
        f"\nTwo workers: {rates[1]:,.0f} requests a second at 32 connections, "
        f"{rates[1] / rates[0]:.2f} times those of one (to reach: 1.8 where the client has a core "
        f"of its own); {two.microseconds:,.0f} µs for a request, {two.megabytes:,.0f} MB."
    )
    wrong = sum(it[key] for it in our.loads for key in ("wrong", "lost", "unanswered"))
    print(f"\nAnswers of ours that were wrong or lost: {wrong}.", flush=True)
    _overload(project, folder, one)
    _ten_million(project, folder)


def _line(what: str, bound: str, their: float, our: float, unit: str = "ms") -> None:
    cells = (what, bound, f"{their:,.1f} {unit}", f"{our:,.1f} {unit}", f"{our / their:.3f}")
    print(f"| {' | '.join(cells)} |", flush=True)


def _theirs(project: Project):
    program = Path(project.python).with_name("mlflow")
    words = ["models", "serve", "-m", "models/model", "--env-manager", "local", "--port"]
    return lambda port: [str(program), *words, str(port)]


def _measured(project: Project, folder: Path, command, one: Path, many: Path) -> Figures:
    port, log, began = free_port(), folder / "log", time.perf_counter()
    with started(project, command(port), port, log, OMP_NUM_THREADS="1") as process:
        ready = time.perf_counter() - began
        load(project, port, 4, 2, one)
        loads = [load(project, port, CONNECTIONS[0], SECONDS, one)]
        before = _seconds(process.pid)
        loads.append(load(project, port, CONNECTIONS[1], SECONDS, one))
        spent = (_seconds(process.pid) - before) / loads[1]["requests"]
        loads.append(load(project, port, 1, SECONDS, many))
        return Figures(ready, loads, _megabytes(process.pid), 1e6 * spent)


def _seconds(pid: int) -> float:
    """Return how long a process and its children have used processors."""
    process = psutil.Process(pid)
    times = [it.cpu_times() for it in (process, *process.children(recursive=True))]
    return sum(it.user + it.system for it in times)


def _megabytes(pid: int) -> float:
    """Return what a process and its children hold, in MB."""
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    return sum(it.memory_info().rss for it in family) / 2**20


def _overload(project: Project, folder: Path, one: Path) -> None:
    port = free_port()
    with started(project, ours(project, port), port, folder / "log") as process:
        load(project, port, 100, 2, one)
        before = _megabytes(process.pid)
        found = load(project, port, 1000, OVERLOAD, one)
        after = _megabytes(process.pid)
    print(
        f"\n{OVERLOAD} s with 1,000 connections: {found['per_second']:,.0f} requests a second, "
        f"statuses {found['statuses']}, p99 {found['p99_ms']:,.0f} ms, wrong {found['wrong']}, "
        f"lost {found['lost']}; memory {before:,.0f} MB before, {after:,.0f} MB after.",
        flush=True,
    )


def _ten_million(project: Project, folder: Path) -> None:
    from bench import cost

    target = folder / "ten-million.parquet"
    script = (
        "import pyarrow.parquet as pq, sys; t = pq.read_table('data/prepared/test.parquet')\n"
        "w, n = pq.ParquetWriter(sys.argv[1], t.schema), 0\n"
        f"while n < {MANY}: w.write_table(t.slice(0, {MANY} - n)); n += t.num_rows\n"
        "w.close()"
    )
    assert project.run(project.python, "-c", script, str(target)).returncode == 0
    words = (
        project.python,
        "-m",
        project.package,
        "predict",
        str(target),
        str(folder / "out.parquet"),
    )
    found = cost(project, *words)
    print(
        f"\n`predict` of {MANY:,} rows: {found.seconds:.0f} s, {MANY / found.seconds:,.0f} rows a "
        f"second, at most {found.megabytes:,.0f} MB.",
        flush=True,
    )


def main() -> None:
    """Bake, train, and measure serving alone."""
    from bench import machine

    print(f"{machine()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        (folder / "home").mkdir()
        env = environment(folder / "home")
        task = (*sys.argv[1:], "classification")[0]
        project = Project(bake(folder / task, env, task=task), env, folder / "tools")
        project.commit()
        assert project.nox("train").returncode == 0, "the first train failed"
        report(project, folder)


if __name__ == "__main__":
    main()
