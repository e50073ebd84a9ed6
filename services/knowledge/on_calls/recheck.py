"""Withdraws cards of live calls when the base says something else, though nobody speaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date

from services.knowledge.entries.entry import Entry
from services.knowledge.on_calls.cards import outdated, withdrawal
from services.knowledge.on_calls.handler import Base
from services.knowledge.on_calls.live import CallState, LiveCalls, Voice

EVERY_S = 0.2
"""How often every card that stands is held against the base. With the time the base takes to see
a change of the database, a withdrawal is out within a second."""
Seen = tuple[str, Entry | None, date]
"""A card's event, its entry and the day, when it was looked at last."""


class Recheck:
    """Looks again at the cards that stand."""

    def __init__(
        self, base: Base, today: Callable[[], date], calls: LiveCalls, voice: Voice
    ) -> None:
        self._base = base
        self._today = today
        self._calls = calls
        self._voice = voice
        self._seen: dict[str, Seen] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.withdrawn = 0
        """Cards taken back without a word."""

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look now and then: entries change, and what is valid also changes with the day."""
        clock = asyncio.create_task(self._keep_looking(), name="knowledge-recheck")
        try:
            yield
        finally:
            tasks = (clock, *self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_looking(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(EVERY_S)

    def look(self) -> None:
        """Hold every card against the base, and take back what no longer holds. Returns at once;
        a card whose entry is the very same as the last time costs nothing."""
        day, seen = self._today(), self._seen
        self._seen = {}
        for state in self._calls:
            shown = state.shown
            if shown is None or shown.source is None:
                continue
            entry = self._base.entry(shown.source.entry_id, day)
            known = seen.get(state.call_id)
            now = self._seen[state.call_id] = (shown.event_id, entry, day)
            if known and known[0] == now[0] and known[1] is entry and known[2] == day:
                continue
            if outdated(shown, entry, day):
                task = asyncio.create_task(self._withdraw(state))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _withdraw(self, known: CallState) -> None:
        async with known.turn.lock:
            await known.turn.out()
            state = self._calls.get(known.call_id)
            if state is None or (shown := state.shown) is None or shown.source is None:
                return
            day = self._today()
            reason = outdated(shown, self._base.entry(shown.source.entry_id, day), day)
            if reason is None:
                return
            gone = withdrawal(shown, (), reason, max(state.call.clock_ms, state.not_before))
            await self._voice.say((gone,))
            state.turn.last = gone
            self.withdrawn += 1
