"""What other data mean for those who call the champion, by the comparison that the gate makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.console import warn
from ...core.errors import ProjectError
from ...core.params import FILE, Features, Params
from ...core.settings import Settings
from ...data.schema import Kind
from ...modeling import signature
from ...registry.versions import CHAMPION
from ..plan import Plan

_TYPES: Mapping[Kind, str] = {
    "number": "double",
    "boolean": "boolean",
    "category": "string",
    "time": "datetime",
}
"""The words of MLflow's signatures."""


@dataclass(frozen=True)
class Champion:
    """What callers know of the model that is in use."""

    number: int
    tags: Mapping[str, str]
    asked: Mapping[str, str]
    """The type of each column that goes in."""

    @property
    def target(self) -> str:
        """What it predicts."""
        return self.tags.get("target", "")

    def is_of(self, plan: Plan) -> bool:
        """Tell whether it predicts what a plan does; one that says nothing of it may."""
        here = {"target": plan.named("target")[0], "task": plan.task.value}
        return all(self.tags.get(name, value) == value for name, value in here.items())


def champion(settings: Settings) -> Champion | None:
    """Return the champion; None where there is none, or, with a warning, where nobody can tell."""
    try:
        return _champion(settings)
    except ProjectError as error:
        warn(f"what these data mean for the champion's callers is not known: {error}")
        return None


def _champion(settings: Settings) -> Champion | None:
    if not settings.tracking_uri and not (settings.store_folder / "mlflow.db").is_file():
        return None
    from ...registry import download, versions

    registry = versions.connect_to_read(settings)
    version = registry.aliased(CHAMPION)
    if version is None:
        return None
    with download.model(registry, version) as folder:
        return Champion(version.number, version.tags, signature.columns(folder)[0])


def bridge(found: Champion | None, plan: Plan, renamed: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the keys of the gate without which no model of a plan could follow the champion.

    `renamed` is what the gate knows of its columns already.
    """
    if found is None:
        return {}
    if not found.is_of(plan):
        return {"replaces": found.target}
    there = {it.column.name for it in plan.columns}
    gone = dict.fromkeys(it for it in found.asked if it not in there and it not in renamed)
    return {"renamed": {**renamed, **gone}} if gone else {}


def meaning(found: Champion, plan: Plan, params: Params) -> str:
    """Return what a model of the plan means for callers of the champion."""
    named = f"the champion (version {found.number})"
    if not found.is_of(plan):
        return (
            f"{named} predicts {found.target!r}, with which no model of these data can be "
            f"compared: `gate.replaces` in {FILE} lets the first one take its place by the floors "
            "alone; its callers have to change"
        )
    asked = found.asked
    now = inputs(plan, params.features)
    broken = signature.breaking(now, {}, asked, {})
    gone = sorted({*asked} - {*now})
    said = [*broken, *(f"{name!r} is asked for no longer" for name in gone)]
    if not said:
        return f"callers of {named} need not change"
    allowed = f"; `gate.signature: any` in {FILE} allows it" if broken else ""
    return f"callers of {named} have to know: {'; '.join(said)}{allowed}"


def inputs(plan: Plan, features: Features) -> dict[str, str]:
    """Return the type of each column that a model of these features asks for."""
    kinds = {it.column.name: it.column.kind for it in plan.columns}
    time = plan.named("time") if features.calendar else ()
    names = (*time, *features.categorical, *features.numeric)
    return {name: _TYPES[kinds[name]] for name in names}
