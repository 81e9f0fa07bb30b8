"""The gate's files: `verdict.json`, `gate.md`, `gate.html` and its picture, all of one verdict.

They depend on the registry, so no stage makes them and DVC does not keep them.
"""

import json
from pathlib import Path

from . import files
from .console import say
from .errors import Exit
from .gate import Answer, Verdict
from .reporting import drawing, html, markdown, trial

VERDICT = Path("reports/verdict.json")
PAGE = Path("reports/gate.html")
TEXT = Path("reports/gate.md")
PICTURES = Path("reports", trial.FOLDER)
EVIDENCE = (VERDICT, TEXT, PAGE)

_EXITS = {Answer.REJECT: Exit.REJECT, Answer.UNDECIDED: Exit.UNDECIDED}


def write(verdict: Verdict, registry: str, bounds: str, root: Path) -> None:
    """Write the files of a verdict, the JSON last: who reads that finds the rest."""
    page, charts = trial.page(verdict, registry, bounds), dict[str, str]()
    if verdict.differences:
        drawn = drawing.svg(trial.PICTURE, trial.draw(verdict), trial.height(verdict))
        files.write_text(drawn, root / PICTURES / f"{trial.PICTURE}.svg")
        charts[trial.PICTURE] = drawing.inline(drawn)
    files.write_text(markdown.render(page), root / TEXT)
    files.write_text(html.render(page, charts), root / PAGE)
    told = verdict.to_json(registry, bounds)
    files.write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", root / VERDICT)


def announce(verdict: Verdict, registry: str) -> Exit:
    """Print a verdict and its reasons; return the exit code that it stands for."""
    rival = f"champion {verdict.champion[:12]}" if verdict.champion else "no champion"
    say(f"gate: {verdict.answer}: model {verdict.challenger[:12]}, {rival}, in {registry}")
    for line in (*verdict.reasons(), *verdict.notes()):
        say(f"  {line}")
    return _EXITS.get(verdict.answer, Exit.DONE)
