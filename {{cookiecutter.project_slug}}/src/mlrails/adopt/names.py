"""What the name of a column says of it: its words, and those that mean something in most tables."""

import re
from collections.abc import Set as AbstractSet

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z\u00df-\u024f]+|[0-9]+|[^\W\d_a-zA-Z]+")

IDENTIFIER = {"id", "ids", "uuid", "guid", "pk", "identifier", "rownames", "rowname", "idx", "ssn"}
IDENTIFIER |= {"rowid", "iban", "isbn", "sku", "hash", "serial", "ids"}
NUMBERED = IDENTIFIER | {"index", "unnamed", "key", "number", "no", "nr", "num", "row", "obs"}
"""Those that name rows where nearly all values differ."""
ENTITY = {"patient", "subject", "customer", "client", "user", "person", "household", "family"}
ENTITY |= {
    "school",
    "animal",
    "account",
    "device",
    "member",
    "student",
    "participant",
    "respondent",
}
ENTITY |= {"individual", "company", "firm", "machine", "vehicle", "session", "employee", "kunde"}
ENTITY |= {"cluster", "litter", "subj", "pid", "uid", "sid", "hospital", "panel", "wearer"}
TIME = {"date", "time", "timestamp", "datetime", "day", "when", "at", "on", "created", "datum"}
TIME |= {"fecha", "year", "month", "week", "quarter", "season", "jahr", "period", "hour"}
BIRTH = {"birth", "birthday", "birthdate", "dob", "born", "geburt", "geburtsdatum"}
CODE = {"code", "zip", "zipcode", "postal", "postcode", "plz", "type", "class", "kind", "category"}
CODE |= {"cat", "region", "sector", "sic", "naics", "fips", "icd", "department", "dept", "typ"}
_POINTS = NUMBERED | {"code", "label", "name"}
"""What stands after the word that counts."""
_FIRST = {"code", "typ", "type"}
"""What counts before other words too, as in `code_postal`."""
SHARE = {"share", "rate", "ratio", "probability", "prob", "fraction", "proportion"}
WEIGHT = {"weight", "weights", "wt", "wgt", "freq", "frequency", "pweight"}
EVENT: tuple[str, ...] = (
    "1",
    "true",
    "yes",
    "y",
    "t",
    "positive",
    "pos",
    "bad",
    "default",
    "defaulted",
    "churn",
)
EVENT += (
    "churned",
    "fraud",
    "died",
    "dead",
    "event",
    "case",
    "malignant",
    "m",
    "failed",
    "failure",
)
EVENT += ("late", "sick", "ill", "diseased", "disease", "spam", "success", "si", "sí", "ja", "oui")
"""Words of a cell that are the event where the other is not; the first that fits counts."""


def words(name: str) -> tuple[str, ...]:
    """Return the words of a name in small letters: `customerID` has customer and id."""
    return tuple(it.lower() for it in _PARTS.findall(name))


def is_of(name: str, among: AbstractSet[str]) -> bool:
    """Tell whether a name is one of others: `school_id` is of a school, `school_size` a size."""
    said = [it for it in words(name) if it in among or not (it.isdigit() or it in _POINTS)]
    return bool(said) and (said[-1] in among or said[0] in among & _FIRST)


def has(name: str, among: AbstractSet[str]) -> bool:
    """Tell whether a word of a name is among others."""
    return not among.isdisjoint(words(name))
