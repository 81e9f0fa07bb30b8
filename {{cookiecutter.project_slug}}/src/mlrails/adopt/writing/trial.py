"""What the stage `prepare` would refuse of a plan, said while nothing has been written.

The rows are divided by the params that are going to stand, and looked at by the functions of that
stage. Where chance has dealt few rows badly, another seed of a new project deals them anew.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from ...audit import guard
from ...core.errors import UsageError
from ...core.params import FILE, Params
from ...data import splits, validation
from ...data.validation import Fault
from ..plan import Plan
from ..proposal import Proposed
from . import files, questions
from .spelling import word

SEEDS = 20
"""So many are tried."""
Changes = Mapping[str, str | None]


def settled(
    proposed: Proposed, write: Callable[[Plan], Changes], before: str, own: bool
) -> tuple[Plan, Changes]:
    """Return the plan with a seed that divides its rows usefully, and what is written of it.

    `write` makes the texts of a plan, and `before` is `params.yaml` as it stands; `own` tells that
    this is the project's own already, and its seed stays. Raises UsageError where `prepare` would
    refuse the rows.
    """
    plan = proposed.plan
    faults = list[Fault]()
    for seed in range(plan.seed, plan.seed + (1 if own or plan.by == "time" else SEEDS)):
        plan = replace(plan, seed=seed)
        changes = write(plan)
        found = _fault(proposed._replace(plan=plan), files.params_of(changes.get(FILE) or before))
        if found is None:
            return plan, changes
        faults.append(found)
    raise UsageError(f"{_sentence(faults[0], plan, own)}; nothing has been written")


def _fault(proposed: Proposed, params: Params) -> Fault | None:
    """Return what is wrong with the parts; raises UsageError where one of their columns leaks.

    Of very many rows as many as here were looked at already, if among the same features.
    """
    plan, rows, looked_at = proposed
    parts = splits.divided(rows, params, validation.needed(params))
    found = next(validation.faults(parts, rows, params), None)
    features = frozenset((*params.features.numeric, *params.features.categorical))
    if found is None and features != looked_at:
        leaks = guard.leaks(parts, params, [it.column for it in plan.columns])
        questions.stopped(replace(plan, findings=tuple(leaks)))
    return found


def _sentence(found: Fault, plan: Plan, own: bool) -> str:
    if found.column in plan.named("weight"):
        way = "name another with --weight, or leave it away"
    elif found.column:
        way = f"`--drop {word(found.column)}` leaves it out"
    else:
        more = "groups" if plan.by == "group" else "rows"
        here = f"; or {found.remedy} in {FILE}, then adopt again" if own else ""
        way = f"adopt a table of more {more}, or name another target{here}"
    return f"{plan.source}: {found.what}; {way}"
