"""What the report says, from the verdict to the small print, as blocks."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..task import Task
from . import closing, comparison, events, numbers, verdict, wording
from .blocks import Block, Page, Remarks, Section, Table, Text, Tile, Tiles
from .mean import Mean, target_mean
from .wording import Found, number

_ROLES = {
    "train": "fitting",
    "validation": "choices, such as when to stop",
    "test": "the figures of this report",
}
"""What each part of the rows is for."""

_DIGEST = 12


@dataclass(frozen=True)
class Conduct:
    """What is told of one task in its own way."""

    metrics_on_top: int
    tiles: Callable[[Found], Sequence[Tile]]
    sections: Callable[[Found], Iterable[Section]]


_CONDUCT: Mapping[Task, Conduct] = {
    Task.CLASSIFICATION: Conduct(1, events.event_tiles, events.event_sections),
    Task.REGRESSION: Conduct(3, numbers.number_tiles, numbers.number_sections),
}


def report_page(found: Found) -> Page:
    """Tell all that was found."""
    conduct, mean = _CONDUCT[Task(found["task"])], target_mean(found)
    return Page(
        title=f"How well “{wording.name(found['target'])}” is predicted",
        subtitle=f"{wording.sentence(found['task'])} · model {_digest(found)}",
        verdict=verdict.verdict(found),
        opening=[_tiles(found, conduct)],
        sections=[
            Section("What was trained on what", [_model(found), *_parts(found, mean)]),
            comparison.baselines_section(found),
            *conduct.sections(found),
            *closing.closing_sections(found, mean),
        ],
    )


def _model(found: Found) -> Remarks:
    """Name what was fitted, with which numbers, and what it may see."""
    model = found["model"]
    numbers_ = ", ".join(f"{name} {value}" for name, value in model["hyperparameters"].items())
    columns = [name for names in model["features"].values() for name in names]
    seen = [f"Categories are seen as {model['categories']}."]
    return Remarks(
        [
            f"Estimator: {model['estimator']}.",
            f"Hyperparameters: {numbers_ or 'none'}.",
            f"Features: {', '.join(map(wording.name, columns))}.",
            *(seen if model["features"]["categorical"] and model["categories"] else []),
        ]
    )


def _digest(found: Found) -> str:
    return str(found["digest"])[:_DIGEST]


def _tiles(found: Found, conduct: Conduct) -> Tiles:
    on_top = list(found["test"].values())[: conduct.metrics_on_top]
    return Tiles([*(_metric_tile(found, metric) for metric in on_top), *conduct.tiles(found)])


def _metric_tile(found: Found, metric: Found) -> Tile:
    model, digits = metric["models"]["model"], verdict.metric_decimals(metric)
    ends = wording.interval(model, digits)
    note = f"{wording.percent(found['confidence'], 0)} interval {ends}"
    return Tile(metric["title"], number(model["value"], digits), note)


def _parts(found: Found, mean: Mean) -> Iterator[Block]:
    timed = wording.drawn(found) == "days"
    yield Table(
        header=("Part", "Rows", *(("From", "To", "Days") if timed else ()), mean.title, "Used for"),
        rows=[
            (
                part,
                f"{about['rows']:,}",
                *((about["from"], about["to"], f"{about['days']:,}") if timed else ()),
                mean.written(about["target"]),
                _ROLES[part],
            )
            for part, about in found["parts"].items()
        ],
        words=(0, 6) if timed else (0, 3),
    )
    yield Text(
        f"The digest of the model begins with {_digest(found)}, that of these rows with "
        f"{str(found['data_digest'])[:_DIGEST]}; metrics.json has the whole of both."
    )
