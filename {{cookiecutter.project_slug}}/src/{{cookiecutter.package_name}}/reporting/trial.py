"""What the gate has to say, as a page: the verdict, the picture, every check."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from ..gate import Answer, Check, Verdict
from . import wording
from .blocks import Block, Page, Picture, Pictures, Section, Table, Text, Tint
from .colours import BLUE, GREY, INK, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..comparison import Comparison

FOLDER = "gate"
PICTURE = "differences"
_DIGEST = 12
_PER_NAME, _AROUND = 0.25, 0.65
"""Inches of the picture."""

_ANSWERS = {
    Answer.PROMOTE: "Promote: nothing stands in the way",
    Answer.REJECT: "Reject",
    Answer.UNCHANGED: "Unchanged: this model is the champion",
    Answer.UNDECIDED: "Undecided: the rows do not tell yet",
}


def page(verdict: Verdict, registry: str, bounds: str) -> Page:
    """Tell a verdict, the registry that it holds in, and where its bounds are from."""
    rival = verdict.champion[:_DIGEST] if verdict.champion else "nobody, as the first model"
    reasons = "; ".join(verdict.reasons())
    head = _ANSWERS[verdict.answer]
    return Page(
        title=f"Gate: {verdict.answer}",
        subtitle=f"Challenger {verdict.challenger[:_DIGEST]} against {rival}, in {registry}; "
        f"bounds of {bounds}",
        verdict=f"{head}. {wording.sentence(reasons)}." if reasons else f"{head}.",
        opening=[],
        sections=list(_sections(verdict)),
    )


def _sections(verdict: Verdict) -> Iterator[Section]:
    if verdict.differences:
        yield Section("Against the champion", list(_against(verdict)))
    elif verdict.answer is not Answer.UNCHANGED:
        words = "There is no champion to compare with, so only the floors count."
        yield Section("Against the champion", [Text(words)])
    if verdict.checks:
        yield Section("Checks", [_checks(verdict)])


def _against(verdict: Verdict) -> Iterator[Block]:
    yield Pictures(
        [
            Picture(
                PICTURE,
                f"Difference in {wording.within(verdict.metric)}, on the same days",
                "To the right of zero the challenger is better. Dashed: the margin. A whole "
                "interval to the right of it rules such a loss out; one across it decides "
                "nothing. Intervals of slices are wider, for their number.",
                FOLDER,
            )
        ]
    )
    yield Table(
        header=("", "Difference (interval)", "Days", "Rows"),
        rows=[
            (wording.name(name), _figure(found), f"{found.days:,}", f"{found.rows:,}")
            for name, found in verdict.differences.items()
        ],
        caption="The same in figures",
        folded=True,
    )


def _figure(found: "Comparison") -> str:
    return f"{found.value:+.4f} ({found.low:+.4f} to {found.high:+.4f})"


def _checks(verdict: Verdict) -> Table:
    return Table(
        header=("Check", "", "Value", "Bound", "Reason"),
        rows=[
            (check.name, _mark(check), _number(check.value), _number(check.bound), check.reason)
            for check in verdict.checks
        ],
        words=(0, 1, 4),
    )


def _mark(check: Check) -> str | Tint:
    if check.passed:
        return "passed"
    return Tint("failed" if check.passed is False else "unknown", 0.4, good=False)


def _number(value: float | None) -> str:
    return wording.UNKNOWN if value is None else f"{value:.4g}"


def height(verdict: Verdict) -> float:
    """Return how many inches high the picture is."""
    return _AROUND + _PER_NAME * (len(verdict.differences) + 1)


def draw(verdict: Verdict) -> Callable[["Axes"], None]:
    """Return what draws each difference with its interval, and the margin."""

    def on(axes: "Axes") -> None:
        found = list(verdict.differences.items())[::-1]
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.axvline(-verdict.margin, color=ORANGE, linewidth=0.8, linestyle=(0, (4, 3)))
        for place, (_, difference) in enumerate(found):
            colour = BLUE if place >= len(found) - _rivals(verdict.differences) else GREY
            axes.plot([difference.low, difference.high], [place, place], color=colour, lw=1.6)
            axes.plot([difference.value], [place], "o", color=colour, markersize=5)
        axes.set_yticks(range(len(found)), [wording.name(name) for name, _ in found])
        axes.set_ylim(-0.6, len(found) - 0.4)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(f"Gain in {wording.within(verdict.metric)}")

    return on


def _rivals(differences: "Mapping[str, Comparison]") -> int:
    return sum(" = " not in name for name in differences)
