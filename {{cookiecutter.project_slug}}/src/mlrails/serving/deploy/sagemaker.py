"""Serve the champion's image on Amazon SageMaker: say what would be done, do it, take it away."""

from dataclasses import dataclass

from ...core.console import say
from ...core.errors import UsageError, WorldError
from ...core.settings import Settings
from ...modeling import loading
from ...registry import resolve
from . import endpoints
from .endpoints import Deployment, Endpoints


@dataclass(frozen=True)
class Order:
    """What a person asks for."""

    endpoint: str
    image: str | None
    role: str | None
    instance: str
    count: int
    region: str | None = None


def run(act: str, settings: Settings, wanted: str, order: Order) -> None:
    """Plan, deploy or delete; raises UsageError for anything else."""
    if act not in {"plan", "deploy", "delete"}:
        raise UsageError(f"sagemaker {act!r}: choose plan, deploy or delete")
    there = endpoints.connect(order.region)
    if act == "delete":
        delete(order, there)
    else:
        {"plan": plan, "deploy": deploy}[act](settings, wanted, order, there)


def plan(settings: Settings, wanted: str, order: Order, there: Endpoints) -> None:
    """Say what `deploy` would do; nothing changes."""
    steps = there.steps(_of(settings, wanted, order)[0])
    for step in steps or ["nothing: it serves this model already"]:
        say(f"plan: {step}")


def deploy(settings: Settings, wanted: str, order: Order, there: Endpoints) -> None:
    """Let the endpoint serve the image, and go back unless it answers the model's example rightly.

    Raises WorldError where it could not; then the endpoint is as it was.
    """
    target, model = _of(settings, wanted, order)
    steps = there.steps(target)
    for step in steps:
        say(f"deploy: {step}")
    before = there.deploy(target)
    try:
        answer = there.ask(target.endpoint, model.interface.example)
        right = loading.same(answer, model.try_example())
        problem = "" if right else "it answers the model's example otherwise than the model does"
    except WorldError as error:
        problem = str(error)
    if problem:
        there.go_back(target.endpoint, before)
        raise WorldError(
            f"{target.endpoint}: went back, since {problem}; is the image the model's?"
        )
    origin = model.origin
    say(f"deploy: {target.endpoint} serves version {origin.version} ({origin.digest[:12]})")


def delete(order: Order, there: Endpoints) -> None:
    """Delete the endpoint with its configurations and models."""
    gone = there.delete(order.endpoint)
    for name in gone or ["nothing: there is none"]:
        say(f"delete: {name}")


def _of(settings: Settings, wanted: str, order: Order) -> tuple[Deployment, loading.LoadedModel]:
    if not order.image or not order.role:
        raise UsageError("--image and --role: name the pushed image and the role that runs it")
    looked = resolve.Resolver(settings, wanted)
    version, digest = looked.pointed()
    say(f"sagemaker: {looked.named(version, digest)}")
    with looked.bytes(version, digest) as (folder, origin):
        model = loading.load_copy(folder, origin)
    target = Deployment(
        origin, order.image, order.role, order.instance, order.count, order.endpoint
    )
    return target, model
