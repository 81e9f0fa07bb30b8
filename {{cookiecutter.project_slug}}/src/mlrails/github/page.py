"""The page that a pull request and a job show: the model, its rival, and what changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core import git
from ..core.config import flat, parse_yaml, read_yaml
from ..core.errors import UsageError
from ..core.params import FILE
from ..gate import report
from ..gate.verdict import Verdict
from ..reporting import wording
from ..reporting.blocks import Block, Page, Section, Table, Text
from ..update import engine

_GATE = "gate."
Param = tuple[str, str, str]
"""(name, value in the base, value here); a dash where there is none."""


@dataclass(frozen=True)
class Changes:
    """Params and files that differ from a base."""

    params: Sequence[Param]
    files: Sequence[str]
    engine: Sequence[str] = ()
    """Files of the engine that are not as its manifest says."""

    @property
    def gate(self) -> Sequence[Param]:
        """The params that are bounds of the gate."""
        return [param for param in self.params if param[0].startswith(_GATE)]


def since(root: Path, base: str | None) -> Changes:
    """Return what differs from a base; without one nothing does."""
    if base is None:
        return Changes([], [])
    there = git.run(root, "show", f"{base}:./{FILE}").stdout
    names = git.run(root, "diff", "--name-only", "-z", "--relative", base, "--", ".").stdout
    files = [name for name in names.split("\0") if name]
    return Changes(_params(there, root), files, engine.edits(root))


def _params(before: str, root: Path) -> Sequence[Param]:
    try:
        old = _texts(parse_yaml(before, FILE))
    except UsageError:  # A base that is broken has nothing to be compared with.
        old = {}
    new = _texts(read_yaml(root / FILE))
    names = [*new, *(name for name in old if name not in new)]
    both = ((name, old.get(name, "–"), new.get(name, "–")) for name in names)
    return [param for param in both if param[1] != param[2]]


def _texts(values: Any) -> Mapping[str, str]:
    found = flat(values) if isinstance(values, Mapping) else ()
    return {name: str(value) for name, value in found}


Found = Mapping[str, Any]
_DIGITS = 4
_FILES, _EDITS, _LONGEST_NAME = 50, 10, 120


def page(
    verdict: Verdict, found: Found, main: Found | None, changes: Changes, where: Mapping[str, str]
) -> Page:
    """Return the report; `found` and `main` are the figures here and of the champion.

    `where` names the registry, the bounds, the page of the run and the data, each as text.
    """
    beside = report.Beside(
        remarks=list(_remarks(changes, where)),
        before=[Section("Figures on the test rows", [_figures(found, main)])],
        after=[Section("What changed", list(_changes(changes, where.get("data", ""))))],
    )
    return report.verdict_page(verdict, where["registry"], where["bounds"], beside, pictured=False)


def _remarks(changes: Changes, where: Mapping[str, str]) -> Iterator[str]:
    if changes.gate:
        moved = "; ".join(f"{name} from {old} to {new}" for name, old, new in changes.gate)
        yield f"This change moves the gate's own bounds: {moved}. The base's were used."
    if changes.engine:
        yield f"The engine was edited, so no update will replace it: {_names(changes.engine)}"
    if where.get("note"):
        yield where["note"]
    if where.get("page"):
        # Nothing in an address is escaped that Markdown would take for a mark.
        yield f"Report, pictures and model: artifacts of {where['page'].replace('_', '%5F')}"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _EDITS} more" if names[_EDITS:] else ""
    return ", ".join(wording.name(name, _LONGEST_NAME) for name in names[:_EDITS]) + more


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
