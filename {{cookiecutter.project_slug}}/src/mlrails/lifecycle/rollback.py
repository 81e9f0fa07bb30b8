"""Go back to an earlier champion."""

from pathlib import Path

from ..core import params
from ..core.console import say
from ..core.errors import UsageError, WorldError
from ..core.settings import Settings
from ..gate import judge
from ..modeling import isolation
from ..modeling.checked_copy import Copy
from ..registry import download, ledger, lock, permissions, signing, transitions, versions
from ..registry.ledger import ROLLBACK, Ledger
from ..registry.versions import CHAMPION, ROLLED_BACK, Registry, Version


def rollback(settings: Settings, number: int | None = None, reason: str | None = None) -> None:
    """Make the previous champion, or the version given, the champion again."""
    permissions.check(settings, permissions.promoter)
    there = versions.connect_to_read(settings)
    book = Ledger(there.client, settings)
    with lock.turn(there) as held:
        done = transitions.recover(there, book)
        # Going back a second time for a rollback that a kill cut short would be too far.
        if done is None or done.action != ROLLBACK or number not in {None, done.version}:
            done = transitions.move(there, book, _told(settings, there, book, number, reason), held)
    say(f"rollback: version {done.version} is the champion in {there.name}")


def _told(
    settings: Settings, there: Registry, book: Ledger, number: int | None, reason: str | None
) -> dict[str, str]:
    """Return what the ledger is told of the way back, which is checked to be open."""
    champion = _champion(there)
    target = there.get(number) if number is not None else _previous(there, book, champion)
    if champion and target.number == champion.number:
        raise UsageError(f"version {target.number} is the champion already; name another one")
    if target.number not in {
        it for entry in book.entries() for it in (entry.version, entry.before)
    }:
        raise UsageError(f"version {target.number} was never champion; only `promote` makes it one")
    with download.model(there, target) as folder:
        _check_columns(settings.root, folder, target)
        _check_loads(folder, target)
    best = judge.best(there, book, target.tags.get("target"), without=champion) or target
    return {
        "action": ROLLBACK,
        "version": str(target.number),
        "digest": target.digest,
        "before": str(champion.number) if champion else "",
        "before_digest": champion.digest if champion else "",
        "best": str(best.number),
        "registry": there.name,
        **ledger.actor(settings),
        "git_commit": target.tags.get("git_commit", ""),
        "git_dirty": target.tags.get("git_dirty", ""),
        "reason": reason or "no reason given",
        "signature": signing.told(settings.root),
    }


def _check_columns(root: Path, folder: Copy, target: Version) -> None:
    """Refuse what `promote` refuses too, though it was champion before the list was as it is."""
    if asked := judge.read_of(folder, params.load(root).data.sensitive):
        raise UsageError(
            f"version {target.number} asks for {', '.join(map(repr, asked))}, which "
            f"`data.sensitive` of {params.FILE} keeps from models; name a version that does not, "
            "as in `nox -s rollback -- 1`, or take it off that list"
        )


def _check_loads(folder: Copy, target: Version) -> None:
    try:
        isolation.load_copy(folder, folder)
    except Exception as error:  # It is the version's own code that runs here.
        why = f"{type(error).__name__}: {error!s:.100}"
        raise WorldError(
            f"version {target.number} cannot be loaded ({why}); name another one"
        ) from error


def _champion(there: Registry) -> Version | None:
    """Return the champion; an alias that points nowhere is what a rollback mends."""
    numbers = {version.number for version in there.versions()}
    pointed = there.pointed(CHAMPION)
    return there.get(pointed) if pointed in numbers else None


def _previous(there: Registry, book: Ledger, champion: Version | None) -> Version:
    """Return the last champion before this one that is there and was not rolled back."""
    there_still = {it.number: it for it in there.versions() if ROLLED_BACK not in it.tags}
    now = champion.number if champion else None
    entries = book.entries()
    for entry in reversed(entries):
        for number in (entry.version, entry.before):
            if number in there_still and number != now:
                return there_still[number]
    # Whose rollback was killed after its end asks once more, and is told that it has happened.
    done = [f" since the rollback of {it.time} UTC" for it in entries[-1:] if it.action == ROLLBACK]
    raise UsageError(
        f"{there.name}: there is no earlier champion to go back to{''.join(done)}; name a version, "
        "as in `nox -s rollback -- 1`"
    )
