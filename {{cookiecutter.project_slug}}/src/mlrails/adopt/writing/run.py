"""An adoption from its first question to the files that it leaves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from ...core import params
from ...core.console import say
from ...core.errors import UsageError, nearest
from ...core.params import Params
from ...core.settings import Settings
from ...data.schema import Column
from ...pipeline import dvc
from .. import proposal, table
from ..plan import By, Plan
from ..proposal import Proposed
from ..roles import Wishes
from . import apply, callers, files, places, questions, shown, trial
from .questions import Ask

_OF_ROWS = ("pandas", "scipy.spatial", "scipy.sparse.csgraph", "scipy.special")
"""Libraries of a look at rows, imported on another core while the rows are read."""


@dataclass(frozen=True)
class Order:
    """What the command line asks for."""

    source: str
    target: str | None = None
    task: str | None = None
    time: str | None = None
    group: str | None = None
    weight: str | None = None
    positive: str | None = None
    ids: Sequence[str] = ()
    drop: Sequence[str] = ()
    known: Sequence[str] = ()
    yes: bool = False
    dirty: bool = False
    query: str | None = None


@dataclass(frozen=True)
class Person:
    """Who sits before it: how to ask them, None where nobody does, and how wide they see."""

    ask: Ask | None = None
    width: int = 100
    start: Path = field(default_factory=Path)
    """The folder that the source's name begins in."""


def adopt(settings: Settings, order: Order, person: Person, columns: Sequence[Column]) -> None:
    """Read a source, show what becomes of the project, ask, and write it all or nothing.

    `columns` are those of today's `schema.py`. Raises UsageError where a person has to decide
    something first, or to mend it; nothing has been written then.
    """
    root, libraries = settings.root, dvc.begin(*_OF_ROWS)
    if not order.dirty:
        apply.must_be_clean(root)
    present = places.texts(root, settings.package)
    spoken = {*order.drop, *order.ids}
    before = [replace(it, known=None) if it.name in spoken else it for it in columns]
    before = [] if files.is_example(present) else before
    now = None if files.is_example(present) else params.load(root)
    place = places.of(root, order.source, person.start)
    proposed = _planned(settings, order, person, before, now, place)
    champion = callers.champion(settings)
    bridge = callers.bridge(champion, proposed.plan, now.gate.renamed if now else {})

    def write(plan: Plan) -> dict[str, str | None]:
        return files.written(plan, present, settings.package, before, bridge)

    libraries.join()
    plan, changes = trial.settled(proposed, write, present[params.FILE], own=now is not None)
    if not changes and not place.copies:
        apply.apply(root, {}, {}, place.tracked)  # The rows may be others all the same.
        say("no file of the project changes: its data are read so already")
        return
    _confirm(order, person)
    lacking = [it for it in (*changes, *place.beside()) if not (root / it).exists()]
    apply.apply(root, changes, place.copies, place.tracked)
    made = [it for it in lacking if (root / it).exists()]
    then = files.params_of(str(changes.get(params.FILE) or present[params.FILE]))
    told = [callers.meaning(champion, plan, then)] if champion else []
    say(shown.ending([*changes], made, told))


def _planned(
    settings: Settings,
    order: Order,
    person: Person,
    before: Sequence[Column],
    now: Params | None,
    place: places.Place,
) -> Proposed:
    """Return the plan that is written, shown and with every question answered, and its rows."""
    root = settings.root
    found = table.of_source(place.name, root, order.query, place.path)
    wishes = wished(order, found.rows.column_names, before, now)
    if now and wishes.positive is None and wishes.target == now.data.target:
        wishes = replace(wishes, positive=places.event(settings, wishes.target))
    look = partial(proposal.proposed, found, place.name, shown=not settings.in_ci)
    found_out = _with_answers(look, wishes, order, person)
    plan = files.as_before(found_out.plan, before)
    say(shown.shown(plan, person.width) + "\n")
    questions.stopped(plan)
    if person.ask is None and not order.yes:
        questions.unasked(plan, shown=not settings.in_ci)
    plan = questions.answered(plan, None if order.yes else person.ask, order.yes)
    return found_out._replace(plan=plan)


def _with_answers(
    look: Callable[..., Proposed], wishes: Wishes, order: Order, person: Person
) -> Proposed:
    """Return the plan after a person has been asked what the table cannot tell.

    Where nobody can be asked, and no guess is allowed, they are told when the plan has been shown.
    """
    found = look(wishes)
    asked = found.plan.questions
    if order.yes or person.ask is None or not asked:
        return found
    told = {it.option: questions.chosen(it, person.ask) for it in asked}
    if all(told[it.option] == it.default for it in asked):
        return found
    task = params.Task(told["task"]) if "task" in told else wishes.task
    named = {it: told.get(it, getattr(wishes, it)) for it in ("positive", "time", "group")}
    return look(replace(wishes, task=task, **named))


def wished(
    order: Order, names: Sequence[str], before: Sequence[Column], now: Params | None
) -> Wishes:
    """Return what is wished of the columns: as is said, else as it was for data of before.

    Raises UsageError where nobody has said what is to be predicted, or not in words that are known.
    """
    if order.target is None and now is None:
        raise UsageError("--target COLUMN: say which column is to be predicted")
    target = order.target or str(now and now.data.target)
    was = now if now and now.data.target == target else None
    time, group, weight = (
        said or (kept if kept in names else None)
        for said, kept in (
            (order.time, was.data.time if was else None),
            (order.group, was.data.group if was else None),
            (order.weight, was.data.weight if was else None),
        )
    )
    known = {it.name: it.known for it in before if it.known and it.name in names}
    known |= questions.reasons(order.known, names)
    out = {it.name for it in before if it.leaks} & {*names}
    out -= {*order.drop, *order.ids, *known} | {target, time, group, weight}
    drop = (*order.drop, *sorted(out))
    task = _task(order.task) or (was.task if was else None)
    ids = tuple(order.ids)
    by, split = _by(order, was, group), was.split if was else None
    return Wishes(target, task, time, group, ids, drop, weight, order.positive, known, by, split)


def _by(order: Order, was: Params | None, group: str | None) -> By | None:
    """Return how the project divides its rows, though they may tell a time, unless more is said."""
    if was is None or order.time or order.group:
        return None
    by = was.split.by
    return by if by == "random" or (by == "group" and group) else None


def _task(said: str | None) -> params.Task | None:
    known = [it.value for it in params.Task]
    if said is not None and said not in known:
        raise UsageError(
            f"--task {said!r}: no task{nearest(said, known)}; choose one of {', '.join(known)}"
        )
    return params.Task(said) if said else None


def _confirm(order: Order, person: Person) -> None:
    if order.yes or person.ask is None:
        return
    if person.ask("Write it? [Y/n] ").strip().lower() not in {"", "y", "yes"}:
        raise UsageError("not written, as you have said; nothing has been changed")
