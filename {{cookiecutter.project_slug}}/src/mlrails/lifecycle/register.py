"""Version the model by its digest."""

from ..core.console import say
from ..core.errors import UsageError
from ..core.settings import Settings
from ..pipeline import candidate
from ..registry import download, permissions, signing, versions
from ..registry.versions import Registry


def register(settings: Settings, number: int | None = None) -> None:
    """Make the model of this folder a version of the registry, once; or sign one that is there."""
    permissions.check(settings, permissions.registrar)
    there = versions.connect(settings)
    if number is not None:
        _sign(there, number)
        return
    found = candidate.here(settings)
    version = candidate.register(there, found, settings)
    candidate.tell_unsigned(there)
    say(f"register: model {found.digest[:12]} is version {version.number} in {there.name}")


def _sign(there: Registry, number: int) -> None:
    """Sign a version that was registered when there was no key yet."""
    version = there.get(number)
    if there.signing_key is None:
        raise UsageError("MODEL_SIGNING_KEY: names no private key to sign with; set it")
    with download.by_digest(there, version) as folder:
        signing.sign(there, version, folder)
    say(f"register: version {number} in {there.name} is signed")
