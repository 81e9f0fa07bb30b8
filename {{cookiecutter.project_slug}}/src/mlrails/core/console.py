"""What a person sees while the work goes on: bars on standard error, figures on standard output."""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")


def track(items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
    """Pass items on while a bar shows how many of `total` are done; silent where nobody looks."""
    from rich.console import Console
    from rich.progress import track as bar

    console = Console(stderr=True)
    yield from bar(
        items, description, total, console=console, transient=True, disable=not console.is_terminal
    )


@contextmanager
def bar(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yield what moves a bar on by so much of `total`; silent where nobody looks."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(description, total=total)
        yield lambda done: progress.advance(task, done)


_LONGEST_LINE = 300


def say(text: str) -> None:
    """Print a line at once, also into a pipe."""
    print(_printable(text), flush=True)


def warn(text: str) -> None:
    """Print a line that is not an answer, but should be read."""
    print(f"warning: {_printable(text)}", file=sys.stderr, flush=True)


def _printable(text: str) -> str:
    """Leave out what a terminal would obey instead of showing it."""
    return "".join(letter for letter in text if letter.isprintable() or letter == "\n")


def one_line(text: str | None) -> str | None:
    """Return what somebody has typed as one line of at most 300 characters; says so if it cuts."""
    if text is None:
        return None
    line = _printable(" ".join(text.split()))
    if len(line) > _LONGEST_LINE:
        warn(f"{line[:20]!r}… is {len(line):,} characters long, {_LONGEST_LINE} are kept")
    return line[:_LONGEST_LINE]


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], left: Collection[int] = (0,)
) -> str:
    """Return aligned columns as plain text: some to the left, by place, the others to the right."""
    lines = [[_printable(" ".join(it.split())) for it in line] for line in [header, *rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
