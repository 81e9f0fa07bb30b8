"""Output that grows in parts beside where it will stand, and is put there whole, at once.

A run that was killed leaves its parts; the same run again goes on after them. What a part holds
hangs only on the model, the inputs and its place, so nothing is lost and nothing stands twice.
"""

import json
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core import files, hashing
from ..core.errors import UsageError, WorldError

if TYPE_CHECKING:
    import pyarrow as pa


_TOLD = {"digest", "plan", "rows", "refused"}


def refused_path(output: Path) -> Path:
    """Return where the rows that the model does not take are told."""
    return output.with_name(f"{output.stem}.refused{output.suffix}")


def about_of(output: Path) -> Path:
    """Return where it is told what an output was made of."""
    return output.with_name(f"{output.name}.json")


def told(output: Path) -> Mapping[str, Any] | None:
    """Return what is told of an output, or None where nothing of ours stands there."""
    try:
        found: Any = json.loads(about_of(output).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and set(found) >= _TOLD else None


def check(output: Path) -> None:
    """Raise UsageError where something that we have not made stands at any of the three places."""
    if told(output) is not None:
        return
    for path in (output, refused_path(output), about_of(output)):
        if path.exists():
            raise UsageError(
                f"{path}: was not made by `predict`; move it away, or name another output"
            )


def join(parts: Sequence[Path], scratch: Path, target: Path, about: Mapping[str, Any]) -> int:
    """Write the parts one after the other into one file; return the number of rows."""
    import pyarrow.csv
    import pyarrow.parquet

    schema = pyarrow.parquet.read_schema(parts[0])
    schema = schema.with_metadata({name: str(value) for name, value in about.items()})
    make = {".csv": pyarrow.csv.CSVWriter, ".parquet": pyarrow.parquet.ParquetWriter}
    rows = 0
    with make[target.suffix](scratch, schema) as out:
        for part in parts:
            table = pyarrow.parquet.read_table(part)
            rows += table.num_rows
            out.write_table(table.replace_schema_metadata(schema.metadata))
    return rows


_PLAN = "plan.json"
GOOD, BAD = "good", "refused"


@dataclass(frozen=True)
class Staging:
    """The parts of one output, and the plan that they follow."""

    output: Path
    folder: Path
    plan: Mapping[str, Any]

    def has(self, part: str) -> bool:
        """Tell whether a part is there, which is written last for the good rows."""
        return self._path(part, GOOD).is_file()

    def write(self, part: str, good: "pa.Table", bad: "pa.Table") -> None:
        """Write a part, whole or not at all."""
        import pyarrow.parquet

        for kind, rows in ((BAD, bad), (GOOD, good)):
            with files.replacing(self._path(part, kind)) as scratch:
                pyarrow.parquet.write_table(rows, scratch)

    def _path(self, part: str, kind: str) -> Path:
        return self.folder / f"{part}.{kind}.parquet"

    def publish(self, parts: Sequence[str], about: Mapping[str, Any]) -> tuple[int, int]:
        """Put the output in place, and beside it the refused rows and what it was made of.

        Returns the numbers of good and of refused rows.
        """
        targets = {BAD: refused_path(self.output), GOOD: self.output}
        wholes = {kind: self.folder / f"whole.{kind}" for kind in targets}
        bad, good = (
            join([self._path(it, kind) for it in parts], wholes[kind], targets[kind], about)
            for kind in (BAD, GOOD)
        )
        told = {**about, "plan": None, "rows": good, "refused": bad}
        # Told first, and without a plan until all is in place: whoever comes after a kill knows
        # that it is ours, and not done.
        self._tell(told)
        if bad:
            files.replace_file(wholes[BAD], targets[BAD])
        else:
            targets[BAD].unlink(missing_ok=True)
        files.replace_file(wholes[GOOD], targets[GOOD])
        self._tell({**told, "plan": hashing.of_values(self.plan)})
        # From here on it is done: the parts go by one rename, then piece by piece.
        gone = self.folder.with_name(f"{self.folder.name}.{uuid.uuid4().hex}.done")
        self.folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
        return good, bad

    def _tell(self, told: Mapping[str, Any]) -> None:
        scratch = self.folder / "about.json"
        scratch.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
        files.replace_file(scratch, about_of(self.output))


@contextmanager
def staged(output: Path, plan: Mapping[str, Any]) -> Iterator[Staging]:
    """Yield the parts of an output that follow a plan; those of another plan are thrown away.

    Raises UsageError where another process writes it, or something of somebody else stands there,
    and WorldError where nothing can be written.
    """
    from filelock import FileLock, Timeout

    output.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(output.with_name(f".{output.name}.lock"))
    try:
        # A lock that cannot be made looks to the library like one that somebody holds.
        Path(lock.lock_file).touch()
        lock.acquire(timeout=0)
    except Timeout:
        raise UsageError(f"{output}: another process writes it; wait for its end") from None
    except OSError as error:
        why = error.strerror or error
        raise WorldError(f"{output}: cannot be written ({why}); name another output") from None
    try:
        check(output)
        for left in output.parent.glob(f".{output.name}.parts.*.done"):
            shutil.rmtree(left, ignore_errors=True)
        folder = output.with_name(f".{output.name}.parts")
        if folder.is_dir() and _plan(folder) != json.loads(json.dumps(plan)):
            shutil.rmtree(folder)
        folder.mkdir(exist_ok=True)
        for left in folder.glob("*.partial"):
            left.unlink()
        files.write_text(json.dumps(plan), folder / _PLAN)
        yield Staging(output, folder, plan)
    finally:
        lock.release()


def is_done(output: Path, plan: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what is told of an output where it follows the plan and is whole, else None."""
    found = told(output)
    if found is None or found["plan"] != hashing.of_values(plan) or not output.exists():
        return None
    # The last that a run does is to take its parts away.
    return None if output.with_name(f".{output.name}.parts").exists() else found


def _plan(folder: Path) -> Any:
    try:
        return json.loads((folder / _PLAN).read_text("utf-8"))
    except (OSError, ValueError):
        return None
