"""All that follows calls, together."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date

from services.common.bus import Bus
from services.knowledge.directory.known import Completed
from services.knowledge.on_calls.early import Early
from services.knowledge.on_calls.handler import Base, Editors, KnowledgeHandler
from services.knowledge.on_calls.live import LiveCalls, Voice
from services.knowledge.on_calls.recheck import Recheck


@dataclass(frozen=True, slots=True)
class Following:
    """The handler of calls, and those that speak beside it."""

    handler: KnowledgeHandler
    early: Early
    recheck: Recheck

    def figures(self) -> dict[str, float]:
        """What was done without an event of a call."""
        return {
            "cards_by_partials": float(self.early.shown),
            "cards_taken_back": float(self.recheck.withdrawn),
        }


@asynccontextmanager
async def following(
    bus: Bus,
    base: Base,
    today: Callable[[], date],
    completed: Completed,
    log: logging.Logger,
    *,
    talk: Sequence[str],
    editors: Editors | None = None,
) -> AsyncIterator[Following]:
    """Hear partials, and let the day change, as long as this lasts. `talk`: lines that ask nothing;
    `editors`: who is told of gaps and feedback."""
    calls, voice = LiveCalls(), Voice(bus, log)
    early = Early(base, today, completed, calls, voice, log)
    recheck = Recheck(base, today, completed, calls, voice, log)
    handler = KnowledgeHandler(base, today, completed, calls=calls, talk=talk, editors=editors)
    async with early.listening(bus), recheck.watching():
        yield Following(handler, early, recheck)
