"""Whoever answers about the knowledge base: the running service, or the data directory itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date

import nats
import nats.errors
from nats.aio.client import Client

from contracts.requests import (
    Describe,
    Description,
    ImportKnowledge,
    KnowledgeFound,
    KnowledgeImported,
    SearchKnowledge,
)
from services.common.bus import Bus, RequestFailed
from services.common.logs import get_logger
from services.common.settings import prepare_directory
from services.knowledge.base import KnowledgeBase, open_base
from services.knowledge.requests import Requests
from services.knowledge.settings import Settings, region_tree

IMPORT_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Whoever answers: the running service, or the base opened here."""

    where: str
    search: Callable[[SearchKnowledge], Awaitable[KnowledgeFound]]
    import_: Callable[[ImportKnowledge], Awaitable[KnowledgeImported]]
    base: KnowledgeBase | None = None
    """The base, where it was opened here."""


@asynccontextmanager
async def reach_knowledge(settings: Settings) -> AsyncIterator[Knowledge]:
    """The running service where it answers, else the base of the data directory."""
    client = await _connect(settings)
    try:
        if client is not None:
            bus = Bus(client, site=settings.site, service="kb")
            if await _answers(bus):
                yield Knowledge(
                    "the running service",
                    search=lambda asked: bus.request(asked, KnowledgeFound, timeout_s=15),
                    import_=lambda asked: bus.request(
                        asked, KnowledgeImported, timeout_s=IMPORT_TIMEOUT_S
                    ),
                )
                return
    finally:
        if client is not None:
            await client.close()
    # Imported here: it brings the model's libraries, which the running service makes unnecessary.
    from tools.encoder import LocalEmbedder

    directory = prepare_directory(settings.data_dir)
    regions = region_tree(settings.knowledge)
    embedder = await asyncio.to_thread(LocalEmbedder)
    async with open_base(settings, regions, embedder, get_logger("kb")) as base:
        requests = Requests(date.today)
        requests.base = base
        yield Knowledge(
            f"{directory} (no running service answers)", requests.search, requests.import_, base
        )


async def _connect(settings: Settings) -> Client | None:
    async def quiet(_: Exception) -> None:
        """That nobody is there is said by what follows from it."""

    token = settings.nats_token.get_secret_value() if settings.nats_token else None
    try:
        return await nats.connect(
            settings.nats_url,
            token=token,
            connect_timeout=2,
            allow_reconnect=False,
            # One more than none: 0 means for ever to nats-py.
            max_reconnect_attempts=1,
            reconnect_time_wait=0.1,
            error_cb=quiet,
        )
    except (nats.errors.Error, TimeoutError, OSError):
        return None


async def _answers(bus: Bus) -> bool:
    try:
        await bus.request_of("knowledge", Describe(), Description, timeout_s=5)
    except RequestFailed:
        return False
    return True
