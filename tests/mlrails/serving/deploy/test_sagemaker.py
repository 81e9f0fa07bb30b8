import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import callers
import fakes
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber
from moto import mock_aws

from mlrails.core import hashing, layout
from mlrails.core.errors import UsageError, WorldError
from mlrails.core.settings import Settings
from mlrails.modeling import loading
from mlrails.serving.deploy import endpoints, sagemaker
from mlrails.serving.deploy.endpoints import Deployment, Endpoints

ORIGIN = loading.ModelOrigin("ab" * 32, "7", "flights")
IMAGE, ROLE = "1.dkr.ecr.eu-west-1.amazonaws.com/flights:7", "arn:aws:iam::123456789012:role/it"
WANTED = Deployment(ORIGIN, IMAGE, ROLE, "ml.m5.large", 2, "late")
OTHER = Deployment(ORIGIN, IMAGE, ROLE, "ml.m5.xlarge", 1, "late")
NAME = WANTED.config["EndpointConfigName"]
ORDER = sagemaker.Order("late", IMAGE, ROLE, "ml.m5.large", 1)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


@pytest.fixture
def amazon() -> Iterator[Any]:
    """SageMaker in memory."""
    with mock_aws():
        yield boto3.client("sagemaker")


@pytest.fixture
def here(project: Path, fake: fakes.FakeClient) -> Path:
    digest = hashing.of_folder(project / layout.MODEL)
    (project / layout.METRICS).write_text(json.dumps({"digest": digest}))
    (project / layout.DIGEST).write_text(digest)
    return project


class Runtime:
    """Answers as the model's container would."""

    def __init__(self, folder: Path) -> None:
        self.served = callers.model(folder)
        self.bend = 0.0

    def invoke_endpoint(self, EndpointName: str, ContentType: str, Body: str) -> Any:  # noqa: N803
        front = callers.application_of(self.served)
        answer = callers.ask(front, "POST", "/invocations", json.loads(Body)).json()
        for record in answer["predictions"]:
            record["prediction"] += self.bend
        text = json.dumps(answer).encode()
        return {"Body": StreamingBody(io.BytesIO(text), len(text))}


def test_what_is_planned_is_done_once_and_then_deleted(
    amazon: Any, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = Endpoints(amazon, Runtime(here / layout.MODEL), seconds=0)
    sagemaker.plan(Settings(here), "champion", ORDER, there)
    assert there.config_of("late") is None
    named, *planned = capsys.readouterr().out.replace("plan:", "deploy:").splitlines()
    assert named.startswith("sagemaker: version local (") and "of this folder" in named
    sagemaker.deploy(Settings(here), "champion", ORDER, there)
    done = capsys.readouterr().out.splitlines()[1:]
    assert len(planned) == 3 and done[:3] == planned
    assert done[3].startswith("deploy: late serves version local")
    (model,) = amazon.list_models()["Models"]
    container = amazon.describe_model(ModelName=model["ModelName"])["PrimaryContainer"]
    assert container["Image"] == IMAGE
    assert container["Environment"] == {"SERVING_EVERYONE": "true"}
    variants = amazon.describe_endpoint(EndpointName="late")["ProductionVariants"]
    assert variants[0]["CurrentInstanceCount"] == 1

    sagemaker.deploy(Settings(here), "champion", ORDER, there)
    sagemaker.plan(Settings(here), "champion", ORDER, there)
    assert "plan: nothing: it serves this model already" in capsys.readouterr().out

    amazon.create_model(ModelName="other", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "x"})
    sagemaker.delete(ORDER, there)
    assert [it["ModelName"] for it in amazon.list_models()["Models"]] == ["other"]
    assert not amazon.list_endpoints()["Endpoints"]
    assert not amazon.list_endpoint_configs()["EndpointConfigs"]
    sagemaker.delete(ORDER, there)
    assert "nothing: there is none" in capsys.readouterr().out


def test_an_endpoint_that_answers_wrongly_is_taken_back(amazon: Any, here: Path) -> None:
    runtime = Runtime(here / layout.MODEL)
    runtime.bend = 1.0
    there = Endpoints(amazon, runtime, seconds=0)
    with pytest.raises(WorldError, match=r"went back, since it answers .* otherwise"):
        sagemaker.deploy(Settings(here), "champion", ORDER, there)
    assert there.config_of("late") is None


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        ("flight-delays", "flight-delays-staging"),
        ("flight-delays", "flight-delays-0123abcd"),
        ("it" * 25 + "-live", "it" * 25 + "-staging"),
        ("i" * 63, "i" * 40),
    ],
)
def test_what_is_of_another_endpoint_is_not_deleted(amazon: Any, gone: str, left: str) -> None:
    there = Endpoints(amazon, None, seconds=0)
    wanted = Deployment(ORIGIN, IMAGE, ROLE, "ml.m5.large", 1, left)
    for it in (wanted, Deployment(ORIGIN, IMAGE, ROLE, "ml.m5.large", 1, gone)):
        there.deploy(it)
    assert len(there.delete(gone)) == 3
    assert there.config_of(left) == wanted.config["EndpointConfigName"]
    assert there.steps(wanted) == []


def test_names_are_of_the_content() -> None:
    assert WANTED.model["ModelName"] == OTHER.model["ModelName"]
    assert WANTED.config["EndpointConfigName"] != OTHER.config["EndpointConfigName"]
    assert Deployment(ORIGIN, "x", ROLE, "a", 1, "late").model != WANTED.model
    longest = Deployment(ORIGIN, IMAGE, ROLE, "a", 1, "i" * 63)
    assert all(len(it.model["ModelName"]) <= 63 for it in (WANTED, longest))


@pytest.fixture
def stub() -> Iterator[Stubber]:
    client = boto3.client("sagemaker")
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def expect_endpoint(stub: Stubber, config: str, status: str = "InService", **more: str) -> None:
    told = {"EndpointName": "late", "EndpointArn": "a" * 20, "EndpointConfigName": config}
    times = {"CreationTime": 0, "LastModifiedTime": 0}
    answer = {**told, **times, "EndpointStatus": status, **more}
    stub.add_response("describe_endpoint", answer, {"EndpointName": "late"})


def expect_made(stub: Stubber) -> None:
    """The model and the configuration are there already."""
    model, config = WANTED.model["ModelName"], WANTED.config
    told = {"ModelName": model, "ModelArn": "a" * 20, "CreationTime": 0}
    stub.add_response("describe_model", told, {"ModelName": model})
    told = {**config, "EndpointConfigArn": "a" * 20, "CreationTime": 0}
    stub.add_response("describe_endpoint_config", told, {"EndpointConfigName": NAME})


def expect_update(stub: Stubber, config: str) -> None:
    asked = {"EndpointName": "late", "EndpointConfigName": config}
    stub.add_response("update_endpoint", {"EndpointArn": "a" * 20}, asked)


def test_an_update_waits_until_the_new_model_serves(stub: Stubber) -> None:
    expect_endpoint(stub, "before")
    expect_made(stub)
    expect_update(stub, NAME)
    expect_endpoint(stub, "before", "Updating")
    expect_endpoint(stub, NAME)
    assert Endpoints(stub.client, None, seconds=0).deploy(WANTED) == "before"


def test_an_update_that_sagemaker_took_back_is_told(stub: Stubber) -> None:
    expect_endpoint(stub, "before")
    expect_made(stub)
    expect_update(stub, NAME)
    expect_endpoint(stub, "before", "RollingBack")
    expect_endpoint(stub, "before", FailureReason="no health")
    expect_endpoint(stub, "before")
    with pytest.raises(WorldError, match=r"could not serve .* \(no health\); it is back at before"):
        Endpoints(stub.client, None, seconds=0).deploy(WANTED)


def test_an_update_that_failed_is_taken_back(stub: Stubber) -> None:
    expect_endpoint(stub, "before")
    expect_made(stub)
    expect_update(stub, NAME)
    expect_endpoint(stub, NAME, "Failed", FailureReason="no image")
    expect_endpoint(stub, NAME, "Failed")
    expect_update(stub, "before")
    expect_endpoint(stub, "before")
    with pytest.raises(WorldError, match="no image"):
        Endpoints(stub.client, None, seconds=0).deploy(WANTED)


def test_a_first_endpoint_that_failed_is_deleted(stub: Stubber) -> None:
    missing = {"service_error_code": "ValidationException", "service_message": "Could not find it"}
    stub.add_client_error("describe_endpoint", **missing)
    expect_made(stub)
    asked = {"EndpointName": "late", "EndpointConfigName": NAME}
    stub.add_response("create_endpoint", {"EndpointArn": "a" * 20}, asked)
    expect_endpoint(stub, NAME, "Failed", FailureReason="no capacity")
    stub.add_response("delete_endpoint", {}, {"EndpointName": "late"})
    with pytest.raises(WorldError, match=r"\(no capacity\); it was deleted again"):
        Endpoints(stub.client, None, seconds=0).deploy(WANTED)


def test_what_amazon_refuses_is_one_sentence(stub: Stubber) -> None:
    stub.add_client_error("describe_endpoint", "AccessDenied", "not you")
    with pytest.raises(WorldError, match=r"not you.*; check region, credentials and role"):
        Endpoints(stub.client, None).config_of("late")


def test_what_a_person_gets_wrong_is_one_sentence(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="choose plan, deploy or delete"):
        sagemaker.run("destroy", Settings(here), "champion", ORDER)
    order = sagemaker.Order("late", None, ROLE, "ml.m5.large", 1)
    with pytest.raises(UsageError, match="--image and --role"):
        sagemaker.run("plan", Settings(here), "champion", order)
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(WorldError, match="region"):
        endpoints.aws_client("sagemaker", None)
