"""Metrics of your own: a function and its line in METRICS, and report and gate have it.

What is a mean over rows, such as the share of rows that are off by more than half an hour:

    from mlrails.evaluation.own import mean_of

    def off_by_half_an_hour(target, prediction):
        return abs(target - prediction) > 30

    METRICS = (
        mean_of("off", "Off by half an hour", off_by_half_an_hour, higher_is_better=False),
    )

`of_rows` takes what gives all rows one number, as scikit-learn's metrics do. With
`evaluation.primary: off` in params.yaml models are compared by it.
"""

from mlrails.evaluation.own import OwnMetric

METRICS: tuple[OwnMetric, ...] = ()
