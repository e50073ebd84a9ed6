"""A tool's connection to NATS: soon there, or a sentence that says what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
import nats.errors
from nats.aio.client import Client

from services.common.settings import ServiceSettings

PATIENCE_S = 5.0
"""How long a tool waits for a NATS server, seconds. Left alone, nats-py tries for two minutes."""


class BusUnreachable(RuntimeError):
    """There is no NATS server to talk to. The message is one sentence that says what to do."""


@asynccontextmanager
async def connected(address: str, token: str | None = None) -> AsyncIterator[Client]:
    """A client of the server at `address`, closed in the end. Raises BusUnreachable."""
    client = Client()
    try:
        async with asyncio.timeout(PATIENCE_S):
            await client.connect(address, token=token, error_cb=_hush)
    except (nats.errors.Error, OSError, TimeoutError) as error:
        await client.close()
        raise BusUnreachable(
            f"cannot reach NATS at {address} ({type(error).__name__}): "
            "start Banxi with `banxi up`, or set BANXI_NATS_URL"
        ) from None
    try:
        yield client
    finally:
        await client.close()


def token_of(settings: ServiceSettings) -> str | None:
    """The token for NATS, where one is set."""
    return settings.nats_token.get_secret_value() if settings.nats_token else None


async def _hush(_: Exception) -> None:
    """What goes wrong is raised where it is asked for; nats-py need not print it as well."""
