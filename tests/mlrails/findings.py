"""What an evaluation finds on made-up rows, for the tests of the report."""

import copy
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from mlrails.core.params import Evaluation, Task
from mlrails.evaluation import baselines, figures
from mlrails.evaluation.diagnostics import behaviour
from mlrails.evaluation.figures import MODEL
from mlrails.evaluation.metrics import METRICS
from mlrails.evaluation.scored import Scored
from mlrails.modeling.classes import indicator
from mlrails.reporting import report

RULES = Evaluation(confidence=0.95, resamples=200)
ROWS = 600
PARTS = ("train", "validation", "test")


def found(task: Task, **what: Any) -> dict[str, Any]:
    """Return what `steps/evaluate.py` would find; the groups of the slice are called `names`."""
    return copy.deepcopy(_found(task, **what))


@cache
def drawn(task: Task) -> Path:
    """Return a folder with the report of `found`, its charts drawn; not to be changed."""
    folder = Path(tempfile.mkdtemp())
    report.write(found(task), folder)
    return folder


FOREST = {
    "estimator": "Forest",
    "hyperparameters": {"trees": 100},
    "categories": "codes",
    "features": {"numeric": ["wind"], "categorical": ["region"]},
}


@cache
def _found(
    task: Task,
    days: int = 20,
    perfect: bool = False,
    timed: bool = True,
    names: tuple[str, ...] = ("north", "south"),
) -> dict[str, Any]:
    scored = {part: _scored(task, days, perfect, timed, seed) for seed, part in enumerate(PARTS)}
    test = scored["test"]
    metrics = METRICS[task]
    whole = {
        part: figures.figures(metrics, scored[part], RULES, 1) for part in ("validation", "test")
    }
    labels = np.asarray(names)[np.arange(ROWS) % len(names)]
    months = {part: np.full(ROWS, f"2024-0{3 + at}") for at, part in enumerate(PARTS)}
    threshold = 0.4 if task is Task.CLASSIFICATION else None
    return {
        "task": task.value,
        "target": "late",
        "primary": METRICS[task][0].name,
        "confidence": 0.95,
        "resamples": 200,
        "threshold_rule": "f1",
        "hindsight": baselines.HINDSIGHT[task],
        "model": FOREST,
        "parts": {part: _part(scored[part], at, timed) for at, part in enumerate(PARTS)},
        **whole,
        "as_good": figures.as_good(whole["test"]),
        "slices": {"region": figures.groups(metrics[0], test, labels, RULES, 1)},
        "months": {
            part: figures.groups(metrics[0], scored[part], months[part], RULES, 1) for part in PARTS
        },
        "bias": figures.bias(test, RULES, 1),
        "behaviour": behaviour(task, test.target, test.scores[MODEL], threshold),
        **figures.of_classes(scored, CLASSES[:3], RULES, 1),
        "importance": {"hour": {"mean": 0.1, "sd": 0.01}, "wind": {"mean": -0.001, "sd": 0.002}},
        "digest": "0123456789abcdef" * 4,
        "data_digest": "fedcba9876543210" * 4,
    }


def _scored(task: Task, days: int, perfect: bool, timed: bool, seed: int) -> Scored:
    rng = np.random.default_rng(seed)
    signal = rng.random(ROWS)
    target = signal * 10 + rng.normal(0, 1, ROWS)
    model = signal * 10
    if task is Task.CLASSIFICATION:
        target, model = (rng.random(ROWS) < signal).astype(float), signal.round(3)
    if task is Task.MULTICLASS:
        return _of_classes(perfect, timed, days, rng)
    scores = {
        MODEL: target if perfect else model,
        "constant rate": np.full(ROWS, target.mean()),
        "logistic regression": model[::-1] if perfect else model,
    }
    return Scored(target, _days(days) if timed else None, scores)


CLASSES = ("a|b", "nobody's", "plain", "unseen")
"""Labels may be any text; the last one the made-up model does not know."""


def _of_classes(perfect: bool, timed: bool, days: int, rng: np.random.Generator) -> Scored:
    likely = rng.integers(0, 3, ROWS)
    chances = np.full((ROWS, 4), 0.1)
    chances[np.arange(ROWS), likely] = 0.8
    chances[:, 3] = 0
    target = np.where(rng.random(ROWS) < 0.7, likely, rng.integers(0, 3, ROWS)).astype(float)
    if not perfect:
        target[:7] = 3
    whole = indicator(target, 4)
    scores = {
        MODEL: whole if perfect else chances,
        "class mix": np.tile(whole.mean(axis=0), (ROWS, 1)),
        "multinomial logistic regression": chances[::-1] if perfect else chances,
    }
    return Scored(target, _days(days) if timed else None, scores, classes=CLASSES)


def _days(days: int) -> np.ndarray:
    first = np.datetime64("2024-03-01", "s")
    return first + (np.arange(ROWS) % days) * np.timedelta64(86400, "s")


def _about(scored: Scored) -> dict[str, Any]:
    if scored.classes:
        return {"target": None, "classes": len(np.unique(scored.target))}
    return {"target": round(float(scored.target.mean()), 6)}


def _part(scored: Scored, at: int, timed: bool) -> dict[str, Any]:
    return {
        "rows": ROWS,
        **_about(scored),
        "from": f"2024-0{3 + at}-01" if timed else None,
        "to": f"2024-0{3 + at}-20" if timed else None,
        "days": 20 if timed else None,
    }
