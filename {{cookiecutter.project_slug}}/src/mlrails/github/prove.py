"""Is the model of the merged code the one that its pull request had evaluated?"""

import tempfile
from pathlib import Path

from ..core import files, hashing, layout
from ..core.console import say
from ..core.errors import Exit
from ..core.settings import Settings
from ..data import parquet
from ..lifecycle import bundle
from ..modeling import equivalence
from ..modeling.checked_copy import Model
from ..tracking import origin
from ..tracking.origin import Bundle
from . import api, candidates

_ELSEWHERE = "another model, gated again, than on a machine that makes other bytes"


def prove(settings: Settings) -> Exit:
    """Compare the packed candidate with the pull request's, and write the answer into its bundle.

    Another model on the same class of machine is rejected: the same inputs give the same bytes
    there. On another class, or on a GPU, they may not, and this job has gated its own model.
    """
    forge, ours = api.this(), Bundle(settings.root / bundle.NAME)
    label = ours.label()
    with tempfile.TemporaryDirectory() as scratch:
        theirs = Bundle(Path(scratch))
        made = candidates.of_merge(forge, str(label["input_key"]), theirs.root)
        if made is None:
            answer = "no pull request had evaluated these inputs to a good end"
        else:
            found = _compare(settings, ours, theirs)
            answer = f"{found or 'another model than'} in {made}"
            if found is None:
                _tell(ours, answer)
                say("prove: stopped: the pull request's candidate was not made of these inputs")
                return Exit.REJECT
    _tell(ours, answer)
    return Exit.DONE


def _tell(ours: Bundle, answer: str) -> None:
    files.write_text(f"{answer}\n", ours.root / bundle.PROOF)
    say(f"prove: {answer}")


def _compare(settings: Settings, ours: Bundle, theirs: Bundle) -> str | None:
    """Return how the two compare, None where they are of other inputs: then none is loaded.

    The digest is made of the candidate's bytes: what its label says, anybody could have written.
    """
    here, there = ours.root / layout.MODEL, theirs.root / layout.MODEL
    made, offered = (Model(it, hashing.of_folder(it)) for it in (here, there))
    if made.digest == offered.digest:
        return "identical bytes as"
    exact = origin.same_bytes(ours.origin().cpu_class, theirs.origin().cpu_class)
    same_code = hashing.of_folder(here / "code") == hashing.of_folder(there / "code")
    if exact or not same_code:  # A candidate's own code, nobody has read.
        return None
    rows = parquet.read(settings.root / layout.prepared("test"))
    alike = equivalence.likeness(made, offered, rows, exact)
    return f"{alike} as" if alike else _ELSEWHERE
