"""python tests/picture.py REPORT: takes the README's picture of a report.html, and notes its words.

The words are kept beside the picture, so that a test can tell when the report has moved on.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

from baking import ROOT
from playwright.sync_api import sync_playwright

PICTURE, WORDS = ROOT / "docs" / "report.png", ROOT / "docs" / "report.txt"
SECTIONS = 2
"""As many as fit below the top of the page."""
_CHROMIUM = "/usr/bin/chromium"
_WIDTH, _SCALE = 1000, 1.2


class _Reader(HTMLParser):
    """Collects the lines of a page down to the end of its first sections, drawings aside."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._headings, self._hidden = 0, 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._headings += tag == "h2"
        self._hidden += tag in {"style", "svg", "title"}

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"style", "svg", "title"}

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._hidden and self._headings <= SECTIONS:
            # Which bytes a model has depends on the machine's class, and what follows does not.
            self.lines.append(re.sub(r"\b[0-9a-f]{12}\b", "DIGEST", " ".join(data.split())))


def words(report: Path) -> str:
    """Return what the picture of a report says."""
    reader = _Reader()
    reader.feed(report.read_text("utf-8"))
    return "\n".join(reader.lines) + "\n"


def take(report: Path) -> None:
    """Take the picture of a report, down to the heading after its first sections."""
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": _WIDTH, "height": 800}, device_scale_factor=_SCALE
        )
        page.goto(report.absolute().as_uri())
        end = page.locator("h2").nth(SECTIONS).bounding_box()
        assert end is not None
        clip = {"x": 0, "y": 0, "width": _WIDTH, "height": end["y"] - 40}
        page.screenshot(path=PICTURE, clip=clip, full_page=True)
        browser.close()
    WORDS.write_text(words(report), "utf-8")


if __name__ == "__main__":
    take(Path(sys.argv[1]))
