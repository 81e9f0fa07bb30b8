"""What was found as a page: what is wrong, since when, where, what to do, and how sure that is."""

from collections.abc import Iterator, Sequence

from ...core.errors import counted
from ...reporting import wording
from ...reporting.blocks import (
    Block,
    Page,
    Picture,
    Pictures,
    Remarks,
    Section,
    Table,
    Text,
    Tile,
    Tiles,
    Tint,
)
from . import multiples
from .multiples import Chart
from .told import CALM, DRIFT, Found

_TITLES = {
    DRIFT: "Drift: something is not as it was",
    CALM: "Calm: nothing has changed more than it always does",
}
_UNKNOWN = "Cannot tell yet"
_PREDICTION = "the model's prediction"


def page(found: Found, charts: Sequence[Chart]) -> Page:
    """Return the page; `charts` are those that lie beside it."""
    rows = found["rows"]
    return Page(
        title=_TITLES.get(found["verdict"], _UNKNOWN),
        subtitle=f"{wording.sentence(found['model']['name'])}; rows from "
        f"{wording.day_named(rows['from'])} to {wording.day_named(rows['to'])}, those after "
        f"{wording.day_named(rows['known_to'])} came after the model.",
        verdict=verdict(found),
        opening=[_tiles(found)],
        sections=list(_sections(found, charts)),
    )


def standing(found: Found) -> list[Found]:
    """Return the alarms that count, those about outcomes first: they alone say what it costs."""
    order = ("outcomes", "fault", "rows")
    last = {}  # Of an alarm that stands in several windows the last one tells.
    for it in found["alarms"]:
        if it["counts"]:
            last[it["source"], it["since"], it["source"] == "fault" and it["what"]] = it
    return sorted(last.values(), key=lambda it: (order.index(it["source"]), it["since"]))


def verdict(found: Found) -> str:
    """Return what a hurried reader has to know."""
    alarms = standing(found)
    if alarms:
        first, more = alarms[0], len(alarms) - 1
        others = f" {wording.sentence(counted(more, 'more alarm'))} below." if more else ""
        since = f"Since {wording.day_named(first['since'])}: {first['what']}."
        return f"{since} {_plain(first['remedy'])}.{others}"
    if found["verdict"] == CALM:
        looks = sum(bool(it["look"]) for it in found["windows"])
        return (
            f"In {counted(looks, 'window')} after the model no alarm stands. Nothing to do until "
            "the next look."
        )
    why = next(iter(found["notes"][::-1]), "there is nothing after the model yet")
    return f"{wording.sentence(why)}."


def _tiles(found: Found) -> Tiles:
    alarms, windows = standing(found), [it for it in found["windows"] if it["is_new"]]
    budget = found["budget"]
    tiles = [
        Tile(
            "Alarms that stand",
            str(len(alarms)),
            f"since {wording.day_named(min(it['since'] for it in alarms))}" if alarms else "none",
            alarm=bool(alarms),
        ),
        Tile(
            "Rows looked at",
            f"{found['rows']['new']:,}",
            f"{counted(len(windows), 'window')} of {counted(found['window']['days'], 'day')}",
        ),
        *_performance(found, windows),
        Tile(
            "False alarms",
            f"≤ {budget['false_alarms']:g} a year",
            "that is what is allowed by chance alone",
        ),
    ]
    return Tiles(tiles)


def _performance(found: Found, windows: Sequence[Found]) -> Iterator[Tile]:
    title = found["metric"]["title"]
    before = [it["came"] for it in found["windows"] if not it["is_new"] and it["came"] is not None]
    came = [it for it in windows if it["came"] is not None]
    if came:
        usual = f"{wording.number(sum(before) / len(before), 3)} before" if before else ""
        value = wording.number(came[-1]["came"], 3)
        yield Tile(f"{title}, last window", value, usual)
    guessed = [it for it in windows if it["estimated"] is not None]
    if guessed and not came:
        yield Tile(
            f"{title}, estimated",
            wording.number(guessed[-1]["estimated"], 3),
            "an estimate: see its track record",
        )


def _sections(found: Found, charts: Sequence[Chart]) -> Iterator[Section]:
    if alarms := standing(found):
        yield Section("What is wrong, and what to do", [*map(_alarm, alarms)])
    large = [it for it in charts if not it.small]
    blocks: list[Block] = []
    if large:
        blocks.append(Pictures([_picture(it) for it in large]))
    blocks += _track_record(found)
    if blocks:
        yield Section("How good the model is", blocks)
    if small := [it for it in charts if it.small]:
        lead = (
            "Each column, window by window. Pale: after the model was made; orange: an alarm of "
            "this column."
        )
        shown = Pictures([_picture(it) for it in small], small=True)
        yield Section("What the rows are like", [Text(lead), shown])
    yield Section("Window by window", [windows_table(found), _columns_table(found)])
    yield Section("How this is told", [Remarks([*found["notes"], *_how(found)])])


def _plain(words: str) -> str:
    """Return a sentence without the marks that set a command off in a terminal."""
    return wording.sentence(words.replace("`", ""))


def _picture(chart: Chart) -> Picture:
    return Picture(chart.name, chart.title, chart.caption, multiples.FOLDER)


def _alarm(alarm: Found) -> Table:
    """Return one alarm: what is wrong, since when, where, and what to do."""
    told = {"What": alarm["what"], "Where": alarm["where"], "What to do": alarm["remedy"]}
    if alarm["chance"] is not None:
        told["By chance"] = f"in {wording.percent(alarm['chance'])} of such looks at the most"
    since = f"Since {wording.day_named(alarm['since'])}"
    return Table(
        header=(since, ""),
        rows=[(name, _plain(words)) for name, words in told.items() if words],
        words=(0, 1),
    )


def _track_record(found: Found) -> Iterator[Block]:
    record = found["record"]
    if not record:
        return
    better = record["off"] < record["of_the_mean"]
    last = next(
        (it for it in found["windows"][::-1] if None not in (it["came"], it["estimated"])), None
    )
    told = (
        f" The last: estimated {wording.number(last['estimated'], 3)}, came "
        f"{wording.number(last['came'], 3)}."
        if last
        else ""
    )
    yield Text(
        f"Estimates without outcomes were off by {wording.number(record['off'], 3)} on the mean of "
        f"{counted(record['windows'], 'window')}, the plain mean of the windows before by "
        f"{wording.number(record['of_the_mean'], 3)}: "
        f"{'they are worth a look' if better else 'rather believe that mean'}.{told} They take it "
        "that outcomes depend on the columns as before, and alarm nobody."
    )


def windows_table(found: Found) -> Table:
    """Return the figures of each window after the model."""
    title = found["metric"]["title"]
    new = [it for it in found["windows"] if it["is_new"]]
    return Table(
        header=(
            "From",
            "Rows",
            "Predicted",
            "Came",
            title,
            "Estimated",
            "Rows changed",
            "Outcomes",
        ),
        rows=[
            (
                it["from"],
                f"{it['rows']:,}" if it["rows"] is not None else wording.UNKNOWN,
                *(wording.number(it[name], 3) for name in ("predicted", "actual")),
                *(wording.number(it[name], 3) for name in ("came", "estimated")),
                _said(it["look"]),
                _said(it["outcomes"]),
            )
            for it in new
        ],
        caption="Each window after the model",
        words=(0, 6, 7),
        folded=True,
    )


def _said(look: Found | None) -> str | Tint:
    if look is None:
        return wording.UNKNOWN
    if look["alarm"] is None:
        return "cannot tell"
    return Tint("alarm", 0.6, good=False) if look["alarm"] else "no"


def _columns_table(found: Found) -> Table:
    rows = []
    for column in found["columns"]:
        name = _PREDICTION if column["is_prediction"] else wording.name(column["name"])
        for respect, it in column["distances"].items():
            figures = (wording.number(it[key], 3) for key in ("last", "usual"))
            rows.append((name, respect, *figures))
    return Table(
        header=("Column", "In", "Last window", "Usually"),
        rows=rows,
        caption="How far the last window is from the weeks before it (0 the same, 1 all other)",
        words=(0, 1),
        folded=True,
    )


def _how(found: Found) -> Iterator[str]:
    budget, window = found["budget"], found["window"]
    yield (
        f"Each window of {counted(window['days'], 'day')} is held against the "
        f"{counted(window['trailing'], 'day')} before the one before it. The column that has moved "
        "the farthest, by its own measure, must stand out among all such stretches of these days, "
        f"and among the past windows, of which it takes {budget['past']}: the chance of a false "
        f"alarm is {wording.percent(budget['error'])} a look."
    )
    yield (
        "Outcomes are compared by days with those of the rows that the model was judged by, on the "
        "window alone and on all days since; the chance of a false alarm is "
        f"{wording.percent(budget['error_of_outcomes'])} a look. What is wrong at once, a rule of "
        "schema.py or a share that no day ever had, is no matter of chance."
    )
