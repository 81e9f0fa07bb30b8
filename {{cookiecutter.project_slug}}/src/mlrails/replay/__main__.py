"""python -m mlrails.replay [--merge]

Runs this commit's workflows as a pull request into main would, and as its merge would; `nox -s
forge` calls it.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ..cli.leaving import leave
from ..core import processes, settings
from ..core.errors import Exit, UsageError
from ..core.git import run as run_git
from .files import Record
from .forge import Forge, forge
from .git import ZERO, commit, git
from .machine import Machine
from .rights import Configuration
from .runner import Result

BRANCH = "this-commit"
LIMITED = Configuration(limits={"production": ["main"], "review": ["main"]})
"""As the guide of a project with workflows asks people to limit the environments."""
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    merge: Annotated[bool, typer.Option(help="Merge as well, and promote.")] = False,
    environments: Annotated[
        Path | None, typer.Option(help="The folder of nox's environments; by default this one's.")
    ] = None,
) -> None:
    """Replay the workflows of a pull request from this commit into main."""
    leave(lambda: replay(merge, (environments or _environments()).absolute()))


def _environments() -> Path:
    """Return the folder that nox keeps this environment in, or will keep one in."""
    here = Path(sys.prefix)
    return here.parent if here.name == "project" else Path(".nox")


def replay(merge: bool, environments: Path) -> Exit:
    """Run the workflows, and tell what came of each job; WORLD where one failed."""
    root = settings.find_root(Path.cwd())
    if _has_changes(root):
        typer.echo("Uncommitted changes are left out: what is committed is replayed.")
    folder = root / ".dvc" / "tmp" / "forge"
    shutil.rmtree(folder, ignore_errors=True)
    with forge(folder, Machine(environments), LIMITED) as here:
        results = []
        for result in _pull(here, _push(root, here), merge):
            _tell(result)
            results.append(result)
    _tell_comments(folder, results)
    failed = any(result.conclusion == "failure" for result in results)
    return Exit.WORLD if failed else Exit.DONE


def _has_changes(root: Path) -> bool:
    """Tell whether something that a workflow reads is not committed; a log that lies about is not.

    That is what git knows and has changed, and what is new among code, tests and workflows.
    """
    changed = run_git(root, "status", "--porcelain", "--untracked-files=no").stdout
    new = ("ls-files", "--others", "--exclude-standard", "--", "src", "tests", ".github")
    return bool(changed or run_git(root, *new).stdout)


def _push(root: Path, here: Forge) -> str:
    """Bring main, this commit and the registry to the forge; return main's commit."""
    head = commit(root, "HEAD")
    # What the forge has as main is what counts; a repository that was never pushed has its own.
    mains = [commit(root, ref) for ref in ("refs/remotes/origin/main", "refs/heads/main")]
    base = next((it for it in mains if it != ZERO), ZERO)
    if ZERO in {head, base}:
        raise UsageError("there is no commit on main yet; commit this project there first")
    pushed = [f"{base}:refs/heads/main", f"{head}:refs/heads/{BRANCH}"]
    for ref in ("refs/remotes/origin/registry", "refs/heads/registry"):
        if commit(root, ref) != ZERO:
            pushed.append(f"{ref}:refs/heads/registry")
            break
    git(root, "push", "--quiet", "--no-verify", str(here.remote), *pushed)
    return base


def _pull(here: Forge, base: str, merge: bool) -> Iterator[Result]:
    if here.tip(BRANCH) == base:
        typer.echo("This commit is main: its push is replayed.")
        here.pushed("main", ZERO)
        yield from here.each()
        return
    typer.echo("A pull request of this commit into main:")
    pull = here.open_pull(BRANCH)
    yield from here.each()
    if merge:
        here.merge(pull)
        yield from here.each()


def _tell(result: Result) -> None:
    typer.echo(f"\n{result.run['name']} ({result.run['path']}, {result.run['event']})")
    for job, conclusion in result.jobs.items():
        typer.echo(f"  {job:<12} {conclusion}")
        if job in result.summaries:
            typer.echo(f"  {'':<12} summary: {result.summaries[job]}")
    typer.echo(f"  log: {result.folder / 'log.txt'}")


def _tell_comments(folder: Path, results: list[Result]) -> None:
    comments: list[Record] = results[0].files.every("comments") if results else []
    for each in comments:
        path = folder / f"comment-{each['id']}.md"
        path.write_text(each["body"], "utf-8")
        typer.echo(f"\ncomment on the pull request: {path}")


if __name__ == "__main__":
    processes.begin()
    app(prog_name=f"python -m {__package__}")
