"""What a caller is still saying: the card is there before he has finished.

Partials may be lost and are no part of the call's story, so this is no fold. Only what two partials
agree on is looked up, only what is surer than a final needs to be is shown, and of one utterance at
most one card; the final confirms it or takes it back (`handler.py`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from itertools import takewhile

from nats.aio.msg import Msg

from contracts import subjects
from contracts.events import NotAContract, read_event
from contracts.transcript import TranscriptPartial
from services.common.bus import Bus
from services.common.tasks import ended
from services.knowledge.directory.known import Completed
from services.knowledge.finding.asking import Found
from services.knowledge.finding.wording import content
from services.knowledge.on_calls.call import Said
from services.knowledge.on_calls.cards import about, cards
from services.knowledge.on_calls.contradicting import against
from services.knowledge.on_calls.handler import Base, find_what_holds, still_holds
from services.knowledge.on_calls.live import CallState, LiveCalls, Voice

SURE = 0.75
"""Confidence from which what is not said to its end is shown."""
LEAST = 4
"""Characters, beside fillers, from which it is looked up."""
AT_ONCE = 4
"""Look-ups for partials under way at a time, over all calls; finals do not wait for them."""
OPEN = 256
"""Open utterances followed; beyond that new ones are left to their finals."""


@dataclass
class _Open:
    """An utterance that is being said."""

    newest: TranscriptPartial
    stable: str = ""
    """What its last two partials agree on."""
    looked_up: str = ""
    done: bool = False
    """A card was shown for it."""


class Early:
    """Listens to the callers' partials: one look-up at a time in a call, always of the newest."""

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
        self._open: dict[str, _Open] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.shown = 0
        """Cards shown by partials."""
        self.dropped = 0
        """Utterances left to their finals because too many were open."""

    @property
    def waiting(self) -> int:
        """Open utterances."""
        return len(self._open)

    @property
    def busy(self) -> bool:
        """Whether a look-up is under way."""
        return bool(self._tasks)

    @asynccontextmanager
    async def listening(self, bus: Bus) -> AsyncIterator[None]:
        """Hear partials as long as this lasts."""
        wanted = subjects.LIVE.format(site=bus.site, call_id="*", event=TranscriptPartial.event)
        subscription = await bus.client.subscribe(wanted, cb=self._heard)
        try:
            yield
        finally:
            await subscription.unsubscribe()
            await ended(*self._tasks.values())

    async def _heard(self, message: Msg) -> None:
        try:
            partial = read_event(TranscriptPartial.event, message.data)
        except NotAContract:
            return  # the desk, which shows partials, reports it
        if isinstance(partial, TranscriptPartial) and partial.role == "caller":
            self.take(partial)

    def take(self, partial: TranscriptPartial) -> None:
        """A partial of a caller."""
        call_id = partial.call_id
        state = self._calls.get(call_id)
        if state is None or _is_final(state, partial.at_ms):
            self._open.pop(call_id, None)
            return
        open_ = self._open.get(call_id)
        if open_ is None or open_.newest.at_ms != partial.at_ms:
            self._forget()
            if len(self._open) < OPEN:
                self._open[call_id] = _Open(partial)
            else:
                self.dropped += 1
            return
        if partial.end_ms < open_.newest.end_ms:
            return
        open_.stable = _common(open_.newest.text, partial.text)
        open_.newest = partial
        if call_id not in self._tasks and _worth(open_):
            task = asyncio.create_task(self._look(call_id), name="knowledge-early")
            self._tasks[call_id] = task
            task.add_done_callback(lambda done: self._ended(call_id, done))

    def _forget(self) -> None:
        """Let go of utterances whose final is there, or whose call is over."""
        for call_id, open_ in tuple(self._open.items()):
            state = self._calls.get(call_id)
            if state is None or _is_final(state, open_.newest.at_ms):
                del self._open[call_id]

    def _ended(self, call_id: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(call_id, None)
        if not task.cancelled() and (error := task.exception()):
            # The final will find it.
            extra = {"call": call_id, "error": type(error).__name__}
            self._log.warning("a look-up of an open utterance failed", extra=extra)

    async def _look(self, call_id: str) -> None:
        while True:
            async with self._slots:
                open_, state = self._open.get(call_id), self._calls.get(call_id)
                if open_ is None or state is None or not _worth(open_):
                    return
                text = open_.looked_up = open_.stable
                partial = open_.newest
                now = Said(text, partial.at_ms, partial.end_ms, partial.event_id)
                day, before = self._today(), state.call.before(now)
                found = await find_what_holds(self._base, text, before, state.call.region, day)
            if found is not None and found.ruling.confidence >= SURE:
                await self._show(open_, now, found, day)

    async def _show(self, open_: _Open, now: Said, found: Found, day: date) -> None:
        turn_of = self._calls.get(open_.newest.call_id)
        if turn_of is None:
            return
        async with turn_of.turn.lock:
            await turn_of.turn.out()
            state = self._calls.get(open_.newest.call_id)
            if state is None or _is_final(state, now.start_ms):
                return
            if not still_holds(self._base, found, day):
                return
            shown = state.shown
            if shown and against(now.text, (), about(shown)):
                return  # what the caller takes back is for the final to judge
            said = state.call.asked_by(now, found.utterances)
            events = cards(
                *(state.call_id, state.site, found, said, shown, day),
                source=self._completed(found.ruling.source, state.call.region),
                not_before=state.not_before,
                marked_anew=False,
            )
            open_.done = True
            if events:
                await self._voice.say(events)
                state.turn.last = events[-1]
                self.shown += 1


def _common(one: str, other: str) -> str:
    """What two texts begin with."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return "".join(character for character, _ in same).rstrip("，,。？?！!、 ")


def _worth(open_: _Open) -> bool:
    return (
        not open_.done and open_.stable != open_.looked_up and len(content(open_.stable)) >= LEAST
    )


def _is_final(state: CallState, start_ms: int) -> bool:
    """Whether the utterance that began then, or a later one, has its final."""
    return state.call.final_ms >= start_ms
