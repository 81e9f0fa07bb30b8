"""The model card of a version: what it is for, what it was made of, how good it is, its limits.

The sections are those of Mitchell et al. 2019 (doi:10.1145/3287560.3287596), as far as a machine
can fill them in.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from .params import Params
from .reporting import wording
from .reporting.verdict import verdict
from .reporting.wording import Found
from .sections import read_yaml

_SLICES = 5


def model_card(
    found: Found, told: Mapping[str, str], params: Params, root: Path, model: Path
) -> str:
    """Return the card as Markdown; `told` are the version's tags, `model` is its directory."""
    about = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    parts = [
        f"# {about['name']} {found['digest'][:12]}",
        f"## Intended use\n\n{about['description']} The model predicts `{params.data.target}` "
        f"({params.task}) from {', '.join(_columns(params, model))}.",
        f"## Data\n\n{chr(10).join(_data(found))}",
        f"## Figures\n\n{verdict(found)}\n\n{chr(10).join(_figures(found))}",
        f"## Weakest slices\n\n{chr(10).join(_slices(found)) or 'None was large enough.'}",
        f"## Limits\n\n{chr(10).join(_limits(found))}",
        f"## Lineage\n\n{chr(10).join(f'- {name}: `{value}`' for name, value in told.items())}",
    ]
    return "\n\n".join(parts) + "\n"


def purpose(params: Params, root: Path) -> str:
    """Return what the registered model is for, whichever version of it."""
    told = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return (
        f"{told['description']}\n\nPredicts `{params.data.target}` ({params.task}). The alias "
        "`champion` is in use, `challenger` was registered last; each version's description is its "
        "card, and its tags say which commit, data and inputs it is of."
    )


def _columns(params: Params, model: Path) -> Iterator[str]:
    features, rules = params.features, (read_yaml(model / "MLmodel").get("metadata") or {})
    yield from (f"`{name}`" for name in (*features.calendar, *features.categorical))
    for name in features.numeric:
        unit = rules.get("columns", {}).get(name, {}).get("unit")
        yield f"`{name}` ({unit})" if unit else f"`{name}`"


def _data(found: Found) -> Iterator[str]:
    for name, part in found["parts"].items():
        yield f"- {name}: {wording.rows(part)}"


def _figures(found: Found) -> Iterator[str]:
    sure = wording.percent(found["confidence"], 0)
    yield f"| metric (test) | value ({sure} interval) |\n|---|---|"
    for metric in found["test"].values():
        yield f"| {metric['title']} | {wording.with_interval(metric['models']['model'], 4)} |"


def _slices(found: Found) -> Iterator[str]:
    metric = found["test"][found["primary"]]
    known = [
        (group[found["primary"]]["value"], f"{name} = {wording.name(group['name'])}", group)
        for name, groups in found["slices"].items()
        for group in groups
        if group[found["primary"]] and group[found["primary"]]["value"] is not None
    ]
    known.sort(key=lambda it: it[0], reverse=not metric["higher_is_better"])
    for _, name, group in known[:_SLICES]:
        figure = wording.with_interval(group[found["primary"]], 4)
        yield f"- {name}: {figure} on {group['rows']:,} rows"


def _limits(found: Found) -> Iterator[str]:
    train, test = found["parts"]["train"], found["parts"]["test"]
    if train["to"]:
        yield f"- Fitted on rows{wording.period(train)}; what changes later it cannot know."
    yield f"- The figures are of rows{wording.period(test) or ' chosen at random'} only."
    for metric, names in found["as_good"].items():
        if names:
            yield f"- On {found['test'][metric]['title']}, as good or better: {', '.join(names)}."
