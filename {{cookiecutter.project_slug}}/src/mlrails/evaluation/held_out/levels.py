"""The level of a model's scores, moved towards what came of the validation rows.

Numbers are moved by a sum, probabilities by a factor of their odds (an intercept in log-odds: Cox
1958's calibration in the large, of several classes one each), so no two rows change places within
a class. Only a share of the distance is taken: a month of its own is off by what lasts and by what
does not, and measured on the flights the half was nearer to the months after than all or none, in
both tasks. A slope beside it was no better, and so is not fitted.
"""

import numpy as np

from ...core.params import Task
from ...data.arrays import Matrix, Vector
from ...modeling import classes

_OWN = 10
"""So many rows more are taken to have come out exactly as the model says: a class that no row has
keeps some chance."""
_DIGITS = 6
"""The last bits differ between classes of CPU, and would make other bytes."""


def level(
    task: Task, target: Vector, score: np.ndarray, weight: Vector | None, share: float
) -> tuple[float, ...]:
    """Return what numbers are off by (1,), or the factor of the odds: of an event (1,), or classes.

    `target` (rows,) and `score` (rows,), of several classes (rows, classes), are of validation
    rows; `share` is how much of the distance is set right. No rows set nothing.
    """
    if not len(target):
        return ()
    counted = np.ones(len(target)) if weight is None else weight
    if task is Task.REGRESSION:
        off = float((counted * (target - score)).sum() / (counted.sum() + _OWN))
        return (round(share * off, _DIGITS),)
    both = np.column_stack([1 - score, score]) if score.ndim == 1 else score
    factors = np.exp(share * _intercepts(classes.indicator(target, both.shape[1]), both, counted))
    found = factors[1:] / factors[0] if score.ndim == 1 else factors
    return tuple(np.round(found, _DIGITS).tolist())


def _intercepts(came: Matrix, said: Matrix, weight: Vector) -> Vector:
    """Return what to add to the log-odds of each class (classes,), so that its mean is what came.

    They are the likeliest ones: the log-loss is convex, and least where the means are equal.
    """
    from scipy.optimize import minimize
    from scipy.special import logsumexp, softmax

    own = said / said.sum(axis=1, keepdims=True)
    rows, weight = len(weight), weight / weight.sum()
    odds = np.log(np.clip(own, 1e-15, 1))
    wanted = (rows * (weight @ came) + _OWN * (weight @ own)) / (rows + _OWN)

    def loss(added: Vector) -> tuple[float, Vector]:
        moved = odds + added
        value = float(weight @ logsumexp(moved, axis=1) - wanted @ added)
        return value, weight @ softmax(moved, axis=1) - wanted

    found: Vector = minimize(loss, np.zeros(len(wanted)), jac=True, method="BFGS").x
    centred: Vector = found - found.mean()
    return centred
