"""python -m PACKAGE.serving.trial FOLDER ORIGIN: lets a model answer its own example, and ends.

In a process of its own, since a model brings code: what crashes or hangs there harms nobody.
"""

import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from .. import served, verified
from ..errors import ProjectError, WorldError

_SECONDS = 120


def run(folder: Path, origin: served.Origin) -> served.Answer:
    """Return the model's answer to its example; raises WorldError where it has none."""
    command = [sys.executable, "-m", __name__, str(folder), json.dumps(asdict(origin))]
    name = f"version {origin.version} ({origin.digest[:12]})"
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, errors="replace", timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise WorldError(f"{name}: has not answered its example in {_SECONDS} s") from None
    if done.returncode == 0:
        with suppress(ValueError):
            answer: served.Answer = json.loads(done.stdout.strip().rpartition("\n")[2])
            return answer
    said = done.stderr.strip().splitlines()
    reason = said[-1] if said else f"it ended with {done.returncode}, without an answer"
    raise WorldError(f"{name}: could not be tried, and is not served ({reason[:300]})")


def main() -> None:
    """Print the answer as JSON, or what is wrong in one line."""
    folder, origin = Path(sys.argv[1]), served.Origin(**json.loads(sys.argv[2]))
    try:
        answer = served.load_copy(verified.again(folder, origin.digest), origin).try_example()
    except ProjectError as error:
        sys.exit(str(error))
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
