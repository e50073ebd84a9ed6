"""Forbidden phrases on partials: a provisional warning before the utterance is over.

Partials may be lost and are no part of the call's story, so this is no fold. Every replica hears
them, and only the one that follows the call acts on them; those that come a little before the first
kept event of a call wait for it. Of each open utterance only the newest
partial is looked at, and only what is certain is raised; the final confirms it or takes it back
(`forbidden.py`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import nats.errors
from nats.aio.msg import Msg

from contracts import subjects
from contracts.events import NotAContract, read_event
from contracts.transcript import TranscriptFinal, TranscriptPartial
from contracts.warning import WarningRaised
from services.common.bus import Bus, patiently
from services.common.calls import Happening
from services.common.tasks import ended
from services.conduct.handler import MAX_TEXT
from services.conduct.phrases.detector import Detector
from services.conduct.phrases.notices import PhraseNotices, warning_of

CERTAIN = 0.9
"""Score from which a match on a partial is raised."""
OPEN = 256
"""Utterances waiting to be looked at; beyond that the oldest is left to its final."""
AHEAD_S = 5.0
"""How long a partial may come before the first kept event of its call, seconds."""
REMEMBERED = 4096
Place = tuple[str, int]
"""A call, and the start of an utterance in it, ms."""
P = TypeVar("P")


class Early:
    """Listens to the agents' partials."""

    def __init__(self, detector: Detector, log: logging.Logger) -> None:
        self._log = log
        self._waiting: OrderedDict[Place, TranscriptPartial] = OrderedDict()
        self._ahead: OrderedDict[Place, tuple[float, TranscriptPartial]] = OrderedDict()
        """Of calls that are not followed here, or not yet; with the time each was heard."""
        self._some = asyncio.Event()
        self._raised: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._finals: OrderedDict[Place, None] = OrderedDict()
        self._calls: set[str] = set()
        """The calls that are followed here."""
        self.dropped = 0
        self.raised = 0
        self.use(detector)

    @property
    def waiting(self) -> int:
        """Utterances that wait to be looked at."""
        return len(self._waiting)

    def use(self, detector: Detector) -> None:
        """From now on these phrases are looked for."""
        self._detector = detector
        self._notices = PhraseNotices(detector.book.version)

    def followed(self, happening: Happening) -> None:
        """A call is followed here. Where a final is there, partials of its utterance that are still
        under way come too late."""
        if happening.call_id not in self._calls:
            self._calls.add(happening.call_id)
            self._claim(happening.call_id)
        if isinstance(happening, TranscriptFinal) and happening.role == "agent":
            place = happening.call_id, happening.at_ms
            self._waiting.pop(place, None)
            _remember(self._finals, place)

    def let_go(self, call_id: str) -> None:
        """A call is not followed here any more."""
        self._calls.discard(call_id)
        for place in [waiting for waiting in self._waiting if waiting[0] == call_id]:
            del self._waiting[place]

    @asynccontextmanager
    async def listening(self, bus: Bus) -> AsyncIterator[None]:
        """Hear partials as long as this lasts."""
        wanted = subjects.LIVE.format(site=bus.site, call_id="*", event=TranscriptPartial.event)
        subscription = await bus.client.subscribe(wanted, cb=self._heard)
        looking = asyncio.create_task(self._look(bus))
        try:
            yield
        finally:
            await ended(looking)
            await subscription.unsubscribe()

    async def _heard(self, message: Msg) -> None:
        try:
            partial = read_event(TranscriptPartial.event, message.data)
        except NotAContract:
            return  # the desk, which shows partials, reports it
        if isinstance(partial, TranscriptPartial) and partial.role == "agent":
            place = partial.call_id, partial.at_ms
            if place in self._finals:
                return
            if partial.call_id in self._calls:
                self._take(place, partial)
                return
            self._ahead[place] = time.monotonic(), partial
            self._ahead.move_to_end(place)
            if len(self._ahead) > OPEN:
                self._ahead.popitem(last=False)

    def _claim(self, call_id: str) -> None:
        """Take what came a little ahead of the first kept event of a call."""
        since = time.monotonic() - AHEAD_S
        for place in [ahead for ahead in self._ahead if ahead[0] == call_id]:
            heard, partial = self._ahead.pop(place)
            if heard >= since:
                self._take(place, partial)

    def _take(self, place: Place, partial: TranscriptPartial) -> None:
        self._waiting[place] = partial
        if len(self._waiting) > OPEN:
            self._waiting.popitem(last=False)
            self.dropped += 1
        self._some.set()

    async def _look(self, bus: Bus) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            while self._waiting:
                place, partial = self._waiting.popitem(last=False)
                found = await asyncio.to_thread(self._certain, partial)
                for warning in found:
                    if place not in self._finals and place[0] in self._calls:
                        await self._raise(bus, warning)

    async def _raise(self, bus: Bus, warning: WarningRaised) -> None:
        known = warning.call_id, warning.warning_id
        if known in self._raised:
            return
        _remember(self._raised, known)
        self.raised += 1
        try:
            await patiently(lambda: bus.publish(warning), self._log, warning.call_id)
        except nats.errors.Error as error:
            # The final will say it.
            extra = {"call": warning.call_id, "error": type(error).__name__}
            self._log.warning("an early warning is lost", extra=extra)

    def _certain(self, partial: TranscriptPartial) -> list[WarningRaised]:
        """What is certain already. What begins in the utterance before is left to the final."""
        found = []
        for hit in self._detector.hits(partial.text.strip()[:MAX_TEXT]):
            if hit.wording is None or hit.score < CERTAIN:
                continue
            if (partial.call_id, warning_of(hit.rule.id, partial.at_ms)) in self._raised:
                continue
            lasts = max(partial.end_ms - partial.at_ms, 0)
            begin = partial.at_ms + round(lasts * min(max(hit.start, 0.0), 1.0))
            end = max(begin, partial.at_ms + round(lasts * min(hit.end, 1.0)))
            utterance = partial.at_ms, partial.event_id
            found.append(
                self._notices.raised(
                    partial.call_id, partial.site, hit, utterance, (begin, end), provisional=True
                )
            )
        return found


def _remember(places: OrderedDict[P, None], place: P) -> None:
    places[place] = None
    if len(places) > REMEMBERED:
        places.popitem(last=False)
