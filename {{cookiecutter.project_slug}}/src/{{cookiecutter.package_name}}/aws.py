"""Amazon's interfaces on our terms: one client for each, and what they raise in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import UsageError, WorldError


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
