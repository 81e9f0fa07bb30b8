"""The trials of one search, kept by Optuna in a database: what is tried next, and what matters.

What trial n tries hangs on the seed, on n, and on what came of the trials that had to end before it
may begin (`Space.parallel`): on nothing else. So it does not matter how many processes there are,
which of them is faster, or how often all of them were killed.

How to change this: what stands in the database is read again by later versions of this module; a
trial there has `values`, `losses`, `why` and `seconds` as its attributes.
"""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..core.errors import WorldError
from .space import Choices, Space, Values
from .trial import State, Trial

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

FILE = "trials.db"
_BY_CHANCE = 10
"""So many trials are drawn by chance before Optuna's model of the others chooses."""
_LEAST_TO_MATTER = 10
"""Of fewer whole trials nobody can say what matters."""


class Study:
    """The trials of one key in a database, which one process writes."""

    def __init__(self, folder: Path, key: str, space: Space, higher: bool) -> None:
        self.space, self.higher = space, higher
        self._path = folder / FILE
        folder.mkdir(parents=True, exist_ok=True)
        self._storage, self._study = _opened(self._path, key, higher)
        self._id = self._storage.get_study_id_from_name(key)

    def trials(self) -> Sequence[Trial]:
        """Return every trial in order of their numbers."""
        return [_read(it) for it in self._study.get_trials(deepcopy=False)]

    def begin(self, number: int, values: Values, params: Values | None) -> Trial:
        """Keep that a trial begins; `params` are what Optuna has drawn, None of what it has not."""
        from optuna.trial import TrialState, create_trial

        made = create_trial(
            state=TrialState.RUNNING,
            params=dict(params or {}),
            distributions=distributions(self.space) if params else {},
            user_attrs={"values": dict(values)},
        )
        self._study.add_trial(made)
        return Trial(number, values, params is not None)

    def end(self, trial: Trial) -> None:
        """Keep what came of a trial."""
        storage = self._storage
        there = storage.get_trial_id_from_study_id_trial_number(self._id, trial.number)
        for name in ("losses", "why", "seconds"):
            found = getattr(trial, name)
            storage.set_trial_user_attr(there, name, list(found) if name == "losses" else found)
        if trial.losses:  # Whoever opens the database with Optuna's own pages sees how it went.
            last = len(trial.losses) - 1
            storage.set_trial_intermediate_value(there, last, self._signed(trial.losses[-1]))
        values = None if trial.value is None else [trial.value]
        storage.set_trial_state_values(there, _states()[trial.state], values)

    def suggest(self, number: int, known: Sequence[Trial], seed: int) -> Mapping[str, Any]:
        """Return what a trial is to try, learnt of those that are known."""
        import numpy as np
        import optuna

        own = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
        sampler = optuna.samplers.TPESampler(seed=own, n_startup_trials=_BY_CHANCE)
        with _quiet():
            apart = optuna.create_study(direction=_direction(self.higher), sampler=sampler)
            apart.add_trials([self._frozen(it) for it in known if it.drawn])
            drawn: Mapping[str, Any] = apart.ask(distributions(self.space)).params
            return drawn

    def importance(self, trials: Sequence[Trial]) -> Mapping[str, float]:
        """Return how much of what whole trials differ by goes with each name, the most first.

        Nothing while they are too few, or do not differ. By functional ANOVA (Hutter et al. 2014,
        "An efficient approach for assessing hyperparameter importance").
        """
        import optuna

        whole = [it for it in trials if it.state is State.WHOLE and it.drawn]
        if len(whole) < _LEAST_TO_MATTER or len({it.value for it in whole}) < 2:
            return {}
        with _quiet():
            apart = optuna.create_study(direction=_direction(self.higher))
            apart.add_trials([self._frozen(it) for it in whole])
            evaluator = optuna.importance.FanovaImportanceEvaluator(seed=1)
            return dict(optuna.importance.get_param_importances(apart, evaluator=evaluator))

    def _signed(self, loss: float) -> float:
        """Return a loss so that it goes the way of the metric, as Optuna compares both alike."""
        return -loss if self.higher else loss

    def _frozen(self, trial: Trial) -> "FrozenTrial":
        from optuna.trial import create_trial

        last = {len(trial.losses) - 1: self._signed(trial.losses[-1])} if trial.losses else {}
        return create_trial(
            state=_states()[trial.state],
            value=trial.value,
            params=dict(trial.values),
            distributions=distributions(self.space),
            intermediate_values=last,
        )


def distributions(space: Space) -> "dict[str, BaseDistribution]":
    """Return the axes of a space in Optuna's words."""
    from optuna import distributions as of

    found: dict[str, BaseDistribution] = {}
    for name, axis in space.axes.items():
        if isinstance(axis, Choices):
            found[name] = of.CategoricalDistribution(axis.values)
        elif axis.whole:
            found[name] = of.IntDistribution(int(axis.low), int(axis.high), log=axis.log)
        else:
            found[name] = of.FloatDistribution(axis.low, axis.high, log=axis.log)
    return found


def _direction(higher: bool) -> Literal["maximize", "minimize"]:
    return "maximize" if higher else "minimize"


def _quiet() -> warnings.catch_warnings:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return warnings.catch_warnings(action="ignore")


def _states() -> Mapping[State, Any]:
    from optuna.trial import TrialState

    return {
        State.RUNNING: TrialState.RUNNING,
        State.WHOLE: TrialState.COMPLETE,
        State.PRUNED: TrialState.PRUNED,
        State.FAILED: TrialState.FAIL,
    }


def _opened(path: Path, key: str, higher: bool) -> tuple[Any, Any]:
    """Return Optuna's storage in a database, and the study of a key in it, made or found."""
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with _quiet():
            storage = optuna.storages.RDBStorage(f"sqlite:///{path.as_posix()}")
            found = optuna.create_study(
                study_name=key, storage=storage, direction=_direction(higher), load_if_exists=True
            )
            return storage, found
    except (SQLAlchemyError, RuntimeError) as error:
        # Another release of Optuna may keep its tables in another way.
        raise WorldError(
            f"{path}: not the trials of this release of Optuna ({type(error).__name__}); move it "
            "away, and the search begins anew"
        ) from None


def _read(found: "FrozenTrial") -> Trial:
    states = {its: ours for ours, its in _states().items()}
    told = found.user_attrs
    return Trial(
        number=found.number,
        values=told["values"],
        drawn=bool(found.params),
        state=states.get(found.state, State.RUNNING),
        value=found.value if found.state.name == "COMPLETE" else None,
        losses=told.get("losses", ()),
        why=told.get("why", ""),
        seconds=told.get("seconds", 0.0),
    )
