"""Verbs for the model in use: serve it, score files with it, ship it."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from ..core import processes, sockets
from ..core.settings import Settings
from ..registry.versions import named
from .leaving import Kind, at, handed, here, leave

serving_verbs = typer.Typer()
Local = Annotated[bool, typer.Option("--local", help="Take this folder's model, ungated.")]


@serving_verbs.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8000,
    version: Annotated[int | None, typer.Option(help="Serve this version, and no other.")] = None,
    alias: Annotated[str | None, typer.Option(help="Serve what an alias points to.")] = None,
    registry: Kind = None,
    local: Local = False,
    every: Annotated[float, typer.Option(min=0, help="Seconds between looks for a new model.")] = 5,
    everyone: Annotated[bool, typer.Option(help="Let others in without a token.")] = False,
    root_path: Annotated[str | None, typer.Option(help="The path that a proxy puts above.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that answer.")] = None,
    drain: Annotated[float | None, typer.Option(help="Seconds from SIGTERM to the end.")] = None,
    requests: Annotated[str | None, typer.Option(help="A folder to keep requests in.")] = None,
    requests_share: Annotated[float | None, typer.Option(help="Keep this share of them.")] = None,
    requests_mib: Annotated[int | None, typer.Option(help="Keep as many mebibytes.")] = None,
) -> None:
    """Answer requests with the champion, and with the next one as soon as there is one."""
    processes.use_one_thread()
    from ..serving.process import options
    from ..serving.serve import ServeOptions, serve
    from ..sources import declared

    def begin() -> None:
        sockets.check_port(port, "--port")  # Before anything starts.
        model = named(version, alias, local)
        there = here().of_registry(registry)
        how = options.chosen(
            os.environ,
            root_path=root_path,
            drain=drain,
            workers=workers,
            written=declared.written(there),
            **_of_requests(context, requests, requests_share, requests_mib),
        )
        wanted = ServeOptions(host, port, model, registry, every, everyone, how)
        serve(there, wanted, handed(context).package)

    leave(begin)


def _of_requests(
    context: typer.Context, folder: str | None, share: float | None, mib: int | None
) -> dict[str, Any]:
    """Return what is kept of requests, with the columns that may be."""
    columns = [it.name for it in handed(context).columns if it.logged]
    told = {"requests": folder, "requests_share": share, "requests_mib": mib}
    return {**told, "requests_columns": columns}


@serving_verbs.command()
def predict(
    source: Annotated[str, typer.Argument(metavar="INPUT", help="CSV, Parquet, folder or glob.")],
    target: Annotated[str, typer.Argument(metavar="OUTPUT", help="A .parquet or .csv to write.")],
    version: Annotated[int | None, typer.Option(help="Score with this version.")] = None,
    alias: Annotated[str | None, typer.Option(help="Score with what an alias points to.")] = None,
    keep: Annotated[list[str] | None, typer.Option(help="A column to keep beside.")] = None,
    registry: Kind = None,
    local: Local = False,
) -> None:
    """Score files of any size; run it again after a kill, and it goes on.

    Paths are relative to the project's folder. Rows that the model does not take are told with
    reasons in OUTPUT's .refused file, and the exit code is 6.
    """
    from ..batch.predict import Job, predict

    job = Job(source, target, tuple(keep or ()))
    at(registry, lambda there: predict(there, job, named(version, alias, local)), writes=False)


@serving_verbs.command()
def fetch(
    target: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder to make.")],
    version: Annotated[int | None, typer.Option(help="Fetch this version.")] = None,
    alias: Annotated[str | None, typer.Option(help="Fetch what an alias points to.")] = None,
    registry: Kind = None,
) -> None:
    """Lay the champion into a folder, its digest and signature checked, for whoever checks none.

    The folder is relative to the project's. What lies there with other bytes is left as it is.
    """
    from ..lifecycle.fetch import fetch

    at(registry, lambda there: fetch(there, named(version, alias), target), writes=False)


@serving_verbs.command()
def image(
    context: typer.Context,
    target: Annotated[str, typer.Option("--output", help="The folder to make.")] = "build/image",
    version: Annotated[int | None, typer.Option(help="The image serves this version.")] = None,
    alias: Annotated[str | None, typer.Option(help="What an alias points to.")] = None,
    registry: Kind = None,
    local: Local = False,
) -> None:
    """Lay out the folder of which docker makes an image that serves the champion."""
    from ..serving.deploy.image import image

    columns = handed(context).columns
    at(
        registry,
        lambda there: image(there, named(version, alias, local), target, columns),
        writes=False,
    )


@serving_verbs.command()
def sagemaker(
    act: Annotated[str, typer.Argument(help="plan, deploy or delete.")],
    image: Annotated[str | None, typer.Option(help="The image, pushed to ECR.")] = None,
    role: Annotated[str | None, typer.Option(help="The ARN of the role that runs it.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="By default the project's name.")] = None,
    instance: Annotated[str, typer.Option(help="The type of machine.")] = "ml.m5.large",
    count: Annotated[int, typer.Option(help="How many machines.")] = 1,
    region: Annotated[str | None, typer.Option(help="By default that of the environment.")] = None,
    version: Annotated[int | None, typer.Option(help="The version inside the image.")] = None,
    alias: Annotated[str | None, typer.Option(help="The alias inside the image.")] = None,
    registry: Kind = None,
    local: Local = False,
) -> None:
    """Serve the champion's image on Amazon SageMaker; an update has no downtime."""
    from ..serving.deploy.sagemaker import Order, run

    def begin(there: Settings) -> None:
        order = Order(endpoint or there.name, image, role, instance, count, region)
        run(act, there, named(version, alias, local), order)

    at(registry, begin, writes=False)
