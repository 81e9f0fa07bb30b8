"""Columns that look like personal data: by the shape of their values, and check digits if any.

And those that look like groups of people, by their names.

Own rules of a few lines: the libraries that find personal data bring language models with them.
"""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from . import words
from .finding import Finding
from .table import Table

if TYPE_CHECKING:
    import pandas as pd

_LOOKED_AT = 500
_MOST = 0.6
"""So many of the values have the shape."""
_TAIL = re.compile(r"[\s().+/-]")
_MOD97, _LUHN = 97, 10
_NAMES = words.listed(
    """name|surname|firstname|lastname|fullname|vorname|nachname|prénom|prenom|nom|nombre|apellido
    |cognome|imię|nazwisko"""
)
_GROUPS = words.listed(
    """sex|gender|race|ethnicity|ethnic|religion|nationality|disability|disabled|marital|pregnant
    |geschlecht|religionszugehörigkeit|staatsangehörigkeit|behinderung|familienstand|sexe|religion
    |nationalité|handicap|sexo|género|raza|etnia|nacionalidad|discapacidad|sesso|nazionalità|etnia
    |geslacht|nationaliteit|płeć"""
)
"""What people are seldom to be told apart by; an age is as often that of a thing."""


def of_table(table: Table) -> Iterator[Finding]:
    """Yield the columns whose values look like those of persons."""
    for name in table.frame.columns:
        if name == table.roles.target:
            continue
        if kind := looks_like(table.frame[name], name):
            yield Finding(
                "personal data",
                (name,),
                f"column {name!r} looks like {kind}: leave it out, unless the law and its owners "
                "let you keep it in data, models and reports",
                "note",
            )
        elif name in table.roles.features and words.of_name(name) & _GROUPS:
            yield Finding(
                "sensitive",
                (name,),
                f"column {name!r} may be what people must not be told apart by: `data.sensitive: "
                f"[{name}]` in params.yaml, in the place of a feature, keeps it from the model and "
                "tells how each group fares (docs/fairness.md)",
                "note",
            )


def looks_like(column: "pd.Series[Any]", name: str) -> str | None:
    """Return what kind of personal data the values of a column are by their shape."""
    if column.dtype.kind in "fbM":
        return None
    values = [str(it).strip() for it in column.dropna().unique()[:_LOOKED_AT]]
    if len(values) < 5 or (column.dtype.kind in "iu" and len(values[0]) < 11):
        return None
    for kind, is_one in _SHAPES.items():
        if sum(map(is_one, values)) > _MOST * len(values):
            return kind
    if words.of_name(name) & _NAMES and sum(map(_is_name, values)) > _MOST * len(values):
        return "names of persons"
    return None


def _matches(pattern: str) -> Callable[[str], bool]:
    found = re.compile(pattern, re.IGNORECASE)
    return lambda text: found.fullmatch(text) is not None


def is_iban(text: str) -> bool:
    """Tell an IBAN by its check digits (ISO 13616: the remainder by 97 is 1)."""
    text = text.replace(" ", "").upper()
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", text):
        return False
    return int("".join(str(int(it, 36)) for it in text[4:] + text[:4])) % _MOD97 == 1


def is_card(text: str) -> bool:
    """Tell the number of a payment card by Luhn's check digit (ISO 7812)."""
    digits = re.sub(r"[ -]", "", text)
    if not re.fullmatch(r"[3-6]\d{12,18}", digits):
        return False
    doubled = (int(it) * (1 + place % 2) for place, it in enumerate(reversed(digits)))
    return sum(it // 10 + it % 10 for it in doubled) % _LUHN == 0


def is_german_tax_number(text: str) -> bool:
    """Tell a German tax identification number by its check digit (ISO 7064, mod 11,10)."""
    digits = text.replace(" ", "")
    if not re.fullmatch(r"[1-9]\d{10}", digits):
        return False
    product = 10
    for digit in map(int, digits[:10]):
        product = ((digit + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def is_french_number(text: str) -> bool:
    """Tell a French social security number by its key (97 less the remainder by 97)."""
    digits = text.replace(" ", "")
    if not re.fullmatch(r"[12]\d{14}", digits):
        return False
    return _MOD97 - int(digits[:13]) % _MOD97 == int(digits[13:])


def is_spanish_number(text: str) -> bool:
    """Tell a Spanish DNI by its letter (the remainder by 23)."""
    found = re.fullmatch(r"(\d{8})-?([A-Z])", text.upper())
    return found is not None and "TRWAGMYFPDXBNJZSQVHLCKE"[int(found[1]) % 23] == found[2]


def _is_phone(text: str) -> bool:
    looks = re.fullmatch(r"(\+|00|0|\()[\d\s()./+-]{7,20}", text)
    return bool(looks) and 8 <= len(_TAIL.sub("", text)) <= 15


def _is_name(text: str) -> bool:
    return bool(re.fullmatch(r"[^\W\d_][^\d_@]{1,60}", text)) and text[:1].isupper()


_SHAPES: dict[str, Callable[[str], bool]] = {
    "e-mail addresses": _matches(r"[^@\s]+@[^@\s]+\.[a-z]{2,}"),
    "bank accounts (IBAN)": is_iban,
    "numbers of payment cards": is_card,
    "German tax numbers": is_german_tax_number,
    "French social security numbers": is_french_number,
    "Spanish identity numbers": is_spanish_number,
    "US social security numbers": _matches(r"(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}"),
    "addresses of computers": _matches(r"(\d{1,3}\.){3}\d{1,3}"),
    "telephone numbers": _is_phone,
}
