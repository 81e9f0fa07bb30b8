"""The report on a change: the verdict first, then figures beside main's, then what changed."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..gate import Answer, Verdict
from ..reporting import trial, wording
from ..reporting.blocks import Block, Page, Remarks, Section, Span, Table, Text
from .changes import Changes, Param

Found = Mapping[str, Any]
_DIGITS = 4
_FILES, _LONGEST_NAME = 50, 120
_TITLES = {
    Answer.PROMOTE: "Promote: this model may become champion",
    Answer.UNCHANGED: "Unchanged: this is the champion's model",
    Answer.UNDECIDED: "Undecided: the test rows do not tell yet, so nothing would be promoted",
    Answer.REJECT: "Reject: this model may not become champion",
}


def page(
    verdict: Verdict, found: Found, main: Found | None, changes: Changes, where: Mapping[str, str]
) -> Page:
    """Return the report; `found` and `main` are the figures here and of the champion.

    `where` names the registry, the bounds, the page of the run and the data, each as text.
    """
    rival = verdict.champion[:12] if verdict.champion else "nobody yet"
    return Page(
        title=_title(verdict),
        subtitle=f"Model {verdict.challenger[:12]}, champion {rival}, in {where['registry']}; "
        f"bounds of {where['bounds']}.",
        verdict=_summary(verdict),
        opening=list(_opening(verdict, changes, where)),
        sections=list(_sections(verdict, found, main, changes, where.get("data", ""))),
    )


def _title(verdict: Verdict) -> str:
    """Head a model that is shown worse within the margin with that."""
    if verdict.answer is Answer.PROMOTE and verdict.worse():
        return f"{_TITLES[verdict.answer]}, though {verdict.worse()[0]}"
    return _TITLES[verdict.answer]


def _summary(verdict: Verdict) -> str:
    if verdict.answer is Answer.UNCHANGED:
        return "The bytes are the champion's: there is nothing to compare."
    failed, open_ = (
        sum(check.passed is state for check in verdict.checks) for state in (False, None)
    )
    if failed or open_:
        return f"{failed} of {len(verdict.checks)} checks failed, {open_} cannot be told yet."
    return f"All {len(verdict.checks)} checks passed."


def _opening(verdict: Verdict, changes: Changes, where: Mapping[str, str]) -> Iterator[Block]:
    told = [*verdict.reasons(), *verdict.notes()]
    remarks = [wording.sentence(it) for it in told]
    if changes.gate:
        moved = "; ".join(f"{name} from {old} to {new}" for name, old, new in changes.gate)
        remarks.append(f"This change moves the gate's own bounds: {moved}. The base's were used.")
    if where.get("note"):
        remarks.append(where["note"])
    if where.get("page"):
        # Nothing in an address is escaped that Markdown would take for a mark.
        remarks.append(
            f"Report, pictures and model: artifacts of {where['page'].replace('_', '%5F')}"
        )
    if remarks:
        yield Remarks(remarks)


def _sections(
    verdict: Verdict, found: Found, main: Found | None, changes: Changes, data: str
) -> Iterator[Section]:
    yield Section("Figures on the test rows", [_figures(found, main)])
    if verdict.differences:
        yield Section("Gain over the champion", [_gains(verdict)])
    yield Section("What changed", list(_changes(changes, data)))
    if verdict.checks:
        yield Section("Checks", [trial.checks(verdict)])


def _figures(found: Found, main: Found | None) -> Table:
    header = ("", "here", "main's model", "best baseline here")
    rows = [
        (
            metric["title"],
            wording.with_interval(metric["models"]["model"], _DIGITS),
            _of_main(main, name),
            _best_baseline(metric),
        )
        for name, metric in found["test"].items()
    ]
    sure = wording.percent(found["confidence"], 0)
    note = f"With {sure} intervals, on {wording.rows(found['parts']['test'])}."
    if main and main["parts"]["test"] != found["parts"]["test"]:
        note += f" Main's are of {wording.rows(main['parts']['test'])}."
    return Table(header, rows, caption="Figures", note=note)


def _of_main(main: Found | None, name: str) -> str:
    metric = main["test"].get(name) if main else None
    return wording.with_interval(metric["models"]["model"], _DIGITS) if metric else wording.UNKNOWN


def _best_baseline(metric: Found) -> str:
    others = {name: it["value"] for name, it in metric["models"].items() if name != "model"}
    known = {name: value for name, value in others.items() if value is not None}
    if not known:
        return wording.UNKNOWN
    best = (max if metric["higher_is_better"] else min)(known, key=lambda name: known[name])
    return f"{wording.number(known[best], _DIGITS)} ({best})"


def _gains(verdict: Verdict) -> Table:
    """Draw each gain beside what may be lost, to the left of which nothing may lie."""
    found = verdict.differences
    return Table(
        header=("", f"Gain in {wording.within(verdict.metric)}", "Days", "Rows"),
        rows=[
            (wording.name(name), trial.figure(it), trial.days(it), f"{it.rows:,}")
            for name, it in found.items()
        ],
        spans=[
            Span(it.value, it.low, it.high, -_margin(verdict, name)) for name, it in found.items()
        ],
        mark="┃ may be lost · ┊ zero · ─●─ gain",
        strips=True,
    )


def _margin(verdict: Verdict, name: str) -> float:
    return verdict.slice_margin if " = " in name else verdict.margin


def _changes(changes: Changes, data: str) -> Iterator[Block]:
    if data:
        yield Text(data)
    if not changes.params and not changes.files:
        yield Text("Nothing but what is not kept in the repository.")
    if changes.params:
        rows: list[Param] = [(name, old, new) for name, old, new in changes.params]
        yield Table(("Param", "before", "here"), rows, words=(0, 1, 2))
    if changes.files:
        rest = len(changes.files) - _FILES
        names = [*changes.files[:_FILES], *([f"and {rest} more"] if rest > 0 else [])]
        lines = [(wording.name(name, _LONGEST_NAME),) for name in names]
        yield Table(("File",), lines, f"{len(changes.files)} files", folded=True)
