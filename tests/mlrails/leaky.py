"""Tables with a leak of one kind, and for each kind an honest twin that looks like it.

Each maker takes a generator of random numbers and returns rows whose target is `y`. Nothing but
the leak tells the target, so an honest figure is an area of .50.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from mlrails.audit.table import Roles

Maker = Callable[[np.random.Generator], pd.DataFrame]


class Case(NamedTuple):
    """How a table is made, and what must be said of it."""

    make: Maker
    rule: str
    column: str | None
    by: str = "time"


def base(rng: np.random.Generator, count: int = 4000, rate: float = 0.3) -> pd.DataFrame:
    """Return rows in order of time, a number that tells nothing, and an event."""
    when = np.sort(rng.integers(0, 730 * 1440, count)).astype("timedelta64[m]")
    return pd.DataFrame(
        {
            "t": np.datetime64("2022-01-01", "us") + when,
            "x": rng.normal(size=count),
            "y": rng.random(count) < rate,
        }
    )


def encoded(rng: np.random.Generator) -> pd.DataFrame:
    """Give each row the mean target of its shop, over all rows."""
    rows = base(rng)
    shop = pd.Series(rng.integers(0, len(rows) // 5, len(rows)))
    rows["shop_rate"] = rows["y"].astype(float).groupby(shop).transform("mean")
    return rows


def copied(rng: np.random.Generator) -> pd.DataFrame:
    """Export every row three times, in shuffled order."""
    rows = pd.DataFrame({name: rng.normal(size=1500) for name in "abcd"})
    rows["y"] = rng.random(1500) < 0.3
    return rows.iloc[rng.permutation(np.tile(np.arange(1500), 3))].reset_index(drop=True)


def absent(rng: np.random.Generator) -> pd.DataFrame:
    """Fill a column in after the event only."""
    rows = base(rng, rate=0.16)
    late = rows["y"] & (rng.random(len(rows)) < 0.95) | (rng.random(len(rows)) < 0.01)
    rows["days_to_callback"] = np.where(late, rng.normal(5, 1, len(rows)), np.nan)
    return rows


def patients(rng: np.random.Generator) -> pd.DataFrame:
    """Give each patient sixteen visits, whose measurements are nearly the same."""
    patient = np.repeat(np.arange(250), 16)
    rows = pd.DataFrame(
        {
            name: rng.normal(size=250)[patient] + rng.normal(0, 0.03, len(patient))
            for name in ("height", "lab_a", "lab_b")
        }
    )
    ill = rng.random(250) < 0.4
    rows["y"] = rng.random(len(rows)) < np.where(ill, 0.9, 0.1)[patient]
    return rows.iloc[rng.permutation(len(rows))].reset_index(drop=True)


CASES = {
    "target encoded": Case(encoded, "target encoding", "shop_rate"),
    "duplicates": Case(copied, "duplicates across parts", None, "random"),
    "missing after": Case(absent, "missing after the outcome", "days_to_callback"),
    "patients": Case(patients, "groups torn apart", None, "random"),
}


def roles(rows: pd.DataFrame, by: str) -> Roles:
    """Return what each column is for: all but target and time are features."""
    time = "t" if "t" in rows else None
    features = tuple(it for it in rows.columns if it not in ("y", "t"))
    return Roles("y", features, time=time, by=by, numbers=rows["y"].dtype.kind == "f")  # type: ignore[arg-type]
