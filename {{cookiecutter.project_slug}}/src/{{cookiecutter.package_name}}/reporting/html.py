"""A page as one HTML file that asks for nothing else: styles and charts are inside."""

from collections.abc import Mapping
from functools import singledispatch
from html import escape

from . import html_table
from .blocks import Block, Page, Pictures, Remarks, Section, Table, Text, Tiles
from .stylesheet import STYLES

Charts = Mapping[str, str]
"""SVG text by the picture's name."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""A browser refuses whatever the page would ask for."""


def render(page: Page, charts: Charts) -> str:
    """Write the page as HTML."""
    title = escape(page.title)
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>\n<style>{STYLES}</style>\n</head>\n<body>\n<main>",
            f'<header>\n<h1>{title}</h1>\n<p class="about">{escape(page.subtitle)}</p>',
            f'<p class="verdict">{escape(page.verdict)}</p>\n</header>',
            *(_block(block, charts) for block in page.opening),
            *(_section(section, charts) for section in page.sections),
            "</main>\n</body>\n</html>\n",
        ]
    )


def _section(section: Section, charts: Charts) -> str:
    blocks = "\n".join(_block(block, charts) for block in section.blocks)
    return f"<section>\n<h2>{escape(section.title)}</h2>\n{blocks}\n</section>"


@singledispatch
def _block(block: Block, charts: Charts) -> str:
    raise TypeError(block)


@_block.register
def _(block: Text, charts: Charts) -> str:
    return f"<p>{escape(block.text)}</p>"


@_block.register
def _(block: Remarks, charts: Charts) -> str:
    items = "\n".join(f"<li>{escape(text)}</li>" for text in block.texts)
    return f'<ul class="remarks">\n{items}\n</ul>'


@_block.register
def _(block: Tiles, charts: Charts) -> str:
    tiles = "\n".join(
        f'<div class="{"alarm" if tile.alarm else "calm"}"><dt>{escape(tile.label)}</dt>'
        f"<dd>{escape(tile.value)}<small>{escape(tile.note)}</small></dd></div>"
        for tile in block.tiles
    )
    return f'<dl class="tiles">\n{tiles}\n</dl>'


@_block.register
def _(block: Pictures, charts: Charts) -> str:
    figures = "\n".join(
        f"<figure>{charts[picture.name]}<figcaption><b>{escape(picture.title)}.</b> "
        f"{escape(picture.caption)}</figcaption></figure>"
        for picture in block.pictures
    )
    kind = "pictures" if len(block.pictures) > 1 else "pictures alone"
    return f'<div class="{kind}">\n{figures}\n</div>'


@_block.register
def _(block: Table, charts: Charts) -> str:
    return html_table.render(block)
