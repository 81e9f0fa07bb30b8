"""A page as GitHub-flavoured Markdown."""

import re
from collections.abc import Collection, Iterator, Sequence
from functools import singledispatch

from .blocks import Bars, Block, Page, Pictures, Remarks, Section, Table, Text, Tiles, Tint

_MARKUP = re.compile(r"[\\`*_\[\]<>|~$&]")
_NOT_IN_DIAGRAMS = re.compile(r"[^\w .,=:()+²/-]")
_CALLS = re.compile(r"[@#](?=\w)")


def render(page: Page) -> str:
    """Write the page as Markdown with its charts beside it."""
    parts = [
        f"# {_text(page.title)}",
        _text(page.subtitle),
        f"> **{_text(page.verdict)}**",
        *map(_block, page.opening),
        *(part for section in page.sections for part in _section(section)),
    ]
    return "\n\n".join(parts) + "\n"


def _text(text: str) -> str:
    """Escape all that could be markup, and what would call a person or an issue on a forge.

    A line of its own could begin a heading or a list.
    """
    line = " ".join(text.splitlines())
    return _CALLS.sub(r"\g<0><!-- -->", _MARKUP.sub(r"\\\g<0>", line))


def _section(section: Section) -> Iterator[str]:
    yield f"## {_text(section.title)}"
    yield from map(_block, section.blocks)


@singledispatch
def _block(block: Block) -> str:
    raise TypeError(block)


@_block.register
def _(block: Text) -> str:
    return _text(block.text)


@_block.register
def _(block: Remarks) -> str:
    return "\n".join(f"- {_text(text)}" for text in block.texts)


@_block.register
def _(block: Tiles) -> str:
    header = [tile.label for tile in block.tiles]
    values = [tile.value for tile in block.tiles]
    return _grid(header, [values, [tile.note for tile in block.tiles]], range(len(header)))


@_block.register
def _(block: Pictures) -> str:
    images = (
        f"![{_text(picture.title)}]({picture.folder}/{picture.name}.svg)"
        for picture in block.pictures
    )
    captions = (f"*{_text(picture.title)}.* {_text(picture.caption)}" for picture in block.pictures)
    return "\n\n".join([" ".join(images), *captions])


@_block.register
def _(block: Table) -> str:
    grid = _grid(block.header, block.rows, block.words)
    if block.folded:
        return f"<details><summary>{_text(block.caption)}</summary>\n\n{grid}\n\n</details>"
    named = f"**{_text(block.caption)}** {_text(block.note)}".rstrip()
    return f"{named}\n\n{grid}" if block.caption else grid


@_block.register
def _(block: Bars) -> str:
    names, values, bounds = zip(*block.bars, strict=True)
    least, most = min(0.0, *values, *bounds), max(0.0, *values, *bounds)
    room = 0.05 * (most - least) or 1.0
    labels = ", ".join(f'"{_label(name)}"' for name in names)
    lines = [
        "```mermaid\nxychart-beta horizontal",
        f'    title "{_label(block.title)}"',
        f"    x-axis [{labels}]",
        f'    y-axis "{_label(block.unit)}" {least - room:.6f} --> {most + room:.6f}',
        f"    bar [{', '.join(f'{value:.6f}' for value in values)}]",
        f"    line [{', '.join(f'{bound:.6f}' for bound in bounds)}]\n```",
    ]
    return "\n".join(lines)


def _label(text: str) -> str:
    """Leave out of a name all that could end the text that it stands in."""
    return _NOT_IN_DIAGRAMS.sub("", text).strip() or "-"


def _grid(
    header: Sequence[str], rows: Sequence[Sequence[str | Tint]], words: Collection[int]
) -> str:
    rule = [":--" if column in words else "--:" for column in range(len(header))]
    cells = [[_text(_plain(cell)) for cell in row] for row in rows]
    lines = [[_text(title) for title in header], rule, *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(cell: str | Tint) -> str:
    return cell.text if isinstance(cell, Tint) else cell
