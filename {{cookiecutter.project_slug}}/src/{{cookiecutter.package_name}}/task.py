"""What is predicted."""

from enum import StrEnum


class Task(StrEnum):
    """The probability of an event, or a number."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"
