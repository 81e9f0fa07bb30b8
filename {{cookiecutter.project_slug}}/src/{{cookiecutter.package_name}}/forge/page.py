"""The report on a change: the verdict first, then figures beside main's, then what changed."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..gate import Verdict
from ..reporting import trial, wording
from ..reporting.blocks import Block, Page, Section, Table, Text
from .changes import Changes, Param

Found = Mapping[str, Any]
_DIGITS = 4
_FILES, _LONGEST_NAME = 50, 120


def page(
    verdict: Verdict, found: Found, main: Found | None, changes: Changes, where: Mapping[str, str]
) -> Page:
    """Return the report; `found` and `main` are the figures here and of the champion.

    `where` names the registry, the bounds, the page of the run and the data, each as text.
    """
    beside = trial.Beside(
        remarks=list(_remarks(changes, where)),
        before=[Section("Figures on the test rows", [_figures(found, main)])],
        after=[Section("What changed", list(_changes(changes, where.get("data", ""))))],
    )
    return trial.page(verdict, where["registry"], where["bounds"], beside, pictured=False)


def _remarks(changes: Changes, where: Mapping[str, str]) -> Iterator[str]:
    if changes.gate:
        moved = "; ".join(f"{name} from {old} to {new}" for name, old, new in changes.gate)
        yield f"This change moves the gate's own bounds: {moved}. The base's were used."
    if where.get("note"):
        yield where["note"]
    if where.get("page"):
        # Nothing in an address is escaped that Markdown would take for a mark.
        yield f"Report, pictures and model: artifacts of {where['page'].replace('_', '%5F')}"


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
