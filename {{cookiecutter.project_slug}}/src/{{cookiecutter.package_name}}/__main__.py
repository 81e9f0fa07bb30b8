"""The command line: `python -m {{ cookiecutter.package_name }} --help`."""

from mlrails.cli.app import run

from .metrics import METRICS
from .schema import COLUMNS

if __name__ == "__main__":
    run(package=__package__, columns=COLUMNS, metrics=METRICS)
