"""Months of rows whose truth is known: days differ by chance, and nothing else changes unless told.

What a day is like lasts (AR(1)), so that neighbours are alike, as weather is. There are a number, a
skewed one that may be missing, a category, a model's score and what came true.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlrails.core.params import Monitor, Task
from mlrails.data.schema import Column
from mlrails.evaluation.metrics import METRICS
from mlrails.monitoring.survey import Material, Question

COLUMNS = (
    Column("heat", "number", minimum=-500, maximum=500),
    Column("rain", "number", nullable=True, minimum=0),
    Column("shop", "category"),
)
SHOPS = ("north", "south", "east", "west")
KNOWN, DAYS = 7 * 40, 7 * 48
"""The days that the model is known by, and all of them."""
HELD_OUT = KNOWN - 56
AR = 0.5
Change = Callable[[pd.DataFrame, np.random.Generator], None]
"""Changes some rows where they are."""


def alike(days: int, rng: np.random.Generator, ar: float = AR) -> np.ndarray:
    """Return what days are like: mean 0, deviation 1, each a little like the one before."""
    found = rng.normal(size=days)
    for day in range(1, days):
        found[day] = ar * found[day - 1] + np.sqrt(1 - ar**2) * found[day]
    return found


def rows(seed: int = 0, days: int = DAYS, of_day: int = 60, ar: float = AR) -> pd.DataFrame:
    """Return rows of days on which nothing changes for good."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), of_day)
    heat, rain, shop, luck = (alike(days, rng, ar)[day] for _ in range(4))
    count = len(day)
    frame = pd.DataFrame({"day": day, "heat": 60 + 5 * heat + 10 * rng.normal(size=count)})
    wet = rng.gamma(1.2, 5 * np.exp(0.3 * rain))
    frame["rain"] = np.where(rng.random(count) < 0.05, np.nan, wet)
    odds = rng.random(count) + 0.04 * shop
    frame["shop"] = np.array(SHOPS, dtype=object)[np.clip((odds * 4).astype(int), 0, 3)]
    usual = (frame["heat"] - 60) / 12 + 0.5 * (frame["shop"] == "west") - 1.5
    frame["score"] = 1 / (1 + np.exp(-usual))
    truth = 1 / (1 + np.exp(-(usual + 0.3 * luck)))
    frame["came"] = (rng.random(count) < truth).astype(float)
    return frame


def changed(frame: pd.DataFrame, change: Change, since: int = KNOWN, seed: int = 9) -> pd.DataFrame:
    """Return rows that are changed from a day on."""
    later = frame["day"] >= since
    part = frame[later].reset_index(drop=True)
    change(part, np.random.default_rng(seed))
    return pd.concat([frame[~later], part], ignore_index=True)


def to_celsius(part: pd.DataFrame, rng: np.random.Generator) -> None:
    part["heat"] = (part["heat"] - 32) / 1.8


def stuck(part: pd.DataFrame, rng: np.random.Generator) -> None:
    part["heat"] = 60.0


def a_fifth_missing(part: pd.DataFrame, rng: np.random.Generator) -> None:
    part["rain"] = part["rain"].where(rng.random(len(part)) > 0.2)


def by_default(part: pd.DataFrame, rng: np.random.Generator) -> None:
    part["shop"] = part["shop"].where(rng.random(len(part)) > 0.3, "north")


def surer(part: pd.DataFrame, rng: np.random.Generator) -> None:
    odds = np.log(part["score"] / (1 - part["score"]))
    part["score"] = 1 / (1 + np.exp(-(odds + 1)))


def seasonal(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows whose heat rises and falls with the year."""
    return frame.assign(heat=frame["heat"] + 30 * np.sin(frame["day"] / 364 * 2 * np.pi))


def by_leaps(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows whose rain is missing for whole days, now and then."""
    return frame.assign(
        rain=frame["rain"].where(~frame["day"].isin([101, 102, 103, 163, 164, 165]))
    )


def late(part: pd.DataFrame, rng: np.random.Generator) -> None:
    last = int(part["day"].max())
    part["came"] = part["came"].where(part["day"] <= last - 20)


FAULTS: dict[str, Change] = {
    "unit": to_celsius,
    "stuck": stuck,
    "missing": a_fifth_missing,
    "default": by_default,
    "score": surer,
    "late": late,
}


def material(frame: pd.DataFrame, known: int = KNOWN, **more: object) -> Material:
    """Return rows as they are looked at."""
    day = frame["day"].to_numpy(np.int64)
    held_out = (day >= known - 56) & (day < known)
    given = {
        "rows": frame,
        "columns": COLUMNS,
        "day": day,
        "days": int(day.max()) + 1,
        "known": known,
        "score": frame["score"].to_numpy(),
        "target": frame["came"].to_numpy(),
        "held_out": held_out,
        "slices": ("shop",),
    }
    return Material(**(given | more))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Asked:
    """What is asked, in few words."""

    false_alarms: float = 3
    first: int | None = None
    task: Task = Task.CLASSIFICATION

    def question(self, **rules: object) -> Question:
        """Return it in full."""
        monitor = Monitor.model_validate({"false_alarms": self.false_alarms} | rules)
        return Question(self.task, METRICS[self.task][0], monitor, 1, self.first)


QUESTION = Asked().question()
