"""What other data mean for those who call the champion, by the comparison that the gate makes."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from ...core.errors import ProjectError
from ...core.params import FILE, Features, Params
from ...core.settings import Settings
from ...data.schema import Kind
from ...modeling import signature
from ...registry.versions import CHAMPION, Version
from ..plan import Plan

_TYPES: Mapping[Kind, str] = {
    "number": "double",
    "boolean": "boolean",
    "category": "string",
    "time": "datetime",
}
"""The words of MLflow's signatures."""


def champion(settings: Settings) -> tuple[Version, Mapping[str, str]] | None:
    """Return the champion and the columns that it asks for; None where there is none.

    Raises a ProjectError where the registry cannot be read.
    """
    if not settings.tracking_uri and not (settings.store_folder / "mlflow.db").is_file():
        return None
    from ...registry import download, versions

    registry = versions.connect_to_read(settings)
    version = registry.aliased(CHAMPION)
    if version is None:
        return None
    with download.model(registry, version) as folder:
        return version, signature.columns(Path(folder))[0]


def meaning(plan: Plan, params: Params, version: Version, asked: Mapping[str, str]) -> str:
    """Return what a model of the plan means for callers of a champion that asks for columns."""
    named = f"the champion (version {version.number})"
    if not is_of(version, params):
        return (
            f"{named} predicts {version.tags.get('target')!r} "
            f"({version.tags.get('task')}), with which no model of these data can be compared: "
            f"`gate.replaces` in {FILE} lets the first one take its place by the floors alone, and "
            "its callers have to change"
        )
    now = inputs(plan, params.features)
    broken = signature.breaking(now, {}, asked, {})
    gone = sorted({*asked} - {*now})
    said = [*broken, *(f"{name!r} is asked for no longer" for name in gone)]
    if not said:
        return f"callers of {named} need not change"
    allowed = f"; `gate.signature: any` in {FILE} allows it" if broken else ""
    return f"callers of {named} have to know: {'; '.join(said)}{allowed}"


def is_of(version: Version, params: Params) -> bool:
    """Tell whether a version predicts what the params say."""
    here = {"target": params.data.target, "task": params.task.value}
    return all(version.tags.get(name, value) == value for name, value in here.items())


def inputs(plan: Plan, features: Features) -> dict[str, str]:
    """Return the type of each column that a model of these features asks for."""
    kinds = {it.column.name: it.column.kind for it in plan.columns}
    time = plan.named("time") if features.calendar else ()
    names = (*time, *features.categorical, *features.numeric)
    return {name: _TYPES[kinds[name]] for name in names}


def told(settings: Settings, plan: Plan, params: Params) -> Iterator[str]:
    """Yield what there is to say of the champion: nothing where there is none."""
    try:
        if found := champion(settings):
            yield meaning(plan, params, *found)
    except ProjectError as error:
        yield f"what it means for the champion's callers is not known: {error}"
