"""`banxi streams`: declare the streams on a NATS server of your own."""

from __future__ import annotations

import asyncio
from typing import Annotated

import nats.errors
import typer
from nats.js.errors import APIError

from services.common import streams
from services.common.settings import ServiceSettings, load
from tools.connection import BusUnreachable, connected, token_of

app = typer.Typer(help="The streams of the bus. `banxi up` declares them by itself.")


@app.callback()
def streams_group() -> None:
    """The streams of the bus, on a NATS server of your own."""


Replicas = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=5,
        help="Copies of each stream in a cluster, 3 for one of three nodes. "
        "Without it an existing stream keeps as many as it has; a new one gets one.",
    ),
]


@app.command()
def declare(replicas: Replicas = None) -> None:
    """Create the streams at BANXI_NATS_URL, or bring existing ones to our settings.

    Run it once against an existing cluster, with --replicas 3, before the services start, and
    again after an upgrade. What is in the streams stays.
    """
    settings = load(ServiceSettings)

    async def declared() -> None:
        async with connected(settings.nats_url, token_of(settings)) as client:
            await streams.declare(client.jetstream(), replicas)

    try:
        asyncio.run(declared())
    except BusUnreachable as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except APIError as error:
        typer.echo(f"{settings.nats_url} refuses: {error.description}", err=True)
        raise typer.Exit(1) from None
    except nats.errors.NoRespondersError:
        typer.echo(f"{settings.nats_url} has no JetStream: start it with -js", err=True)
        raise typer.Exit(1) from None
    except nats.errors.Error as error:
        typer.echo(f"{settings.nats_url}: {type(error).__name__}: {error}", err=True)
        raise typer.Exit(1) from None
    names = ", ".join(str(config.name) for config in streams.definitions())
    typer.echo(f"declared: {names}")
