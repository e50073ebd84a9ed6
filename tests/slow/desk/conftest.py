"""A desk that can be stopped and started again under a page, and the real knowledge service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from contracts import subjects
from contracts.requests import Embed
from services.common.bus import Bus
from services.knowledge.app import create_app
from services.knowledge.settings import KnowledgeSettings, Settings
from tests.connected.desk.running import RunningDesk, running_desk
from tests.unit.knowledge.bags import Bags


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


@pytest.fixture
async def knowing(bus: Bus, nats_url: str, tmp_path: Path) -> AsyncIterator[None]:
    """The knowledge service with an empty base and a simple embedding."""
    bags = Bags()

    async def embed(message: Any) -> None:
        asked = Embed.model_validate_json(message.data)
        made = await bags.embed(asked.texts, "query" if asked.purpose == "query" else "passage")
        await message.respond(made.model_dump_json().encode())

    await bus.client.subscribe(subjects.command(bus.site, Embed.service, Embed.verb), cb=embed)
    await bus.heard()
    group = KnowledgeSettings(sample_base=False)
    place = tmp_path / "knowing"
    settings = Settings(site=bus.site, nats_url=nats_url, data_dir=place, knowledge=group)
    async with create_app(settings).running():
        yield
