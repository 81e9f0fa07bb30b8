"""Versions that bear one digest: those of a race are taken away, and no other."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from .errors import WorldError
from .versions import ARCHIVED, PRODUCTION, STAGE, Version


def take_away(
    client: Any, store: str, model: str, same: Sequence[Version], pointed: Collection[int]
) -> None:
    """Delete all but the first of the versions of one digest, whoever has made them.

    `store` and `model` are their names; `pointed` are the numbers that aliases point to. Raises
    WorldError, and deletes nothing, where one of them is or was in use: no race makes such a one.
    """
    from mlflow.exceptions import MlflowException

    for twin in same[1:]:
        if twin.number in pointed or twin.tags.get(STAGE) in {PRODUCTION, ARCHIVED}:
            raise WorldError(
                f"{store}: versions {same[0].number} and {twin.number} have the same digest, and "
                f"{twin.number} is or was in use; delete {same[0].number}, or set its tag `digest` "
                "right"
            )
    for twin in same[1:]:
        with suppress(MlflowException):  # Another process was faster.
            client.delete_model_version(model, str(twin.number))
