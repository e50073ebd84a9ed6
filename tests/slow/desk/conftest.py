"""A desk that can be stopped and started again under a page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from services.common.bus import Bus
from tests.connected.desk.running import RunningDesk, running_desk


class Restartable:
    """A desk that can be stopped and started again at the same address."""

    def __init__(self, nats_url: str, site: str, data_dir: Path) -> None:
        self._where = (nats_url, site, data_dir)
        self._stack = AsyncExitStack()
        self.desk: RunningDesk | None = None

    async def start(self) -> RunningDesk:
        port = self.desk.port if self.desk else None
        self.desk = await self._stack.enter_async_context(running_desk(*self._where, port))
        return self.desk

    async def stop(self) -> None:
        await self._stack.aclose()
        self._stack = AsyncExitStack()


@pytest.fixture
async def restartable(nats_url: str, bus: Bus, tmp_path: Path) -> AsyncIterator[Restartable]:
    desk = Restartable(nats_url, bus.site, tmp_path)
    yield desk
    await desk.stop()
