"""Watches how the knowledge base is, so that agents' pages can say when no card may come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import nats.errors
from pydantic import ValidationError

from contracts.requests import Describe, Description
from services.common.bus import Bus, RequestFailed
from services.desk.follow import in_background
from services.desk.pages import Pages

EVERY_S = 4.0
ANSWER_S = 2.0
MISSED = 2
"""So many questions in a row without an answer count as a knowledge base that is away."""


class KnowledgeState:
    """Asks the knowledge service how it is, now and then."""

    def __init__(self, bus: Bus, pages: Pages) -> None:
        self._bus = bus
        self._pages = pages

    @asynccontextmanager
    async def running(
        self, ready: asyncio.Event, failed: Callable[[str], None]
    ) -> AsyncIterator[None]:
        """Ask in the background once `ready`. `failed` hears a sentence where that stops."""
        task = in_background(self._ask(ready), failed)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

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
        return "知识库正在整理，暂时只按字面查找，可能有查不到的。"
    if not described.ready:
        return "知识库还在准备，答案可能不全。"
    return ""
