"""One thing that was found in a table, in words and with its figure."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """What a careful colleague would say before anybody trains."""

    rule: str
    """Its name in the field's words, such as `target leakage` or `duplicates across parts`."""
    columns: tuple[str, ...]
    sentence: str
    """What was found, with its figure, and what to do."""
    level: Literal["note", "question", "stop"]
    """`question`: is the column known when one predicts? `stop`: nobody may go on."""
