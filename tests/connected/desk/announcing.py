"""The part of the knowledge service that keeps agreed wordings, alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.common.bus import Bus
from services.common.service import Service
from services.common.settings import ServiceSettings
from services.knowledge.announced.requests import WordingRequests
from services.knowledge.announced.store import WordingStore
from services.knowledge.entries.region_requests import RegionRequests
from services.knowledge.entries.regions import RegionTree
from services.knowledge.keeping.store import Store

TREE = RegionTree({"青川省": None, "临江市": "青川省", "云岭县": "临江市", "安平市": "青川省"})


@asynccontextmanager
async def wordings_kept(nats_url: str, bus: Bus, folder: Path) -> AsyncIterator[Service]:
    """Answer about wordings from a database in a folder, and tell what changes."""
    settings = ServiceSettings(site=bus.site, nats_url=nats_url, data_dir=folder)
    service = Service("knowledge", settings)
    requests = WordingRequests(TREE)

    @asynccontextmanager
    async def keeping(bus: Bus) -> AsyncIterator[None]:
        store = Store(folder / "knowledge.db")
        await store.open()
        try:
            requests.use(WordingStore(store.database))
            async with requests.telling(bus, service.log):
                yield
        finally:
            await store.close()

    requests.answer_on(service)
    RegionRequests(TREE, "临江市").answer_on(service)
    service.lives_with(keeping)
    async with service.running():
        yield service
