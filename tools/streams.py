"""`banxi streams`: declare the streams on a NATS server of your own."""

from __future__ import annotations

import asyncio

import nats.errors
import typer

from services.common import streams
from services.common.settings import ServiceSettings, load
from tools.connection import BusUnreachable, connected, token_of

app = typer.Typer(help="The streams of the bus. `banxi up` declares them by itself.")


@app.callback()
def streams_group() -> None:
    """The streams of the bus, on a NATS server of your own."""


@app.command()
def declare(replicas: int = 1) -> None:
    """Create the streams at BANXI_NATS_URL, or bring existing ones to our settings.

    Run it once against an existing cluster, with --replicas 3, before the services start.
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
    except nats.errors.Error as error:
        typer.echo(f"{settings.nats_url}: {type(error).__name__}: {error}", err=True)
        raise typer.Exit(1) from None
    names = ", ".join(str(config.name) for config in streams.definitions())
    typer.echo(f"declared: {names}")
