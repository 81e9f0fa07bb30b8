"""The report's blocks as Markdown for a forge, with bars made of characters."""

import re
from collections.abc import Collection, Iterator, Sequence
from functools import singledispatch

from .blocks import Block, Page, Pictures, Remarks, Section, Span, Table, Text, Tiles, Tint

_WIDTH = 33
_GROUND, _ZERO, _MARK, _REACH, _VALUE = "·┊┃─●"


def strips(spans: Sequence[Span]) -> list[str]:
    """Draw spans on a common scale: zero, each one's mark, its interval and its value."""
    places = [0.0, *(place for span in spans for place in span.known())]
    least, most = min(places), max(places)
    return [_strip(span, least, (most - least) or 1.0) for span in spans]


def _strip(span: Span, least: float, reach: float) -> str:
    def column(place: float) -> int:
        return round((place - least) / reach * (_WIDTH - 1))

    drawn = [_GROUND] * _WIDTH
    if span.low is not None and span.high is not None:
        for covered in range(column(span.low), column(span.high) + 1):
            drawn[covered] = _REACH
    drawn[column(0.0)] = _ZERO
    for place, sign in ((span.mark, _MARK), (span.value, _VALUE)):
        if place is not None:
            drawn[column(place)] = sign
    return "".join(drawn)


_MARKUP = re.compile(r"[\\`*_\[\]<>|~$&]")
_CALLS = re.compile(r"[@#](?=\w)")
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
"""What turns the direction of all that follows."""


def render(page: Page) -> str:
    """Write the page as Markdown with its charts beside it."""
    parts = [
        f"# {escaped(page.title)}",
        escaped(page.subtitle),
        f"> **{escaped(page.verdict)}**",
        *map(_block, page.opening),
        *(part for section in page.sections for part in _section(section)),
    ]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Escape all that could be markup, and what would call a person or an issue on a forge.

    A line of its own could begin a heading or a list.
    """
    line = _TURNS.sub("�", " ".join(text.splitlines()))
    return _CALLS.sub(r"\g<0><!-- -->", _MARKUP.sub(r"\\\g<0>", line))


def _section(section: Section) -> Iterator[str]:
    yield f"## {escaped(section.title)}"
    yield from map(_block, section.blocks)


@singledispatch
def _block(block: Block) -> str:
    raise TypeError(block)


@_block.register
def _(block: Text) -> str:
    return escaped(block.text)


@_block.register
def _(block: Remarks) -> str:
    return "\n".join(f"- {escaped(text)}" for text in block.texts)


@_block.register
def _(block: Tiles) -> str:
    header = [tile.label for tile in block.tiles]
    values = [tile.value for tile in block.tiles]
    return _grid(header, [values, [tile.note for tile in block.tiles]], range(len(header)))


@_block.register
def _(block: Pictures) -> str:
    images = (
        f"![{escaped(picture.title)}]({picture.folder}/{picture.name}.svg)"
        for picture in block.pictures
    )
    captions = (
        f"*{escaped(picture.title)}.* {escaped(picture.caption)}" for picture in block.pictures
    )
    return "\n\n".join([" ".join(images), *captions])


@_block.register
def _(block: Table) -> str:
    grid = _with_strips(block) if block.strips else _grid(block.header, block.rows, block.words)
    if block.folded:
        return f"<details><summary>{escaped(block.caption)}</summary>\n\n{grid}\n\n</details>"
    named = f"**{escaped(block.caption)}** {escaped(block.note)}".rstrip()
    return f"{named}\n\n{grid}" if block.caption else grid


def table(block: Table) -> str:
    """Write a table alone."""
    return _block(block)


def _with_strips(block: Table) -> str:
    """Write a table with the span of each row drawn at its end."""
    header, rule, *lines = _grid(block.header, block.rows, block.words).splitlines()
    drawn = strips(block.spans)
    rows = [f"{line} `{strip}` |" for line, strip in zip(lines, drawn, strict=True)]
    return "\n".join([f"{header} {escaped(block.mark)} |", f"{rule} :-- |", *rows])


def _grid(
    header: Sequence[str], rows: Sequence[Sequence[str | Tint]], words: Collection[int]
) -> str:
    rule = [":--" if column in words else "--:" for column in range(len(header))]
    cells = [[escaped(_plain(cell)) for cell in row] for row in rows]
    lines = [[escaped(title) for title in header], rule, *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(cell: str | Tint) -> str:
    return cell.text if isinstance(cell, Tint) else cell
