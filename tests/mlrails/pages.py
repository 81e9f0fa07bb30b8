"""Readers of the report's pages, for the tests."""

import re
from html.parser import HTMLParser

_EMPTY = {"meta", "br", "img", "link", "input", "hr"}
_REFERENCES = {"src", "href", "xlink:href", "srcset", "action", "data", "poster"}
_DRAWN = {("class", "span"), ("class", "mark")}
"""Cells with a drawing, and their heading: Markdown has neither."""


class Reader(HTMLParser):
    """Read a page as a browser would: its tags, its ids, what it refers to and its tables."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.references: list[str] = []
        self.rows: list[list[str]] = []
        self._in_cell = False
        self.feed(page)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag; a cell starts an empty text."""
        self.tags.add(tag)
        if tag not in _EMPTY:
            self.open.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.references += [value or "" for name, value in attrs if name in _REFERENCES]
        if tag == "tr":
            self.rows.append([])
        if tag in {"th", "td"} and not _DRAWN & set(attrs):
            self.rows[-1].append("")
            self._in_cell = True

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that closes itself."""
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Refuse a tag that is closed before another within it."""
        if tag not in _EMPTY:
            assert self.open.pop() == tag
        self._in_cell = self._in_cell and tag not in {"th", "td"}

    def handle_data(self, data: str) -> None:
        """Note the text of cells."""
        if self._in_cell:
            self.rows[-1][-1] += data


def rows_of_markdown(page: str) -> list[list[str]]:
    """Return the cells of all tables as a reader sees them."""
    lines = [line[2:-2] for line in page.splitlines() if line.startswith("| ")]
    rows = [[unescaped(cell) for cell in line.split(" | ")] for line in lines]
    return [row for row in rows if row[0] != ":--"]


def unescaped(text: str) -> str:
    """Return Markdown's text as a reader sees it."""
    return re.sub(r"\\([\\`*_\[\]<>|~$&])", r"\1", text.replace("<!-- -->", ""))
