"""Where the files of a project lie, relative to its root, and what the parts of its rows are."""

import json
from pathlib import Path
from typing import Any, Literal, get_args

from .errors import UsageError, WorldError

LOCK = "requirements-dev.lock"
"""What a training is installed from."""
SERVING_LOCK = "requirements.lock"
"""What a model needs to be served."""

CODE = "src"

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = get_args(Part)

RAW = Path("data/raw/rows.parquet")
SOURCES = RAW.with_name("sources.json")
"""What the rows were read from, and the digest of each."""
PREPARED = Path("data/prepared")
MODEL = Path("models/model")
DIGEST = Path("models/digest.txt")
"""Which bytes `train` has made: what lies in `models/model` later must be these."""
HISTORY = Path("models/history.json")
MACHINE = Path("models/machine.json")
METRICS = Path("reports/metrics.json")
REPORT = Path("reports/report.html")
REPORTS = (METRICS, REPORT, Path("reports/report.md"), Path("reports/plots"))


def prepared(part: Part) -> Path:
    """Return where the rows of a part lie."""
    return PREPARED / f"{part}.parquet"


def model_digest(root: Path) -> str:
    """Return the digest of the model that `train` has made in a project.

    Raises WorldError where the file that says so is missing or not whole.
    """
    try:
        return (root / DIGEST).read_text("utf-8").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        raise WorldError(f"{DIGEST}: missing or not whole; run `nox -s train`") from None


def figures(root: Path) -> dict[str, Any]:
    """Return what `evaluate` has found; raises UsageError where there is no whole report."""
    try:
        found = json.loads((root / METRICS).read_text("utf-8"))
        if isinstance(found, dict) and isinstance(found.get("digest"), str):
            return found
    except (OSError, ValueError):
        pass
    raise UsageError(f"{METRICS}: there is no report yet; run `nox -s train`")
