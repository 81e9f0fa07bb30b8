"""What is told of a search: a line for each trial, what matters, and what stands at an edge."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ..core.errors import counted
from .space import Numbers, Space
from .trial import State, Trial

_LEAST_SHARE = 0.01
_NEAR = 0.02
"""Of an axis: what lies nearer to its end is at the end."""
_SHOWN = 5
_MOMENT = 90
"""Seconds from which on minutes are told."""


def figure(value: float | None) -> str:
    """Write a metric's value; a dash where there is none."""
    return "–" if value is None else f"{value:.5g}"


def line(trial: Trial, ended: str, metric: str, best: Trial | None) -> str:
    """Return what is told of a trial that has ended, and after how many of how many."""
    match trial.state:
        case State.WHOLE:
            came = f"{metric} {figure(trial.value)}"
        case State.PRUNED:
            came = f"given up at step {len(trial.losses)}"
        case _:
            came = f"failed: {trial.why}"
    known = f"; best {figure(best.value)} (trial {best.number})" if best else ""
    return f"[{ended}] trial {trial.number}: {came}{known}"


def counts(trials: Sequence[Trial]) -> str:
    """Return how many trials have ended, and how."""
    found = Counter(it.state for it in trials)
    named = ((found[it], it.value) for it in (State.WHOLE, State.PRUNED, State.FAILED))
    told = ", ".join(f"{number} {name}" for number, name in named if number)
    every = counted(sum(it.ended for it in trials), "trial")
    return f"{every} ({told})" if told else every


def matters(importance: Mapping[str, float]) -> str:
    """Return what matters how much, the most first."""
    return ", ".join(
        f"{name} {share:.0%}"
        for name, share in list(importance.items())[:_SHOWN]
        if share >= _LEAST_SHARE
    )


def at_an_edge(best: Trial, space: Space) -> Iterator[str]:
    """Yield a sentence for each value of the best trial that is as far as it may be."""
    for name, axis in space.axes.items():
        if not isinstance(axis, Numbers) or not axis.holds(best.values.get(name)):
            continue
        place, end = axis.place(best.values[name]), ""
        if place >= 1 - _NEAR:
            end = "high"
        elif place <= _NEAR:
            end = "low"
        if end:
            yield (
                f"the best {name}, {best.values[name]:g}, is at the end of what may be tried: "
                f"beyond 'tune.space.{name}.{end}' there may be a better one"
            )


def left(seconds: float) -> str:
    """Write how long something takes, roughly."""
    if seconds < _MOMENT:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < _MOMENT else f"{minutes / 60:.1f} h"
