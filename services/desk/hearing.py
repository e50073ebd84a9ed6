"""From messages of the bus to the pages: reads them, folds them, keeps the seconds going."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import nats.errors
from nats.aio.msg import Msg
from pydantic import ValidationError

from contracts import subjects
from contracts.base import Event
from contracts.call import CallStarted
from contracts.events import KEPT, LIVE, NotAContract, read_event
from contracts.feedback import FeedbackGiven
from contracts.requests import AskHistory, History
from contracts.transcript import TranscriptPartial
from contracts.warning import WarningConfirmed, WarningRaised, WarningWithdrawn
from services.common.bus import Bus, RequestFailed
from services.common.tasks import ended
from services.desk.follow import in_background
from services.desk.pages import Pages
from services.desk.tally import Tally

TICK_S = 1.0
HISTORY_DAYS = 7
ASKING = 4
"""How many questions about a number may be open at a time."""


def kept_subjects(site: str) -> list[str]:
    """Every kept event of the site."""
    return [subjects.stored_call(site, "*")]


def tally_subjects(site: str) -> list[str]:
    """The events that today's count needs."""
    counted = (CallStarted, WarningRaised, WarningConfirmed, WarningWithdrawn, FeedbackGiven)
    return [subjects.stored_call(site, "*", model.event) for model in counted]


class Hearing:
    """What the desk hears. A message that is no contract becomes a dead letter; the desk lives."""

    def __init__(self, bus: Bus, pages: Pages, tally: Tally, log: logging.Logger) -> None:
        self._bus = bus
        self._pages = pages
        self._tally = tally
        self._log = log
        self._numbers: dict[str, str] = {}
        self._asking = asyncio.Semaphore(ASKING)
        self._tasks: set[asyncio.Task[None]] = set()
        self.ready = asyncio.Event()
        """Set when what was there at the start has been folded."""

    async def kept(self, message: Msg) -> None:
        """One message of the kept stream."""
        where = subjects.parse_stored(message.subject)
        # Unknown names may come from a newer version: records reports them.
        if where is None or where.event not in KEPT:
            return
        event = await self._read(message, where)
        if event is None:
            return
        await self._show(message, event)
        if isinstance(event, CallStarted):
            self._numbers[event.call_id] = event.caller_number
            if self.ready.is_set():
                self._ask_soon(event.call_id)
        elif event.event == "ended":
            self._numbers.pop(event.call_id, None)

    async def counted(self, message: Msg) -> None:
        """One message for today's count. `kept` reports what is wrong with it."""
        where = subjects.parse_stored(message.subject)
        if where is not None:
            with suppress(NotAContract):
                self._tally.take(_in_utc(read_event(where.event, message.data)))

    async def live(self, message: Msg) -> None:
        """One live partial."""
        where = subjects.parse_live(message.subject)
        if where is None or where.event not in LIVE:
            return
        event = await self._read(message, where)
        # A partial alone makes no call: one of a call nobody knows is dropped.
        if event is not None and self._pages.board.get(event.call_id) is not None:
            await self._show(message, event)

    async def _show(self, message: Msg, event: Event) -> None:
        try:
            self._pages.take(event, datetime.now(UTC))
        except Exception as error:
            # The boundary of the desk: one event that cannot be shown must not stop the others.
            # Its text may hold a caller's words: only its kind is logged.
            reason = f"cannot be shown: {type(error).__name__}"
            self._log.error(reason, extra={"call": event.call_id, "event": event.event})
            await self._bus.dead_letter(message.subject, message.data, reason)

    @asynccontextmanager
    async def running(
        self, caught_up: asyncio.Event, failed: Callable[[str], None]
    ) -> AsyncIterator[None]:
        """Hear partials, and let time pass. `failed` hears a sentence where that stops."""
        wanted = subjects.LIVE.format(
            site=self._bus.site, call_id="*", event=TranscriptPartial.event
        )
        partials = await self._bus.client.subscribe(wanted, cb=self.live)
        clock = in_background(self._let_time_pass(caught_up), failed)
        try:
            yield
        finally:
            await ended(clock, *self._tasks)
            await partials.unsubscribe()

    async def _read(self, message: Msg, where: subjects.CallSubject) -> Event | None:
        try:
            event = read_event(where.event, message.data)
            if (event.call_id, event.site) != (where.call_id, where.site):
                raise NotAContract("call_id or site differ from the subject's")
        except NotAContract as error:
            if self.ready.is_set():  # what is read again was reported when it was new
                await self._bus.dead_letter(message.subject, message.data, str(error))
            return None
        return _in_utc(event)

    async def _let_time_pass(self, caught_up: asyncio.Event) -> None:
        await caught_up.wait()
        self._pages.open(datetime.now(UTC))
        self.ready.set()
        for call_id in tuple(self._numbers):
            self._ask_soon(call_id)
        while True:
            await asyncio.sleep(TICK_S)
            self._pages.tick(datetime.now(UTC))
            for call_id in [c for c in self._numbers if self._pages.board.get(c) is None]:
                del self._numbers[call_id]

    def _ask_soon(self, call_id: str) -> None:
        task = asyncio.create_task(self._ask(call_id, self._numbers[call_id]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self, call_id: str, number: str) -> None:
        """How often did this number call before? Where nobody answers, the page says nothing."""
        if not any(c.isdigit() for c in number):
            return
        asked = AskHistory(caller_number=number[:32], within_days=HISTORY_DAYS, limit=100)
        async with self._asking:
            try:
                history = await self._bus.request(asked, History, timeout_s=3.0)
            except (RequestFailed, nats.errors.Error, ValidationError):
                return
        earlier = sum(call.call_id != call_id for call in history.calls)
        self._pages.know_earlier(call_id, earlier, datetime.now(UTC))


def _in_utc(event: Event) -> Event:
    """Times without a zone are taken for UTC."""
    if event.wall_time.tzinfo is not None:
        return event
    return event.model_copy(update={"wall_time": event.wall_time.replace(tzinfo=UTC)})
