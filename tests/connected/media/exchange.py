"""A telephone exchange for tests: speaks the door's protocol by hand, mistakes included."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from contracts.base import Event
from contracts.call import CallEnded
from services.common.bus import Bus
from services.common.kept import read_call
from services.common.service import Service
from services.media.app import create_app
from services.media.settings import MediaSettings, Settings
from tests.conftest import free_port

PATIENCE_S = 15.0


@dataclass
class Door:
    """A running media service."""

    service: Service
    bus: Bus
    url: str
    site: str

    def start(self, call_id: str, /, **changes: Any) -> dict[str, Any]:
        """A start message; a change to None takes the field away."""
        said = {
            "type": "start",
            "protocol": 1,
            "call_id": call_id,
            "site": self.site,
            "agent_id": "008",
            "caller_number": "19900000000",
            "codec": "pcm16le",
            "rate": 8000,
            "layout": "stereo",
            "left": "agent",
            "pace": "replay",
        } | changes
        return {name: value for name, value in said.items() if value is not None}

    @asynccontextmanager
    async def socket(self, **options: Any) -> AsyncIterator[Exchange]:
        """A connection to the door."""
        async with connect(self.url, compression=None, **options) as connection:
            yield Exchange(connection)

    async def ended(self, call_id: str) -> list[Event]:
        """The call's kept events, once `ended` is among them."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                events = await read_call(self.bus, self.site, call_id)
                if any(isinstance(event, CallEnded) for event in events):
                    return events
                await asyncio.sleep(0.05)


class Exchange:
    """One socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, message: dict[str, Any] | str | bytes) -> None:
        """Send text, bytes or JSON."""
        text = json.dumps(message) if isinstance(message, dict) else message
        await self.connection.send(text)

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next message of a type; others before it are passed over."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                said: dict[str, Any] = json.loads(await self.connection.recv())
                if said["type"] == kind:
                    return said

    async def begin(self, start: dict[str, Any]) -> int:
        """Start; where the audio begins, ms."""
        await self.say(start)
        return int((await self.hear("started"))["received_ms"])

    async def closed(self) -> int | None:
        """The code the door closes with."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                while True:
                    await self.connection.recv()
            except ConnectionClosed:
                return self.connection.close_code


def quiet(ms: int, *, channels: int = 2, rate: int = 8000) -> bytes:
    """Line noise, interleaved."""
    noise = np.random.default_rng(7).normal(0, 20, (ms * rate // 1000, channels))
    return noise.astype("<i2").tobytes()


@asynccontextmanager
async def running(nats_url: str, bus: Bus, **media: Any) -> AsyncIterator[Door]:
    """The media service on a free port; settings of the group `media` by name."""
    port = free_port()
    options = {name: media.pop(name) for name in ("door_token",) if name in media}
    settings = Settings(
        site=bus.site,
        nats_url=nats_url,
        media=MediaSettings(**({"port": port} | media)),
        **options,
    )
    async with create_app(settings).running() as service:
        url = f"ws://127.0.0.1:{settings.media.port}/v1/audio"
        yield Door(service, bus, url, bus.site)
