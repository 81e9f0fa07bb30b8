"""Whether a change chooses the rows that it is tested on, against the params of its base.

Allowed is what must be: time goes on, so `data.until` may move forward, to the last day that there
is at most. Another target, time, length or way of splitting would be a choice among rows.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from .params import FILE, Params


def choices(ours: Params, base: Params, last: date | None) -> Iterator[str]:
    """Yield in words how the test rows of `ours` are not those that `base` asks for.

    `last` is the day of the last row that there is; None where rows have no time.
    """
    if ours.task is not base.task:
        yield "`task` is another one"
    for name in ("target", "time"):
        if getattr(ours.data, name) != getattr(base.data, name):
            yield f"`data.{name}` is another one"
    if ours.split != base.split:
        yield "`split` is another one"
    if ours.split.by == "random" and ours.seed != base.seed:
        yield "`seed` is another one, and draws other test rows"
    if ours.data.until == base.data.until or last is None:
        return
    now, before = ours.data.until or last, base.data.until or last
    if now < before:
        yield f"`data.until` goes back, from {before} to {now}"
    elif now > last:
        yield f"`data.until` is {now}, and the last row is of {last}"
    elif ours.split.by == "random":
        yield "`data.until` is another day, and draws other test rows"


def advice(found: Sequence[str]) -> str:
    """Return what a check says of such choices."""
    if not found:
        return "the test rows are those that the bounds ask for"
    return (
        f"{'; '.join(found)}: so this change would choose its own test rows; change {FILE} of the "
        "base first, in a change of its own"
    )
