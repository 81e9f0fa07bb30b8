"""How a text separates its cells, writes its letters and says that a value is missing.

This guesses, and is asked at adoption alone: what it finds is shown, and written into `source.py`.
"""

import csv
import re
from collections import Counter
from collections.abc import Collection, Sequence

from ..core.errors import UsageError
from ..data import dialect

HEAD = 2**18
"""Letters that are looked at to find what separates cells."""
_LINES = 500
_SEPARATORS = ",;\t|"
"""In the order in which they are taken where two fit equally well."""
_RARE = ":^~"
_FITS = (0.9, 1)
_PAGE = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype|html|head|body|table)",
    re.IGNORECASE | re.DOTALL,
)
_JSON = re.compile(rb"\s*(\{\s*\"|\[\s*[\[{])")

_OTHERS = {
    b"%PDF": "it is a PDF",
    b"\x89PNG": "it is a picture",
    b"<?xml": "it is XML, whose values lie within each other",
    b"SQLite format 3\0": "it is a database; name it as sqlite:///PATH, with --query 'select …'",
    b"version https://git-lfs": "it is a pointer of Git LFS; `git lfs pull` brings the rows",
}
_CONTROL, _FIRST = re.compile(rb"[\x01-\x08\x0e-\x19]"), 200

NULLS = ("NULL", "null", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NaT", "None", "?")
"""Words that mean nothing else in a table."""
DOUBTFUL: tuple[str, ...] = ("NA", "-", "--", ".", "*", "na", "none", "missing", "Missing", "nil")
DOUBTFUL += ("unknown", "Unknown", "n.a.", "N.A.", "k. A.", "k.A.", "keine Angabe", "unbekannt")
DOUBTFUL += ("#NV", "n. v.", "n.v.", "n.d.", "s/o", "S/D", "inconnu", "desconocido", "brak")
DOUBTFUL += ("\u2013", "\u2014")
"""Words that mean a missing value where all others of the column are numbers or times."""


def refuse_other(head: bytes, where: str) -> None:
    """Raise UsageError for what is a page, an archive, a workbook or a document, and no table."""
    why = dialect.cause(head) if dialect.is_other(head) and not _is_text(head) else None
    if _PAGE.match(head):
        why = "it is a page (HTML), perhaps of a site that asks to sign in"
    elif _JSON.match(head):
        why = "it is JSON, whose values lie within each other"
    else:
        why = next((said for mark, said in _OTHERS.items() if head.startswith(mark)), why)
    if why is None and _CONTROL.search(head[:_FIRST]) and not _is_text(head):
        why = "it is no text, but a file of some program"
    if why:
        raise UsageError(f"{where}: {why}; name a table in CSV or Parquet")


def _is_text(head: bytes) -> bool:
    """Tell whether a text begins with a mark of its encoding, or has the zeros of UTF-16."""
    return head.startswith((b"\xff\xfe", b"\xfe\xff")) or _wide(head) is not None


def _wide(head: bytes) -> str | None:
    """Return which UTF-16 a text without a mark is in."""
    sample = head[:200]
    if len(sample) < 4 or sample.count(0) < len(sample) // 3:
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if min(even, odd) > 0:
        return None
    return "utf-16-be" if even else "utf-16-le"


def encoding(data: bytes, where: str) -> str:
    """Return the encoding of a text: UTF-8 where it is that throughout, else the nearest one."""
    if data.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "utf-32"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if found := _wide(data):
        return found
    if not dialect.is_utf8(data):
        return _older(data, where)
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise UsageError(f"{where}: line {line:,} has a zero byte, so it is no text; mend the file")
    return "utf-8"


def _older(data: bytes, where: str) -> str:
    """Return the encoding of a text that is no UTF-8.

    It is one of Latin letters unless its words are of another alphabet throughout, of which a
    library knows the frequencies: on few letters it guesses wildly, and reads `Köln` in Chinese.
    """
    from charset_normalizer import from_bytes

    lines = [it for it in data.splitlines() if not it.isascii()][:_LINES]
    _refuse_mixture(data, lines, where)
    text = b"\n".join(lines)
    best = from_bytes(text).best()
    if best is not None and best.language != "Unknown":
        words = _words(text.decode(best.encoding, errors="replace"))
        is_central = best.encoding in _CENTRAL and best.language in _LANGUAGES
        if is_central and len(words) >= _SEVERAL:
            return "cp1250" if best.encoding == "cp1250" else "iso8859-2"
        if best.encoding in _OTHER and _mixed(words) < _MIXED:
            return str(best.encoding).replace("_", "-")
    found = min(("cp1252", "cp1250", "cp850"), key=lambda it: _faults(text, it))
    try:
        data.decode(found)
    except UnicodeDecodeError:
        return "latin-1"
    return found


_OTHER = {"cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874", "iso8859_5", "iso8859_7"}
_OTHER |= {"cp932", "shift_jis", "euc_jp", "gb18030", "gb2312", "gbk", "big5", "cp949", "euc_kr"}
_CENTRAL = {"cp1250", "iso8859_2"}
_LANGUAGES = {"Czech", "Polish", "Hungarian", "Slovak", "Croatian", "Slovene", "Romanian"}
_SEVERAL, _MIXED = 20, 0.5
_WITHIN = re.compile(rb"(?<=[A-Za-z])[\x80-\xff](?=[A-Za-z])")


def _refuse_mixture(data: bytes, lines: Sequence[bytes], where: str) -> None:
    """Raise UsageError for lines of UTF-8 among which some are not: read as one, most are wrong."""
    wrong = [it for it in lines if not dialect.is_utf8(it)]
    right = len(lines) - len(wrong)
    if wrong and right > max(len(wrong), 2):
        line = data.count(b"\n", 0, data.index(wrong[0])) + 1
        raise UsageError(
            f"{where}: line {line:,} is not UTF-8, and {right:,} of {len(lines):,} lines with such "
            "letters are; save the file in one encoding"
        )


def _words(text: str) -> set[str]:
    """Return the words that have letters beyond ASCII."""
    return {it for it in re.findall(r"[^\W\d_]+", text) if not it.isascii()}


def _mixed(words: Collection[str]) -> float:
    """Return which share of words has letters of ASCII as well, as none of other alphabets has."""
    return sum(any(map(str.isascii, it)) for it in words) / max(len(words), 1)


def _faults(text: bytes, encoding: str) -> int:
    """Return how many bytes within words would be no letter; an apostrophe may stand there."""
    inside = b"".join(_WITHIN.findall(text)).decode(encoding, errors="replace")
    return sum(not it.isalpha() and it != "\u2019" for it in inside)


def separator(data: bytes, encoding: str) -> str:
    """Return what separates cells: the letter by which most rows have as many as the first one."""
    head = data[:HEAD].decode(encoding, errors="ignore").removeprefix("\ufeff")
    if said := re.match(r'"?sep=(.)"?\r?\n', head, re.I):
        return str(said[1])
    whole = len(data) <= HEAD
    scores = {it: _score(head, it, whole) for it in (*_SEPARATORS, *_RARE)}
    best: str = max(scores, key=lambda it: scores[it])
    if scores[best] > _FITS:
        return best
    if _score(head, " ", whole) > _FITS:  # R's `write.table`; blanks are within cells otherwise.
        return " "
    return best if best in _SEPARATORS else ","


def _score(head: str, mark: str, whole: bool) -> tuple[float, int]:
    """Return which share of rows has as many cells as the first, and how many these are."""
    lines = head.splitlines(keepends=True)
    lines = lines if whole else lines[:-1] or lines
    rows = _rows(lines[:_LINES], mark)
    if not rows or len(rows[0]) < 2:
        return 0.0, 1
    width = len(rows[0])
    return sum(len(it) == width for it in rows) / len(rows), width


def _rows(lines: Sequence[str], mark: str) -> list[list[str]]:
    try:
        return [row for row in csv.reader(lines, delimiter=mark) if any(row)]
    except csv.Error:
        return []


def refuse_title(names: Sequence[str], text: bytes, where: str) -> None:
    """Raise UsageError where what was taken for names has one cell, and most lines have more."""
    lines = text[:HEAD].decode(errors="ignore").splitlines()[:_LINES]
    for mark in _SEPARATORS if len(names) == 1 else "":
        counts = [it.count(mark) for it in lines]
        usual, often = Counter(counts).most_common(1)[0]
        if usual and often > len(lines) / 2:
            raise UsageError(
                f"{where}: its first line has one cell, and line {counts.index(usual) + 1} has "
                f"{usual + 1}; take away what stands above the names"
            )


def refuse_twins(names: Sequence[str], where: str) -> None:
    """Raise UsageError where two columns of a Parquet file are called the same."""
    if twice := next((it for at, it in enumerate(names) if it in names[:at]), None):
        raise UsageError(f"{where}: two columns are called {twice[:60]!r}; rename one")


_MARK = "[$€£¥₹₩₽₺%‰°]"
_BESIDE = re.compile(rf"\s*[+-]?({_MARK})?\s*[+-]?[0-9.,'\u2019\s]*[0-9]\s*({_MARK})?\s*")


def unit(cells: Sequence[str | None]) -> str | None:
    """Return the sign that stands beside each number; None where one has none, or another."""
    found = set[str]()
    for it in cells:
        if it is None or it in NULLS or it in DOUBTFUL:
            continue
        beside = _BESIDE.fullmatch(it)
        sign = (beside[1] or "") + (beside[2] or "") if beside else ""
        if len(sign) != 1 or not found <= {sign}:
            return None
        found.add(sign)
    return next(iter(found), None)


def is_padded(data: bytes, encoding: str, separator: str) -> bool:
    """Tell whether cells beyond the first begin with a blank throughout, as after `, `."""
    lines = data[:HEAD].decode(encoding, errors="ignore").splitlines(keepends=True)[:_LINES]
    found = Counter(it[0] == " " for row in _rows(lines, separator) for it in row[1:] if it)
    return found[True] > 0 and not found[False]
