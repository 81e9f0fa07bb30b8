"""The line of `params.yaml` that moves the level of the scores towards what came."""

import json
from pathlib import Path

from ..adopt.writing import params_file
from ..core import formats, params
from ..core.errors import UsageError
from ..core.params import FILE
from ..gate import report

_SHARE = 0.5
"""The half: of the flights' months it was nearer to those after than all or nothing was."""
_COMMENT = "of what the validation rows are off by on the whole, so much is set right"
_ASKED = "of_estimator"
"""What a stage calls that hands the rest of the section to the estimator."""
_CHECK = "mean prediction"
"""The gate's check of how far the mean is off, on the test rows."""


def check(package: Path) -> None:
    """Raise UsageError where a project's stage is of before there was a level to be set."""
    stage = package / "steps" / "train.py"
    if not stage.is_file() or _ASKED not in stage.read_text("utf-8"):
        raise UsageError(
            f"{package.name}/steps/train.py: sets no level, as it does not call `{_ASKED}(params)` "
            "and `settle.settled`; `nox -s update` brings both, and --recalibrate works then"
        )


def ask(root: Path) -> str:
    """Write the line where there is none; return what is asked for, in words."""
    known = params.of_held_out(params.load(root)).calibration
    if known is None:
        params_file.change(root, [("estimator", "calibration", _SHARE)], _COMMENT)
    return f"'estimator.calibration' is {known or _SHARE}: the level moves, and the order stays"


def came(root: Path) -> tuple[str, bool]:
    """Return where the level is by what came, as the gate has found, and whether it is nearer.

    What the gate allows is no reason to move it: a level is moved to be nearer.
    """
    found = json.loads((root / report.VERDICT).read_text("utf-8"))
    off = {it["name"]: it["value"] for it in found["checks"]}.get(_CHECK)
    if found["champion"] is None:
        return "there is no champion whose level this one could be held against", True
    if off is None:
        return "the gate has not held its level against the champion's", True
    where = f"the mean prediction is {formats.plain(off)}"
    if off <= 0:
        return f"{where} nearer to what came than the champion's", True
    return (
        f"{where} further off than the champion's from what came, as the test rows are not like "
        f"the validation rows before them; take 'estimator.calibration' out of {FILE} again"
    ), False
