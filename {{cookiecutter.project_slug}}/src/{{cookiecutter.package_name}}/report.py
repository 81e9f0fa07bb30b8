"""The report's files: `metrics.json`, `report.md`, `report.html` and `plots/`, all of one value.

Everything is a function of what was found: no clock, no machine, so the same figures give the same
bytes. Both pages are rendered from one page of blocks and cannot disagree.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import files, layout
from .reporting import blocks, drawing, html, markdown, plots, story
from .reporting.wording import Found

_CURVES = {"roc", "precision_recall", "calibration", "histogram"}
"""What only a picture can show; left out of `metrics.json`."""

_DIGITS = 6


def write(found: Found, folder: Path) -> None:
    """Write the report of what `steps/evaluate.py` has found into a folder."""
    known = _plain(found)
    page = story.report_page(known)
    charts = plots.draw(known, [picture.name for picture in page.pictures()])
    _write_plots(charts, folder / blocks.PLOTS)
    files.write_text(markdown.render(page), folder / "report.md")
    inside = {name: drawing.inline(drawn) for name, drawn in charts.items()}
    files.write_text(html.render(page, inside), folder / layout.REPORT.name)
    figures = json.dumps(_without_curves(known), indent=1, allow_nan=False, ensure_ascii=False)
    files.write_text(figures + "\n", folder / layout.METRICS.name)


def _write_plots(charts: Mapping[str, str], folder: Path) -> None:
    for name, drawn in charts.items():
        files.write_text(drawn, folder / f"{name}.svg")
    for path in folder.iterdir():
        if path.suffix != ".svg" or path.stem not in charts:
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
            name: _without_curves(inner) for name, inner in value.items() if name not in _CURVES
        }
    return value
