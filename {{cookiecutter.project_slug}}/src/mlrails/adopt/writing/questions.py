"""What only a person knows: asked in a terminal, or answered by options; never guessed in silence.

An answer is kept in `schema.py`, so it is asked once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from ...audit.finding import Finding
from ...core.errors import UsageError, nearest
from ..plan import Plan, Planned, Question
from .spelling import word

Ask = Callable[[str], str]
"""Puts a question to a person and returns the line that they type."""

LEFT_OUT = "it is not known when one predicts, as was answered at adoption"
KNOWN = "it is known when one predicts, as was answered at adoption"
_YES = {"y", "yes"}


def stopped(plan: Plan) -> None:
    """Raise UsageError where something was found with which nobody may go on."""
    if found := [it for it in plan.findings if it.level == "stop"]:
        more = f" (and {len(found) - 1} more, named above)" if len(found) > 1 else ""
        raise UsageError(
            f"{_sentence(found[0])}{_options(found[0])}{more}; nothing has been written"
        )


def _sentence(it: Finding) -> str:
    return it.sentence.rstrip(".")


def _options(it: Finding) -> str:
    """Return how a finding about one column, or two, is answered on the command line."""
    if not it.columns:
        return ""
    known = " ".join(f"--known {word(f'{name}=WHY')}" for name in it.columns)
    one = "it" if len(it.columns) == 1 else "one"
    other = "it" if len(it.columns) == 1 else "both"
    return f" (`--drop {word(it.columns[0])}` leaves {one} out, `{known}` lets {other} in)"


def open_questions(plan: Plan) -> Iterator[Finding]:
    """Yield what was found and has to be answered: of columns that nobody has spoken of."""
    asked = {it.column.name for it in plan.columns if it.column.known or it.role == "left out"}
    for it in plan.findings:
        if it.level == "question" and not {*it.columns} <= asked:
            yield it


def answered(plan: Plan, ask: Ask | None, defaults: bool) -> Plan:
    """Return the plan with all questions answered: by a person, or by what is safe.

    Raises UsageError where there is nobody to ask and the safe answers were not allowed either,
    and where no column is left to predict from.
    """
    asked = [*open_questions(plan)]
    if asked and ask is None and not defaults:
        raise UsageError(
            f"{_sentence(asked[0])}{_options(asked[0])}; nobody can be asked here, and `--yes` "
            "leaves out whatever is in doubt; nothing has been written"
        )
    for finding in asked:
        spoken = {it.column.name for it in plan.columns if it.column.known}
        for name in (it for it in finding.columns if it not in spoken):
            if not defaults and ask is not None and _is_known(name, finding, ask):
                plan = _with_reason(plan, name, _reason(name, ask))
            else:
                plan = _without(plan, name)
    _has_features(plan, [name for it in asked for name in it.columns])
    return plan


def _has_features(plan: Plan, doubted: Sequence[str]) -> None:
    """Refuse a plan whose model would see nothing."""
    if plan.named("number") or plan.named("category") or plan.calendar:
        return
    (target,) = plan.named("target")
    out = [it for it in plan.named("left out") if it in doubted]
    way = f"say `--known {word(f'{out[0]}=WHY')}` if it is known by then" if out else "add some"
    raise UsageError(
        f"no column is left to predict {target!r} from: all others are in doubt, constant, free "
        f"text, or tell the time or the row; {way}; nothing has been written"
    )


def _is_known(name: str, finding: Finding, ask: Ask) -> bool:
    said = ask(f"{finding.sentence}\nIs {name!r} known when you predict? [y/N] ")
    return said.strip().lower() in _YES


def _reason(name: str, ask: Ask) -> str:
    return " ".join(ask(f"Why is {name!r} known by then? (kept in schema.py) ").split()) or KNOWN


def _with_reason(plan: Plan, name: str, why: str) -> Plan:
    return _changed(plan, name, lambda it: replace(it, column=replace(it.column, known=why)))


def _without(plan: Plan, name: str) -> Plan:
    def left_out(it: Planned) -> Planned:
        return replace(it, role="left out", column=replace(it.column, leaks=LEFT_OUT))

    return _changed(plan, name, left_out)


def _changed(plan: Plan, name: str, change: Callable[[Planned], Planned]) -> Plan:
    columns = (
        change(it) if it.column.name == name and it.role in {"number", "category"} else it
        for it in plan.columns
    )
    found = tuple(columns)
    slices = tuple(it for it in plan.slices if it != name or not _is_out(found, name))
    return replace(plan, columns=found, slices=slices)


def _is_out(columns: Sequence[Planned], name: str) -> bool:
    return any(it.column.name == name and it.role == "left out" for it in columns)


def reasons(told: Sequence[str], names: Sequence[str]) -> Mapping[str, str]:
    """Return the reasons of `--known COLUMN=REASON`; `names` are those of the table.

    Raises UsageError where one has no reason, or no column.
    """
    found = {}
    for said in told:
        fitting = [name for name in names if said.startswith(f"{name}=")]
        name = max(fitting, key=len, default="")  # A name may hold the sign itself.
        why = " ".join(said.removeprefix(f"{name}=").split())
        if not fitting or not why:
            guess = said.partition("=")[0]
            raise UsageError(
                f"--known {said!r}: say it as COLUMN=REASON with a column of the table"
                f"{nearest(guess, names)}, as in --known 'grade=it is set at the application'"
            )
        found[name] = why
    return found


def unasked(plan: Plan, shown: bool) -> None:
    """Raise UsageError where a guess stands for an answer that nobody has given.

    `shown` says whether values of rows may be told.
    """
    for it in plan.questions:
        option = f"--{it.option}"
        may_tell = shown or it.option != "positive"  # Whose answers are values of the target.
        said = " or ".join(f"`{option} {word(answer)}`" for answer in it.answers)
        way = said if may_tell else f"`{option} …`"
        guess = word(it.default) if may_tell else "a guess"
        raise UsageError(
            f"{it.sentence} Say {way}; nobody can be asked here, and `--yes` takes {guess}; "
            "nothing has been written"
        )


def chosen(question: Question, ask: Ask) -> str:
    """Return which answer of a question a person takes; an empty line is the guess."""
    offered = "/".join(f"[{it}]" if it == question.default else it for it in question.answers)
    while True:
        said = ask(f"{question.sentence} {offered} ").strip()
        if not said or said in question.answers:
            return said or question.default
        fitting = [it for it in question.answers if it.lower().startswith(said.lower())]
        if len(fitting) == 1:
            return fitting[0]
