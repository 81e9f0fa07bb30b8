"""python in_use.py TABLES PROJECT OUT [--only PLACE …]

PYTHONPATH is PROJECT/src and the template's folder.

Bring some of the tables all the way, each step by the command that a user gives: adopt, commit,
train, commit, promote, predict, serve (a row is asked for over loopback, and held to what `predict`
says), reproduce. One line of JSON each in OUT; what is there already is not tried again.
"""

import argparse
import http.client
import json
import math
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.tables.outcomes import Found, git, lines, package_of, read_yaml, told

CHOSEN = (
    # Two classes: rows, groups, time; labels in words.
    *(542, 1172, 1432, 260, 1434, 54, 1476, 1708, 1280, 928),
    # Several classes.
    *(1086, 2026, 1598, 1460, 336, 360, 800, 960),
    # Numbers.
    *(270, 668, 1910, 1274, 1302, 1932, 256),
    # Of all kinds, whose models the gate does not let pass.
    *(1290, 44, 1176, 1632, 1624, 1728, 236, 1998, 1952, 1936),
)
"""The places of tables of all kinds; what is told of each is its last column, the target."""
COMMAS = {270}
"""Tables that are written as a spreadsheet in much of Europe does: semicolons, decimal commas."""
WAIT = 600
"""Seconds that a server may take to answer first, on a machine that is full."""


def main() -> None:
    """Bring the tables there that have not been."""
    parser = argparse.ArgumentParser()
    for name in ("tables", "project", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--only", type=int, nargs="*", default=[*CHOSEN], help="these places alone")
    said = parser.parse_args()
    tables = {it["place"]: it for it in lines(said.tables / "tables.jsonl")}
    done = {it["place"] for it in lines(said.out)}
    for place in [it for it in said.only if it not in done]:
        found = brought(tables[place], said.tables.resolve(), said.project.resolve())
        with said.out.open("a", encoding="utf-8") as out:
            out.write(json.dumps(found) + "\n")


class Stopped(Exception):  # noqa: N818 - it is an end, not always an error
    """A command did not do what it is for."""


def brought(table: Found, folder: Path, project: Path) -> Found:
    """Return how far a table comes, and what the last command has said where it is not all the way.

    The CPU time is that of all commands, in seconds.
    """
    found: Found = {**table, "passed": [], "says": ""}
    began = cpu()
    git(project, "reset", "-q", "--hard", "baked")
    git(project, "clean", "-qffdx")
    try:
        for step, said in steps(table, folder, project, found):
            found["passed"].append(step)
            found |= told(step, project, said)
    except Stopped as stopped:
        found["says"] = str(stopped)[-3000:]
    return {**found, "cpu": round(cpu() - began, 1)}


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def steps(table: Found, folder: Path, project: Path, found: Found) -> Iterator[tuple[str, str]]:
    """Do each step; yield its name, and what it has said."""
    source = written(folder / table["file"], project, commas=table["place"] in COMMAS)
    words = [f"--target={table['target']}", "--yes"]
    yield "adopt", verb(project, "adopt", str(source), *words)
    commit(project, "Adopt a table")
    train = verb(project, "train")
    yield "evaluate", train
    commit(project, "Train")
    yield "promote", expected("is the champion", verb(project, "promote"))
    answers = project / "predictions.parquet"
    yield "predict", verb(project, "predict", "data/prepared/test.parquet", answers.name)
    with served(project) as port:
        found["answer"] = asked(project, port)
    if not alike(said_by(answers), json.loads(found["answer"])):
        raise Stopped(f"serve: {found['answer']}, and predict: {said_by(answers)}")
    yield "serve", found["answer"]
    answers.unlink()
    made = verb(project, "reproduce")
    found["reproduced"] = made.rpartition(": ")[2].strip()
    yield "reproduce", expected("identical bytes", made)


def written(table: Path, project: Path, commas: bool) -> Path:
    """Return the file of a table, or of the same table with semicolons and decimal commas."""
    if not commas:
        return table
    import pandas as pd

    path = project.with_name("commas.csv")
    pd.read_csv(table).to_csv(path, sep=";", decimal=",", index=False)
    return path


def command(project: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", package_of(project), *words]


def verb(project: Path, *words: str) -> str:
    """Run a command of the project; return what it prints."""
    done = subprocess.run(
        command(project, *words),
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        raise Stopped(f"{words[0]}: {done.stdout}")
    return done.stdout


def expected(words: str, said: str) -> str:
    if words not in said:
        raise Stopped(f"not {words!r}: {said}")
    return said


def commit(project: Path, words: str) -> None:
    git(project, "add", "-A")
    git(project, "commit", "-qm", words)


@contextmanager
def served(project: Path) -> Iterator[int]:
    """Serve the champion on loopback, and end that process after."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    with project.with_name("serve.log").open("wb") as log:
        process = subprocess.Popen(
            command(project, "serve", "--port", str(port), "--workers", "1"),
            cwd=project,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    # A session of its own is a group of its own for the scheduler: it gets what this process gets.
    level = re.search(r"nice (-?\d+)", Path("/proc/self/autogroup").read_text("utf-8"))
    Path(f"/proc/{process.pid}/autogroup").write_text(level[1] if level else "0", "utf-8")
    try:
        wait(process, port)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(WAIT)


def wait(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until a server answers."""
    until = time.monotonic() + WAIT
    while process.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=30).close()
            return
        except OSError:
            time.sleep(0.5)
    raise Stopped("serve: no answer")


def asked(project: Path, port: int) -> str:
    """Ask for the first row of the test; return the answer."""
    import pandas as pd

    signature = read_yaml(project / "models/model/MLmodel")["signature"]
    names = [it["name"] for it in json.loads(signature["inputs"])]
    row = pd.read_parquet(project / "data/prepared/test.parquet", columns=names).head(1)
    for name in row.select_dtypes("datetime"):
        row[name] = row[name].dt.strftime("%Y-%m-%dT%H:%M:%S")
    body = json.loads(row.to_json(orient="split", double_precision=15))
    said = {"dataframe_split": {"columns": names, "data": body["data"]}}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT)
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/invocations", json.dumps(said), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    if answer.status != http.client.OK:
        raise Stopped(f"serve: {text}")
    return json.dumps(json.loads(text)["predictions"][0])


def said_by(answers: Path) -> Found:
    """Return what `predict` says of the first row."""
    import pandas as pd

    first = pd.read_parquet(answers).drop(columns=["source", "row"]).head(1)
    return {name: column.tolist()[0] for name, column in first.items()}


def alike(one: Found, other: Found) -> bool:
    """Tell whether two answers are the same; numbers may differ by a billionth.

    A row on its own and one of many are added up in another order, so the last bit may differ.
    """
    if one.keys() != other.keys():
        return False
    pairs = [(one[name], other[name]) for name in one]
    return all(
        math.isclose(it, that, rel_tol=1e-9) if isinstance(it, float) else it == that
        for it, that in pairs
    )


if __name__ == "__main__":
    main()
