"""The model's bytes: an MLflow model directory that is the same for the same model.

MLflow writes it as a `python_function` on raw rows; we add the native flavor and take out what
varies without meaning (the date, a random id, the patch version of Python), so that the digest of
the folder is the model's identity. Decision 0005 tells why, and what was tried.

How to change this: any change of what is written changes every digest. `test_directory.py`
holds the contract: raw rows in, native load, no pickle, equal bytes, serves without the project.
"""

import json
import shutil
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ..core import files, hashing, layout
from ..core.imports import closure
from ..core.params import Params, of_held_out
from ..core.processes import configure_mlflow
from ..data.schema import Column
from . import examples, signature
from .isolation import DATA
from .protocols import Model

if TYPE_CHECKING:
    import pandas as pd

_NAMESPACE = uuid.UUID("6f1c7f2e-4f0e-5c1b-9d5b-0b8f9a6f4c11")
_ALWAYS = "1980-01-01 00:00:00.000000"


def save(
    model: Model,
    columns: Sequence[Column],
    rows: "pd.DataFrame",
    root: Path,
    params: Params | None = None,
) -> str:
    """Write the model directory of a project and its digest, and return that.

    Equal models of equal rows are equal bytes. `columns` and `rows` as `write` takes them. It has
    typical rows where the params ask for some; a stage of before there were any hands over none.
    """
    identity = hashing.of_folder(root / layout.PREPARED, links=True)
    lock, target = root / layout.SERVING_LOCK, root / layout.MODEL
    typical = (params.features.background, params.seed) if params else (None, 0)
    level = of_held_out(params).interval if params else None
    digest = write(model, columns, rows, identity, lock, target, typical, level)
    files.write_text(f"{digest}\n", root / layout.DIGEST)
    return digest


def write(
    model: Model,
    columns: Sequence[Column],
    rows: "pd.DataFrame",
    identity: str,
    requirements: Path,
    target: Path,
    typical: tuple[int | None, int] = (None, 0),
    level: float | None = None,
) -> str:
    """Write the model directory `target` whole or not at all, and return its digest.

    `columns` are those of `schema.py`, `rows` are what it was fitted on, `identity` is what the
    model's uuid is derived of, `requirements` is the lock that serving needs. `typical` says how
    many typical rows to write, and their seed; `level` how sure the interval beside a number is.
    """
    by_name = {column.name: column for column in columns}
    read = [by_name[name] for name in model.encoder.columns]
    rules = signature.column_rules(read, model.encoder.vocabulary, level)
    for left in target.parent.glob(f".{target.name}.*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    scratch = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        _write(model, rules, examples.example(rows, read), identity, requirements, scratch)
        count, seed = typical
        if count is not None:
            made = examples.typical(rows, read, count, seed, model.scores)
            text = json.dumps(made.to_json(), indent=1, sort_keys=True) + "\n"
            (scratch / examples.TYPICAL).write_text(text, "utf-8")
        files.replace_folder(scratch, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return hashing.of_folder(target)


def _write(
    model: Model,
    rules: Mapping[str, Any],
    example: "pd.DataFrame",
    identity: str,
    requirements: Path,
    folder: Path,
) -> None:
    configure_mlflow()
    import mlflow.pyfunc
    from mlflow.models import Model as Described

    about = Described(model_uuid=str(uuid.uuid5(_NAMESPACE, identity)), utc_time_created=_ALWAYS)
    parts, module = folder.with_name(f"{folder.name}.parts"), type(model).__module__
    try:
        _gather(model, module, parts)
        with _releases_by_distribution():
            mlflow.pyfunc.save_model(
                folder,
                loader_module=module,
                data_path=str(parts / "model"),
                code_paths=[str(parts / module.partition(".")[0])],
                mlflow_model=about,
                signature=signature.model_signature(model, example),
                input_example=example,
                conda_env=signature.conda_environment(requirements),
                metadata=dict(rules),
            )
    finally:
        shutil.rmtree(parts, ignore_errors=True)
    for name, flavor in model.flavor(DATA).items():
        about.add_flavor(name, code="code", **flavor)
    about.flavors["python_function"]["python_version"] = signature.minor_version()
    about.model_size_bytes = None
    about.save(folder / "MLmodel")
    _write_environment(folder / "python_env.yaml")


@contextmanager
def _releases_by_distribution() -> Iterator[None]:
    """Let MLflow ask for the releases of the lock by the names that it gives.

    By itself MLflow first reads which files every installed package has, to find those that are
    called otherwise; a lock names distributions, and what differs is warned of all the same.
    """
    from mlflow.utils import requirements_utils as of_mlflow

    before = of_mlflow._MODULES_TO_PACKAGES
    of_mlflow._MODULES_TO_PACKAGES = {}
    try:
        yield
    finally:
        of_mlflow._MODULES_TO_PACKAGES = before


def _gather(model: Model, module: str, parts: Path) -> None:
    """Lay out what MLflow copies into the directory: the model's files and its own code.

    That is the module of the model's class, and what it imports of its own package at once.
    """
    (parts / "model").mkdir(parents=True)
    model.save(parts / "model")
    source = Path(str(sys.modules[module].__file__)).parents[module.count(".")]
    for file in closure(module, source=source, at_once=True):
        copy = parts / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / file, copy)


def _write_environment(path: Path) -> None:
    """Name Python's minor version, as text: 3.10 would be the number 3.1.

    What is to build with is named without the releases that MLflow happens to find here: pip and
    uv leave others behind, and the model is the same.
    """
    about = {
        "python": signature.minor_version(),
        "build_dependencies": ["pip", "setuptools", "wheel"],
        "dependencies": ["-r requirements.txt"],
    }
    path.write_text(yaml.safe_dump(about, sort_keys=False), "utf-8")
