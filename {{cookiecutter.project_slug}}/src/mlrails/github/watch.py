"""Watch the champion in a job, retrain after an alarm, and hand over what the issue is to say.

What the alarm is, is told before the training begins: that may fail, and the alarm stands.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

from ..core import files, params
from ..core.console import say
from ..core.errors import Exit
from ..core.params import FILE
from ..core.settings import Settings
from ..gate import report
from ..monitoring.watch import page, run, told
from ..reporting import markdown
from . import api

PAGE, SHOWN = Path("watched/page.md"), Path("watched/monitor.html")
NOTHING, ALL = "nothing", "all"
"""What is told in the place of a day, where no newer one can count: yet, or as all do."""
_PICTURES = re.compile(r"!\[[^\]]*\]\([^)]*\)\s*")
"""They lie beside the report, where no issue can show them."""
_TIMELESS = f"""# Cannot tell

`{FILE}` names no column in `data.time`, so nobody knows which rows came later. Name one, and the
model is watched; or delete this workflow.
"""


def watch(settings: Settings, look: Callable[[], Exit]) -> Exit:
    """Look at what has come; the answer of the job's step is the `verdict`."""
    forge, root = api.this(), settings.root
    verdict, text = told.UNKNOWN, _TIMELESS
    if params.load(root).data.time:  # Without one, each Monday would fail.
        look()
        found = json.loads((root / run.JSON).read_text("utf-8"))
        verdict, text = found["verdict"], markdown.render(page.page(found, []))
        files.write_text((root / run.PAGE).read_text("utf-8"), root / SHOWN)
    files.write_text(text, root / PAGE)
    forge.summarize(text)
    forge.answer(verdict=verdict)
    return Exit.DONE


def advance(settings: Settings, retrain: Callable[[], Exit]) -> Exit:
    """Retrain; the answer of the job's step is `until`, the last day that counts now."""
    forge, root = api.this(), settings.root
    before = params.load(root).data.until
    answer = retrain()
    after = params.load(root).data.until
    gate = _PICTURES.sub("", (root / report.TEXT).read_text("utf-8"))
    rows = f"rows up to {after}" if after else "all rows"
    more = f"\n---\n\n**What the gate says of a model of {rows}:**\n\n{gate}"
    files.write_text((root / PAGE).read_text("utf-8") + more, root / PAGE)
    forge.summarize(more)
    forge.answer(until=ALL if after is None else NOTHING if after == before else str(after))
    say(f"watch: the alarm and the gate's answer ({answer.name.lower()}) are in {PAGE}")
    return Exit.DONE
