"""An endpoint of Amazon SageMaker: what is there, what is made, and the way back.

Models and configurations there never change, so each is named by its content: the same model on the
same machines has the same names. What is there already is not made again, and what fails is taken
back.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ...core import hashing
from ...core.errors import UsageError, WorldError
from ...modeling.loading import Answer, ModelOrigin


def aws_client(name: str, region: str | None) -> Any:
    """Return a client of a service; raises UsageError where boto3 is missing."""
    try:
        import boto3
    except ImportError:
        raise UsageError("sagemaker needs boto3; add it to pyproject.toml and lock") from None
    with aws_errors():
        return boto3.session.Session(region_name=region).client(name)


@contextmanager
def aws_errors() -> Iterator[None]:
    """Turn what Amazon's interface raises into one sentence."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        first = str(error).splitlines()[0]
        raise WorldError(f"SageMaker: {first:.300}; check region, credentials and role") from None


_VARIANT = "model"
_LONGEST_PREFIX = 40
"""A name there has 63 characters at most, and the two digests in ours take 18."""


@dataclass(frozen=True)
class Deployment:
    """What is to be served where: the image with the model inside, the role, the machines."""

    origin: ModelOrigin
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
        digest = hashing.of_values([self.origin.digest, told])
        return f"{name_prefix(self.endpoint)}-{self.origin.digest[:8]}-{digest[:8]}"


def is_name_of(endpoint: str, name: str) -> bool:
    """Tell whether a model or a configuration was made for an endpoint, by its whole name."""
    return bool(re.fullmatch(re.escape(name_prefix(endpoint)) + "(-[0-9a-f]{8}){2}", name))


def name_prefix(endpoint: str) -> str:
    """Return an endpoint's name, or where that is too long its first letters and its digest."""
    if len(endpoint) <= _LONGEST_PREFIX:
        return endpoint
    digest = hashing.of_values(endpoint)[:8]
    return f"{endpoint[: _LONGEST_PREFIX - 9]}-{digest}"


_PATIENCE = 3600
"""Seconds that an endpoint may take to be ready."""
_AT_WORK = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}


class Endpoints:
    """SageMaker as this project uses it."""

    def __init__(self, client: Any, runtime: Any, seconds: float = 15) -> None:
        """`seconds` pass between two looks at an endpoint that is at work."""
        self._client, self._runtime, self._seconds = client, runtime, seconds

    def config_of(self, endpoint: str) -> str | None:
        """Return the configuration that an endpoint has, or None where there is no endpoint."""
        found = self._described("describe_endpoint", EndpointName=endpoint)
        return None if found is None else str(found["EndpointConfigName"])

    def steps(self, wanted: Deployment) -> Sequence[str]:
        """Return in words what `deploy` would do."""
        model, config = wanted.model, wanted.config
        name, before = config["EndpointConfigName"], self.config_of(wanted.endpoint)
        steps = []
        if self._described("describe_model", ModelName=model["ModelName"]) is None:
            steps.append(f"create the model {model['ModelName']} of {wanted.image}")
        if self._described("describe_endpoint_config", EndpointConfigName=name) is None:
            steps.append(f"create the configuration {name}: {wanted.count} {wanted.instance}")
        if before is None:
            steps.append(f"create the endpoint {wanted.endpoint}")
        elif before != name:
            steps.append(f"move the endpoint {wanted.endpoint} from {before}, without downtime")
        return steps

    def deploy(self, wanted: Deployment) -> str | None:
        """Let the endpoint serve what is wanted, and return the configuration that it had before.

        Raises WorldError where SageMaker could not; then the endpoint is as it was.
        """
        model, config = wanted.model, wanted.config
        name, before = config["EndpointConfigName"], self.config_of(wanted.endpoint)
        with aws_errors():
            if self._described("describe_model", ModelName=model["ModelName"]) is None:
                self._client.create_model(**model)
            if self._described("describe_endpoint_config", EndpointConfigName=name) is None:
                self._client.create_endpoint_config(**config)
            if before is None:
                self._client.create_endpoint(EndpointName=wanted.endpoint, EndpointConfigName=name)
            elif before != name:
                self._client.update_endpoint(EndpointName=wanted.endpoint, EndpointConfigName=name)
        found = self._settled(wanted.endpoint)
        if found["EndpointStatus"] != "InService" or found["EndpointConfigName"] != name:
            reason = found.get("FailureReason", f"it is {found['EndpointStatus']}")
            self.go_back(wanted.endpoint, before)
            raise WorldError(
                f"SageMaker: {wanted.endpoint} could not serve {name} ({reason:.300}); "
                f"{_after(before)}"
            )
        return before

    def go_back(self, endpoint: str, before: str | None) -> None:
        """Let an endpoint be as it was: with the configuration before, or gone."""
        with aws_errors():
            if before is None:
                self._client.delete_endpoint(EndpointName=endpoint)
            elif self.config_of(endpoint) != before:
                self._client.update_endpoint(EndpointName=endpoint, EndpointConfigName=before)
                self._settled(endpoint)

    def ask(self, endpoint: str, rows: Sequence[Mapping[str, Any]]) -> Answer:
        """Return what an endpoint says to rows, column by column."""
        body = json.dumps({"dataframe_records": [dict(row) for row in rows]})
        with aws_errors():
            answer = self._runtime.invoke_endpoint(
                EndpointName=endpoint, ContentType="application/json", Body=body
            )
            content = answer["Body"].read()
        try:
            records = json.loads(content)["predictions"]
            return {name: [record[name] for record in records] for name in records[0]}
        except (ValueError, KeyError, TypeError, IndexError):
            raise WorldError(f"SageMaker: {endpoint} answers something else than rows") from None

    def delete(self, endpoint: str) -> Sequence[str]:
        """Delete an endpoint and all that this project has made for it; return the names."""
        gone = []
        with aws_errors():
            if self.config_of(endpoint) is not None:
                self._client.delete_endpoint(EndpointName=endpoint)
                gone.append(endpoint)
            for kind in ("EndpointConfig", "Model"):
                for name in self._names(kind, endpoint):
                    act = {"EndpointConfig": "delete_endpoint_config", "Model": "delete_model"}
                    getattr(self._client, act[kind])(**{f"{kind}Name": name})
                    gone.append(name)
        return gone

    def _names(self, kind: str, endpoint: str) -> list[str]:
        pages = {"EndpointConfig": "list_endpoint_configs", "Model": "list_models"}
        found = self._client.get_paginator(pages[kind]).paginate(NameContains=name_prefix(endpoint))
        names = [it[f"{kind}Name"] for page in found for it in page[f"{kind}s"]]
        return [name for name in names if is_name_of(endpoint, name)]

    def _settled(self, endpoint: str) -> Mapping[str, Any]:
        """Wait until an endpoint is no longer at work; return what is said of it."""
        ends = time.monotonic() + _PATIENCE
        while True:
            found = self._described("describe_endpoint", EndpointName=endpoint)
            if found is None:
                raise WorldError(f"SageMaker: {endpoint} has gone; run the same command again")
            if found["EndpointStatus"] not in _AT_WORK or time.monotonic() > ends:
                return found
            time.sleep(self._seconds)

    def _described(self, act: str, **name: str) -> Mapping[str, Any] | None:
        from botocore.exceptions import ClientError

        with aws_errors():
            try:
                found: Mapping[str, Any] = getattr(self._client, act)(**name)
            except ClientError as error:
                if "Could not find" in str(error) or "does not exist" in str(error):
                    return None
                raise
        return found


def _after(before: str | None) -> str:
    return "it was deleted again" if before is None else f"it is back at {before}"


def connect(region: str | None) -> Endpoints:
    """Return SageMaker in a region; raises UsageError where boto3 is missing."""
    return Endpoints(*(aws_client(name, region) for name in ("sagemaker", "sagemaker-runtime")))
