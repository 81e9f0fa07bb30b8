"""An endpoint of Amazon SageMaker: what is there, what is made, and the way back.

What is there already is not made again, and what fails is taken back.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from .aws import aws_client, aws_errors
from .deployment import Deployment, is_name_of, name_prefix
from .errors import WorldError
from .served import Answer

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
