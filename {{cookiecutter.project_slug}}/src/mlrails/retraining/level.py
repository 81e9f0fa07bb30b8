"""The line of `params.yaml` that moves the level of the scores towards what came."""

from pathlib import Path

from ..adopt.writing import params_file
from ..core import params
from ..core.errors import UsageError

_SHARE = 0.5
"""The half: of the flights' months it was nearer to those after than all or nothing was."""
_COMMENT = "of what the validation rows are off by on the whole, so much is set right"
_ASKED = "of_estimator"
"""What a stage calls that hands the rest of the section to the estimator."""


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
