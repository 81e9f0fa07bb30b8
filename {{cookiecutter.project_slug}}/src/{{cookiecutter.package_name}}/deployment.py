"""What SageMaker is told to serve.

Models and configurations there never change, so each is named by its content: the same model on the
same machines has the same names.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import digests
from .served import Origin

_VARIANT = "model"
_LONGEST_PREFIX = 40
"""A name there has 63 characters at most, and the two digests in ours take 18."""


@dataclass(frozen=True)
class Deployment:
    """What is to be served where: the image with the model inside, the role, the machines."""

    origin: Origin
    image: str
    role: str
    instance: str
    count: int
    endpoint: str

    @property
    def model(self) -> dict[str, Any]:
        """What `CreateModel` is told; the name is of the content."""
        # IAM decides who may ask an endpoint, so the container asks for no token.
        container = {"Image": self.image, "Environment": {"SERVING_EVERYONE": "true"}}
        told: dict[str, Any] = {"PrimaryContainer": container, "ExecutionRoleArn": self.role}
        return {"ModelName": self._name(told), **told}

    @property
    def config(self) -> dict[str, Any]:
        """What `CreateEndpointConfig` is told."""
        variant = {
            "VariantName": _VARIANT,
            "ModelName": self.model["ModelName"],
            "InstanceType": self.instance,
            "InitialInstanceCount": self.count,
            "InitialVariantWeight": 1.0,
        }
        told = {"ProductionVariants": [variant]}
        return {"EndpointConfigName": self._name(told), **told}

    def _name(self, told: Mapping[str, Any]) -> str:
        digest = digests.of_values([self.origin.digest, told])
        return f"{name_prefix(self.endpoint)}-{self.origin.digest[:8]}-{digest[:8]}"


def is_name_of(endpoint: str, name: str) -> bool:
    """Tell whether a model or a configuration was made for an endpoint, by its whole name."""
    return bool(re.fullmatch(re.escape(name_prefix(endpoint)) + "(-[0-9a-f]{8}){2}", name))


def name_prefix(endpoint: str) -> str:
    """Return an endpoint's name, or where that is too long its first letters and its digest."""
    if len(endpoint) <= _LONGEST_PREFIX:
        return endpoint
    digest = digests.of_values(endpoint)[:8]
    return f"{endpoint[: _LONGEST_PREFIX - 9]}-{digest}"
