"""Watches the knowledge base for the pages: how it is, so that agents' pages can say when no card
may come, and that it changed, so that no page goes on showing what it held before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import nats.errors
from nats.aio.msg import Msg
from pydantic import ValidationError

from contracts import subjects
from contracts.news import BaseChanged
from contracts.requests import Describe, Description
from services.common.bus import Bus, RequestFailed
from services.common.tasks import ended
from services.desk.follow import in_background
from services.desk.pages import Pages

EVERY_S = 4.0
ANSWER_S = 2.0
MISSED = 2
"""So many questions in a row without an answer count as a knowledge base that is away."""
TELL_EVERY_S = 0.2
"""At most so often the pages are told of changes; the first of several at once."""
LOOK_S = 0.5
"""So often it is looked whether the bus was away, and news with it."""


class KnowledgeState:
    """Asks the knowledge service how it is, now and then, and hears of changes."""

    def __init__(self, bus: Bus, pages: Pages) -> None:
        self._bus = bus
        self._pages = pages
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def running(
        self, ready: asyncio.Event, failed: Callable[[str], None]
    ) -> AsyncIterator[None]:
        """Ask in the background once `ready`. `failed` hears a sentence where that stops."""
        subject = subjects.news(self._bus.site, BaseChanged.event)
        news = await self._bus.client.subscribe(subject, cb=self._hear)
        tasks = [in_background(part, failed) for part in (self._ask(ready), self._tell())]
        try:
            yield
        finally:
            await ended(*tasks)
            with suppress(nats.errors.Error):
                await news.unsubscribe()

    async def _hear(self, _: Msg) -> None:
        # Whatever it says: a change that another process told of may only now be known to this one.
        self._changed.set()

    async def _tell(self) -> None:
        connections = self._bus.client.stats["reconnects"]
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), LOOK_S)
            again = self._bus.client.stats["reconnects"]
            if self._changed.is_set() or again != connections:
                connections = again
                self._changed.clear()
                self._pages.base_changed()
                await asyncio.sleep(TELL_EVERY_S)

    async def _ask(self, ready: asyncio.Event) -> None:
        await ready.wait()
        missed = 0
        while True:
            try:
                described = await self._bus.request_of(
                    "knowledge", Describe(), Description, timeout_s=ANSWER_S
                )
                missed = 0
                self._pages.show_knowledge(sentence(described))
            except (RequestFailed, nats.errors.Error, ValidationError):
                missed += 1
                if missed >= MISSED:
                    self._pages.show_knowledge(sentence(None))
            await asyncio.sleep(EVERY_S)


def sentence(described: Description | None) -> str:
    """What agents should know of the knowledge base; empty where all is well. None: it does not
    answer."""
    if described is None:
        return "知识库暂时没有回应，答案卡先不会出现；拿不准的请转主管部门。"
    if described.figures.get("by_words_alone"):
        return "知识库暂时只按字面和读音查找，可能有查不到的。"
    if described.figures.get("lacking") or not described.ready:
        return "知识库还在准备，答案可能不全。"
    return ""
