"""python -m {{ cookiecutter.package_name }}.steps.evaluate

The model's figures, and the report.
"""

from threadpoolctl import threadpool_limits

from mlrails.core import hashing, layout
from mlrails.core.console import say
from mlrails.data import parquet
from mlrails.evaluation import figures
from mlrails.modeling import isolation
from mlrails.refits.run import variation
from mlrails.reporting import report
from mlrails.stages.stage import Stage, run

from ..metrics import METRICS


def evaluate(stage: Stage) -> None:
    """Write `reports/`: `metrics.json`, the report as Markdown and HTML, and its plots."""
    root, digest = stage.root, layout.model_digest(stage.root)
    model = isolation.load(root / layout.MODEL, digest)
    with threadpool_limits(1, user_api="blas"):
        found = figures.of_model(stage.params, model, parquet.read_parts(root), METRICS)
    found |= variation(stage.settings, stage.params, digest) | {"digest": digest}
    found["data_digest"] = hashing.of_folder(root / layout.PREPARED, links=True)
    report.write(found, root / layout.METRICS.parent)
    if stage.settings.project is None:  # Files of a copy are gone before anybody can look.
        say(f"evaluate: {layout.METRICS} and {layout.REPORT}")


if __name__ == "__main__":
    run(evaluate)
