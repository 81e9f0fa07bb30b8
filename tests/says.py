"""python says.py PACKAGE MODEL ROWS: what a model directory says to the rows of a file, as JSON.

Runs in the project's environment and folder.
"""

import json
import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    import pandas as pd

    package, model, file = sys.argv[1:]
    carried, digests = (import_module(f"{package}.{it}") for it in ("carried", "digests"))
    loaded = carried.load(Path(model), digests.of_folder(Path(model)))
    rows = pd.read_csv(file, parse_dates=["scheduled_departure"])
    print(json.dumps({name: it.tolist() for name, it in loaded.predict(rows).items()}))


if __name__ == "__main__":
    main()
