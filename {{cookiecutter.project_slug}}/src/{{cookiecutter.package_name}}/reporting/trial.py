"""What the gate has to say, as a page: the verdict, the picture, every check."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from .. import formats
from ..gate import Answer, Check, Verdict
from . import wording
from .blocks import Block, Page, Picture, Pictures, Remarks, Section, Table, Text, Tint
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
    Answer.UNCHANGED: "Unchanged: this model is the champion",
    Answer.UNDECIDED: "Undecided: the rows do not tell yet",
}


def page(verdict: Verdict, registry: str, bounds: str) -> Page:
    """Tell a verdict, the registry that it holds in, and where its bounds are from."""
    rival = verdict.champion[:_DIGEST] if verdict.champion else "nobody, as the first model"
    failed = sum(check.passed is False for check in verdict.checks)
    rejected = f"Reject: {failed} of {len(verdict.checks)} checks failed"
    head = f"{headline(verdict) or rejected}."
    remarks = [it for it in (*verdict.reasons(), *verdict.notes()) if not head.endswith(f": {it}.")]
    return Page(
        title=f"Gate: {verdict.answer}",
        subtitle=f"Challenger {verdict.challenger[:_DIGEST]} against {rival}, in {registry}; "
        f"bounds of {bounds}",
        verdict=head,
        opening=[Remarks([wording.sentence(remark) for remark in remarks])] if remarks else [],
        sections=list(_sections(verdict)),
    )


def headline(verdict: Verdict) -> str:
    """Return what a verdict comes to in a line; nothing for a rejection, which has its reasons."""
    if verdict.answer is Answer.PROMOTE and verdict.worse():
        return f"Promote: {verdict.worse()[0]}"
    return _ANSWERS.get(verdict.answer, "")


def _sections(verdict: Verdict) -> Iterator[Section]:
    if verdict.differences:
        yield Section("Against the champion", list(_against(verdict)))
    elif verdict.answer is not Answer.UNCHANGED:
        words = "There is no champion to compare with, so only the floors count."
        if verdict.champion:
            words = "Nothing could be compared with the champion; the checks say why."
        yield Section("Against the champion", [Text(words)])
    if verdict.checks:
        yield Section("Checks", [checks(verdict)])


def _against(verdict: Verdict) -> Iterator[Block]:
    yield Pictures(
        [
            Picture(
                PICTURE,
                f"Difference in {wording.within(verdict.metric)}, on the same rows",
                "To the right of zero the challenger is better. Dashed: the margin, a wider one "
                "for slices. A whole interval to the right of it rules such a loss out; one "
                "across it decides nothing, and one to the left of it rejects. Intervals of "
                "slices are wider, for their number.",
                FOLDER,
            )
        ]
    )
    timed = any(found.days is not None for found in verdict.differences.values())
    yield Table(
        header=("", "Difference (interval)", *(("Days",) if timed else ()), "Rows"),
        rows=[
            (wording.name(it), figure(found), *((days(found),) if timed else ()), f"{found.rows:,}")
            for it, found in verdict.differences.items()
        ],
        caption="The same in figures",
        folded=True,
    )
    if verdict.undecided_slices:
        yield Table(
            header=("Slices that are undecided", ""),
            rows=[(wording.name(it), why) for it, why in verdict.undecided_slices.items()],
            caption=f"{len(verdict.undecided_slices)} slices tell nothing yet",
            words=(0, 1),
            folded=True,
        )


def days(found: "Comparison") -> str:
    """Write the days of a comparison, a dash where there are none."""
    return wording.UNKNOWN if found.days is None else f"{found.days:,}"


def figure(found: "Comparison") -> str:
    """Write a difference and its interval."""
    return formats.difference(found.value, found.low, found.high)


def checks(verdict: Verdict) -> Table:
    """Return every check that was made, with what it found."""
    return Table(
        header=("Check", "", "Reason"),
        rows=[(check.name, _mark(check), check.reason) for check in verdict.checks],
        words=(0, 1, 2),
    )


def _mark(check: Check) -> str | Tint:
    if check.passed:
        return "passed"
    return Tint("failed" if check.passed is False else "unknown", 0.4, good=False)


def height(verdict: Verdict) -> float:
    """Return how many inches high the picture is."""
    return _AROUND + _PER_NAME * (len(verdict.differences) + 1)


def draw(verdict: Verdict) -> Callable[["Axes"], None]:
    """Return what draws each difference with its interval, and the margin."""

    def on(axes: "Axes") -> None:
        found = list(verdict.differences.items())[::-1]
        axes.axvline(0, color=GREY, linewidth=0.8)
        slices = len(found) - _rivals(verdict.differences)
        for margin, first, last in (
            (verdict.margin, slices, len(found)),
            (verdict.slice_margin, 0, slices),
        ):
            ends, dashes = (first - 0.5, last - 0.5), (0, (4, 3))
            axes.plot([-margin] * 2, ends, color=ORANGE, linewidth=0.8, linestyle=dashes)
        for place, (_, difference) in enumerate(found):
            colour = BLUE if place >= slices else GREY
            axes.plot([difference.low, difference.high], [place, place], color=colour, lw=1.6)
            axes.plot([difference.value], [place], "o", color=colour, markersize=5)
        axes.set_yticks(range(len(found)), [wording.name(name) for name, _ in found])
        axes.set_ylim(-0.6, len(found) - 0.4)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.grid(visible=False, axis="y")
        axes.locator_params(axis="x", nbins=6)
        axes.set_xlabel(f"Gain in {wording.within(verdict.metric)}")

    return on


def _rivals(differences: "Mapping[str, Comparison]") -> int:
    return sum(" = " not in name for name in differences)
