"""Words of several languages that columns and cells are read by."""

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .table import Floats, Mask, is_number, is_time
from .table import numbers as as_numbers

if TYPE_CHECKING:
    import pandas as pd


def listed(text: str) -> frozenset[str]:
    """Return the words of a text, which bars are between."""
    return frozenset(word.strip() for word in text.split("|"))


MISSING = listed(
    """|-|--|.|?|#n/a|n/a|na|n.a.|nan|nil|none|null|missing|unknown|not available|not applicable
    |empty|k. a.|k.a.|keine angabe|unbekannt|fehlt|inconnu|manquant|non disponible|s/o|sin dato
    |desconocido|no disponible|sconosciuto|mancante|desconhecido|onbekend|brak|brak danych"""
)
"""What stands in a cell where nothing is known; in small letters."""
NUMBERS = (-1.0, -9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0)
"""Numbers that stand for a missing one, where all others are far from them."""
OUTCOMES = listed(
    """outcome|outcomes|result|results|label|target|actual|resolution|resolved|closed|closing|cancelled
    |canceled|cancellation|churned|churn|refund|refunded|chargeback|settlement|settled|recovery
    |recovered|collection|collections|defaulted|decision|verdict|responded|converted|reason|final
    |discharge|death|died|deceased|payout|ergebnis|ausgang|abgeschlossen|storno|storniert
    |kündigung|kuendigung|grund|entscheidung|resultat|résultat|clôture|cloture|annulé|décision
    |raison|motif|resultado|desenlace|cierre|cerrado|cancelado|motivo|decisión|esito|risultato
    |chiusura|chiuso|annullato|uitkomst|reden|afgesloten|wynik|powod"""
)
"""What the names of columns say that are filled in when all is over."""
EARLIER = listed(
    """previous|prev|prior|last|lag|lagged|past|earlier|before|old|history|historical|vorher|vorige
    |letzte|letzter|letztes|früher|dernier|dernière|précédent|anterior|último|última|scorso|vorige"""
)
"""What takes that back: it was over before."""
ENTITIES = listed(
    """patient|subject|person|customer|client|user|member|household|account|company|firm|device
    |machine|sensor|store|shop|site|student|pupil|school|animal|participant|respondent|employee
    |driver|vehicle|car|id|nr|no|code|key|uuid|kunde|patientin|proband|haushalt|konto|firma|gerät
    |geraet|maschine|filiale|cliente|usuario|paciente|hogar|empresa|patiente|foyer|compte
    |entreprise|klient|pacjent"""
)
"""What names somebody or something that comes again."""
_WORDS = re.compile(r"[^\W\d_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def of_name(name: str) -> frozenset[str]:
    """Return the words of a column's name, in small letters: `churnReason_2` has two."""
    return frozenset(_WORDS.findall(_HUMP.sub(" ", name).lower()))


_OFTEN = 0.2
_FAR_DATES = ("1900-01-01", "1970-01-01", "2099-12-31", "9999-12-31")


class Absence(NamedTuple):
    """Which rows of a column have no value."""

    rows: Mask
    written: str
    """How: `nothing`, or the value that stands for it."""
    sure: bool
    """A zero may be a value like any other."""


def absence(column: "pd.Series[Any]") -> Absence:
    """Return which cells are empty, or hold a word or a number that stands for it."""
    empty = column.isna().to_numpy()
    if empty.mean() >= _OFTEN or column.dtype.kind == "b":
        return Absence(empty, "nothing", True)
    if is_number(column):
        return _number(column, empty)
    if is_time(column):
        far = column.astype("str").str[:10].isin(_FAR_DATES).to_numpy()
        return Absence(empty | far, "a date far away" if far.any() else "nothing", True)
    text = column.astype("str").str.strip().str.lower()
    said = text.isin(MISSING).to_numpy() & ~empty
    if not said.any():
        return Absence(empty, "nothing", True)
    return Absence(empty | said, repr(str(column[said].iloc[0])), True)


def _number(column: "pd.Series[Any]", empty: Mask) -> Absence:
    values = as_numbers(column)
    there = values[~empty]
    if not len(there):
        return Absence(empty, "nothing", True)
    for value in (*NUMBERS, 0.0):
        here = values == value
        if here.mean() >= _OFTEN and here.sum() < len(there):
            others = there[there != value]
            is_sure = value != 0 and _is_far(value, others)
            if np.ptp(others) > 0 and (is_sure or value <= 0):  # Of a flag each value is one.
                return Absence(empty | here, f"{value:g}", is_sure)
    return Absence(empty, "nothing", True)


def _is_far(value: float, others: Floats) -> bool:
    """Tell whether a number stands apart: minus one among other negative ones does not."""
    return bool(others.min() >= 0 if value < 0 else value > 2 * np.abs(others).max())
