"""Honest tables of many kinds, which look like leaky ones and must never be stopped."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from leaky import Rng, base, left_out, parted, patients


def _logistic(rng: Rng, score: Any, rate: float = 0.3) -> Any:
    """Return events whose chance follows a score, at a rate."""
    off = np.quantile(score + rng.logistic(size=len(score)), 1 - rate)
    return score + rng.logistic(size=len(score)) > off


def history(
    rng: Rng, kind: str = "event", earlier: int = 8, spread: float = 0.8, each: int = 8
) -> pd.DataFrame:
    """Give each row what its shop's rate was in other, earlier rows."""
    rows = base(rng, kind)
    shops = len(rows) // each
    usual, shop = rng.normal(0, spread, shops), rng.integers(0, shops, len(rows))
    if kind == "number":
        rows["y"] = 100 + 40 * usual[shop] + rng.normal(0, 40, len(rows))
        past = 100 + 40 * usual + rng.normal(0, 40 / earlier**0.5, shops)
    else:
        chance = 1 / (1 + np.exp(-usual))
        rows["y"] = rng.random(len(rows)) < chance[shop]
        past = rng.binomial(earlier, chance) / earlier
    rows["shop_rate"] = past[shop]
    rows["shop"] = pd.Series(shop).map("s{}".format)
    return rows


def strong(
    rng: Rng, kind: str = "event", strength: float = 3.0, others: int = 2, count: int = 4000
) -> pd.DataFrame:
    """Have one strong feature and some weak ones."""
    rows = base(rng, kind, count)
    rows["distance"] = np.exp(rng.normal(3, 0.8, count)).round(2)
    score = strength * (np.log(rows["distance"]) - 3) / 0.8
    for number in range(others):
        rows[f"z{number}"] = rng.normal(size=count)
        score = score + 0.3 * rows[f"z{number}"]
    rows["y"] = _logistic(rng, score) if kind == "event" else score * 20 + rng.normal(0, 20, count)
    return rows


def gaps(rng: Rng, zeros: bool = False) -> pd.DataFrame:
    """Miss values more often where there are no events, as an income that nobody gave."""
    rows = strong(rng, strength=1.0)
    there = np.where(rows["y"], rng.random(len(rows)) < 0.75, rng.random(len(rows)) < 0.5)
    income = rng.lognormal(8, 1, len(rows)).round()
    rows["income"] = np.where(there, income, 0.0 if zeros else np.nan)
    return rows


def orders(rng: Rng) -> pd.DataFrame:
    """Count earlier orders, mostly none, which tell a lot."""
    rows = base(rng)
    some = rng.random(len(rows)) < 0.45
    rows["orders"] = np.where(some, rng.poisson(4, len(rows)), 0).astype(float)
    rows["y"] = _logistic(rng, 1.2 * np.minimum(rows["orders"], 4))
    return rows


def cells(rng: Rng, columns: int = 4, levels: int = 4, crossed: bool = False) -> pd.DataFrame:
    """Have few categories, so many rows are equal, and cells that may act by themselves."""
    count = int(rng.integers(500, 5000))
    codes = rng.integers(0, levels, (count, columns))
    rows = pd.DataFrame({f"c{it}": [*map("v{}".format, codes[:, it])] for it in range(columns)})
    score = rng.normal(size=(columns, levels))[np.arange(columns), codes].sum(1)
    if crossed:
        score = rng.normal(0, 1.0, (levels, levels))[codes[:, 0], codes[:, 1]]
    rows["y"] = _logistic(rng, score)
    return rows


def likely(rng: Rng) -> pd.DataFrame:
    """Have somebody's well calibrated score."""
    rows = base(rng)
    chance = rng.beta(0.6, 1.2, len(rows))
    rows["score"], rows["y"] = chance.round(int(rng.integers(1, 5))), rng.random(len(rows)) < chance
    return rows


def factors(rng: Rng, kind: str = "event", columns: int = 10) -> pd.DataFrame:
    """Have many columns that follow from two, with little noise."""
    count = int(rng.integers(300, 6000))
    two = rng.normal(size=(count, 2))
    seen = np.tanh(two @ rng.normal(size=(2, columns))) + rng.normal(0, 0.02, (count, columns))
    rows = pd.DataFrame(seen, columns=[f"f{it}" for it in range(columns)])
    score = np.sin(2 * two[:, 0]) * 2 + two[:, 1] ** 2
    rows["y"] = _logistic(rng, score) if kind == "event" else score + rng.normal(0, 0.5, count)
    return rows


def places(rng: Rng) -> pd.DataFrame:
    """Have houses in streets: near ones are alike, as a smooth map tells."""
    count = 3000
    where = rng.uniform(0, 10, (count, 2)).round(3)
    rows = pd.DataFrame({"lat": where[:, 0], "lon": where[:, 1]})
    rows["rooms"] = rng.poisson(4, count).astype(float)
    height = np.sin(where[:, 0]) + np.cos(where[:, 1] * 1.5)
    rows["y"] = 200 + 50 * height + 10 * rows["rooms"] + rng.normal(0, 25, count)
    return rows


def blobs(rng: Rng) -> pd.DataFrame:
    """Have species that measurements tell apart, sorted by species."""
    kinds = rng.integers(2, 6)
    each = int(rng.integers(30, 200))
    middle = rng.normal(0, 3, (kinds, 4))
    seen = (np.repeat(middle, each, 0) + rng.normal(0, 0.5, (kinds * each, 4))).round(1)
    rows = pd.DataFrame(seen, columns=[*"abcd"])
    rows["y"] = np.repeat([f"species {it}" for it in range(kinds)], each)
    return rows


def visits(rng: Rng) -> pd.DataFrame:
    """Give patients visits that do not resemble each other in their outcome."""
    rows = patients(rng)
    rows["y"] = _logistic(rng, rows["lab_0"].to_numpy() * 1.5)
    return rows


def designed(rng: Rng) -> pd.DataFrame:
    """Try each dose of each drug ten times, as an experiment does."""
    dose, drug, again = (it.ravel() for it in np.meshgrid([0.5, 1, 2, 4, 8], range(6), range(12)))
    rows = pd.DataFrame({"dose": dose, "drug": [*map("d{}".format, drug)]})
    rows["y"] = np.log(dose) * 3 + rng.normal(size=6)[drug] * 3 + rng.normal(0, 2, len(again))
    return rows


def matched(rng: Rng) -> pd.DataFrame:
    """Match each case to two controls of its stratum."""
    strata = np.repeat(np.arange(400), 3)
    rows = pd.DataFrame({"stratum": strata, "age": rng.integers(20, 70, 400)[strata]}, dtype=float)
    rows["y"] = np.tile([True, False, False], 400)
    rows["parity"] = rng.poisson(np.where(rows["y"], 2.5, 1.5)).astype(float)
    return rows


def heavy(rng: Rng) -> pd.DataFrame:
    """Have claims: mostly nothing, sometimes very much, and rounded tariffs."""
    rows = base(rng, "number")
    rows["tariff"] = rng.integers(1, 300, len(rows)).astype(float)
    rows["region"] = rng.choice([f"r{it}" for it in range(40)], len(rows))
    happens = rng.random(len(rows)) < 0.1 + rows["tariff"] / 600
    rows["y"] = np.where(happens, rng.pareto(1.2, len(rows)) * 100 * rows["tariff"], 0.0)
    return rows


def towns(rng: Rng) -> pd.DataFrame:
    """Have three hundred towns with effects of their own, and facts about each."""
    town = rng.integers(0, 300, 6000)
    rows = pd.DataFrame({"town": [*map("t{}".format, town)]})
    rows["income"] = rng.lognormal(10, 0.3, 300)[town]
    rows["age"] = rng.integers(18, 90, 6000).astype(float)
    rows["y"] = _logistic(rng, rng.normal(0, 0.8, 300)[town] + rows["age"].to_numpy() / 40)
    return rows


def ordered(rng: Rng) -> pd.DataFrame:
    """Export by distance, with a number of the row, where distance tells a lot."""
    rows = strong(rng).drop(columns="t").sort_values("distance", ignore_index=True)
    rows["rownames"] = np.arange(1.0, len(rows) + 1)
    return rows


def measured(rng: Rng, kind: str = "number") -> pd.DataFrame:
    """Measure nearly the same thing twice, to a decimal."""
    count = int(rng.integers(60, 3000))
    girth = rng.normal(13, 3, count).round(1)
    rows = pd.DataFrame({"girth": girth, "height": rng.normal(76, 6, count).round()})
    volume = 5 * girth + rows["height"] / 4 + rng.normal(0, 3, count)
    rows["y"] = volume.round(1) if kind == "number" else volume > volume.median()
    return rows


def identified(rng: Rng) -> pd.DataFrame:
    """Have identifiers that say nothing, of several shapes."""
    rows = strong(rng, strength=1.0)
    rows["order_no"] = (rng.permutation(len(rows)) + 10_000).astype(float)
    letters, numbers = rng.choice([*"ABC"], len(rows)), rng.permutation(len(rows))
    rows["code"] = [f"{a}{n:05d}" for a, n in zip(letters, numbers, strict=True)]
    rows["price"] = rng.lognormal(3, 1, len(rows)).round(2)
    return rows


def drifting(rng: Rng) -> pd.DataFrame:
    """Have a rate that rises with time, and a level that does."""
    rows = base(rng, count=int(rng.integers(300, 8000)))
    share = np.linspace(0, 1, len(rows))
    rows["level"] = share * 10 + rng.normal(0, 1, len(rows))
    rows["y"] = rng.random(len(rows)) < 0.1 + 0.6 * share
    return rows


def priced(rng: Rng) -> pd.DataFrame:
    """Ask a price for a size, in which what is paid differs by more than rounding."""
    rows = base(rng, "number")
    rows["size"] = rng.lognormal(4, 0.5, len(rows)).round(1)
    rows["price"] = rng.lognormal(2, 0.3, len(rows)).round(2)
    rows["y"] = (rows["size"] * rows["price"] * rng.normal(1, 0.03, len(rows))).round(2)
    return rows


def compared(rng: Rng) -> pd.DataFrame:
    """Have two players, of whom the stronger mostly wins."""
    rows = base(rng)
    rows["home"], rows["guest"] = rng.normal(size=(2, len(rows))).round(3)
    rows["y"] = _logistic(rng, 4.0 * (rows["home"] - rows["guest"]), 0.5)
    return rows


def shared_out(rng: Rng) -> pd.DataFrame:
    """Share out what each place has at all: the more is one part, the less is left, and differs."""
    rows = base(rng, "number")
    place = rng.permutation(np.arange(len(rows)) % 300)
    rows["y"] = rng.uniform(0, 10, len(rows)).round(2)
    rows["rest"] = (
        rng.uniform(20, 60, 300)[place] - rows["y"] + rng.normal(0, 0.1, len(rows))
    ).round(2)
    rows["place"] = [*map("p{}".format, place)]
    return rows


def panel(
    rng: Rng, kind: str = "number", there: float = 0.98, each: int = 1, leak: bool = False
) -> pd.DataFrame:
    """Count the years of the same countries, each of which moves smoothly, as all together do."""
    years, countries = 60, 25
    paths = rng.normal(0, 3, countries) + np.cumsum(rng.normal(0.08, 0.1, (years, countries)), 0)
    place = np.repeat(np.indices(paths.shape).reshape(2, -1).T, each, axis=0)
    place = place[rng.random(len(place)) < there]
    y = paths[*place.T] + rng.normal(0, 0.1 * (each > 1), len(place))
    rows = pd.DataFrame({"year": 1950 + place[:, 0], "people": rng.lognormal(size=len(y)).round(2)})
    rows["country"] = [*map("c{}".format, place[:, 1])]
    rows["y"] = y if kind == "number" else y > np.median(y)
    if leak:
        rows["usual"] = rows.groupby("year")["y"].transform("mean").round(4)
    return rows


def sales(
    rng: Rng, kind: str = "number", keys: bool = True, leak: bool = False, there: float = 1.0
) -> pd.DataFrame:
    """Sell products in shops week by week; prices move for all, and what is large sells more."""
    week, shop, product = np.indices((60, 40, 4)).reshape(3, -1)
    prices, area = np.cumsum(rng.normal(0.2, 0.3, 60)), rng.lognormal(5, 0.6, 40).round(1)
    seasons = 6 * np.sin(np.arange(60) / 8) + 0.1 * prices
    y = 3 * np.log(area)[shop] + seasons[week] + rng.normal(0, 0.7, 4)[product]
    y = (y + rng.normal(0, 0.1, len(y))).round(2)
    rows = pd.DataFrame({"week": week + 1, "prices": prices[week].round(3), "area": area[shop]})
    if keys:
        rows = rows.assign(shop=[*map("s{}".format, shop)], item=[*map("i{}".format, product)])
    else:
        rows = rows.drop(columns=["week", "prices"])
        rows = rows.assign(warmth=seasons[week].round(3), latitude=area.argsort()[shop] / 7 + 40)
    rows["y"] = y if kind == "number" else y > np.quantile(y, 0.6)
    if leak:
        rows["usual"] = rows.groupby(["shop"])["y"].transform("mean").round(4)
    return rows[rng.random(len(rows)) < there].reset_index(drop=True)


def anything(rng: Rng) -> pd.DataFrame:
    """Have columns of all kinds, none of which leaks, and a target of any kind."""
    count = int(np.exp(rng.uniform(np.log(40), np.log(12_000))))
    kind = str(rng.choice(["event", "number", "classes"]))
    rows, score = pd.DataFrame(index=range(count)), np.zeros(count)
    for number in range(int(rng.integers(1, 15))):
        column, effect = _any_column(rng, count, score)
        rows[f"v{number}"] = column
        score = score + effect * rng.choice([0.0, 0.0, 0.5, 1.0, 2.0])
    if kind == "number":
        rows["y"] = score * 10 + rng.standard_t(3, count) * rng.choice([1, 10, 30])
        rows["y"] = rows["y"].round(int(rng.integers(0, 4)))
    elif kind == "event":
        rows["y"] = _logistic(rng, score, rng.uniform(0.03, 0.6))
    else:
        places = pd.Series(score + rng.logistic(size=count)).rank(method="first")
        rows["y"] = pd.qcut(places, 4, labels=[*"abcd"]).astype(str)
    if rng.random() < 0.3:
        rows = rows.sort_values("y", ignore_index=True, kind="stable")
    return rows


def _any_column(rng: Rng, count: int, score: Any) -> tuple[Any, Any]:
    """Return a column and what it tells."""
    values = rng.normal(size=count) + score * rng.choice([0, 0, 0.5])
    levels = int(rng.choice([2, 5, 20, min(200, count // 4)]))
    chosen, counted = rng.integers(0, levels, count), rng.poisson(np.exp(np.clip(values, -3, 3)))
    gaps, nothing = rng.random(count) < rng.uniform(0, 0.7), np.zeros(count)
    each = [
        (values.round(int(rng.integers(0, 4))), values),
        (np.array([f"k{it}" for it in range(levels)])[chosen], rng.normal(size=levels)[chosen]),
        (np.where(gaps, np.nan, values), values),
        (counted.astype(float), np.minimum(counted, 5)),
        (values > rng.normal(), nothing),
        (np.exp(values), values),
        ((rng.integers(1, 60, count) * 5).astype(float), nothing),
        (np.sin(values * 2) + rng.normal(0, 0.1, count), values),
    ]
    return each[int(rng.integers(0, len(each)))]


def _honest(make: Callable[..., pd.DataFrame], **given: Any) -> Callable[[Rng], pd.DataFrame]:
    return lambda rng: make(rng, **given)


HONEST = {
    "history": _honest(history),
    "history, long": _honest(history, earlier=500),
    "history, many rows": _honest(history, each=80, earlier=40),
    "history, number": _honest(history, kind="number"),
    "history, number, long": _honest(history, kind="number", earlier=500),
    "strong": _honest(strong),
    "strong, alone": _honest(strong, others=0),
    "very strong": _honest(strong, strength=8.0),
    "strong, number": _honest(strong, kind="number"),
    "very strong, number": _honest(strong, kind="number", strength=10.0),
    "gaps": _honest(gaps),
    "gaps, zeros": _honest(gaps, zeros=True),
    "orders": orders,
    "cells": _honest(cells),
    "cells, few": _honest(cells, columns=2, levels=20),
    "cells, crossed": _honest(cells, columns=2, levels=12, crossed=True),
    "cells, many": _honest(cells, columns=8, levels=2),
    "score": likely,
    "factors": _honest(factors),
    "factors, number": _honest(factors, kind="number"),
    "places": places,
    "blobs": blobs,
    "visits": visits,
    "designed": designed,
    "matched": matched,
    "heavy": heavy,
    "towns": towns,
    "ordered": ordered,
    "measured": _honest(measured),
    "measured, event": _honest(measured, kind="event"),
    "identified": identified,
    "drifting": drifting,
    "priced": priced,
    "compared": compared,
    "shared out": shared_out,
    "left out": _honest(left_out, honest=True),
    "left out, number": _honest(left_out, kind="number", honest=True),
    **{it: _honest(parted, how=it, kind="number", honest=True) for it in ("difference", "ratio")},
    **{it: _honest(parted, how=it, honest=True) for it in ("paid", "gaps", "words")},
    "panel": _honest(panel),
    "panel, event": _honest(panel, kind="event"),
    "panel, gaps": _honest(panel, there=0.6),
    "panel, two a year": _honest(panel, each=2),
    "sales": _honest(sales),
    "sales, event": _honest(sales, kind="event"),
    "sales, gaps": _honest(sales, there=0.7),
    "sales, shops by place": _honest(sales, keys=False),
    "anything": anything,
}
