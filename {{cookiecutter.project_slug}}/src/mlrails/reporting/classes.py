"""What the report tells of several classes: which are told apart, and what is taken for what."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from . import wording
from .blocks import Block, Picture, Pictures, Remarks, Section, Span, Table, Text, Tile, Tint
from .svg import BLUE, GREY, INK, ORANGE, SKY
from .tasks import target_mean
from .wording import Found, number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHOWN = 20
"""Classes that a table has room for, the commonest first; metrics.json has all."""
_IN_TABLE = 7
"""Classes of which a table shows what is taken for what; of more there is the picture."""
_CURVES = 5
_NAMED = 5
_DIGITS = 3


def tiles(found: Found) -> Sequence[Tile]:
    """Return what matters beside the log-loss."""
    right, sure = (found["behaviour"][it] for it in ("mean_target", "mean_score"))
    low, high = found["bias"]["low"], found["bias"]["high"]
    off = low is not None and not low <= 0 <= high
    shown = [
        _metric(found, "macro_f1", f"{len(found['classes'])} classes, each counts the same"),
        Tile("Called right", percent(right), f"{percent(sure)} by its own word", alarm=off),
    ]
    if found["strangers"]:
        rows = f"{sum(found['strangers'].values()):,} test rows"
        shown.append(Tile("Unknown classes", rows, "no training row has them", alarm=True))
    return shown


def _metric(found: Found, name: str, note: str) -> Tile:
    metric = found["test"][name]
    return Tile(metric["title"], number(metric["models"]["model"]["value"], _DIGITS), note)


def sections(found: Found) -> Iterator[Section]:
    """Yield the classes one by one, mistakes and probabilities."""
    yield Section("Class by class", list(_each(found)))
    yield Section("What is taken for what", list(_confusion(found)))
    yield Section("Whether the probabilities hold", list(_calibration(found)))


def commonest(found: Found) -> Sequence[Found]:
    """Return the classes that there is room for, those with most test rows first."""
    ordered = sorted(found["classes"], key=lambda it: -int(it["rows"]["test"]))
    return ordered[:_SHOWN]


def findings(found: Found) -> Iterator[str]:
    """Yield a sentence for what nobody could learn, and for what nobody can know."""
    if found["strangers"]:
        rows = sum(found["strangers"].values())
        yield (
            f"{rows:,} test rows have a class that no training row has "
            f"({_names(found['strangers'])}): the model cannot call it, so each counts as wrong, "
            "with the log-loss of a probability of next to nothing."
        )
    unseen = [it["name"] for it in found["classes"] if not it["rows"]["test"]]
    if unseen:
        yield f"No test row has {_names(unseen)}, so nothing is known of how well that is told."


def _names(names: Sequence[str]) -> str:
    shown = [f"“{wording.name(it)}”" for it in list(names)[:_NAMED]]
    more = len(names) - len(shown)
    return wording.listed([*shown, *([f"{more:,} more"] if more > 0 else [])])


def _each(found: Found) -> Iterator[Block]:
    if told := list(findings(found)):
        yield Remarks(told)
    yield Text(
        "Each class against the rest, on the test rows: how many of the calls of it are right "
        "(precision), how many of its rows are found (recall), and F1, the harmonic mean of the "
        "two. The area under ROC tells how well its probability orders the rows, whatever is "
        "called."
    )
    yield each_table(found)


def each_table(found: Found) -> Table:
    """Return the figures of each class as a table."""
    shown, whole = commonest(found), found["test"]["macro_f1"]["models"]["model"]["value"]
    hidden = len(found["classes"]) - len(shown)
    more = f" (the {_SHOWN} commonest; {hidden:,} more are in metrics.json)" if hidden > 0 else ""
    sure = wording.percent(found["confidence"], 0)
    return Table(
        header=(
            "Class",
            "Test rows",
            "Called",
            "Precision",
            "Recall",
            f"F1 ({sure} interval)",
            "Area",
        ),
        rows=[
            (
                wording.name(it["name"]),
                f"{it['rows']['test']:,}",
                f"{it['called']:,}",
                percent(it["precision"]["value"]),
                percent(it["recall"]["value"]),
                wording.with_interval(it["f1"], _DIGITS),
                number(it["roc_auc"]["value"], _DIGITS),
            )
            for it in shown
        ],
        caption=f"Class by class{more}",
        spans=[_span(it["f1"], whole) for it in shown],
        mark="dashed: macro F1",
    )


def _confusion(found: Found) -> Iterator[Block]:
    table, names = found["behaviour"]["confusion_matrix"], [it["name"] for it in found["classes"]]
    accuracy = found["test"]["accuracy"]["models"]["model"]
    digits = wording.metric_decimals(found["test"]["accuracy"])
    yield Text(
        f"A row is called the likeliest class, and {wording.with_interval(accuracy, digits)} of "
        "the calls are right (accuracy)."
    )
    if len(table["classes"]) > 1:
        yield Pictures(
            [
                Picture(
                    "confusion",
                    "What the rows of each class were called",
                    "A line is what the rows of one class were called, the darker the more of "
                    "them; what is right lies on the diagonal.",
                )
            ]
        )
    if len(names) <= _IN_TABLE:
        yield _confusion_table(table, names)
    elif table["mistakes"]:
        yield Table(
            header=("Actually", "Called", "Test rows"),
            rows=[
                (
                    wording.name(names[it["actual"]]),
                    wording.name(names[it["called"]]),
                    f"{it['rows']:,}",
                )
                for it in table["mistakes"]
            ],
            caption="The commonest mistakes",
            words=(0, 1),
        )


def _confusion_table(table: Found, names: Sequence[str]) -> Table:
    shown = [wording.name(names[it]) for it in table["classes"]]

    def cells(place: int, rows: Sequence[int]) -> Iterator[Tint]:
        total = max(sum(rows), 1)
        for called, count in enumerate(rows):
            words = f"{count:,} ({percent(count / total)})"
            yield Tint(words, count / total, good=called == place)

    return Table(
        header=("Test rows", *(f"Called {it}" for it in shown)),
        rows=[
            (f"Actually {name}", *cells(place, table["rows"][place]))
            for place, name in enumerate(shown)
        ],
    )


def _calibration(found: Found) -> Iterator[Block]:
    right, sure = (found["behaviour"][it] for it in ("mean_target", "mean_score"))
    error = percent(found["behaviour"]["calibration_error"])
    yield Text(
        f"The class that is called is given a probability of {percent(sure)} on average, and "
        f"{percent(right)} of the calls are right{target_mean(found).off(found)}. Over tenths of "
        f"the rows the two are {error} apart on average (calibration error)."
    )
    if len(found["behaviour"]["calibration"]["x"]) > 1:
        yield Pictures([_OF_CALLS, _OF_CLASSES])
    else:
        yield Text("All predictions are alike, so there is no curve to draw.")
    yield _means(found)


_OF_CALLS = Picture(
    "calibration",
    "Share of calls that were right against their probability",
    "Each dot is a tenth of the test rows, by the probability of what was called. Below the "
    "diagonal the model is surer than it may be.",
)
_OF_CLASSES = Picture(
    "class-calibration",
    "Share that came true against predicted probability, class by class",
    f"The {_CURVES} commonest classes at most; a dot is a tenth of the test rows, by the "
    "probability of that class.",
)


def _means(found: Found) -> Table:
    shown = commonest(found)
    sure = wording.percent(found["confidence"], 0)
    return Table(
        header=("Class", "Came true", "Predicted", f"Too much by ({sure} interval)", "Error"),
        rows=[
            (
                wording.name(it["name"]),
                percent(it["target"]),
                percent(it["score"]),
                _too_much(it["bias"]),
                percent(it["calibration_error"]),
            )
            for it in shown
        ],
        caption="How often each class is predicted, and came true",
        spans=[_span(it["bias"], 0) for it in shown],
        mark="dashed: as often as it came true",
    )


def _span(figure: Found, mark: float | None) -> Span:
    return Span(figure["value"], figure["low"], figure["high"], mark)


def _too_much(bias: Found) -> str:
    points = {end: None if it is None else 100 * it for end, it in bias.items()}
    return wording.with_interval(points, 1)


def draw_confusion(found: Found, axes: "Axes") -> None:
    """Draw the shares of each class's rows that were called each class, as a grid of squares."""
    table, names = found["behaviour"]["confusion_matrix"], [it["name"] for it in found["classes"]]
    shown = [wording.name(names[it], _WIDEST) for it in table["classes"]]
    shown += [f"{table['others']} others"] if table["others"] else []
    size = len(shown)
    shares = [[count / max(sum(rows), 1) for count in rows] for rows in table["rows"]]
    for actual, row in enumerate(shares):
        for called, share in enumerate(row):
            colour = BLUE if actual == called else ORANGE
            axes.fill_between(
                [called - 0.47, called + 0.47],
                actual - 0.47,
                actual + 0.47,
                color=colour,
                alpha=0.06 + 0.94 * share,
                linewidth=0,
            )
            if size <= _WITH_FIGURES and share >= _LEAST_SHARE:
                ink = "white" if share > 0.55 else INK
                axes.text(called, actual, f"{share:.0%}", ha="center", va="center", color=ink)
    axes.set_xticks(range(size), shown, rotation=90 if size > _LEVEL else 0)
    axes.set_yticks(range(size), shown)
    axes.set_xlim(-0.5, size - 0.5)
    axes.set_ylim(size - 0.5, -0.5)
    axes.tick_params(length=0, labelcolor=INK)
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_xlabel("Called")
    axes.set_title("Actually")


_WIDEST = 14
_WITH_FIGURES, _LEAST_SHARE, _LEVEL = 9, 0.005, 5
_COLOURS = (BLUE, ORANGE, SKY, GREY, INK)


def confusion_height(found: Found) -> float:
    """Return how many inches high the grid is."""
    table = found["behaviour"]["confusion_matrix"]
    return 1.2 + 0.32 * (len(table["classes"]) + bool(table["others"]))


def draw_calibration(found: Found, axes: "Axes") -> None:
    """Draw a calibration curve for each of the commonest classes, and the diagonal."""
    from matplotlib.ticker import PercentFormatter

    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    for colour, it in zip(_COLOURS, commonest(found), strict=False):
        curve = it["calibration"]
        (line,) = axes.plot(curve["x"], curve["y"], "o-", color=colour, linewidth=1.2)
        line.set_markersize(4)
        line.set_label(wording.name(it["name"], _WIDEST))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("Predicted")
    axes.set_title("Came true")
    axes.figure.legend(loc="outside lower center", ncols=3, handletextpad=0.3)
