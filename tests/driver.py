"""python driver.py race|kills … : many promotions of a project, forked from one process.

Forks share what was imported, so that a promotion takes one second instead of four, and races and
kills meet in the engine itself. Prints JSON; runs in the project's environment.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any


def ours(name: str):
    return import_module(f"mlrails.{name}")


def fork(act: Callable[[], object]) -> int:
    """Run an act in a child whose words go nowhere; return its process id."""
    if pid := os.fork():
        return pid
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os._exit(ours("core.errors").reported(act))


def told(folder: Path, uri: str | None) -> Any:
    """Return the settings of the project in a folder, with the registry at an address."""
    return replace(ours("core.settings").from_environment({}, folder), tracking_uri=uri)


def promote(folder: Path, uri: str | None) -> int:
    """Start a promotion of the project in a folder."""

    def act() -> object:
        os.chdir(folder)
        return ours("lifecycle.promote").promote(told(folder, uri))

    return fork(act)


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def state(folder: Path, uri: str | None) -> dict[str, object]:
    """Return what the registry and the ledger hold, told by a child of its own."""
    reading, writing = os.pipe()
    pid = fork(lambda: os.write(writing, json.dumps(_state(folder, uri)).encode()) and None)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    assert ended(pid) == 0
    return json.loads(told)


def _state(folder: Path, uri: str | None) -> dict[str, object]:
    settings = told(folder, uri)
    registry = ours("registry.versions").connect(settings)
    ledger = ours("registry.ledger").Ledger(registry.client, settings)
    return {
        "aliases": {name: int(number) for name, number in registry.aliases().items()},
        "versions": [{"number": it.number, **it.tags} for it in registry.versions()],
        "entries": [entry.told for entry in ledger.entries()],
        "open": [entry.told for entry in ledger.open_entries()],
    }


def race(folders: list[Path], scratch: Path, rounds: int, processes: int) -> list[object]:
    """Let processes promote the models of some folders at once, each round in a new store."""
    told = []
    # What they write is not the project's.
    ours("tracking.embedded").follow(scratch / "empty.db", scratch)
    for place in range(rounds):
        uri = f"sqlite:///{scratch}/round-{place}.db"
        shutil.copy(scratch / "empty.db", scratch / f"round-{place}.db")
        pids = [promote(folders[it % len(folders)], uri) for it in range(processes)]
        codes = [ended(pid) for pid in pids]
        told.append({"codes": codes, **state(folders[0], uri)})
    return told


def kills(folder: Path, scratch: Path, times: int) -> list[object]:
    """Kill promotions at random moments; return the state after the next one each time.

    The first state is that of a promotion that nobody killed.
    """
    chance = random.Random(times)
    kept = ["mlflow.db", "mlartifacts", ".dvc/tmp"]
    for name in kept:
        copy(folder / name, scratch / name)
    told = []
    started = time.monotonic()
    assert ended(promote(folder, None)) == 0
    whole = time.monotonic() - started
    told.append(state(folder, None))
    for _ in range(times):
        for name in kept:
            copy(scratch / name, folder / name)
        (folder / "mlflow.db-journal").unlink(missing_ok=True)  # it is another database's now
        pid = promote(folder, None)
        time.sleep(chance.uniform(0, whole))
        os.kill(pid, signal.SIGKILL)
        ended(pid)
        assert ended(promote(folder, None)) == 0
        told.append(state(folder, None))
    return told


def copy(source: Path, target: Path) -> None:
    """Let a file or folder be as another one."""
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


if __name__ == "__main__":
    for heavy in ("lifecycle.promote", "gate.contest", "reporting.svg", "tracking.recording"):
        ours(heavy)
    import_module("mlflow.artifacts")
    import_module("mlflow.store.tracking.sqlalchemy_store")
    import_module("mlflow.store.model_registry.sqlalchemy_store")
    import_module("matplotlib.backends.backend_svg")
    ours("core.processes").configure_mlflow()
    what, folder, times, *words = sys.argv[1:]
    scratch = Path(folder)
    if what == "race":
        processes, *folders = words
        raced = race([Path(it) for it in folders], scratch, int(times), int(processes))
        print(json.dumps(raced))
    else:
        print(json.dumps(kills(Path(words[0]), scratch, int(times))))
