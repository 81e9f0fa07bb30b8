"""The parts of a page as values: what is said, not how it looks.

Every text is plain; a renderer escapes all of it, so no name in the data can become markup. A new
kind of block needs a sibling in `markdown` and in `report.html.jinja`.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

PLOTS = "plots"


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Remarks:
    """Short paragraphs in a list."""

    texts: Sequence[str]


@dataclass(frozen=True)
class Tile:
    """A figure that stands out, with what it is and what to hold it against."""

    label: str
    value: str
    note: str
    alarm: bool = False


@dataclass(frozen=True)
class Tiles:
    """The few figures that a page starts with."""

    tiles: Sequence[Tile]


@dataclass(frozen=True)
class Picture:
    """A chart by its name, with what it shows and how to read it."""

    name: str
    title: str
    caption: str
    folder: str = PLOTS
    """Where its file lies beside the page."""


@dataclass(frozen=True)
class Pictures:
    """Charts side by side; small ones are small multiples, with room for four in a row."""

    pictures: Sequence[Picture]
    small: bool = False


@dataclass(frozen=True)
class Tint:
    """A table cell on a coloured ground, from 0 (pale) to 1, in the colour of good or bad."""

    text: str
    strength: float
    good: bool


@dataclass(frozen=True)
class Span:
    """An interval to draw beside a row; `mark` is what it is held against."""

    value: float | None
    low: float | None
    high: float | None
    mark: float | None = None

    def known(self) -> Sequence[float]:
        """Return all places that must fit into the drawing."""
        places = (self.value, self.low, self.high, self.mark)
        return [place for place in places if place is not None]


@dataclass(frozen=True)
class Table:
    """Rows of cells; numbers to the right but for the columns of words."""

    header: Sequence[str]
    rows: Sequence[Sequence[str | Tint]]
    caption: str = ""
    note: str = ""
    words: Collection[int] = (0,)
    spans: Sequence[Span] = ()
    """One for each row, on a common scale."""
    strips: bool = False
    """Whether the spans are drawn with characters where nothing else can draw."""
    mark: str = ""
    """What the spans are held against."""
    folded: bool = False
    """Whether the caption has to be opened to see the rows."""


Block = Text | Remarks | Tiles | Pictures | Table


@dataclass(frozen=True)
class Section:
    """Blocks below a heading."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Page:
    """A whole page; the verdict comes first."""

    title: str
    subtitle: str
    verdict: str
    opening: Sequence[Block]
    sections: Sequence[Section]

    def pictures(self) -> Iterator[Picture]:
        """Yield every picture of the sections."""
        for section in self.sections:
            for block in section.blocks:
                if isinstance(block, Pictures):
                    yield from block.pictures
