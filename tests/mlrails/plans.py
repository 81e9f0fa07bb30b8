"""Plans made by hand, and the texts of the sample project, for the tests of adoption."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import sample
import yaml

from mlrails.adopt.plan import Plan, Planned, Role
from mlrails.adopt.writing import files
from mlrails.audit.finding import Finding
from mlrails.core.config import validated
from mlrails.core.params import FILE, Params, Task
from mlrails.data.schema import Column, Kind

SCHEMA, SOURCE = f"src/{sample.PACKAGE}/schema.py", f"src/{sample.PACKAGE}/source.py"
ANSWER = "it is the answer itself"


def planned(name: str, kind: Kind, role: Role, **more: object) -> Planned:
    """Return a column of a plan; `seen` is of the plan, the rest of the column."""
    seen = more.pop("seen", None)
    return Planned(Column(name, kind, **more), role, "by hand", seen)  # type: ignore[arg-type]


HOUSES = Plan(
    "data/houses.csv",
    {"separator": ";", "encoding": "cp1252", "decimal": ",", "dates": {"sold": "%d.%m.%Y %H:%M"}},
    "0" * 64,
    3000,
    (
        planned("sold", "time", "time"),
        planned("town", "category", "category"),
        planned("heating", "category", "category", nullable=True),
        planned("living area", "number", "number", minimum=10, seen=(12.0, 480.0)),
        planned("garden", "boolean", "number"),
        planned("tax", "number", "left out", leaks="it is levied on the price"),
        planned("price", "number", "target", leaks=ANSWER, minimum=0, seen=(1e4, 2e6)),
    ),
    Task.REGRESSION,
    "time",
    "a house of next month is to be priced by those of before",
    (Finding("near duplicate", ("tax",), "`tax` alone explains 99 % of `price`.", "note"),),
    until="2022-06-30",
    estimator={"min_samples_leaf": 20},
    validation="1 month",
    test="2 months",
    slices=("town",),
    calendar=("minute_of_day", "day_of_week"),
    spread=187_432.0,
)
LOANS = Plan(
    "data/source/loans.csv",
    {"separator": ","},
    "1" * 64,
    150,
    (
        planned("id", "number", "left out", leaks="it numbers the rows"),
        planned("purpose", "category", "category"),
        planned("income", "number", "number", minimum=0, seen=(500.0, 9000.0)),
        planned("defaulted", "boolean", "target", leaks=ANSWER),
    ),
    Task.CLASSIFICATION,
    "random",
    "no column tells a time or whose a row is",
    estimator={"min_samples_leaf": 5},
)
FLOWERS = Plan(
    "data/flowers.csv",
    {},
    "2" * 64,
    150,
    (
        planned("bed", "category", "group"),
        planned("count", "number", "weight", minimum=0),
        planned("petal", "number", "number", minimum=0, seen=(0.1, 7.0)),
        planned("species", "category", "target", leaks=ANSWER),
    ),
    Task.MULTICLASS,
    "group",
    "flowers of a bed are alike",
    classes=("a", "b", "c"),
    gate={"margin": 0.03, "slice_rows": 50},
)
NAMES = (
    "two words", "a.b", "class", "1st", 'in "quotes"', "it's", "naïve Größe", "#", "yes", "null",
    "1", "1e3", "a: b", "- c", "[x]", "{y}", "a\tb", "back\\slash", "${z}", "価格", "x" * 200,
    "ends ", "`tick`", "a,b", "%d", "&a", "*b", "!t", "|", ">", "~", "true", "2020-01-01",
    "o\u0308", "",
    "\u202e", "'" + '"',
)  # fmt: skip
"""Names that YAML, Python, TOML or Markdown take for something else, or that are long."""


def named(names: Sequence[str]) -> Plan:
    """Return a plan of columns with these names; the first is the target."""
    first, *others = (planned(it, "number", "number", minimum=0.5) for it in names)
    target = replace(first, role="target", column=replace(first.column, leaks=ANSWER))
    text = [
        replace(it, role="category", column=Column(it.column.name, "category")) for it in others
    ]
    return replace(
        HOUSES, slices=(), columns=(HOUSES.columns[0], target, *others[::2], *text[1::2])
    )


def present(root: Path) -> dict[str, str]:
    """Return the texts of a project that adoption may change."""
    records = sorted(path.relative_to(root).as_posix() for path in root.glob("docs/decisions/*.md"))
    names = [*files.paths(sample.PACKAGE), *records]
    return {name: (root / name).read_text("utf-8") for name in names if (root / name).is_file()}


def after(texts: dict[str, str], changes: dict[str, str | None]) -> dict[str, str]:
    """Return the texts after the changes."""
    return {name: it for name, it in {**texts, **changes}.items() if it is not None}


def adopted(plan: Plan) -> dict[str, str]:
    texts = present(sample.ROOT)
    return after(texts, files.written(plan, texts, sample.PACKAGE))


def columns(text: str) -> tuple[Column, ...]:
    """Return what a `schema.py` says, by running it."""
    found: dict[str, object] = {}
    exec(text, found)  # noqa: S102 - written by what is tested
    return found["COLUMNS"]  # type: ignore[return-value]


def params(text: str) -> Params:
    return validated(Params, yaml.safe_load(text), FILE)
