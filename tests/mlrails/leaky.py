"""Tables with a leak of one kind; `honest` has those that look like them and have none.

Each maker takes a generator of random numbers and returns rows whose target is `y`, which nothing
but the leak tells: an honest figure is an area of .50.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from mlrails.audit.table import Roles

Rng = np.random.Generator
By = Literal["time", "group", "random"]
ENCODING, ABSENT = "target encoding", "missing after the outcome"
COPIES, TORN = "duplicates across parts", "groups torn apart"
LEAKAGE, DIGITS = "target leakage", "target in the digits"
TOGETHER = "target in two columns"


class Case(NamedTuple):
    """How a table is made, and what must be said of it."""

    make: Callable[[Rng], pd.DataFrame]
    rule: str
    column: str | None = None
    by: By = "time"


def roles(rows: pd.DataFrame, by: By, **more: Any) -> Roles:
    """Return what each column is for: all but target and time are features."""
    time = "t" if "t" in rows else None
    features = tuple(it for it in rows.columns if it not in ("y", "t"))
    given = {"time": time, "by": by, "numbers": rows["y"].dtype.kind == "f"}
    return Roles("y", features, **{**given, **more})


def base(rng: Rng, kind: str = "event", count: int = 4000, rate: float = 0.3) -> pd.DataFrame:
    """Return rows in order of time, a number that tells nothing, and a target of a kind."""
    when = np.sort(rng.integers(0, 730 * 1440, count)).astype("timedelta64[m]")
    return pd.DataFrame(
        {
            "t": np.datetime64("2022-01-01", "us") + when,
            "x": rng.normal(size=count),
            "y": target(rng, kind, count, rate),
        }
    )


def target(rng: Rng, kind: str, count: int, rate: float = 0.3) -> Any:
    """Return an event, a number or one of four classes, which nothing tells."""
    if kind == "event":
        return rng.random(count) < rate
    if kind == "number":
        return rng.gamma(2.0, 50.0, count)
    return rng.choice(["bird", "cat", "dog", "eel"], count, p=[0.4, 0.3, 0.2, 0.1])


def scored(rows: pd.DataFrame) -> "pd.Series[float]":
    """Return the target as numbers: of classes, whether it is a cat."""
    return (rows["y"] == "cat" if rows["y"].dtype.kind not in "bf" else rows["y"]).astype(float)


# The mean of the target by a shop, over all rows.
def encoded(
    rng: Rng,
    kind: str = "event",
    how: Callable[[Any, Any, Any], Any] | None = None,
    noise: float = 0.0,
    keys: tuple[str, ...] = (),
    each: int = 5,
) -> pd.DataFrame:
    """Encode the target by one or two columns, which stay in the table where they are `keys`."""
    rows = base(rng, kind)
    shops = len(rows) // each
    by = pd.DataFrame({"shop": rng.integers(0, shops, len(rows))})
    if len(keys) > 1:
        by = pd.DataFrame({key: rng.integers(0, int(shops**0.5) + 1, len(rows)) for key in keys})
    score = scored(rows)
    groups = score.groupby([by[it] for it in by])
    mean, count = groups.transform("mean"), groups.transform("size")
    value = how(mean, count, score.mean()) if how else mean
    rows["shop_rate"] = (
        value + rng.normal(0, noise or 1, len(rows)) * (noise * score.std() > 0) * score.std()
    )
    if not noise:
        rows["shop_rate"] = value
    for key in keys:
        rows[key] = "s" + by[key if key in by else "shop"].astype(str)
    return rows


def smoothed(mean: Any, count: Any, prior: Any) -> Any:
    """Pull a mean towards that of all, by ten rows."""
    return (mean * count + 10 * prior) / (count + 10)


def by_sigmoid(mean: Any, count: Any, prior: Any) -> Any:
    """Pull a mean towards that of all, as the category encoders do."""
    weight = 1 / (1 + np.exp(-(count - 4) / 2))
    return weight * mean + (1 - weight) * prior


def evidence(mean: Any, count: Any, prior: Any) -> Any:
    """Return the weight of evidence."""
    share = (mean * count + 0.5) / (count + 1)
    return np.log(share / (1 - share)) - np.log(prior / (1 - prior))


def ranked(mean: Any, count: Any, prior: Any) -> Any:
    """Return the place of a shop among all shops, by its mean."""
    return mean.rank(method="dense")


def in_percent(mean: Any, count: Any, prior: Any) -> Any:
    """Return a share as people write it."""
    return (100 * mean).round(1)


def summed(mean: Any, count: Any, prior: Any) -> Any:
    """Return how many events a shop has."""
    return mean * count


# A column that is filled in when the event is over.
def absent(
    rng: Rng, kind: str = "event", missing: Any = np.nan, there: float = 0.95, else_: float = 0.01
) -> pd.DataFrame:
    """Write a value after the event, and something else before."""
    rows = base(rng, kind, rate=0.16)
    score = scored(rows)
    event = score > (score.quantile(0.8) if kind == "number" else 0)
    late = np.where(event, rng.random(len(rows)) < there, rng.random(len(rows)) < else_)
    value = np.abs(rng.normal(5, 1, len(rows))).round(2)
    if isinstance(missing, str):
        rows["days_to_callback"] = np.where(late, value.astype(str), missing)
    elif isinstance(missing, np.datetime64):
        later = rows["t"] + pd.to_timedelta(value, "D")
        rows["days_to_callback"] = later.where(late)
    else:
        rows["days_to_callback"] = np.where(late, value, missing)
    return rows


def several_words(rng: Rng) -> pd.DataFrame:
    """Write many words for nothing."""
    rows = absent(rng, missing="n/a")
    words = rng.choice(["n/a", "NULL", "-", "unknown", " ", ""], len(rows))
    column = rows["days_to_callback"]
    rows["days_to_callback"] = np.where(column == "n/a", words, column)
    return rows


# Rows that a join exported more than once.
def copied(
    rng: Rng,
    kind: str = "event",
    copies: int = 3,
    jitter: float = 0.0,
    digits: int | None = None,
    own: str | None = None,
    numbers: int = 4,
    categories: int = 0,
    share: float = 1.0,
    changed: bool = False,
) -> pd.DataFrame:
    """Export rows several times, in shuffled order, each with what is its `own`."""
    count = 4500 // copies
    rows = pd.DataFrame({f"n{it}": rng.normal(size=count) for it in range(numbers)})
    for number in range(categories):
        rows[f"c{number}"] = rng.choice([*"abcdefgh"], count)
    rows["y"] = target(rng, kind, count)
    again = np.tile(np.arange(count), copies)
    again = np.concatenate(
        [np.arange(count), again[count:][rng.random(len(again) - count) < share]]
    )
    rows = rows.iloc[rng.permutation(again)].reset_index(drop=True)
    for number in range(numbers):
        rows[f"n{number}"] += rng.normal(0, jitter, len(rows)) if jitter else 0
        if digits is not None:
            some = rng.random(len(rows)) < 0.5
            rows.loc[some, f"n{number}"] = rows.loc[some, f"n{number}"].round(digits)
    if changed:
        rows["n0"] = rng.normal(size=len(rows))
    if own == "number":
        rows["order_no"] = rng.permutation(len(rows)) + 10_000
    if own == "text":
        rows["order_no"] = [f"A{it:06d}" for it in rng.permutation(len(rows))]
    if own == "time":
        when = rng.integers(0, 730 * 1440, len(rows)).astype("timedelta64[m]")
        rows["t"] = np.datetime64("2022-01-01", "us") + when
    return rows


# Visits of patients.
def patients(
    rng: Rng,
    kind: str = "event",
    people: int = 250,
    visits: tuple[int, int] = (16, 16),
    noise: float = 0.03,
    named: str | None = None,
    stable: int = 3,
) -> pd.DataFrame:
    """Give each patient visits, whose measurements are nearly the same."""
    patient = np.repeat(np.arange(people), rng.integers(visits[0], visits[1] + 1, people))
    rows = pd.DataFrame(
        {
            f"lab_{number}": rng.normal(size=people)[patient]
            + (rng.normal(0, noise, len(patient)) if noise else 0)
            for number in range(stable)
        },
        index=range(len(patient)),
    )
    if not stable:
        rows["x"] = rng.normal(size=len(rows))
    if kind == "event":
        rows["y"] = rng.random(len(rows)) < np.where(rng.random(people) < 0.4, 0.9, 0.1)[patient]
    elif kind == "number":
        rows["y"] = rng.normal(100, 20, people)[patient] + rng.normal(0, 6, len(rows))
    else:
        usual = target(rng, kind, people)[patient]
        rows["y"] = np.where(rng.random(len(rows)) < 0.85, usual, target(rng, kind, len(rows)))
    if named:
        rows[named] = [f"P{it:04d}" for it in rng.permutation(people)[patient]]
    return rows.iloc[rng.permutation(len(rows))].reset_index(drop=True)


def weekly(rng: Rng, kind: str = "event", noise: float = 0.02) -> pd.DataFrame:
    """Encode the target by a shop, each of which has a row in most weeks."""
    week, shop = np.indices((20, 200)).reshape(2, -1)
    rows = pd.DataFrame({"week": week, "shop": [*map("s{}".format, shop)]})
    rows = rows[rng.random(len(rows)) < 0.8].reset_index(drop=True)
    rows["y"] = target(rng, kind, len(rows))
    usual = scored(rows).groupby(rows["shop"]).transform("mean")
    rows["shop_rate"] = usual + rng.normal(0, noise * scored(rows).std(), len(rows))
    return rows


# The target itself, in another dress.
def hidden(rng: Rng, how: str) -> pd.DataFrame:
    """Hide the target in the last digits of something that no two rows share."""
    rows = base(rng)
    event = rows["y"].to_numpy().astype(int)
    number = rng.permutation(len(rows))
    rows["ref"] = {
        "whole": lambda: (number * 10 + rng.integers(0, 5, len(rows)) * 2 + event).astype(float),
        "decimals": lambda: rng.normal(50, 9, len(rows)).round(2) + event * 1e-4,
        "seventh": lambda: number * 7 + np.where(event, 0, rng.integers(1, 7, len(rows))) * 1.0,
        "text": lambda: [f"{n:05d}-{'KX'[e]}" for n, e in zip(number, event, strict=True)],
        "inside": lambda: [f"{'AB'[e]}{n:05d}" for n, e in zip(number, event, strict=True)],
    }[how]()
    return rows


def renamed(rng: Rng, name: str, kind: str = "event", flips: float = 0.0) -> pd.DataFrame:
    """Write the outcome down a second time, in codes, with some errors."""
    rows = base(rng, kind)
    if kind == "number":
        rows[name] = rows["y"] * 0.621 + rng.normal(0, flips * 10, len(rows))
        return rows
    code = pd.factorize(rows["y"], sort=True)[0]
    wrong = rng.random(len(rows)) < flips
    code = np.where(wrong, rng.permutation(code), code)
    rows[name] = pd.Series(np.array([*"RSTUV"])[code], dtype="str")
    return rows


# The target in two columns, of which each alone tells little.
def parted(rng: Rng, how: str, kind: str = "event", honest: bool = False) -> pd.DataFrame:
    """Part the target into two columns; in an honest table they have nothing to do with it."""
    rows = base(rng, kind)
    told = target(rng, kind, len(rows)) if honest else rows["y"].to_numpy()
    one, other = {"event": _of_event, "number": _of_number}[kind](rng, how, told)
    rows["one"], rows["other"] = one, other
    return rows


def _of_number(rng: Rng, how: str, told: Any) -> tuple[Any, Any]:
    share, level = rng.uniform(0.1, 0.9, len(told)), rng.uniform(100, 1e5, len(told)).round(1)
    return {
        "sum": (told * share, told * (1 - share)),
        "difference": (level, level + told.round(1)),
        "product": (share, told / share),
        "ratio": (told * share * 7, share),
        "turned": (share, told * share * 7),
    }[how]


def _of_event(rng: Rng, how: str, told: Any) -> tuple[Any, Any]:
    some, code = rng.random(len(told)) < 0.5, rng.integers(0, 30, len(told))
    due, value = rng.lognormal(4, 1, len(told)).round(2), rng.normal(size=len(told)).round(3)
    part = np.where(told, rng.uniform(0.3, 0.8, len(told)), 1)
    away = np.where(told, (code + rng.integers(1, 30, len(told))) % 30, code)
    return {
        "paid": (due, (due * part).round(2)),
        "gaps": (np.where(some, value, np.nan), np.where(some ^ told, value + 1, np.nan)),
        "flags": (some, some ^ told),
        "words": ([*map("z{}".format, code)], [*map("z{}".format, away)]),
    }[how]


def left_out(rng: Rng, kind: str = "event", honest: bool = False) -> pd.DataFrame:
    """Give each row the mean of the other rows of its shop, or of as many that are no part."""
    rows = base(rng, kind)
    shop = rng.integers(0, len(rows) // 8, len(rows))
    told = pd.Series(target(rng, kind, len(rows)) if honest else rows["y"]).astype(float)
    groups = told.groupby(shop)
    rest = (groups.transform("size") - 1).clip(lower=1)
    rows["shop_rate"] = ((groups.transform("sum") - told) / rest).round(4)
    rows["shop"] = [*map("s{}".format, shop)]
    return rows


def numbered(rng: Rng) -> pd.DataFrame:
    """Sort by the target, then number the rows."""
    rows = base(rng).drop(columns="t").sort_values("y", kind="stable", ignore_index=True)
    rows["rownames"] = np.arange(1.0, len(rows) + 1)
    return rows


def _case(
    make: Callable[..., pd.DataFrame],
    rule: str,
    column: str | None = None,
    by: By = "time",
    **given: Any,
) -> Case:
    return Case(lambda rng: make(rng, **given), rule, column, by)


def _shop(**given: Any) -> Case:
    return _case(encoded, ENCODING, "shop_rate", **given)


def _ill(column: str | None = None, by: By = "random", **given: Any) -> Case:
    return _case(patients, TORN, column, by, **given)


CASES = {
    "encoded": _shop(),
    "encoded, 20 rows": _shop(each=20),
    "encoded, smoothed": _shop(how=smoothed),
    "encoded, sigmoid": _shop(how=by_sigmoid),
    "encoded, evidence": _shop(how=evidence),
    "encoded, percent": _case(encoded, ENCODING, "shop_rate", how=in_percent),
    "encoded, ranked, key": _shop(how=ranked, keys=("shop",)),
    "encoded, count, key": _shop(how=summed, keys=("shop",)),
    "encoded, noise, key": _shop(noise=0.05, keys=("shop",)),
    "encoded, smoothed, noise, key": _case(
        encoded, ENCODING, "shop_rate", how=smoothed, noise=0.02, keys=("shop",)
    ),
    "encoded, tiny noise": _shop(noise=0.002),
    "encoded, two": _shop(keys=("shop", "day")),
    "encoded, two, noise": _shop(noise=0.02, keys=("shop", "day")),
    "encoded, number": _shop(kind="number"),
    "encoded, number, smoothed": _shop(kind="number", how=smoothed),
    "encoded, number, noise, key": _case(
        encoded, ENCODING, "shop_rate", kind="number", noise=0.02, keys=("shop",)
    ),
    "encoded, number, ranked": _shop(kind="number", how=ranked),
    "encoded, classes": _shop(kind="classes"),
    "encoded, classes, smoothed": _case(
        encoded, ENCODING, "shop_rate", kind="classes", how=smoothed
    ),
    "encoded, panel, noise": _case(weekly, ENCODING, "shop_rate", by="random"),
    "encoded, panel, number, noise": _case(
        weekly, ENCODING, "shop_rate", by="random", kind="number"
    ),
    "absent": _case(absent, ABSENT, "days_to_callback"),
    "absent, n/a": _case(absent, ABSENT, "days_to_callback", missing="n/a"),
    "absent, empty": _case(absent, ABSENT, "days_to_callback", missing=""),
    "absent, words": Case(several_words, ABSENT, "days_to_callback"),
    "absent, -1": _case(absent, ABSENT, "days_to_callback", missing=-1.0),
    "absent, 0": _case(absent, ABSENT, "days_to_callback", missing=0.0),
    "absent, 999": _case(absent, ABSENT, "days_to_callback", missing=999.0),
    "absent, date": _case(absent, ABSENT, "days_to_callback", missing=np.datetime64("nat")),
    "absent, often": _case(absent, ABSENT, "days_to_callback", there=0.65, else_=0.02),
    "absent, number": _case(absent, ABSENT, "days_to_callback", kind="number"),
    "absent, classes": _case(absent, ABSENT, "days_to_callback", kind="classes"),
    "copies": _case(copied, COPIES, by="random"),
    "copies, two": _case(copied, COPIES, by="random", copies=2),
    "copies, ten": _case(copied, COPIES, by="random", copies=10),
    "copies, jitter": _case(copied, COPIES, by="random", jitter=1e-3),
    "copies, jitter .01": _case(copied, COPIES, by="random", jitter=1e-2),
    "copies, two, jitter .01": _case(copied, COPIES, by="random", copies=2, jitter=1e-2),
    "copies, rounded": _case(copied, COPIES, by="random", digits=2),
    "copies, number": _case(copied, COPIES, by="random", own="number"),
    "copies, text": _case(copied, COPIES, by="random", own="text"),
    "copies, time": _case(copied, COPIES, own="time"),
    "copies, time, jitter": _case(copied, COPIES, own="time", jitter=1e-3, copies=2),
    "copies, some": _case(copied, COPIES, by="random", share=0.3),
    "copies, wide": _case(copied, COPIES, by="random", numbers=30),
    "copies, two columns": _case(copied, COPIES, by="random", numbers=2),
    "copies, categories": _case(copied, COPIES, by="random", numbers=2, categories=4),
    "copies, only categories": _case(copied, COPIES, by="random", numbers=0, categories=8),
    "copies, one changed": _case(copied, COPIES, by="random", changed=True),
    "copies, of numbers": _case(copied, COPIES, by="random", kind="number"),
    "copies, of classes": _case(copied, COPIES, by="random", kind="classes"),
    "patients": _ill(by="random"),
    "patients, 2 to 50": _ill(by="random", visits=(2, 50), people=150),
    "patients, 4": _ill(by="random", visits=(4, 4), people=900),
    "patients, exact": _ill(by="random", noise=0.0),
    "patients, one": _ill(by="random", noise=0.0, stable=1),
    "patients, numbers": _ill(by="random", kind="number"),
    "patients, classes": _ill(by="random", kind="classes"),
    "patients, named": _case(
        patients, TORN, "patient_id", by="random", named="patient_id", stable=0
    ),
    "patients, named too": _ill(column="patient_id", by="random", named="patient_id"),
    "digits, whole": _case(hidden, DIGITS, "ref", how="whole"),
    "digits, decimals": _case(hidden, DIGITS, "ref", how="decimals"),
    "digits, text": _case(hidden, DIGITS, "ref", how="text"),
    "digits, first": _case(hidden, DIGITS, "ref", how="inside"),
    "digits, seventh": _case(hidden, DIGITS, "ref", how="seventh"),
    "left out": _case(left_out, ENCODING, "shop_rate"),
    "left out, number": _case(left_out, ENCODING, "shop_rate", kind="number"),
    "sum": _case(parted, TOGETHER, how="sum", kind="number"),
    "difference": _case(parted, TOGETHER, how="difference", kind="number"),
    "product": _case(parted, TOGETHER, how="product", kind="number"),
    "ratio": _case(parted, TOGETHER, how="ratio", kind="number"),
    "ratio, turned": _case(parted, TOGETHER, how="turned", kind="number"),
    "paid": _case(parted, TOGETHER, how="paid"),
    "gaps of two": _case(parted, TOGETHER, how="gaps"),
    "flags of two": _case(parted, TOGETHER, how="flags"),
    "words of two": _case(parted, TOGETHER, how="words"),
    "outcome_code": _case(renamed, LEAKAGE, "outcome_code", name="outcome_code", flips=0.02),
    "status": _case(renamed, LEAKAGE, "status", name="status"),
    "status, classes": _case(renamed, LEAKAGE, "status", name="status", kind="classes"),
    "y_km": _case(renamed, LEAKAGE, "length_b", name="length_b", kind="number"),
    "numbered": Case(numbered, "identifier", "rownames", "random"),
}
