"""What the template's changelog says to do on an update."""

import re

_SECTION = re.compile(r"(?m)^## ")
_TO_DO = re.compile(r"(?ms)^### What to do when you update\n(.*?)(?=^### |\Z)")


def numbers(version: str) -> tuple[int, ...]:
    """Return a version's numbers, to compare by."""
    return tuple(int(it) for it in re.findall(r"\d+", version))


def to_do(changelog: str, since: str, until: str) -> str:
    """Return what is to be done after the versions that come after one, up to another."""
    told = []
    for section in _SECTION.split(changelog)[1:]:
        version = section.partition("\n")[0].partition(" ")[0]
        inside = version[:1].isdigit() and numbers(since) < numbers(version) <= numbers(until)
        if inside and (found := _TO_DO.search(section)):
            told.append(f"{version}: {found[1].strip()}")
    return "\n".join(told)
