"""Where runs and models are kept: the server that the environment names, or the project's own."""

import logging
import re
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

from ..core.errors import OutageError, UsageError, WorldError
from ..core.processes import configure_mlflow
from ..core.settings import Settings
from . import embedded
from .client import READ, in_words, masked, needed

if TYPE_CHECKING:
    from mlflow import MlflowClient


_SECONDS_TO_ANSWER = 5
_AWAY = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
"""What a proxy answers in the place of a server that is gone."""
DEFAULT = "0"
"""The id of the experiment that MLflow makes with each store."""
_UNNAMED = "Default"
_KIND = {"mlflow.experimentKind": "custom_model_development"}
"""MLflow's pages show runs first; those of other kinds show traces, of which we have none."""
_SCHEMES = {"http", "https", "sqlite", "postgresql", "mysql", "mssql", "databricks"}


def address(settings: Settings) -> str:
    """Return the tracking address: the environment's, or that of the project's own store."""
    return settings.tracking_uri or embedded.address(settings.store_folder)


def is_embedded(settings: Settings) -> bool:
    """Tell whether the store is the project's own, which `mlflow run` names by its address."""
    return address(settings) == embedded.address(settings.store_folder)


def prepare(settings: Settings) -> None:
    """Make the store where it is a file that is missing, and let the project's own follow a move.

    MLflow is imported to make one, not for a store that is there. Raises OutageError where a server
    does not answer.
    """
    configure_mlflow()
    check_reachable(address(settings))
    if is_embedded(settings):
        embedded.prepare(settings)
    else:
        embedded.prepare_shared(address(settings))


def connect(settings: Settings) -> "MlflowClient":
    """Return a client of the store, made first where it is a file that is missing.

    Raises OutageError where a server does not answer.
    """
    prepare(settings)
    uri = address(settings)
    with in_words(uri, needed(READ, "experiment", settings.name)):
        from mlflow import MlflowClient, set_tracking_uri

        # The registry of a database looks a logged model up with a client of its own.
        set_tracking_uri(uri)
        # With a traceback, beside what `in_words` says of the same error.
        logging.getLogger("mlflow.store.db.utils").addFilter(_is_no_error)
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _is_no_error(record: logging.LogRecord) -> bool:
    return record.levelno < logging.ERROR


def is_made(settings: Settings) -> bool:
    """Tell whether the store has its tables: a file that is there, or a server's affair."""
    database = embedded.file_of(address(settings))
    return database is None or database.exists()


def require(settings: Settings) -> None:
    """Raise OutageError where the database of a file is not there: who reads makes none.

    A mistyped path would give an empty registry, and so may a folder that is not mounted just now.
    """
    if is_embedded(settings):
        return
    database = embedded.file_of(address(settings))
    if database and not database.exists():
        raise OutageError(
            f"{masked(address(settings))}: there is no database; check MLFLOW_TRACKING_URI, or "
            "unset it for the project's own registry"
        )


def check_reachable(uri: str) -> None:
    """Raise OutageError unless an http server at the address answers; other addresses pass.

    Raises UsageError for what is no address.
    """
    scheme = _scheme(uri)
    if scheme not in _SCHEMES:
        raise UsageError(
            f"MLFLOW_TRACKING_URI: {masked(uri)!r} is no tracking address; use http://…, "
            "sqlite:///… or postgresql://…, or unset it to track in the project's folder"
        )
    if scheme not in {"http", "https"}:
        return
    if re.search(r"//[^/?#]*[/?#].*@", uri):
        raise UsageError(
            "MLFLOW_TRACKING_URI: holds an @ after its host; in a user or password write / ? # as "
            "%2F %3F %23, or set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        )
    try:
        health = f"{without_user(uri).rstrip('/')}/health"
        urlopen(health, timeout=_SECONDS_TO_ANSWER).close()  # noqa: S310 - http or https
    except HTTPError as error:
        # It answers; what it refuses is said by the call that needs it.
        if error.code == HTTPStatus.NOT_FOUND:
            _check_is_mlflow(uri)
        elif error.code in _AWAY:
            raise gone(uri, f"a proxy says {error.code}") from None
    except (OSError, ValueError, HTTPException) as error:
        raise gone(uri, str(getattr(error, "reason", error))) from None


def gone(uri: str, reason: str) -> OutageError:
    """Return what is said of a server that does not answer, and what to do."""
    return OutageError(
        f"the tracking server {masked(uri)} does not answer ({masked(reason, uri)}); start it, "
        "or unset MLFLOW_TRACKING_URI to go by the project's own store"
    )


def _check_is_mlflow(uri: str) -> None:
    """Raise WorldError where MLflow's own pages are unknown too: a proxy may hide `/health`."""
    try:
        page = f"{without_user(uri).rstrip('/')}/api/2.0/mlflow/experiments/search?max_results=1"
        urlopen(page, timeout=_SECONDS_TO_ANSWER).close()  # noqa: S310 - http or https
    except (OSError, HTTPException) as error:
        if getattr(error, "code", None) == HTTPStatus.NOT_FOUND:
            raise WorldError(
                f"{masked(uri)} answers, but is no MLflow server; check MLFLOW_TRACKING_URI"
            ) from None


def without_user(uri: str) -> str:
    """Return an address for who would take user and password for the host; health needs neither."""
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _scheme(uri: str) -> str:
    try:
        return urlsplit(uri).scheme.partition("+")[0]
    except ValueError:
        return ""


def experiment(client: "MlflowClient", settings: Settings, name: str = "") -> str:
    """Return the id of an experiment, by default of the project's own, found or made."""
    name = name or settings.name
    if known := found(client, settings, name):
        return known
    with in_words(address(settings), "the right to make experiments"):
        return _make_experiment(client, settings, name)


def found(client: "MlflowClient", settings: Settings, name: str) -> str | None:
    """Return the id of an experiment of the project, or None where nobody has made it."""
    with in_words(address(settings), needed(READ, "experiment", name)):
        known = client.get_experiment_by_name(name)
        if known and known.lifecycle_stage != "active":
            words = "was deleted; restore it in the UI or with `mlflow experiments restore`"
            where = masked(address(settings))
            raise WorldError(f"{where}: the experiment {name!r} {words}")
        return str(known.experiment_id) if known else None


def _make_experiment(client: "MlflowClient", settings: Settings, name: str) -> str:
    from mlflow.exceptions import MlflowException

    own = f"{embedded.artifacts(settings.store_folder)}/{name}" if is_embedded(settings) else None
    try:
        ours = own and name == settings.name
        if ours and client.get_experiment(DEFAULT).name == _UNNAMED:
            # Where runs go that name no experiment, such as those of `mlflow run .`.
            client.rename_experiment(DEFAULT, name)
            made = DEFAULT
        else:
            made = str(client.create_experiment(name, own))
        for tag, value in _KIND.items():
            client.set_experiment_tag(made, tag, value)
        return made
    except MlflowException:  # Another process was faster.
        if known := found(client, settings, name):
            return known
        raise


def has_experiment(settings: Settings) -> bool:
    """Tell whether the project's own store is known to hold its experiment; MLflow is not asked."""
    known = is_embedded(settings) and embedded.experiment(settings.store_folder, settings.name)
    return bool(known)


def has_run(settings: Settings, run_id: str) -> bool:
    """Tell whether the store still holds a run.

    A server is believed: asking it would cost a second of every `train` that changes nothing.
    """
    return not is_embedded(settings) or embedded.has_run(settings.store_folder, run_id)


def artifact(settings: Settings, run_id: str, name: str) -> str | None:
    """Return where to open an artifact of a run: a file of this project, or a server's page."""
    uri = address(settings)
    if database := embedded.file_of(uri):
        home, found = settings.project or settings.root, embedded.artifact(database, run_id, name)
        if found is None:
            return None
        return str(found.relative_to(home) if found.is_relative_to(home) else found)
    with in_words(uri, needed(READ, "experiment", settings.name)):
        run = connect(settings).get_run(run_id).info
    if not uri.startswith("http"):
        return f"{run.artifact_uri}/{name}"
    base = without_user(uri).rstrip("/")
    return f"{base}/#/experiments/{run.experiment_id}/runs/{run_id}/artifacts/{name}"


def pages(settings: Settings) -> Iterator[str]:
    """Yield where MLflow's pages of a server show the experiment and the model."""
    client, name = connect(settings), settings.name
    base = without_user(address(settings)).rstrip("/")
    experiment_id = found(client, settings, name)
    with in_words(address(settings), needed(READ, "registered model", name)):
        models = client.search_registered_models(f"name = '{name}'")
    yield from links(base, name, experiment_id, bool(models))


def links(base: str, name: str, experiment_id: str | None, has_model: bool) -> Iterator[str]:
    """Yield the addresses of the experiment and of the registered model below a server's."""
    runs = f"{base}/#/experiments/{experiment_id}/runs" if experiment_id else "none; `nox -s train`"
    yield f"ui: runs: {runs}"
    model = f"{base}/#/models/{name}" if has_model else "none is registered; `nox -s promote`"
    yield f"ui: model: {model}"
