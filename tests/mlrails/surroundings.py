"""Which variables of a machine the tests let in: what programs need to run here, and no more.

A forge's runner, an editor, a hook or a colleague's shell sets dozens, and what is green in one of
them has to be green in all. A new one that a program cannot do without is added to `_NEEDED`.
"""

import os
import re
from collections.abc import MutableMapping
from pathlib import Path

_NEEDED = (
    # Programs, people and folders.
    r"PATH|PATHEXT|HOME|USER|USERNAME|LOGNAME|SHELL|TMPDIR|TMP|TEMP|XDG_(CACHE|DATA|RUNTIME)_\w+",
    r"SYSTEM(ROOT|DRIVE)|WINDIR|COMSPEC|(LOCAL)?APPDATA|PROGRAM\w+|USERPROFILE|PROCESSOR_\w+",
    # Languages, libraries and the kind of the machine.
    r"LANG|LC_\w+|(LD|DYLD|NIX|CONDA|CUDA|NVIDIA)_\w+|VIRTUAL_ENV|OPENBLAS_(CORETYPE|L2_SIZE)",
    # Where packages come from, for the one test that asks: not which ones.
    r"\w+_PROXY|SSL_CERT_(FILE|DIR)|(REQUESTS|CURL)_CA_BUNDLE|UV_(CACHE_DIR|OFFLINE)",
    r"(UV|PIP)_((DEFAULT_|EXTRA_)?INDEX(_URL)?|FIND_LINKS|CERT|NATIVE_TLS|SYSTEM_CERTS)",
    # What is said to these tests themselves.
    r"PYTHON(PATH|HASHSEED|WARNINGS|UTF8|DONTWRITEBYTECODE|PYCACHEPREFIX)|(PYTEST|COV|COVERAGE)_\w+",
    r"(GATE|MONITOR)_SIMULATIONS|HOSTILE_TABLES",
)
_KEPT = re.compile("|".join(_NEEDED), re.IGNORECASE)
_WITHOUT_CONFIG = str(Path(__file__).parent)
"""A folder in which DVC finds no file of its own."""


def is_needed(name: str) -> bool:
    """Tell whether programs cannot do without a variable."""
    return bool(_KEPT.fullmatch(name))


def leave(environment: MutableMapping[str, str]) -> None:
    """Take every variable away that is not needed, and git's and DVC's settings of this machine."""
    for name in [name for name in environment if not is_needed(name)]:
        del environment[name]
    settings = {
        # Small fits do not gain from several threads, and on a busy machine they wait for others.
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
        # A repository without the samples of its hooks: a dozen files fewer to write for each test.
        "GIT_TEMPLATE_DIR": "",
        # A person's signatures, hooks or line ends are none of these tests'.
        **dict.fromkeys(("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"), os.devnull),
        **dict.fromkeys(("DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR"), _WITHOUT_CONFIG),
    }
    environment.update(settings)
