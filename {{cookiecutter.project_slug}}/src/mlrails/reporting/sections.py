"""The report as a page: the sections that every task has, and between them those of its own."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..core.errors import counted
from ..core.params import Task, Unit
from . import classes, columns, groups, tasks, variation, wording
from .blocks import (
    Block,
    Page,
    Picture,
    Pictures,
    Remarks,
    Section,
    Span,
    Table,
    Text,
    Tile,
    Tiles,
    Tint,
)
from .tasks import Mean, target_mean
from .wording import Found, Relation, number


def closing_sections(found: Found, mean: Mean) -> Iterator[Section]:
    """Yield what is told alike of every task."""
    if any(loss["mean"] is not None for loss in found["importance"].values()):
        yield Section("What the predictions rest on", list(columns.importance(found)))
    if found["slices"]:
        yield groups.slices_section(found, mean)
    yield from columns.sensitive(found, mean)
    yield groups.months_section(found, mean)
    if refits := variation.section(found):
        yield refits
    yield Section("How these figures are made", [Remarks(list(_small_print(found)))])


def _small_print(found: Found) -> Iterator[str]:
    test, train = found["parts"]["test"], found["parts"]["train"]
    drawn = wording.drawn(found)
    yield _intervals(found["resamples"], wording.units(found))
    yield (
        f"A gain is paired: model and baseline on the same drawn {drawn}. A baseline is called as "
        "good when the interval of the gain includes zero: these rows do not tell the two apart."
    )
    yield (
        f"An interval covers the luck of which {drawn} were seen. It covers neither a change of "
        "the world after them, nor another seed, nor the choice among many models by these same "
        "rows."
    )
    if test["from"] is not None and test["from"] <= train["to"]:
        yield (
            "Training and test rows overlap in time. What is common to a day is then known from "
            "training, and figures of days to come will be worse."
        )
    if known := test.get("known_groups"):
        yield (
            f"Of the {counted(test['groups'], 'group')} of the test rows {known:,} are in training "
            "as well. What is common to a group is then known, and figures of new ones will be "
            "worse."
        )
    if found.get("weight"):
        yield f"All figures are weighted by {wording.name(found['weight'])}; rows are counted."
    of = round(1 / (1 - found["confidence"]))
    yield f"Groups are not corrected for their number: one interval in {of} misses by luck alone."


_WHOLE = {Unit.DAY: "whole days", Unit.GROUP: "whole groups", Unit.ROW: "blocks of rows"}
_WHY = {
    Unit.DAY: "since rows of one day share their luck",
    Unit.GROUP: "since rows of one group are alike",
    Unit.ROW: "dealt at random for want of a column of times or groups",
}
_CAUTIONS = {
    Unit.DAY: "Luck may last for several days: a gain is widened by what days that are like the "
    "one before cost, and another figure has the interval of whole weeks where there are eight of "
    "them and that is wider.",
    Unit.GROUP: "Groups are taken as independent of each other; of more than 200, some share a "
    "block.",
    Unit.ROW: "It takes rows as independent of each other; where some share their luck it is too "
    "narrow.",
}


def _intervals(resamples: int, units: Sequence[Unit]) -> str:
    """Say how intervals are made, of rows that carry a time, a group, both, or neither."""
    whole, why = (wording.listed([words[it] for it in units]) for words in (_WHOLE, _WHY))
    blocks = " or ".join("blocks" if it is Unit.ROW else it.plural for it in units)
    wider = " The wider of the two intervals counts." if len(units) > 1 else ""
    return (
        f"Intervals: {whole} are drawn with replacement {resamples:,} times (block bootstrap), "
        f"{why}. An interval is Student's t with the standard error of the draws and one degree of "
        f"freedom less than {blocks}, cut to values that are possible.{wider} "
        f"{' '.join(_CAUTIONS[it] for it in units)}"
    )


def baselines_section(found: Found) -> Section:
    """Tell how the model stands to each baseline."""
    return Section("Against simple baselines", list(_baseline_blocks(found)))


def _baseline_blocks(found: Found) -> Iterator[Block]:
    metrics = found["test"]
    primary = metrics[found["primary"]]
    better = "right" if primary["higher_is_better"] else "left"
    drawn = wording.sentence(wording.drawn(found))
    yield Text(
        "Baselines are simple models fitted on the same training rows. A model that does not beat "
        f"them is not worth its upkeep. The {found['hindsight']} is no model: nobody knows it "
        "before. What is gained over it is gained by telling rows apart, whatever has moved since "
        "training."
    )
    yield Pictures(
        [
            Picture(
                "baselines",
                f"{primary['title']} of the model and of each baseline",
                f"Dots are values on the test rows, lines their intervals; further to the {better} "
                f"is better. {drawn} that are hard for one are hard for all, so intervals may "
                "overlap where the paired gains in the tables below are clear.",
            )
        ]
    )
    for name, metric in metrics.items():
        yield _table(found, metric, found["validation"][name])


def _table(found: Found, metric: Found, on_validation: Found) -> Table:
    digits = wording.metric_decimals(metric)
    better = "higher" if metric["higher_is_better"] else "lower"
    sure = f"({wording.percent(found['confidence'], 0)} interval)"
    return Table(
        header=("", "Validation", f"Test {sure}", f"Model's gain {sure}", "Verdict"),
        rows=[
            (
                wording.name(name),
                number(on_validation["models"][name]["value"], digits),
                wording.with_interval(figure, digits),
                *_gain(metric, name),
            )
            for name, figure in metric["models"].items()
        ],
        caption=f"{metric['title']} ({better} is better)",
        note=wording.metric_verdict(metric),
        words=(0, 4),
        spans=[_span(metric["gains"].get(name)) for name in metric["models"]],
        mark="dashed: no gain",
    )


def _gain(metric: Found, name: str) -> tuple[str, str | Tint]:
    if name not in metric["gains"]:
        return "", ""
    gain = metric["gains"][name]
    written = wording.with_interval(gain, wording.decimals_of_gains(metric))
    relation = wording.relation(gain)
    return written, relation if relation is Relation.BEATEN else Tint(relation, 0.2, good=False)


def _span(gain: Found | None) -> Span:
    if gain is None:
        return Span(None, None, None)
    return Span(gain["value"], gain["low"], gain["high"], mark=0)


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
    Task.CLASSIFICATION: Conduct(1, tasks.event_tiles, tasks.event_sections),
    Task.REGRESSION: Conduct(3, tasks.number_tiles, tasks.number_sections),
    Task.MULTICLASS: Conduct(1, classes.tiles, classes.sections),
}


def report_page(found: Found) -> Page:
    """Tell all that was found."""
    conduct, mean = _CONDUCT[Task(found["task"])], target_mean(found)
    return Page(
        title=f"How well “{wording.name(found['target'])}” is predicted",
        subtitle=f"{wording.sentence(found['task'])} · model {_digest(found)}",
        verdict=wording.verdict(found),
        opening=[_tiles(found, conduct)],
        sections=[
            Section("What was trained on what", [_model(found), *_parts(found, mean)]),
            baselines_section(found),
            *conduct.sections(found),
            *groups.interval_sections(found),
            *closing_sections(found, mean),
        ],
    )


def _model(found: Found) -> Remarks:
    """Name what was fitted, with which numbers, and what it may see."""
    model = found["model"]
    numbers = ", ".join(f"{name} {value}" for name, value in model["hyperparameters"].items())
    columns = [name for names in model["features"].values() for name in names]
    seen = [f"Categories are seen as {model['categories']}.", wording.unseen(model["categories"])]
    return Remarks(
        [
            f"Estimator: {model['estimator']}.",
            f"Hyperparameters: {numbers or 'none'}.",
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
    model, digits = metric["models"]["model"], wording.metric_decimals(metric)
    ends = wording.interval(model, digits)
    note = f"{wording.percent(found['confidence'], 0)} interval {ends}"
    return Tile(metric["title"], number(model["value"], digits), note)


def _parts(found: Found, mean: Mean) -> Iterator[Block]:
    units, timed = wording.units(found), wording.is_timed(found)
    counts = [it.plural for it in units if it is not Unit.ROW]
    ends = ("From", "To") if timed else ()
    title = "Classes" if "classes" in found else mean.title
    titles = (*ends, *map(wording.sentence, counts), title, "Used for")
    yield Table(
        header=("Part", "Rows", *titles),
        rows=[
            (
                part,
                f"{about['rows']:,}",
                *(about[it.lower()] for it in ends),
                *(f"{about[it]:,}" for it in counts),
                f"{about['classes']:,}" if "classes" in found else mean.written(about["target"]),
                _ROLES[part],
            )
            for part, about in found["parts"].items()
        ],
        words=(0, len(titles) + 1),
    )
    yield Text(
        f"The digest of the model begins with {_digest(found)}, that of these rows with "
        f"{str(found['data_digest'])[:_DIGEST]}; metrics.json has the whole of both."
    )
