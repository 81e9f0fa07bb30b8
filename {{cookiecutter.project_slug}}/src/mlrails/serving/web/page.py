"""The page at `/`: a form made of the signature, where a person tries the model. No script."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qsl

from ...modeling import signature
from ...modeling.classes import PREFIX
from ..http import prefix, telemetry
from ..http.csv_rows import csv_value
from ..http.messages import RefusedError, Reply, WholeRequest
from ..http.rows import Row
from ..model.current import Current, Holder
from ..model.scoring import Batcher
from .explain import Explaining
from .why import section

_PAGE = Template(Path(__file__).with_name("page.html").read_text("utf-8"))
"""What stands around the form; no more is needed, so that a server needs no engine of templates."""
_KIND = b"text/html; charset=utf-8"
_LARGEST_FORM = 2**16
_KNOWN_TOLD = 8
_MOST_CHOICES = 500
"""Of which one list can be made; among more, letters find their way."""
_MOST_CLASSES = 10
"""Of which the probabilities are shown."""
_BOOLEANS = ("true", "false")
_HEADERS = (
    # Nothing but the page itself: no script, no image, nothing of others, in nobody's frame.
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
        b"frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"vary", prefix.HEADER),
    (b"referrer-policy", b"no-referrer"),
)


class Page:
    """The form, empty or with an answer."""

    def __init__(self, holder: Holder, batcher: Batcher, explaining: Explaining) -> None:
        self._holder, self._batcher, self._explaining = holder, batcher, explaining

    async def empty(self, asked: WholeRequest) -> Reply:
        """Show the form with the values of the model's own example."""
        now = self._holder.now
        first = now.served.interface.example[0]
        return _reply(now, asked.below, {name: _text(value) for name, value in first.items()})

    async def answered(self, asked: WholeRequest) -> Reply:
        """Show what the model says to the values of the form, or what is wrong with them."""
        if len(asked.body) > _LARGEST_FORM:  # The loop itself reads it.
            raise RefusedError(413, f"a form may have {_LARGEST_FORM // 1024} KiB, and has more")
        now = self._holder.now
        pairs = parse_qsl(asked.body.decode("utf-8", "replace"), keep_blank_values=True)
        sent = dict(pairs)
        row = {it.name: csv_value(sent.get(it.name, ""), it.type) for it in now.served.inputs}
        try:
            checked = now.rows.check([row])
            answer = await self._batcher.score(now.served, checked)
        except RefusedError as refused:
            faults = {str(fault.column): fault.reason for fault in refused.faults}
            return _reply(now, asked.below, sent, faults=faults, status=422)
        one = {name: values[0] for name, values in answer.items()}
        return _reply(now, asked.below, sent, answer=one, why=await self._why(now, checked[0]))

    async def _why(self, now: Current, row: Row) -> str:
        """Return what moved the answer; nothing where the model or the server cannot tell."""
        if now.served.typical is None:
            return ""
        try:
            (found,) = await self._explaining.explain(now, [row])
        except (RefusedError, RuntimeError) as error:
            telemetry.log("not explained", reason=str(error))
            return ""
        return section(found, _said)


def _reply(
    now: Current,
    below: str,
    values: Mapping[str, str],
    faults: Mapping[str, str] | None = None,
    answer: Mapping[str, Any] | None = None,
    status: int = 200,
    why: str = "",
) -> Reply:
    origin, wrong, notice = now.served.origin, faults or {}, now.noticed()
    shown = "".join(_field(it, values.get(it.name, ""), wrong) for it in now.served.inputs)
    said = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(_said(value))}</dd>"
        for name, value in _told(answer or {})
    )
    if wrong:
        said = "<dt>no prediction</dt><dd>see the values that are marked</dd>"
    kind = "answer refused" if wrong else "answer"
    page = _PAGE.substitute(
        below=escape(below, quote=True),
        name=escape(origin.name),
        version=escape(origin.version),
        digest=escape(origin.digest[:12]),
        notice=f'<p class="fault" role="status">{escape(notice)}</p>' if notice else "",
        fields=shown,
        why=f"{_promised(now, answer)}{why}",
        answer=f'<dl class="{kind}" role="status">{said}</dl>' if said else "",
    )
    headers, rows = (*_HEADERS, *now.headers), int(answer is not None)
    return Reply(page.encode(), headers, status, _KIND, rows)


def _promised(now: Current, answer: Mapping[str, Any] | None) -> str:
    """Say how sure the ends beside a number are; nothing where the model does not tell."""
    level = now.served.interface.level
    if not answer or level is None:
        return ""
    return f"<p>{signature.promise(level)}.</p>"


def _field(field: signature.Field, value: str, faults: Mapping[str, str]) -> str:
    name = escape(field.name, quote=True)
    fault = faults.get(field.name)
    told = f'<small class="fault">{escape(fault)}</small>' if fault else ""
    attributes = f'id="{name}" name="{name}" value="{escape(value, quote=True)}"'
    choices = _BOOLEANS if field.type == "boolean" else field.known
    if 0 < len(choices) <= _MOST_CHOICES:
        box = _list(field, name, value, choices)
    elif choices:
        options = "".join(f'<option value="{escape(it, quote=True)}">' for it in choices)
        box = f'<input {attributes} list="{name}-known"><datalist id="{name}-known">{options}'
        box += "</datalist>"
    elif field.type == "datetime":
        box = f'<input type="datetime-local" step="1" {attributes}>'
    elif field.type in {"double", "float", "long", "integer"}:
        box = f'<input inputmode="decimal" {attributes}>'
    else:
        box = f"<input {attributes}>"
    unit = f" <span>({escape(field.unit)})</span>" if field.unit else ""
    return f'<div><label for="{name}">{name}{unit}</label>{box}{told}{_hint(field)}</div>'


def _list(field: signature.Field, name: str, value: str, choices: Sequence[str]) -> str:
    """Return a list to choose from; what was sent and is not in it stays, and is unknown."""
    shown = [*(("",) if field.nullable else ()), *choices]
    shown += [value] if value not in shown else []
    options = "".join(
        f'<option value="{escape(it, quote=True)}"{" selected" if it == value else ""}>'
        f"{escape(it) or 'missing'}</option>"
        for it in shown
    )
    return f'<select id="{name}" name="{name}">{options}</select>'


def _hint(field: signature.Field) -> str:
    bounds = {"from": field.minimum, "to": field.maximum}
    ranged = " ".join(f"{word} {it:g}" for word, it in bounds.items() if it is not None)
    more = len(field.known) - _KNOWN_TOLD if len(field.known) > _MOST_CHOICES else 0
    known = f"known: {', '.join(field.known[:_KNOWN_TOLD])}" if more > 0 else ""
    words = [ranged, known and f"{known} and {more:,} more"]
    words.append("may be empty" if field.nullable else "")
    return f"<small>{escape(', '.join(filter(None, words)))}</small>"


def _text(value: Any) -> str:
    """Return a value as the form takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _told(answer: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the answer by its names, the likeliest of several classes first, the last ones as one.

    Their order is that of the signature everywhere else.
    """
    shares = {name: value for name, value in answer.items() if name.startswith(PREFIX)}
    yield from ((name, value) for name, value in answer.items() if name not in shares)
    ordered = sorted(shares.items(), key=lambda it: -it[1])
    yield from ordered[:_MOST_CLASSES]
    if rest := ordered[_MOST_CLASSES:]:
        yield f"{len(rest):,} more classes", sum(value for _, value in rest)


def _said(value: Any) -> str:
    """Return a value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
