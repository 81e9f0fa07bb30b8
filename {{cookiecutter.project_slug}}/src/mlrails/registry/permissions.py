"""Who needs which permission on a server that has accounts, asked before work is begun.

MLflow's own accounts (`mlflow server --app-name basic-auth`) tell each account what it may do. A
server that has none of that is not asked; what it refuses is told by the call that it refuses. A
resource that is not there yet is made by the first who needs it, who then may do all with it.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import Request, urlopen

from ..core.errors import DeniedError
from ..core.settings import Settings
from ..tracking import store
from ..tracking.client import EDIT, MANAGE, READ, account, masked, needed
from .ledger import experiment_of
from .lock import lock_of

_SECONDS = 10
_ORDER = ("NO_PERMISSIONS", READ, "USE", EDIT, MANAGE)
_KINDS = {"experiment": "experiment", "registered model": "registered_model"}
Needs = Mapping[tuple[str, str], str]
"""The permission that is needed on each resource, by kind and name."""
Role = Callable[[str], Needs]
"""What a role needs in the project of a name."""


def trainer(name: str) -> Needs:
    """Who records runs."""
    return {("experiment", name): EDIT}


def registrar(name: str) -> Needs:
    """Who makes versions."""
    return {**trainer(name), ("registered model", name): EDIT}


def promoter(name: str) -> Needs:
    """Who moves the champion."""
    ledger, lock = ("experiment", experiment_of(name)), ("registered model", lock_of(name))
    return {**registrar(name), ledger: EDIT, lock: EDIT}


def check(settings: Settings, role: Role) -> None:
    """Raise DeniedError, which names all that is lacking, before anything is done in vain."""
    uri = store.address(settings)
    if urlsplit(uri).scheme not in {"http", "https"}:
        return
    there = _Server(uri, _authorization(settings, uri))
    if lacking := list(_lacking(there, role(settings.name))):
        raise DeniedError(
            f"{masked(uri)}: {account(uri)} lacks {' and '.join(lacking)}; docs/production.md "
            "lists who needs which permission"
        )


def _lacking(there: "_Server", needs: Needs) -> Iterator[str]:
    user = there.ask("2.0", "users/current")
    if user is None or user["user"]["is_admin"]:
        return
    for (kind, name), permission in needs.items():
        found = there.permission(str(user["user"]["username"]), kind, name)
        if found is not None and _ORDER.index(found) < _ORDER.index(permission):
            yield f"{needed(permission, kind, name)} (it has {found})"


@dataclass(frozen=True)
class _Server:
    """A server's REST interface, asked without MLflow, which takes seconds to import."""

    uri: str
    authorization: str | None

    def permission(self, user: str, kind: str, name: str) -> str | None:
        """Return what the account may do; None where there is nothing yet, or nobody tells."""
        asked, key = {
            "experiment": ("experiments/get-by-name", "experiment_name"),
            "registered model": ("registered-models/get", "name"),
        }[kind]
        try:
            found = self.ask("2.0", asked, **{key: name})
        except DeniedError:
            return _ORDER[0]
        if found is None:
            return None
        resource = found["experiment"]["experiment_id"] if kind == "experiment" else name
        about = {"username": user, "resource_type": _KINDS[kind], "resource_id": resource}
        told = self.ask("3.0", "users/permissions/get", **about)
        permission = told.get("permission") if told else None
        return permission if permission in _ORDER else None

    def ask(self, version: str, path: str, **about: str) -> Any:
        """Return an answer, or None where the server knows no such thing.

        Raises DeniedError where the account is not accepted, or may not ask.
        """
        base = f"{store.without_user(self.uri).rstrip('/')}/api/{version}/mlflow/{path}"
        request = Request(f"{base}?{urlencode(about)}" if about else base)  # noqa: S310 - http
        if self.authorization:
            request.add_header("Authorization", self.authorization)
        try:
            with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - http or https
                return json.load(answer)
        except HTTPError as error:
            return self._refused(error)
        except ValueError:  # A page of somebody else's.
            return None
        except OSError as error:
            raise store.gone(self.uri, str(getattr(error, "reason", error))) from None

    def _refused(self, error: HTTPError) -> None:
        # Without an account of ours MLflow may still have one, of a file or a plug-in.
        if error.code == HTTPStatus.UNAUTHORIZED and self.authorization:
            raise DeniedError(
                f"{masked(self.uri)} does not accept {account(self.uri)}; set "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            )
        if error.code == HTTPStatus.FORBIDDEN:
            raise DeniedError(f"{masked(self.uri)}: {account(self.uri)} may not ask that")


def _authorization(settings: Settings, uri: str) -> str | None:
    """Return what signs in as MLflow does: by the address, else by the environment."""
    user = urlsplit(uri).netloc.rpartition("@")[0]
    if user:
        name, _, password = user.partition(":")
        return _basic(unquote(name), unquote(password))
    if settings.account and settings.account[0]:
        return _basic(*settings.account)
    return None


def _basic(name: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"
