"""python -m mlrails.pipeline.record: tell the run what the stages have made.

As a process of its own it begins as a stage does, where MLflow is imported already; whoever runs
the stages need not import it then.
"""

from ..stages.stage import Stage, run
from ..tracking import input_key, recording
from ..tracking.origin import Project


def record(stage: Stage) -> None:
    """Log what the run of this folder's inputs lacks."""
    key = input_key.input_key(stage.root)
    recording.record(stage.settings, Project(stage.root), stage.params, key)


if __name__ == "__main__":
    run(record)
