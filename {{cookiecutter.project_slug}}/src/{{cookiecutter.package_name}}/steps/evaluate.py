"""python -m {{ cookiecutter.package_name }}.steps.evaluate

The model's figures, and the report.
"""

from threadpoolctl import threadpool_limits

from .. import carried, data, digests, evaluation, layout, report
from ..console import say
from ..stage import Stage, run


def evaluate(stage: Stage) -> None:
    """Write `reports/`: `metrics.json`, the report as Markdown and HTML, and its plots."""
    root, digest = stage.root, layout.model_digest(stage.root)
    model = carried.load(root / layout.MODEL, digest)
    with threadpool_limits(1, user_api="blas"):
        found = evaluation.of_model(stage.params, model, data.read_parts(root))
    found["digest"] = digest
    found["data_digest"] = digests.of_folder(root / layout.PREPARED, links=True)
    report.write(found, root / layout.METRICS.parent)
    if stage.settings.project is None:  # Files of a copy are gone before anybody can look.
        say(f"evaluate: {layout.METRICS} and {layout.REPORT}")


if __name__ == "__main__":
    run(evaluate)
