"""The model against simple baselines, metric by metric, with paired gains."""

from collections.abc import Iterator

from . import verdict, wording
from .blocks import Block, Picture, Pictures, Section, Span, Table, Text, Tint
from .verdict import Relation
from .wording import Found, number


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
    digits = verdict.metric_decimals(metric)
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
        note=verdict.metric_verdict(metric),
        words=(0, 4),
        spans=[_span(metric["gains"].get(name)) for name in metric["models"]],
        mark="dashed: no gain",
    )


def _gain(metric: Found, name: str) -> tuple[str, str | Tint]:
    if name not in metric["gains"]:
        return "", ""
    gain = metric["gains"][name]
    written = wording.with_interval(gain, verdict.decimals_of_gains(metric))
    relation = verdict.relation(gain)
    return written, relation if relation is Relation.BEATEN else Tint(relation, 0.2, good=False)


def _span(gain: Found | None) -> Span:
    if gain is None:
        return Span(None, None, None)
    return Span(gain["value"], gain["low"], gain["high"], mark=0)
