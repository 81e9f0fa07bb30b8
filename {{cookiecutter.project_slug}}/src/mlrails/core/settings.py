"""What the machine and `pyproject.toml` say: the project's folder, its names, and the environment.

The experiment and the registered model bear the name. Nothing but the standard library is needed,
so that also those parts can ask that run without an environment of their own.

| variable              | meaning                                                               |
|-----------------------|-----------------------------------------------------------------------|
| `MLFLOW_TRACKING_URI` | where runs go; empty: `mlflow.db` and `mlartifacts/` of the project   |
| `MLFLOW_TRACKING_USERNAME`, `MLFLOW_TRACKING_PASSWORD` | the account at a server, as MLflow's |
| `MLFLOW_RUN_ID`       | a run that `mlflow run` opened, to be used instead of a new one       |
| `MODEL_SIGNING_KEY`   | a private key (PEM) or its file, to sign models with on registration  |
| `GITHUB_ACTOR`        | who has started a job of a forge; elsewhere it is git's `user.name`   |
| `GITHUB_TRIGGERING_ACTOR` | who has started it again, if anybody has                          |
| `GITHUB_ACTIONS`, `GITHUB_REPOSITORY`, `GITHUB_RUN_ID` | that it is a job, and its page       |
| `GITHUB_TOKEN`        | with what a job pushes the branch `registry`; empty: git's own ways   |
| `GITHUB_SERVER_URL`   | the only address that the token is sent to                            |
| `PIPELINE_PROCESS`    | set by `train`: the process without which a stage need not begin      |
| `STARTED_BY`          | set by nox: its process id, without which no command of it goes on    |
| `PIPELINE_PROJECT`    | set by `train` in a copy of the project: the project's own folder     |
| `DVC_STAGE`           | set by DVC: the stage that it runs, whose inputs `dvc.lock` must name |
| `SOURCE_USER`, `SOURCE_PASSWORD` | the account at a database or web server that rows come from |
| `SOURCE_TOKEN`        | what a web server that rows come from is sent instead                 |
| `SERVING_TOKEN`       | what callers of the served model must send; empty: loopback only      |
| `SERVING_EVERYONE`    | `true`: the image answers callers without a token                     |
| `SERVING_ROOT_PATH`   | the path that a proxy puts above those of the served model            |
| `SERVING_WORKERS`     | how many processes answer, by default 1                               |
| `SERVING_DRAIN`       | seconds from SIGTERM to the end of the server, by default 1           |
| `SERVING_REQUESTS`    | a folder where the server keeps what it is asked, and its answers     |
| `SERVING_REQUESTS_SHARE` | the share of requests that is kept, by default 1                   |
| `SERVING_REQUESTS_MIB`   | what that folder holds at the most, by default 1,024               |
| `SERVING_DIGEST`      | the digest of a model that is laid into the image's `/opt/ml/model`   |
| `CI`                  | `true`: no row of the data is printed, since logs may be public       |

Nothing else of this project reads the environment.
"""

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .errors import UsageError

FILE = "pyproject.toml"
CALLER = "PIPELINE_PROCESS"
PROJECT = "PIPELINE_PROJECT"
TRIAL = "PIPELINE_TRIAL"
STARTED_BY = "STARTED_BY"
_SERVER = "https://github.com"
_MARKS = ("dvc.yaml", "params.yaml")


@dataclass(frozen=True)
class Settings:
    """The machine's side of the configuration."""

    root: Path
    name: str = "project"
    """The project's name, which its experiment and its registered model bear."""
    package: str = "package"
    """The user's package, the folder of that name below `src`."""
    tracking_uri: str | None = None
    opened_run: str | None = None
    signing_key: Path | str | None = None
    actor: str | None = None
    """Who has started the job of a forge, as that says; a laptop's variables are not believed."""
    job: str | None = None
    """The page of that job's run, where anybody can see who has."""
    caller: str | None = None
    stage: str | None = None
    project: Path | None = None
    """The project that `root` is a copy of, to train in; by default it is the project."""
    token: str | None = None
    server: str = _SERVER
    account: tuple[str, str] | None = field(default=None, repr=False)
    """The name and the password with which MLflow signs in at a server."""
    server_named: bool = False
    """Whether the environment names a server, be it asked or not."""
    on_branch: bool = False
    """Whether the registry is the branch `registry` of the project's repository."""
    store: Path | None = None
    """The folder of a store of its own; by default the project's."""
    in_ci: bool = False
    trial: str = ""
    """The params that are changed for this run alone, in words; empty for the project's own."""

    def of_registry(self, kind: str | None) -> "Settings":
        """Return the settings for the project's own registry (`local`), its branch or a server.

        Raises UsageError for a server that nothing names; by default nothing changes.
        """
        if kind not in {None, "local", "branch", "server"}:
            raise UsageError(f"--registry {kind!r}: choose local, branch or server")
        if kind == "server" and self.tracking_uri is None:
            raise UsageError("--registry server: MLFLOW_TRACKING_URI names no server; set it")
        if kind in {"local", "branch"}:
            return replace(self, tracking_uri=None, on_branch=kind == "branch")
        return self

    @property
    def store_folder(self) -> Path:
        """The folder that holds `mlflow.db` and `mlartifacts/` where no server is named."""
        return self.store or self.root

    @property
    def scratch(self) -> Path:
        """The project's folder that neither git nor DVC looks into."""
        return scratch_of(self.root)

    @property
    def checkpoints(self) -> Path:
        """The folder of what fits go on from, which outlives a copy."""
        return scratch_of(self.project or self.root) / "checkpoints"


def scratch_of(root: Path) -> Path:
    """Return a project's folder that neither git nor DVC looks into; made on first use."""
    folder = root / ".dvc" / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def from_environment(environment: Mapping[str, str], start: Path) -> Settings:
    """Read the settings; raises UsageError where `start` is in no project, or a nameless one."""
    root = find_root(start)
    uri = environment.get("MLFLOW_TRACKING_URI", "")
    actor, job = _started(environment)
    known = read_identity(root)
    return Settings(
        root=root,
        name=known.name,
        package=known.package,
        tracking_uri=_absolute(uri, root) or None,
        account=_account(environment),
        server_named=bool(uri),
        opened_run=environment.get("MLFLOW_RUN_ID") or None,
        signing_key=_key(environment.get("MODEL_SIGNING_KEY", ""), root),
        actor=actor,
        job=job,
        token=environment.get("GITHUB_TOKEN") or None,
        server=environment.get("GITHUB_SERVER_URL") or _SERVER,
        caller=environment.get(CALLER) or None,
        stage=environment.get("DVC_STAGE", "").rpartition(":")[2] or None,
        project=Path(environment[PROJECT]) if environment.get(PROJECT) else None,
        in_ci=environment.get("CI", "").lower() in {"1", "true", "yes"},
        trial=environment.get(TRIAL, ""),
    )


def started_by(environment: Mapping[str, str]) -> int | None:
    """Return the process without which this one, if it is its child, must not go on."""
    given = environment.get(STARTED_BY, "")
    return int(given) if given.isdecimal() else None


def serving_token(environment: Mapping[str, str]) -> str | None:
    """Return what callers of the served model must send, without the end of line of a file.

    Raises UsageError where nothing else is in it.
    """
    given = environment.get("SERVING_TOKEN", "")
    if given and not given.strip():
        raise UsageError("SERVING_TOKEN: holds blanks alone; set it to a secret, or leave it out")
    return given.strip() or None


@dataclass(frozen=True)
class Account:
    """As whom a source is asked for rows."""

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may show."""
        return tuple(filter(None, (self.password, self.token)))


def source_account(environment: Mapping[str, str]) -> Account:
    """Return as whom sources are asked, without the end of line of a file."""
    names = ("SOURCE_USER", "SOURCE_PASSWORD", "SOURCE_TOKEN")
    return Account(*(environment.get(it, "").rstrip("\r\n") for it in names))


def _started(environment: Mapping[str, str]) -> tuple[str, str] | tuple[None, None]:
    """Return who has started a job, and its page; nobody where this is none, whatever is set."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (environment.get(name, "") for name in names)
    # Who runs a job again is answerable for that, and not who began the first one.
    who = environment.get("GITHUB_TRIGGERING_ACTOR") or environment.get("GITHUB_ACTOR", "")
    in_job = environment.get("GITHUB_ACTIONS") == "true" and server and repository
    if not in_job or not run.isdecimal() or not who:
        return None, None
    return who, f"{server}/{repository}/actions/runs/{run}"


def _account(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the account that MLflow's own variables name."""
    name = environment.get("MLFLOW_TRACKING_USERNAME", "")
    return (name, environment.get("MLFLOW_TRACKING_PASSWORD", "")) if name else None


def _key(value: str, root: Path) -> Path | str | None:
    """Return a key itself where the variable holds it, as secrets of a forge do; else its file."""
    return value if value.lstrip().startswith("-----BEGIN") else root / value if value else None


def _absolute(uri: str, root: Path) -> str:
    """Make a relative database of the environment mean the same in every folder."""
    scheme, mark, path = uri.partition(":///")
    if scheme != "sqlite" or not mark or Path(path).is_absolute():
        return uri
    return f"sqlite:///{(root / path).as_posix()}"


def find_root(start: Path) -> Path:
    """Return the nearest folder at or above `start` that holds `dvc.yaml` and `params.yaml`."""
    for folder in (start, *start.parents):
        if all((folder / mark).is_file() for mark in _MARKS):
            return folder
    raise UsageError(f"{start}: not inside the project; go to the folder that holds {_MARKS[0]}")


@dataclass(frozen=True)
class Identity:
    """The names that a project goes by."""

    name: str
    """`[project].name`."""
    package: str
    """`[tool.mlrails].package`: the folder of the user's code below `src`."""


def read_identity(root: Path) -> Identity:
    """Read the names of the project in a folder; raises UsageError where one is not there."""
    try:
        told = tomllib.loads((root / FILE).read_text("utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{FILE}: is not in {root}; restore it from git") from None
    except ValueError as error:  # Letters that are not UTF-8, or words that are not TOML.
        raise UsageError(f"{FILE}: is no TOML ({error}); mend it") from None
    return Identity(_word(told, "project", "name"), _word(told, "tool", "mlrails", "package"))


def check_code(root: Path) -> None:
    """Raise UsageError where the code that runs is that of another copy of the project.

    An environment imports the code of the project that it was made for, from any folder.
    """
    running = Path(str(sys.modules[__name__.partition(".")[0]].__file__)).parent
    own = root / "src" / running.name
    if own.is_dir() and not own.samefile(running):
        raise UsageError(
            f"{root}: its code is not what runs here, which is that of {running}; use nox, or set "
            f"PYTHONPATH={own.parent}"
        )


def _word(told: Mapping[str, Any], *path: str) -> str:
    found: Any = told
    for part in path:
        found = found.get(part) if isinstance(found, Mapping) else None
    if not isinstance(found, str) or not found.strip():
        table, key = ".".join(path[:-1]), path[-1]
        raise UsageError(f'{FILE}: [{table}] says no {key}; write there {key} = "…"')
    return found
