"""python tests/notebook.py NOTEBOOK: run its cells from its folder, and print what each ends with.

As a kernel would, and without one: the cells are plain Python.
"""

import ast
import json
import os
import sys
from pathlib import Path


def run(path: Path) -> None:
    """Run a notebook; what a cell raises ends it."""
    os.chdir(path.parent)
    names: dict[str, object] = {"__name__": "__main__"}
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        body = ast.parse("".join(cell["source"])).body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), path.name, "exec"), names)  # noqa: S102 - ours
        if isinstance(last, ast.Expr):
            found = eval(compile(ast.Expression(last.value), path.name, "eval"), names)  # noqa: S307
            if found is not None:
                print(found)


if __name__ == "__main__":
    run(Path(sys.argv[1]).absolute())
