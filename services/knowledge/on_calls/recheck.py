"""Withdraws or corrects cards of live calls when the base says something else, though nobody
speaks."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date

from contracts.card import CardShown, CardWithdrawn, Source
from services.common.tasks import ended
from services.knowledge.directory.known import Completed
from services.knowledge.entries.entry import Entry
from services.knowledge.on_calls.cards import OTHER_NUMBER, corrected, outdated, withdrawal
from services.knowledge.on_calls.handler import Base
from services.knowledge.on_calls.live import CallState, LiveCalls, Voice

EVERY_S = 0.2
"""How often every card that stands is held against the base. With the time the base takes to see
a change of the database, a withdrawal is out within a second."""
Seen = tuple[str, Entry | None, date, Source | None]
"""A card's event, its entry, the day and, of a transfer, the source it should name, when it was
looked at last."""


class Recheck:
    """Looks again at the cards that stand."""

    def __init__(
        self,
        base: Base,
        today: Callable[[], date],
        completed: Completed,
        calls: LiveCalls,
        voice: Voice,
        log: logging.Logger,
    ) -> None:
        self._base = base
        self._today = today
        self._completed = completed
        self._calls = calls
        self._voice = voice
        self._log = log
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
            await ended(clock, *self._tasks)

    async def _keep_looking(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(EVERY_S)

    def look(self) -> None:
        """Hold every card against the base, and take back what no longer holds. Returns at once;
        a card of which nothing changed since the last time costs next to nothing."""
        day, seen = self._today(), self._seen
        self._seen = {}
        for state in self._calls:
            shown = state.shown
            if shown is None or shown.source is None:
                continue
            entry = self._base.entry(shown.source.entry_id, day)
            source = self._reached(state, shown, entry)
            now = self._seen[state.call_id] = (shown.event_id, entry, day, source)
            if seen.get(state.call_id) == now:
                continue
            if outdated(shown, entry, day) or source not in (None, shown.source):
                task = asyncio.create_task(self._put_right(state))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def _reached(self, state: CallState, shown: CardShown, entry: Entry | None) -> Source | None:
        """What a card of a transfer should say of its department now; None for other cards."""
        if entry is None or shown.kind != "transfer":
            return None
        return self._completed(entry.source(), state.call.region)

    async def _put_right(self, known: CallState) -> None:
        """Tries until it is said, or need not be said any more."""
        for number in itertools.count():
            try:
                return await self._say_what_holds(known)
            except Exception as error:
                # Whatever it was: a card that holds no longer must not stay because of it.
                if number == 0:
                    extra = {"call": known.call_id, "error": type(error).__name__}
                    self._log.error("a card cannot be put right, trying again", extra=extra)
                await asyncio.sleep(EVERY_S)

    async def _say_what_holds(self, known: CallState) -> None:
        async with known.turn.lock:
            await known.turn.out()
            state = self._calls.get(known.call_id)
            if state is None or (said := self._said(state)) is None:
                return
            await self._voice.say((said,))
            state.turn.last = said
            self.withdrawn += isinstance(said, CardWithdrawn)

    def _said(self, state: CallState) -> CardShown | CardWithdrawn | None:
        """What is to be said of the card that stands; None where it holds."""
        if (shown := state.shown) is None or shown.source is None:
            return None
        day, at_ms = self._today(), max(state.call.clock_ms, state.not_before)
        entry = self._base.entry(shown.source.entry_id, day)
        if reason := outdated(shown, entry, day):
            return withdrawal(shown, (), reason, at_ms)
        source = self._reached(state, shown, entry)
        if source is None or source == shown.source:
            return None
        if shown.card_id in state.call.refused:  # it does not come back before it is asked for
            return withdrawal(shown, (), OTHER_NUMBER, at_ms)
        return corrected(shown, source, at_ms)
