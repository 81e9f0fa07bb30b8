"""Whose turn it is to move an alias: one process at a time, on one machine or on many.

A database in a file is guarded by a lock beside it, which the system lets go of when its holder
dies. On a server the lock is a model of its own, and a version of it is a ticket: MLflow numbers
versions without gaps or doubles, so the lowest ticket that lives holds the turn. A ticket dies when
it is handed back, when its process is gone, which is seen from the same host and container alone,
or after ten minutes; ages are differences of the server's own clock. A holder that takes longer
looks for its ticket once more before the alias moves, and finds that the turn was lost. A dead
ticket is marked so, which takes EDIT on the lock's model, and deleted where the account may.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..core.console import warn
from ..core.errors import WorldError
from ..core.processes import PROCESS, is_gone, process_id, readable
from ..tracking.client import EDIT, every, in_words, is_denied, needed
from .versions import Registry

_ENDED = "ended"
"""The tag of a ticket that is dead and may be there still."""
_LIFE = 10 * 60 * 1000
"""Milliseconds."""
_FILE = "sqlite:///"
Held = Callable[[], None]
"""Raises WorldError where the turn was lost meanwhile."""


def lock_of(model: str) -> str:
    """Return the registered model whose versions are tickets for a model of that name."""
    return f"{model}-turn"


def _edit(registry: Registry) -> str:
    lock = needed(EDIT, "registered model", lock_of(registry.model))
    return f"{lock}, the lock of {registry.model}"


@contextmanager
def turn(registry: Registry) -> Iterator[Held]:
    """Hold the turn; raises WorldError at once where another process has it.

    Yields what makes sure, before an alias moves, that it is still held.
    """
    taken = _file(registry) if registry.uri.startswith(_FILE) else _ticket(registry)
    with taken as held:
        yield held


def _busy(registry: Registry, holder: str) -> WorldError:
    return WorldError(
        f"{registry.name}: {holder} is promoting or rolling back at this moment; run the same "
        "command again when it has ended"
    )


def taken_before(registry: Registry) -> Path | None:
    """Return what tells that a turn was once taken at a database in a file, where one was."""
    if not registry.uri.startswith(_FILE):
        return None
    return path if (path := _beside(registry)).exists() else None


def _beside(registry: Registry) -> Path:
    return Path(f"{Path(registry.uri.removeprefix(_FILE))}.turn")


@contextmanager
def _file(registry: Registry) -> Iterator[Held]:
    from filelock import FileLock, Timeout

    lock = FileLock(_beside(registry))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise _busy(registry, "another process") from None
    try:
        yield lambda: None  # Only the end of this process lets go of it.
    finally:
        lock.release()


@contextmanager
def _ticket(registry: Registry) -> Iterator[Held]:
    def held() -> None:
        with in_words(registry.uri, _edit(registry)):
            if mine.version not in {ticket.version for ticket in _tickets(registry)}:
                raise WorldError(
                    f"{registry.name}: the turn was lost, as this took more than ten minutes, and "
                    "nothing has moved; run the same command again"
                )

    with in_words(registry.uri, _edit(registry)):
        mine = _take(registry)
    try:
        with in_words(registry.uri, _edit(registry)):
            holder = _holder(registry, mine)
        if holder is not None:
            raise _busy(registry, readable(holder))
        yield held
    finally:
        _hand_back(registry, mine)


def _hand_back(registry: Registry, mine: Any) -> None:
    """End our ticket; what was done with it is done, so a failure is not one of the act."""
    try:
        with in_words(registry.uri, _edit(registry)):
            _remove(registry, mine)
    except WorldError as error:
        warn(f"{error}; the turn is free in ten minutes")


def _take(registry: Registry) -> Any:
    from mlflow.exceptions import MlflowException

    client, lock = registry.client, lock_of(registry.model)
    if not client.search_registered_models(f"name = '{lock}'"):
        words = f"Tickets of those who move an alias of {registry.model}; nothing to serve."
        try:
            client.create_registered_model(lock, description=words)
        except MlflowException:  # Another process was faster.
            client.get_registered_model(lock)
    return client.create_model_version(lock, "s3://none/here", tags={PROCESS: process_id()})


def _holder(registry: Registry, mine: Any) -> str | None:
    """Return who holds the turn before us; tickets of the dead are taken away."""
    for ticket in _tickets(registry):
        if int(ticket.version) >= int(mine.version):
            continue
        owner = str(ticket.tags.get(PROCESS, ""))
        if is_gone(owner) or mine.creation_timestamp - ticket.creation_timestamp > _LIFE:
            _remove(registry, ticket)
        else:
            return owner
    return None


def _remove(registry: Registry, ticket: Any) -> None:
    """Take a ticket away; of one that somebody else took away already nothing is left to do."""
    from mlflow.exceptions import MlflowException

    client, lock = registry.client, lock_of(registry.model)
    try:
        client.set_model_version_tag(lock, str(ticket.version), _ENDED, "true")
        client.delete_model_version(lock, str(ticket.version))
    except MlflowException as error:
        gone = error.error_code == "RESOURCE_DOES_NOT_EXIST"
        if not gone and not (is_denied(error) and _is_ended(registry, ticket)):
            raise


def _is_ended(registry: Registry, ticket: Any) -> bool:
    return ticket.version not in {it.version for it in _tickets(registry)}


def _tickets(registry: Registry) -> list[Any]:
    """Return the tickets that live."""
    client, condition = registry.client, f"name = '{lock_of(registry.model)}'"
    found = every(
        lambda token: client.search_model_versions(condition, max_results=1000, page_token=token)
    )
    return [it for it in found if _ENDED not in it.tags]
