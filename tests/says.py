"""python says.py MODEL ROWS: what a model directory says to the rows of a file, as JSON.

Runs in the project's environment and folder.
"""

import json
import sys
from pathlib import Path


def main() -> None:
    import pandas as pd

    from mlrails.core import hashing
    from mlrails.modeling import isolation

    model, file = sys.argv[1:]
    loaded = isolation.load(Path(model), hashing.of_folder(Path(model)))
    rows = pd.read_csv(file, parse_dates=["scheduled_departure"])
    print(json.dumps({name: it.tolist() for name, it in loaded.predict(rows).items()}))


if __name__ == "__main__":
    main()
