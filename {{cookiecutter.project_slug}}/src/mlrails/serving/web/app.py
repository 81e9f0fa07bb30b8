"""The application: FastAPI for what people and probes ask, and quick ways for predictions."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi_offline import FastAPIOffline
from starlette.routing import Route

from ..http.limits import Doorkeeper, Limits
from ..http.messages import RefusedError, another_method
from ..http.telemetry import Metrics
from ..model.current import Holder
from ..model.scoring import WAYS, Batcher, Scoring
from ..requests.log import RequestLog
from . import openapi, page
from .explain import Explaining
from .fast_path import Quick
from .front import Front


def make(
    holder: Holder,
    metrics: Metrics,
    token: str | None = None,
    limits: Limits | None = None,
    root_path: str = "",
    log: RequestLog | None = None,
) -> Front:
    """Return the application that answers with whatever model the holder holds.

    `log` keeps what is asked and answered, by programs and not by the page.
    """
    bounds = limits or Limits()
    door = Doorkeeper(bounds)
    metrics.counts(lambda: door.inside)
    metrics.serves(holder.now.served.origin)
    batcher = Batcher(metrics.batches.observe)
    scoring = Scoring(holder, batcher, bounds, log)
    explaining = Explaining(holder, bounds)
    form = page.Page(holder, batcher, explaining)
    answers = {
        **{("POST", path): scoring.answering(way) for path, way in WAYS.items()},
        ("POST", "/explain"): explaining.answered,
        ("GET", "/"): form.empty,
        ("POST", "/"): form.answered,
    }
    inside = _inside(holder, metrics)
    known = [route.path for route in inside.routes if isinstance(route, Route)]
    front = Front(answers, inside, known, door, metrics, token, root_path)
    front.quick = Quick(WAYS, holder, batcher, front, log)
    return front


_PROBES = {
    "/ping": "Answer the probe of SageMaker.",
    "/health": "Answer the probe of MLflow's clients.",
    "/ready": "Answer the probe of whoever sends requests here.",
}
_VERSION = "Name the version that answers."
_TOLD = "Tell what the model takes and gives."
_FIGURES = "Give the figures to Prometheus."


def _inside(holder: Holder, metrics: Metrics) -> FastAPI:
    # A redirect would lead to whatever host the caller names.
    name = holder.now.served.origin.name
    app = FastAPIOffline(title=name, redoc_url=None, redirect_slashes=False)
    plain: Any = {"response_class": PlainTextResponse}

    async def ready() -> str:
        return f"{holder.now.noticed()}\n"

    for path, summary in _PROBES.items():
        probe = app.get(path, tags=["probes"], summary=summary, operation_id=path[1:], **plain)
        probe(ready if path == "/ready" else _alive)

    @app.get("/version", operation_id="version", tags=["model"], summary=_VERSION, **plain)
    async def version() -> str:
        return holder.now.served.origin.version

    @app.get("/metadata", operation_id="metadata", tags=["model"], summary=_TOLD)
    async def metadata() -> dict[str, Any]:
        return _told(holder)

    @app.get("/metrics", operation_id="metrics", tags=["probes"], summary=_FIGURES, **plain)
    async def figures() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    app.openapi = lambda: openapi.describe(app, holder.now)  # type: ignore[method-assign]
    app.add_exception_handler(404, _unknown)
    app.add_exception_handler(405, _another_method)
    return app


async def _alive() -> str:
    """Without a model there is no server, so whoever answers is well."""
    return "\n"


async def _unknown(request: Request, error: Any) -> Response:
    return _refusal(RefusedError(404, "there is no such path; /docs lists them"))


async def _another_method(request: Request, error: Any) -> Response:
    allowed = error.headers["Allow"]
    path = request.scope["path"].removeprefix(request.scope["root_path"])
    return _refusal(another_method(path, allowed))


def _refusal(refused: RefusedError) -> Response:
    return Response(refused.body(), refused.status, refused.headers, "application/json")


def _is_unsaid(value: object) -> bool:
    return value is None or value is False or value == ()


def _told(holder: Holder) -> dict[str, Any]:
    served = holder.now.served
    origin = served.origin
    inputs = [
        {name: value for name, value in vars(it).items() if not _is_unsaid(value)}
        for it in served.inputs
    ]
    return {
        "name": origin.name,
        "version": origin.version,
        "digest": origin.digest,
        "trained": origin.trained,
        "task": served.predictor.task,
        "inputs": inputs,
        "outputs": dict(served.interface.outputs),
        **({"interval": level} if (level := served.interface.level) else {}),
    }
