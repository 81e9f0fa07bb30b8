"""The machine that jobs run on: a home of their own, few variables, `act`, and `uvx` made quick."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..core.errors import WorldError
from .files import Files

_KEPT = {"LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE"}
_KEPT |= {"UV_CACHE_DIR", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"}
_OF_THE_IMAGE = {
    "ACCEPT_EULA": "Y",
    "AGENT_TOOLSDIRECTORY": "/opt/hostedtoolcache",
    "CONDA": "/usr/share/miniconda",
    "DEBIAN_FRONTEND": "noninteractive",
    "DOTNET_NOLOGO": "1",
    "ImageOS": "ubuntu24",
    "ImageVersion": "20261101.1.0",
    "LANG": "C.UTF-8",
    "PIPX_BIN_DIR": "/opt/pipx_bin",
    "PIPX_HOME": "/opt/pipx",
    "RUNNER_ENVIRONMENT": "github-hosted",
    "RUNNER_NAME": "GitHub Actions 1",
    "RUNNER_USER": "runner",
    "SHELL": "/bin/bash",
    "USER": "runner",
    "XDG_RUNTIME_DIR": "/run/user/1001",
}
"""What a hosted runner's image sets beside the forge, as far as programs of here may read it."""


@dataclass(frozen=True)
class Machine:
    """What a job finds on its machine.

    `environments` is nox's folder of environments: made once, not in every checkout anew. `uvx`
    replaces the program of that name, for tests. `act` comes with the environment that this runs
    in, unless it is named.
    """

    environments: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    uvx: str | None = None
    act: Path | None = None

    def runner(self) -> str:
        """Return the program that runs workflows; raises WorldError where it or node is missing."""
        if shutil.which("node") is None:
            words = "actions run on it: install it (https://nodejs.org)"
            raise WorldError(f"node is not installed; {words}")
        found = self.act or Path(sys.executable).with_name("act")
        if not found.is_file():
            raise WorldError(f"{found}: act is not there; it comes with requirements-dev.lock")
        return str(found)

    def prepare(self, files: Files) -> None:
        """Write the programs that come first on the path."""
        programs = files.folder("programs")
        nox = shlex.join([sys.executable, "-m", "nox", "--envdir", str(self.environments)])
        # `uvx nox …` would fetch nox and make the environment for each job: here it is the nox and
        # the environment that are there. Whether `uvx` works is left to a machine with a network.
        other = '[ "$1" = nox ] || { echo "uvx: only nox is here" >&2; exit 1; }'
        usual = f'{other}\nshift\nexec {nox} "$@"'
        _program(programs / "uvx", self.uvx or usual)

    def shell(self, files: Files, run: int, server: str, api: str) -> Path:
        """Write the shell of a run's steps, and return it.

        `act` gives each step an empty summary and knows no forge but github.com.
        """
        summaries = files.folder("runs", run, "summaries")
        lines = [
            "unset ACT",
            f"export GITHUB_SERVER_URL={shlex.quote(server)}",
            f"export GITHUB_API_URL={shlex.quote(api)}",
            f"export GITHUB_GRAPHQL_URL={shlex.quote(api.replace('/v3', '/graphql'))}",
            f'export GITHUB_STEP_SUMMARY={shlex.quote(str(summaries))}/"$GITHUB_JOB".md',
            "export GIT_TERMINAL_PROMPT=0",
            # act gives steps a terminal, where programs page, colour and ask; a runner has none.
            'bash --noprofile --norc -e "$@" < /dev/null 2>&1 | cat',
            'exit "${PIPESTATUS[0]}"',
        ]
        return _program(files.folder("runs", run) / "shell", "\n".join(lines))

    def environment(self, files: Files, run: int) -> dict[str, str]:
        """Return all the variables that a run's machine has."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        cache = kept.get("UV_CACHE_DIR") or str(Path.home() / ".cache" / "uv")
        path = os.pathsep.join([str(files.folder("programs")), os.environ.get("PATH", "")])
        home = files.folder("runs", run, "home")
        own = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
        own |= {"UV_CACHE_DIR": cache, "PATH": path}
        return {**_OF_THE_IMAGE, **kept, **own, **self.variables}


def _program(path: Path, text: str) -> Path:
    path.write_text(f"#!/usr/bin/env bash\n{text}\n", "utf-8")
    path.chmod(0o755)
    return path
