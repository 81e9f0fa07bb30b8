"""The gate's files: `verdict.json`, `gate.md`, `gate.html` and its picture, all of one verdict.

They depend on the registry, so no stage makes them and DVC does not keep them.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..core import files, formats
from ..core.console import say
from ..core.errors import Exit, counted
from ..core.params import Unit
from ..reporting import html, markdown, svg, wording
from ..reporting.blocks import Page, Picture, Pictures, Remarks, Section, Span, Table, Text, Tint
from ..reporting.svg import BLUE, GREY, INK, ORANGE
from . import gaps
from .verdict import Answer, Check, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..evaluation.comparison import Comparison


FOLDER = "gate"
PICTURE = "differences"
VERDICT = Path("reports/verdict.json")
PAGE = Path("reports/gate.html")
TEXT = Path("reports/gate.md")
PICTURES = Path("reports", FOLDER)
EVIDENCE = (VERDICT, TEXT, PAGE)
_EXITS = {Answer.REJECT: Exit.REJECT, Answer.UNDECIDED: Exit.UNDECIDED}


def write(verdict: Verdict, registry: str, bounds: str, root: Path) -> None:
    """Write the files of a verdict, the JSON last: who reads that finds the rest."""
    page, charts = verdict_page(verdict, registry, bounds), dict[str, str]()
    if verdict.differences:
        drawn = svg.svg(PICTURE, draw(verdict), height(verdict))
        files.write_text(drawn, root / PICTURES / f"{PICTURE}.svg")
        charts[PICTURE] = svg.inline(drawn)
    files.write_text(markdown.render(page), root / TEXT)
    files.write_text(html.render(page, charts), root / PAGE)
    told = verdict.to_json(registry, bounds)
    files.write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", root / VERDICT)


def announce(verdict: Verdict, registry: str) -> Exit:
    """Print a verdict and its reasons; return the exit code that it stands for."""
    rival = f"champion {verdict.champion[:12]}" if verdict.champion else "no champion"
    say(f"gate: {verdict.answer}: model {verdict.challenger[:12]}, {rival}, in {registry}")
    for line in (*verdict.reasons(), *verdict.notes()):
        say(f"  {wording.printable(line)}")
    return _EXITS.get(verdict.answer, Exit.DONE)


_DIGEST = 12
_PER_NAME, _AROUND = 0.25, 0.65
"""Inches of the picture."""

_TITLES = {
    Answer.PROMOTE: "Promote: this model may become champion",
    Answer.UNCHANGED: "Unchanged: this is the champion's model",
    Answer.UNDECIDED: "Undecided: the test rows do not tell yet, so nothing is promoted",
    Answer.REJECT: "Reject: this model may not become champion",
}


@dataclass(frozen=True)
class Beside:
    """What a page tells beside the verdict: remarks after its reasons, and sections around."""

    remarks: Sequence[str] = ()
    before: Sequence[Section] = ()
    after: Sequence[Section] = ()


_NOTHING = Beside()


def verdict_page(
    verdict: Verdict,
    registry: str,
    bounds: str,
    beside: Beside = _NOTHING,
    pictured: bool = True,
) -> Page:
    """Tell a verdict, the registry that it holds in, and where its bounds are from.

    It is `pictured` where the picture lies beside the page.
    """
    rival = verdict.champion[:_DIGEST] if verdict.champion else "nobody yet"
    told = [*verdict.reasons(), *verdict.notes()]
    remarks = [*(wording.sentence(it) for it in told if it != headline(verdict)), *beside.remarks]
    return Page(
        title=_title(verdict),
        subtitle=f"Model {verdict.challenger[:_DIGEST]}, champion {rival}, in {registry}; "
        f"bounds of {bounds}.",
        verdict=_summary(verdict),
        opening=[Remarks(remarks)] if remarks else [],
        sections=[
            *beside.before,
            *_gains(verdict, pictured),
            *gaps.sections(verdict.fairness),
            *beside.after,
            *([Section("Checks", [checks(verdict)])] if verdict.checks else []),
        ],
    )


def headline(verdict: Verdict) -> str:
    """Return what heads a promotion of a model that is shown worse within the margin."""
    return next(iter(verdict.worse()), "") if verdict.answer is Answer.PROMOTE else ""


def _title(verdict: Verdict) -> str:
    worse = headline(verdict)
    return f"{_TITLES[verdict.answer]}{f', though {worse}' if worse else ''}"


def _summary(verdict: Verdict) -> str:
    if verdict.answer is Answer.UNCHANGED:
        return "The bytes are the champion's: there is nothing to compare."
    every = counted(len(verdict.checks), "check")
    failed, open_ = (
        sum(check.passed is state for check in verdict.checks) for state in (False, None)
    )
    if failed or open_:
        return f"{failed} of {every} failed, {open_} cannot be told yet."
    return f"{'All ' if len(verdict.checks) > 1 else ''}{every} passed."


def _gains(verdict: Verdict, pictured: bool) -> Iterator[Section]:
    if verdict.differences:
        blocks = [_picture(verdict)] if pictured else []
        yield Section("Gain over the champion", [*blocks, *_in_figures(verdict, pictured)])
    elif verdict.answer is not Answer.UNCHANGED:
        words = "There is no champion to compare with, so only the floors count."
        if verdict.champion:
            words = "Nothing could be compared with the champion; the checks say why."
        yield Section("Gain over the champion", [Text(words)])


def _picture(verdict: Verdict) -> Pictures:
    return Pictures(
        [
            Picture(
                PICTURE,
                f"Gain in {wording.within(verdict.metric)}, on the same rows",
                "To the right of zero the challenger is better. Dashed: the margin, a wider one "
                "for slices. A whole interval to the right of it rules such a loss out; one "
                "across it decides nothing, and one to the left of it rejects. Intervals of "
                "slices are wider, for their number.",
                FOLDER,
            )
        ]
    )


def _in_figures(verdict: Verdict, pictured: bool) -> Iterator[Table]:
    """Draw each gain beside what may be lost, to the left of which nothing may lie."""
    found = verdict.differences
    units = [it for it in _DRAWN if any(each.unit is it for each in found.values())]
    yield Table(
        header=(
            "",
            f"Gain in {wording.within(verdict.metric)}",
            *(wording.sentence(it.plural) for it in units),
            "Rows",
        ),
        rows=[
            (wording.name(name), figure(it), *(drawn(it, unit) for unit in units), f"{it.rows:,}")
            for name, it in found.items()
        ],
        caption="The same in figures" if pictured else "",
        spans=[
            Span(it.value, it.low, it.high, -_margin(verdict, name)) for name, it in found.items()
        ],
        mark="┃ may be lost · ┊ zero · ─●─ gain",
        strips=True,
        folded=pictured,
    )
    if verdict.undecided_slices:
        yield Table(
            header=("Slices that are undecided", ""),
            rows=[(wording.name(it), why) for it, why in verdict.undecided_slices.items()],
            caption=f"{counted(len(verdict.undecided_slices), 'slice')} that tell nothing yet",
            words=(0, 1),
            folded=True,
        )


def _margin(verdict: Verdict, name: str) -> float:
    return verdict.slice_margin if " = " in name else verdict.margin


_DRAWN = (Unit.DAY, Unit.GROUP)
"""What has a column of its own; rows have one anyway."""


def drawn(found: "Comparison", unit: Unit) -> str:
    """Write how many units a comparison has drawn, a dash where it has drawn others."""
    return f"{found.size:,}" if found.unit is unit else wording.UNKNOWN


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
