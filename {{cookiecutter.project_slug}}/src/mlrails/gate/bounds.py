"""Which bounds the gate uses, and whether a change chooses its own test rows.

A pull request must not weaken the gate that it has to pass, so a forge asks for its base branch's.
Not the section `gate` alone: which slices are looked at, which rows are test rows and which days
are drawn decide as much. A key that the base does not have yet is taken from here, and one that
nobody here knows any more decides nothing: so a change of the keys themselves can pass as well.

Of the rows a change may choose what must be: time goes on, so `data.until` may move forward, to the
last day that there is at most. Another target, time, length or way of splitting would be a choice.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from ..core import git, params
from ..core.config import parse_yaml, read_yaml, validated
from ..core.errors import UsageError
from ..core.params import FILE, Params
from ..data import sensitive
from ..evaluation import selection
from ..evaluation.own import Own, OwnMetric


def choices(ours: Params, base: Params, last: date | None) -> Iterator[str]:
    """Yield in words how the test rows of `ours` are not those that `base` asks for.

    `last` is the day of the last row that there is; None where rows have no time.
    """
    if ours.task is not base.task:
        yield "`task` is another one"
    for name in ("target", "time", "group", "weight"):
        if getattr(ours.data, name) != getattr(base.data, name):
            yield f"`data.{name}` is another one"
    if ours.split != base.split:
        yield "`split` is another one"
    if ours.split.by != "time" and ours.seed != base.seed:
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


def load_bounds(
    root: Path, revision: str | None, own: Sequence[OwnMetric] = ()
) -> tuple[Params, str]:
    """Return the params that the gate goes by, and where they are from.

    Raises UsageError for what is no commit.
    """
    ours = params.load(root)
    selection.primary(ours.task, ours.evaluation, own)
    sensitive.check_features(ours)
    sensitive.check_bounds(ours)
    _check_floors(ours, own)
    if revision is None:
        return ours, "the working tree"
    commit = _commit(root, revision)
    # An empty name would be git's index, which a pull request can fill as it likes.
    found = git.run(root, "show", f"{commit}:./{FILE}")
    if not revision or not commit or found.returncode:
        raise UsageError(f"the bounds of {revision!r}: git knows no {FILE} of that commit")
    where = f"{FILE} of {revision}"
    asked = parse_yaml(found.stdout, where)
    values = _without_choices(over(read_yaml(root / FILE), asked, Params), asked)
    named = commit if revision == commit else f"{revision} ({commit[:12]})"
    # A base with a text for a number must let the change pass that mends it.
    return validated(Params, values, where, lenient=True), named


_CHOICES = {
    "evaluation": {"primary"},
    "data": {"until", "group", "weight"},
    "split": {"final"},
}
"""Keys that the base has decided on by leaving them out: the task's first metric, whose unit its
margins are in, rows that all count alike, and test rows up to the last one."""


def _without_choices(values: Any, base: Any) -> Any:
    """Take away what the base does not name, where that is a choice."""
    if not isinstance(values, Mapping) or not isinstance(base, Mapping):
        return values
    kept = dict(values)
    for section, names in _CHOICES.items():
        ours, theirs = values.get(section), base.get(section)
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            left_out = names - theirs.keys()
            kept[section] = {name: it for name, it in ours.items() if name not in left_out}
    return kept


def _commit(root: Path, revision: str) -> str:
    """Return the commit of a revision; nothing where there is none."""
    names = "--verify", "--quiet", "--end-of-options", revision + "^{commit}"
    return git.run(root, "rev-parse", *names).stdout.strip()


def load_metrics(root: Path, revision: str | None, own: Own) -> Own:
    """Return the metrics that the gate goes by: those that the project declares at a revision.

    A change must not weaken the metric that it is judged by either, so the code of the bounds is
    run, which somebody has merged; what it imports of the package is this tree's. Raises UsageError
    where it cannot be run.
    """
    if revision is None or not own.package:
        return own
    file = f"src/{own.package}/metrics.py"
    found = git.run(root, "show", f"{_commit(root, revision)}:./{file}")
    if found.returncode:
        note = f"the bounds have no {file} yet, so its metrics are told, and judge nobody"
        return Own(own.package, (), note if own.metrics else "")
    path = root / file
    if path.is_file() and path.read_text("utf-8") == found.stdout:
        return own
    note = f"{file} is another one than that of the bounds, whose metrics count"
    return Own(own.package, _declared(found.stdout, own.package, file, revision), note)


def _declared(source: str, package: str, file: str, revision: str) -> Sequence[OwnMetric]:
    module = ModuleType(f"{package}.metrics")
    module.__package__ = package
    try:
        exec(compile(source, file, "exec"), vars(module))  # noqa: S102 - it was merged before
        return tuple(vars(module).get("METRICS", ()))
    except Exception as error:
        raise UsageError(
            f"{file} of {revision}: raises {type(error).__name__} beside the files of this change; "
            "change what it needs of them in a change of its own"
        ) from None


def _check_floors(ours: Params, own: Sequence[OwnMetric]) -> None:
    """Raise UsageError for a floor of no metric; a base's decides nothing, and can be mended."""
    for name in ours.gate.floors:
        selection.named(name, f"'gate.floors.{name}'", ours.task, ours.evaluation, own)


def over(ours: Any, base: Any, section: type[BaseModel]) -> Any:
    """Lay the base's values over ours, as far as the section here knows their names."""
    if not isinstance(ours, Mapping) or not isinstance(base, Mapping):
        return base
    laid = dict(ours)
    for name in section.model_fields.keys() & base.keys():
        inner = section.model_fields[name].annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            laid[name] = over(ours.get(name), base[name], inner)
        else:
            laid[name] = base[name]
    return laid
