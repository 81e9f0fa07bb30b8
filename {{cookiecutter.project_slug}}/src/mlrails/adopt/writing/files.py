"""A plan and the texts of a project today into those of tomorrow: the whole of what is written."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from ...core.config import validated
from ...core.errors import UsageError
from ...core.layout import LOCK, SERVING_LOCK
from ...core.params import FILE, Params
from ...core.settings import FILE as PYPROJECT
from ...data import validation
from ...data.schema import Column
from ..plan import Plan
from . import documents, params_yaml, python_source
from .earlier import changes, kept
from .spelling import code

README, AGENTS, PIPELINE = "README.md", "AGENTS.md", "dvc.yaml"
LOCKS = (SERVING_LOCK, LOCK)
_BRIDGES = {
    "replaces": "the champion of this target is followed by the floors alone, once",
    "renamed": "columns of the champion, null for those that are gone",
}
NEEDED = (PYPROJECT, PIPELINE, FILE, LOCK)
"""Without which there is nothing to adopt into."""
ARCHITECTURE, SERVING = "docs/architecture.md", "docs/serving.md"


def paths(package: str) -> tuple[str, ...]:
    """Return the files that may change, beside the records of decisions."""
    own = ("__init__.py", "schema.py", "source.py")
    return (
        *(f"src/{package}/{name}" for name in own),
        *(README, AGENTS, PYPROJECT, PIPELINE, FILE, *LOCKS, ARCHITECTURE, SERVING),
    )


def as_before(plan: Plan, before: Sequence[Column]) -> Plan:
    """Return the plan with what a person has said of the columns before."""
    return kept(plan, before) if before else plan


def is_example(present: Mapping[str, str]) -> bool:
    """Tell whether the project still has the data that it came with."""
    return documents.EXAMPLE in present.get(PYPROJECT, "")


def written(
    plan: Plan,
    present: Mapping[str, str],
    package: str,
    before: Sequence[Column] = (),
    bridge: Mapping[str, Any] = {},
) -> dict[str, str | None]:
    """Return the new text of each file that changes, by its path; None where it goes.

    `present` are the texts of `paths`, and of the records of decisions; `before` are the columns
    of today's `schema.py`, and `bridge` are keys of the gate that let a new model meet the
    champion, or follow it. Raises UsageError where a file is written in a way that cannot be
    changed line by line.
    """
    schema, source = f"src/{package}/schema.py", f"src/{package}/source.py"
    now = dict(present)
    if is_example(present):
        now |= _first(plan, present, schema, source)
    else:
        plan = kept(plan, before)
        now |= _again(plan, present, schema, source, before)
    for key, it in bridge.items():
        now[FILE] = params_yaml.put(now[FILE], "gate", key, it, _BRIDGES[key])
    validation.check_columns(params_of(now[FILE]), [it.column for it in plan.columns])
    now[ARCHITECTURE] = documents.relinked(now.get(ARCHITECTURE, ""), now)
    changed = {name: text for name, text in now.items() if present.get(name, "") != text}
    record = documents.EXAMPLE_RECORD
    gone = {record: None} if is_example(present) and record in present else {}
    return {**changed, **gone}


def _first(plan: Plan, present: Mapping[str, str], schema: str, source: str) -> dict[str, str]:
    """Return what changes where the example's data go."""
    name = documents.record_name([*present])
    init = schema.replace("schema.py", "__init__.py")
    renamed = {it: documents.renamed(present[it], plan) for it in (README, AGENTS, init)}
    pyproject = documents.without_example(documents.renamed(present[PYPROJECT], plan))
    return {
        **renamed,
        **{it: documents.without_example(present[it]) for it in LOCKS},
        PYPROJECT: pyproject,
        schema: python_source.schema([it.column for it in plan.columns]),
        source: python_source.source(plan.source, plan.reading),
        FILE: params_yaml.first(present[FILE], plan),
        PIPELINE: documents.depending(present[PIPELINE], (), documents.deps(plan.source)),
        SERVING: documents.evaluated(present[SERVING], plan),
        name: documents.record(name, plan),
    }


def _again(
    plan: Plan, present: Mapping[str, str], schema: str, source: str, before: Sequence[Column]
) -> dict[str, str]:
    """Return what changes where the project knows data of its own already."""
    name, old = documents.record_name([*present]), python_source.read_by(present[source])
    columns = [it.column for it in plan.columns]
    again = python_source.source_again(present[source], plan.source, plan.reading)
    told = [*changes(plan, before)]
    if old and old != plan.source:
        told.append(f"Rows come from {code(plan.source)}, not {code(old)}.")
    deps = documents.deps(old) if old else ()
    found = {
        schema: python_source.schema_again(present[schema], before, columns),
        source: again or python_source.source(plan.source, plan.reading),
        FILE: params_yaml.again(present[FILE], plan, before),
        PIPELINE: documents.depending(present[PIPELINE], deps, documents.deps(plan.source)),
        SERVING: documents.evaluated(present[SERVING], plan),
    }
    return {**found, name: documents.record(name, plan, told)} if told else found


def params_of(text: str) -> Params:
    """Read `params.yaml`; raises UsageError where it is not what it was meant to become."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        found = None
    if not isinstance(found, dict):
        raise UsageError(
            f"{FILE}: is written in a way that cannot be changed line by line; give each section "
            "and each key a line of its own, as the template does, then adopt again"
        )
    return validated(Params, found, FILE)
