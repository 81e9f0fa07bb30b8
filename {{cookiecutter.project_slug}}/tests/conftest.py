"""How the tests run. What they are made of is in `made_up.py`."""

import gc
import os
import re

NEEDED = re.compile(
    r"PATH|PATHEXT|HOME|USER|USERNAME|LOGNAME|SHELL|TMPDIR|TMP|TEMP|XDG_\w+|LANG|LC_\w+"
    r"|SYSTEM(ROOT|DRIVE)|WINDIR|COMSPEC|(LOCAL)?APPDATA|PROGRAM\w+|USERPROFILE|PROCESSOR_\w+"
    r"|(LD|DYLD|NIX|CONDA|CUDA|NVIDIA|COV|COVERAGE|PYTEST)_\w+|VIRTUAL_ENV"
    r"|PYTHON(PATH|HASHSEED|WARNINGS|UTF8|DONTWRITEBYTECODE|PYCACHEPREFIX)",
    re.IGNORECASE,
)
"""The variables of a machine that programs need to run: what is green in one shell has to be green
in a forge's job, an editor and a hook as well, so the tests let in no others."""
QUICK = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}

# Before anything is imported: libraries read their variables when they are.
for name in [name for name in os.environ if not NEEDED.fullmatch(name)]:
    del os.environ[name]
os.environ |= QUICK


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was imported: it would look at all of it again and again."""
    gc.collect()
    gc.freeze()
