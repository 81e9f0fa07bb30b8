"""Version the model by its digest."""

from .. import candidate, registry
from ..console import say
from ..settings import Settings


def register(settings: Settings) -> None:
    """Make the model of this folder a version of the registry, once."""
    found = candidate.here(settings)
    there = registry.connect(settings)
    version = candidate.register(there, found, settings)
    candidate.tell_unsigned(settings)
    say(f"register: model {found.digest[:12]} is version {version.number} in {there.name}")
