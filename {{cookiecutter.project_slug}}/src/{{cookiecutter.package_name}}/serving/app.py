"""The application: FastAPI for what people and probes ask, and quick ways for predictions."""

from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse
from fastapi_offline import FastAPIOffline

from ..settings import NAME
from . import document, page
from .batching import Batcher
from .current import Holder
from .front import Front
from .limits import Doorkeeper, Limits
from .metrics import Metrics
from .refusals import RefusedError
from .scoring import Scoring


def make(
    holder: Holder, metrics: Metrics, token: str | None = None, limits: Limits | None = None
) -> Front:
    """Return the application that answers with whatever model the holder holds."""
    bounds = limits or Limits()
    door = Doorkeeper(bounds)
    metrics.inside.set_function(lambda: door.inside)
    metrics.serves(holder.now.served.origin)
    batcher = Batcher(metrics.batches.observe)
    scoring = Scoring(holder, batcher, bounds)
    form = page.Page(holder, batcher)
    answers = {
        ("POST", "/invocations"): scoring.invocations,
        ("POST", "/predict"): scoring.predict,
        ("GET", "/"): form.empty,
        ("POST", "/"): form.answered,
    }
    return Front(answers, _inside(holder, metrics), door, metrics, token)


def _inside(holder: Holder, metrics: Metrics) -> FastAPI:
    app = FastAPIOffline(title=NAME, redoc_url=None)

    @app.get("/ping", response_class=PlainTextResponse)
    @app.get("/health", response_class=PlainTextResponse)
    @app.get("/ready", response_class=PlainTextResponse)
    async def alive() -> str:
        """Tell SageMaker, MLflow's clients and probes that a model answers: none, no server."""
        return "\n"

    @app.get("/version", response_class=PlainTextResponse)
    async def version() -> str:
        """Return the version of the model that answers."""
        return holder.now.served.origin.version

    @app.get("/metadata")
    async def metadata() -> dict[str, Any]:
        """Return which model answers, what it takes and what it gives."""
        return _told(holder)

    @app.get("/metrics", response_class=PlainTextResponse)
    async def figures() -> Response:
        """Return what Prometheus reads."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    app.openapi = lambda: document.of(app, holder.now)  # type: ignore[method-assign]

    @app.exception_handler(404)
    async def unknown(request: Any, error: Exception) -> Response:
        refused = RefusedError(404, "there is no such path; /docs lists them")
        return Response(refused.body(), 404, media_type="application/json")

    return app


def _told(holder: Holder) -> dict[str, Any]:
    served = holder.now.served
    origin = served.origin
    inputs = [
        {name: value for name, value in vars(it).items() if value not in {None, (), False}}
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
    }
