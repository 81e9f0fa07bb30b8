"""The ledger: each promotion and each rollback is a run of the experiment `…-promotions`.

An entry is written before the alias moves and closed after, so that one which stays open tells what
was under way when a process was killed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..core import git
from ..core.errors import DeniedError, WorldError
from ..core.settings import Settings
from ..tracking import store
from ..tracking.client import EDIT, MANAGE, READ, in_words, needed

if TYPE_CHECKING:
    from mlflow import MlflowClient


PROMOTION, ROLLBACK = "promotion", "rollback"
VOUCHED_BY, SELF_DECLARED = "vouched_by", "self-declared"
"""The tag that says where the actor's name comes from: the page of a job, or nobody."""
_SEQUENCE = "sequence"
_OWN = {"action", "version", _SEQUENCE}
_NUMBERS = ("version", "before", "best", _SEQUENCE)


OPENING = "opening"
"""Of the final rows, in a book of its own (`HOLDOUTS`)."""
PROMOTIONS, HOLDOUTS = "promotions", "holdouts"


def experiment_of(name: str, book: str = PROMOTIONS) -> str:
    """Return what a ledger of a project of that name is called."""
    return f"{name}-{book}"


@dataclass(frozen=True)
class Entry:
    """One move of the champion: `told` are the tags, all of them text."""

    told: Mapping[str, str]
    run_id: str = ""
    time: str = ""

    @property
    def action(self) -> str:
        """`promotion` or `rollback`."""
        return self.told["action"]

    @property
    def version(self) -> int:
        """The version that became champion."""
        return int(self.told["version"])

    @property
    def before(self) -> int | None:
        """The version that was champion before, if any."""
        return int(self.told["before"]) if self.told.get("before") else None

    @property
    def best(self) -> int:
        """The best champion so far, which later ones are held against as well."""
        return int(self.told.get("best") or self.version)


def actor(settings: Settings) -> dict[str, str]:
    """Return what the ledger is told of who acts, and of who vouches for that."""
    return {"actor": git.actor(settings), VOUCHED_BY: settings.job or SELF_DECLARED}


class Ledger:
    """The entries of one store."""

    def __init__(self, client: "MlflowClient", settings: Settings, book: str = PROMOTIONS) -> None:
        self._client = client
        self._settings = settings
        self._uri = store.address(settings)
        self._name = experiment_of(settings.name, book)
        self._edit = needed(EDIT, "experiment", self._name)

    def entries(self) -> Sequence[Entry]:
        """Return what has happened, oldest first."""
        return self._search("FINISHED")

    def open_entries(self) -> Sequence[Entry]:
        """Return what was begun and not closed."""
        return self._search("RUNNING")

    def begin(self, told: Mapping[str, str]) -> Entry:
        """Write down what is about to happen."""
        # Not their count: when somebody deleted one, two would bear the same number.
        number = str(max(map(_sequence, self.entries()), default=0) + 1)
        tags = {name: value for name, value in told.items() if value} | {_SEQUENCE: number}
        title = f"{told['action']} of version {told['version']}"
        # Made by the first who writes: who only reads may have no right to, or would own it.
        experiment = store.experiment(self._client, self._settings, self._name)
        with in_words(self._uri, self._edit):
            run = self._client.create_run(experiment, tags=tags, run_name=title)
        return Entry(tags, run.info.run_id, "")

    def attach(self, entry: Entry, paths: Sequence[Path]) -> None:
        """Keep files with an entry."""
        with in_words(self._uri, self._edit):
            for path in paths:
                self._client.log_artifact(entry.run_id, str(path))

    def close(self, entry: Entry) -> None:
        """Say that it has happened."""
        with in_words(self._uri, self._edit):
            self._client.set_terminated(entry.run_id, "FINISHED")

    def discard(self, entry: Entry) -> None:
        """Take back what was begun and has not happened."""
        try:
            with in_words(self._uri, needed(MANAGE, "experiment", self._name)):
                self._client.delete_run(entry.run_id)
        except DeniedError:  # To delete takes MANAGE; what has failed is no move either.
            with in_words(self._uri, self._edit):
                self._client.set_terminated(entry.run_id, "FAILED")

    def _search(self, status: str) -> Sequence[Entry]:
        experiment = store.found(self._client, self._settings, self._name)
        if experiment is None:
            return []
        with in_words(self._uri, needed(READ, "experiment", self._name)):
            runs = self._client.search_runs(
                [experiment], f"attributes.status = '{status}'", max_results=10_000
            )
        found = [
            Entry(
                {k: v for k, v in run.data.tags.items() if not k.startswith("mlflow.")},
                run.info.run_id,
                _written(run.info.start_time),
            )
            for run in runs
            if set(run.data.tags) >= _OWN  # not what somebody else has run in here
        ]
        for entry in found:
            _check(entry)
        return sorted(found, key=_sequence)


def _check(entry: Entry) -> None:
    for name in _NUMBERS:
        told = entry.told.get(name, "0")
        if not re.fullmatch(r"[0-9]{1,18}", told):
            raise WorldError(
                f"the ledger's run {entry.run_id} has {name} {told[:40]!r}, which is no number; "
                "delete that run"
            )


def _sequence(entry: Entry) -> int:
    return int(entry.told.get(_SEQUENCE, 0))


def _written(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
