"""Why a text is not the CSV that is read here: cells with commas between them, in UTF-8."""

import re

import numpy as np

HEAD = 2**16
"""So many bytes at the beginning are enough to see it."""
REMEDY = "save it as CSV with commas, in UTF-8"
_MARKS = {
    b"\xff\xfe\0\0": "it is UTF-32",
    b"\0\0\xfe\xff": "it is UTF-32",
    b"\xff\xfe": "it is UTF-16 (Excel's Unicode text)",
    b"\xfe\xff": "it is UTF-16",
    b"PK\x03\x04": "it is a workbook of Excel, or a zip archive",
    b"\xd0\xcf\x11\xe0": "it is an old workbook of Excel",
    b"\x1f\x8b": "it is compressed (gzip)",
    b"BZh": "it is compressed (bzip2)",
    b"\x28\xb5\x2f\xfd": "it is compressed (zstd)",
    b"\xfd7zXZ": "it is compressed (xz)",
    b"PAR1": "it is Parquet, whose name must end with .parquet",
}
"""What a file begins with that is of another format."""
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_SEP = re.compile(r'"?sep=.?"?,?', re.IGNORECASE)


def is_other(head: bytes) -> bool:
    """Tell whether a file begins as one of another format does."""
    return head.startswith((*_MARKS,)) or b"\0" in head[:4]


def cause(head: bytes) -> str | None:
    """Return in words why a text that begins so cannot be read, None where nothing is seen."""
    for mark, words in _MARKS.items():
        if head.startswith(mark):
            return words
    if b"\0" in head[:4]:
        return "it is UTF-16 or UTF-32"
    first = re.split(rb"[\r\n]", head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n"), maxsplit=1)[0]
    try:
        line = first.decode("utf-8")
    except UnicodeDecodeError:
        return "its line of names is not UTF-8 (Windows-1252, perhaps)"
    if _SEP.fullmatch(line):
        return f"its first line is {line!r}, which only Excel reads"
    common = max(_SEPARATORS, key=line.count)
    if line.count(common) > line.count(","):
        return f"its cells are separated by {_SEPARATORS[common]}, not by commas"
    return None


def without_values(error: Exception) -> str:
    """Return the first words of what Arrow says: what follows may quote rows."""
    return str(error).partition(":")[0].splitlines()[0][:80]


def is_utf8(text: bytes) -> bool:
    """Tell whether a text, or a line of it, is in UTF-8."""
    if text.isascii():  # Which copies nothing.
        return True
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def is_regular(text: bytes, separator: str = ",") -> bool:
    """Tell whether each quote opens a cell, closes one, or is doubled within one."""
    if b'"' not in text:
        return True
    edges = np.isin(np.arange(256), [*f'{separator}"\r\n'.encode()])
    letters = np.frombuffer(b"\n" + text + b"\n", dtype=np.uint8)
    quotes = np.flatnonzero(letters == ord('"'))
    opening, closing = quotes[::2], quotes[1::2]
    even = len(opening) == len(closing)
    return bool(even and edges[letters[opening - 1]].all() and edges[letters[closing + 1]].all())
