"""The page of a search, which needs nothing beside itself, and its trials as JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core import files
from ..core.errors import counted
from ..evaluation.metrics import Metric
from ..reporting import html, svg, wording
from ..reporting.blocks import Block, Page, Picture, Pictures, Remarks, Section, Table, Tile, Tiles
from . import charts, words
from .space import Space
from .trial import State, Trial

PAGE, TRIALS = Path("reports/tune.html"), Path("reports/tune.json")
_SHOWN = 20
_OPTIMISM = (
    "The best of many looks better by the rows that it was chosen on than it is: the gate decides "
    "by the test rows, which no trial has seen."
)
_PICTURES = {
    "tune-history": ("How it went", "Each dot is a whole trial, the line is the best until then."),
    "tune-importance": (
        "What matters",
        "How much of the difference between whole trials goes with each value (functional ANOVA).",
    ),
    "tune-parallel": (
        "Which values go with which figure",
        "A line is a whole trial: its values from left to right, and its figure last.",
    ),
}


@dataclass(frozen=True)
class Result:
    """What a search has come to."""

    project: str
    key: str
    metric: Metric
    space: Space
    trials: Sequence[Trial]
    best: Trial
    importance: Mapping[str, float]

    @property
    def present(self) -> Trial:
        """The trial of the values that the project had when the search began."""
        return self.trials[0]


def write(result: Result, root: Path) -> Sequence[Path]:
    """Write the page and the trials below a project's folder; return their files."""
    metric, higher = result.metric, result.metric.higher_is_better
    pictures = charts.drawn(result.trials, result.space, higher, metric.title, result.importance)
    inside = {name: svg.inline(drawn) for name, drawn in pictures.items()}
    (root / PAGE).parent.mkdir(exist_ok=True)
    files.write_text(html.render(_page(result, pictures), inside), root / PAGE)
    files.write_text(json.dumps(_told(result), indent=1, allow_nan=False) + "\n", root / TRIALS)
    return root / PAGE, root / TRIALS


def _told(result: Result) -> Mapping[str, object]:
    return {
        "search": result.key,
        "metric": result.metric.name,
        "higher_is_better": result.metric.higher_is_better,
        "best": result.best.number,
        "importance": dict(result.importance),
        "trials": [
            {
                "number": it.number,
                "state": it.state.value,
                "value": it.value,
                "values": dict(it.values),
                "steps": len(it.losses),
                "seconds": it.seconds,
                **({"why": it.why} if it.why else {}),
            }
            for it in result.trials
        ],
    }


def _page(result: Result, pictures: Mapping[str, str]) -> Page:
    first, found = result.present, result.best
    said = f"{words.counts(result.trials)} on validation rows; search {result.key[:12]}."
    better = found.number != first.number
    return Page(
        title=f"{result.project}: what was tried",
        subtitle=said,
        verdict=f"Trial {found.number} is the best." if better else "The values stay as they were.",
        opening=[Tiles(list(_tiles(result))), Remarks(list(_remarks(result)))],
        sections=[
            *([Section("Pictures", list(_drawn(pictures)))] if pictures else []),
            Section("The best trials", [_table(result)]),
        ],
    )


def _tiles(result: Result) -> Iterator[Tile]:
    metric = result.metric
    yield Tile(metric.title, words.figure(result.best.value), "the best, on validation rows")
    yield Tile("Before", words.figure(result.present.value), "the values that the project had")
    seconds = sum(it.seconds for it in result.trials)
    yield Tile("Fitted for", words.left(seconds), counted(len(result.trials), "trial"))


def _remarks(result: Result) -> Iterator[str]:
    told = ", ".join(f"{name} {value}" for name, value in result.best.values.items())
    yield f"Best: {told}."
    if result.importance:
        yield f"What matters: {words.matters(result.importance)}."
    yield from (f"{wording.sentence(it)}." for it in words.at_an_edge(result.best, result.space))
    yield _OPTIMISM


def _drawn(pictures: Mapping[str, str]) -> Iterator[Block]:
    for name in pictures:
        yield Pictures([Picture(name, *_PICTURES[name])])


def _table(result: Result) -> Table:
    sign = -1 if result.metric.higher_is_better else 1
    whole = [it for it in result.trials if it.state is State.WHOLE and it.value is not None]
    ranked = sorted(whole, key=lambda it: (sign * (it.value or 0.0), it.number))[:_SHOWN]
    names = list(result.space.axes)
    return Table(
        header=("Trial", result.metric.title, *names, "Steps", "Seconds"),
        rows=[
            (
                str(it.number),
                words.figure(it.value),
                *(str(it.values.get(name, "–")) for name in names),
                str(len(it.losses)),
                f"{it.seconds:.1f}",
            )
            for it in ranked
        ],
        caption=f"{counted(len(ranked), 'trial')} of {len(whole)} whole ones",
    )
