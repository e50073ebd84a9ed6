"""A service that is told to stop finishes what it has begun to put away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.common.bus import Bus
from services.common.process import until_stopped
from services.common.service import Service
from services.common.settings import ServiceSettings
from tests.until import until

pytestmark = pytest.mark.connected


async def test_it_stops_in_good_order_and_is_not_cut_off(
    nats_url: str, site: str, bus: Bus
) -> None:
    service = Service("records", ServiceSettings(nats_url=nats_url, site=site))
    put_away: list[str] = []

    @asynccontextmanager
    async def slow_to_leave(_: Bus) -> AsyncIterator[None]:
        yield
        for thing in ("first", "second"):
            await asyncio.sleep(0.05)
            put_away.append(thing)

    service.lives_with(slow_to_leave)
    life = asyncio.create_task(until_stopped(service))
    await until(lambda: service.ready)
    service.stopping.set()
    assert await asyncio.wait_for(life, 10) == ""
    assert put_away == ["first", "second"]
