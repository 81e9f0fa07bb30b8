"""What is shown to leak stops the stage `prepare`, also where it came in with later rows."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..core.errors import UsageError
from ..core.layout import RAW, Part
from ..core.params import FILE, Params, Task
from ..data.schema import Column
from . import look
from .finding import Finding
from .table import Roles

if TYPE_CHECKING:
    import pandas as pd


def check(parts: "Mapping[Part, pd.DataFrame]", params: Params, columns: Sequence[Column]) -> None:
    """Raise UsageError that says the first leak that is shown, and how to go on."""
    if found := leaks(parts, params, columns):
        more = f" ({len(found) - 1} more of that kind)" if len(found) > 1 else ""
        raise UsageError(f"{RAW}: {found[0].sentence}{_ways_out(found[0])}{more}")


def leaks(
    parts: "Mapping[Part, pd.DataFrame]", params: Params, columns: Sequence[Column]
) -> list[Finding]:
    """Return what is shown to leak.

    A column of which `schema.py` says why it is `known` is not asked about; rows of one group are
    not where `split.acknowledge` says that they may be on both sides.
    """
    import pandas as pd

    found = look.stops(pd.concat(list(parts.values())), _roles(params, columns), params.seed)
    if params.split.acknowledge and "group" in params.split.acknowledge:
        return [it for it in found if it.columns and it.rule != look.TORN]
    return found


def _roles(params: Params, columns: Sequence[Column]) -> Roles:
    features = (*params.features.numeric, *params.features.categorical)
    known = {it.name: it.known for it in columns if it.known}
    data, by_number = params.data, params.task is Task.REGRESSION
    return Roles(
        data.target, features, data.time, data.group, (), params.split.by, by_number, known
    )


def _ways_out(found: Finding) -> str:
    if "known=" in found.sentence:
        return ""
    if found.columns and found.rule != look.TORN:
        return f'; or write known="why" at {found.columns[0]!r} in schema.py'
    return (
        f"; or write 'split.acknowledge: rows of one group may be in training and test' in {FILE}"
    )
