"""What is inside an image: a bill of materials in CycloneDX's words (https://cyclonedx.org)."""

import re
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...modeling.loading import ModelOrigin

if TYPE_CHECKING:
    from cyclonedx.model import HashType


_RELEASE = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?: ; (?P<marker>[^\\\n]+?))? \\\n"
    r"(?P<hashes>(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n?)+)",
    re.MULTILINE,
)


def text(lock: str, origin: ModelOrigin) -> str:
    """Return the bill in JSON: the model by its digest, and each release of the lock.

    The same lock and model give the same text, on whatever day.
    """
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_OID, origin.digest + lock))
    bom.metadata.timestamp = datetime.fromisoformat(origin.trained or "1980-01-01").astimezone(UTC)
    model = Component(
        name=origin.name,
        version=origin.version,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        hashes=_sha256([origin.digest]),
        bom_ref="model",
    )
    bom.metadata.component = model
    releases = [
        Component(
            name=name,
            version=version,
            type=ComponentType.LIBRARY,
            purl=PackageURL("pypi", None, name, version),
            bom_ref=f"{name}=={version}",
        )
        for name, version in releases_of(lock)
    ]
    for release in releases:
        bom.components.add(release)
    bom.register_dependency(model, releases)
    written: str = JsonV1Dot6(bom).output_as_string(indent=1)
    return written


def releases_of(lock: str) -> list[tuple[str, str]]:
    """Return the name and version of each release of a lock that Linux installs."""
    return [
        (found["name"].lower(), found["version"])
        for found in _RELEASE.finditer(lock)
        if "win32" not in (found["marker"] or "") or "!=" in (found["marker"] or "")
    ]


def _sha256(hashes: list[str]) -> "list[HashType]":
    from cyclonedx.model import HashAlgorithm, HashType

    return [HashType(alg=HashAlgorithm.SHA_256, content=it) for it in hashes]
