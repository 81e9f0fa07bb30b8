"""What is written of the figures: the report's files, a version's card, and a table of a few lines.

Everything is a function of what was found: no clock, no machine, so the same figures give the same
bytes. Both pages are rendered from one page of blocks and cannot disagree. The sections are those
of Mitchell et al. 2019 (doi:10.1145/3287560.3287596), as far as a machine can fill them in.
"""

import json
import math
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..core import files, formats, layout
from ..core.config import read_yaml
from ..core.console import table
from ..core.layout import Part
from ..core.params import Params
from . import (
    blocks,
    charts,
    classes,
    columns,
    groups,
    html,
    markdown,
    sections,
    svg,
    tasks,
    wording,
)
from .wording import Found, verdict


def figures_table(found: Mapping[str, Any], part: Part = "test", report: str | None = None) -> str:
    """Return the model's figures on the rows of a part beside the best baseline's, as a table.

    `report` is where the report of this model is, where it is to be had.
    """
    about = found["parts"][part]
    period = f", {about['from']} to {about['to']}" if about["from"] else ""
    rows = [_row(name, metric) for name, metric in found[part].items()]
    header = (part, "model", f"{found['confidence']:.0%} interval", "best baseline", "gain")
    told = f"{about['rows']:,} {part} rows{period}; model {found['digest'][:12]}"
    gaps = [f"\nwidest gap: {it}" for it in _gaps(found) if part == "test"]
    where = f"\nreport: {report}" if report else ""
    return f"\n{table(header, rows)}\n\n{told}{''.join(gaps)}{where}"


def _gaps(found: Found) -> Iterator[str]:
    """Yield the widest gaps between the groups of sensitive columns, where there are any."""
    if found.get("fairness"):
        yield from columns.widest(found, tasks.target_mean(found))


def _row(name: str, metric: Mapping[str, Any]) -> tuple[str, ...]:
    model = metric["models"]["model"]
    gains = metric["gains"]
    best = min(gains, key=lambda name: (gains[name]["value"] is None, gains[name]["value"] or 0))
    gain = gains[best]
    return (
        name,
        _number(model["value"]),
        f"{_number(model['low'])} to {_number(model['high'])}",
        f"{_number(metric['models'][best]['value'])} ({best})",
        _gain(gain),
    )


def _gain(gain: Mapping[str, float | None]) -> str:
    value, low, high = gain["value"], gain["low"], gain["high"]
    if value is None:
        return "–"
    if low is None or high is None:
        return formats.signed(value, formats.digits(value))
    return formats.difference(value, low, high)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


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
        f"## Figures\n\n{verdict(found)}\n\n{chr(10).join((*_figures(found), *_interval(found)))}",
        *_classes(found),
        f"## Weakest slices\n\n{chr(10).join(_slices(found)) or 'None was large enough.'}",
        *_fairness(found),
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


def _interval(found: Found) -> Iterator[str]:
    if "interval" in found:
        yield f"\n{groups.interval_sentence(found)}"


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
        yield f"- {markdown.escaped(name)}: {figure} on {group['rows']:,} rows"


def _fairness(found: Found) -> Iterator[str]:
    if found.get("fairness"):
        columns = wording.listed([f"`{it}`" for it in found["fairness"]])
        lines = "\n".join(f"- {markdown.escaped(it)}" for it in _gaps(found))
        yield (
            "## Fairness\n\n"
            f"Not among the columns above: {columns}. The widest gaps between a group of the test "
            f"rows and all others, with intervals:\n\n{lines or 'None was large enough.'}"
        )


def _limits(found: Found) -> Iterator[str]:
    train, test = found["parts"]["train"], found["parts"]["test"]
    if train["to"]:
        yield f"- Fitted on rows{wording.period(train)}; what changes later it cannot know."
    yield f"- The figures are of rows{wording.period(test) or ' chosen at random'} only."
    yield from (f"- {it}" for it in (classes.findings(found) if "classes" in found else ()))
    for metric, names in found["as_good"].items():
        if names:
            yield f"- On {found['test'][metric]['title']}, as good or better: {', '.join(names)}."


def _classes(found: Found) -> Iterator[str]:
    if "classes" in found:
        yield f"## Classes\n\n{markdown.table(classes.each_table(found))}"


_CURVES = {"roc", "precision_recall", "calibration", "histogram", "cost_curve"}
"""What only a picture can show; left out of `metrics.json`."""

_DIGITS = 6


def write(found: Found, folder: Path) -> None:
    """Write the report of what `steps/evaluate.py` has found into a folder."""
    known = _plain(found)
    page = sections.report_page(known)
    drawn = charts.draw_charts(known, [picture.name for picture in page.pictures()])
    _write_plots(drawn, folder / blocks.PLOTS)
    files.write_text(markdown.render(page), folder / "report.md")
    inside = {name: svg.inline(chart) for name, chart in drawn.items()}
    files.write_text(html.render(page, inside), folder / layout.REPORT.name)
    figures = json.dumps(_without_curves(known), indent=1, allow_nan=False, ensure_ascii=False)
    files.write_text(figures + "\n", folder / layout.METRICS.name)


def _write_plots(drawn: Mapping[str, str], folder: Path) -> None:
    for name, chart in drawn.items():
        files.write_text(chart, folder / f"{name}.svg")
    for path in folder.iterdir():
        if path.suffix != ".svg" or path.stem not in drawn:
            path.unlink()


def _plain(value: Any) -> Any:
    """Round, and write None for what is not a number: JSON has no other word for it."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return round(value, _DIGITS) if math.isfinite(value) else None
    return value


def _without_curves(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            # Groups have figures of calibration, and no curve of it.
            name: inner if name == "fairness" else _without_curves(inner)
            for name, inner in value.items()
            if name not in _CURVES
        }
    if isinstance(value, list):
        return [_without_curves(inner) for inner in value]
    return value
