"""Words of several languages that columns and cells are read by."""

import re


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
