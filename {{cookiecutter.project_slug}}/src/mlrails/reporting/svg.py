"""Charts as SVG: colours, axes, ticks and marks.

Blue for the model and orange for what calls for attention are Okabe and Ito's, which people with
any colour vision can tell apart (https://jfly.uni-koeln.de/color/); the rest are greys.
"""

import re
import warnings
from collections.abc import Callable
from io import StringIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


BLUE = "#0072B2"
SKY = "#56B4E9"
ORANGE = "#D55E00"
INK = "#1f2933"
GREY = "#5d6976"
PALE = "#d5dbe1"
FAINT = "#edf0f3"


Draw = Callable[["Axes"], None]

_WIDTH = 4.7
"""Inches; half of the page, so that letters keep their size beside the text and on a phone."""

_SAME, _ROOM = 2e-6, 0.05
"""Parts of a number: by which figures differ that are rounded to six digits, and what is shown on
both sides where they do not."""

_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.formatter.limits": (-4, 7),
    "axes.formatter.useoffset": False,
    "axes.edgecolor": PALE,
    "axes.grid": True,
    "axes.labelcolor": GREY,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": GREY,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.titlesize": 8.5,
    "figure.constrained_layout.use": True,
    "font.family": ["DejaVu Sans"],
    "font.size": 8.5,
    "grid.color": FAINT,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.color": BLUE,
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": PALE,
    "xtick.labelcolor": GREY,
    "ytick.color": PALE,
    "ytick.labelcolor": GREY,
}
"""Texts stay texts: small, sharp and searchable. DejaVu, which Matplotlib brings, is wider than the
fonts that readers have, so what fits in the drawing fits on their screen."""

_FONTS = "system-ui, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"


def svg(name: str, draw: Draw, height: float, width: float = _WIDTH) -> str:
    """Draw on empty axes and return the SVG; `height` and `width` in inches."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE | {"svg.hashsalt": name})
        figure = Figure((width, height))
        axes = figure.subplots()
        draw(axes)
        _widen(axes)
        text = StringIO()
        canvas: Any = FigureCanvasSVG(figure)  # `savefig` would draw everything twice
        canvas.print_svg(text, metadata={"Date": None})
    return _tidied(text.getvalue())


def _widen(axes: "Axes") -> None:
    """Give width to an axis along which nothing differs: ticks of rounding errors say nothing."""
    for limits, limit in ((axes.get_xlim, axes.set_xlim), (axes.get_ylim, axes.set_ylim)):
        low, high = limits()
        size = max(abs(low), abs(high))
        if high - low <= _SAME * max(size, 1):
            room = _ROOM * (size if size > _SAME else 1)
            limit(low - room, high + room)


def inline(drawn: str) -> str:
    """Return the SVG as it stands within HTML: as wide as there is room."""
    head, _, body = drawn.partition(">")
    return re.sub(r' (xmlns(:xlink)?|width|height|version)="[^"]*"', "", head) + ">" + body


def _tidied(text: str) -> str:
    """Leave out metadata, clipping (nothing is drawn outside), and names that nobody refers to."""
    text = text[text.index("<svg") :]
    for superfluous in (
        r"\s*<metadata>.*?</metadata>",
        r"\s*<clipPath.*?</clipPath>",
        r' clip-path="[^"]*"',
        r"<style.*?</style>",
        r"\s*<defs>\s*</defs>",
    ):
        text = re.sub(superfluous, "", text, flags=re.DOTALL)
    wanted = set(re.findall(r'href="#([^"]*)"', text))
    text = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in wanted else "", text)
    return text.replace("'DejaVu Sans'", _FONTS)
