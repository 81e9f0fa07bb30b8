"""python asks.py FILE REQUESTS ROWS MODEL…: requests of real rows, and what models say.

Writes what load.py reads; runs in the project's environment and folder.
"""

import json
import sys
from pathlib import Path


def main() -> None:
    import pandas as pd

    from mlrails.core import hashing
    from mlrails.modeling import isolation

    file, requests, rows, *models = sys.argv[1:]
    loaded = [isolation.load(Path(it), hashing.of_folder(Path(it))) for it in models]
    names = list(loaded[0].encoder.columns)
    frame = pd.read_parquet("data/prepared/test.parquet")[names]
    frame = frame.sample(int(requests) * int(rows), random_state=1)
    with Path(file).open("w", encoding="utf-8") as out:
        for start in range(0, len(frame), int(rows)):
            part = frame.iloc[start : start + int(rows)]
            records = json.loads(part.to_json(orient="records", date_format="iso"))
            for record in records:
                for name in part.select_dtypes("datetime"):
                    record[name] = record[name][:19]
            body = {
                "dataframe_split": {"columns": names, "data": [[*it.values()] for it in records]}
            }
            said = [_records(it.predict(part)) for it in loaded]
            out.write(json.dumps({"body": body, "predictions": said}) + "\n")


def _records(columns: dict) -> list[dict[str, object]]:
    lists = {name: values.tolist() for name, values in columns.items()}
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


if __name__ == "__main__":
    main()
