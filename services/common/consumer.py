"""Per-call consumption: a call's kept events, in order, acknowledged after their effect.

Within a partition (`services.common.pulling`) messages are handled one after the other, so the
events of a call keep their order; partitions go in parallel. A failing handler is tried again in
place (never handed back to the server: that would break the order), then the message goes to the
dead letters and the call goes on.

State is a fold over the call's events. When a call is seen whose beginning this process has not
handled (after a restart), its earlier events are read again from the stream and folded silently. So
a call of which nothing was heard for `IDLE_S` need not be held: it may have no end at all.

While the bus does not answer, nothing is given up: what was to be said is said when it is back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Generic, TypeVar

from nats.aio.msg import Msg
from nats.js.api import DeliverPolicy

from contracts import subjects
from contracts.base import Event
from contracts.call import CallEnded
from contracts.events import KEPT, NotAContract, read_event
from services.common.bus import AWAY, Bus, patiently
from services.common.calls import CallHandler, CallSettled, ReadsAgain, State
from services.common.kept import read_call
from services.common.later import LaterWork, Stopping
from services.common.pulling import ACK_WAIT_S, PartitionPull

T = TypeVar("T")

SETTLE_S = 6.0
"""Seconds after a call ended until it counts as settled: late finals have come by then."""
ATTEMPTS = 3
IDLE_S = 3600.0
"""Seconds without an event after which a call leaves memory; its next event reads it again."""


@dataclass(slots=True)
class _Held(Generic[State]):
    """A call in memory: its state, how far its events are folded in, whether it is over."""

    state: State
    sequence: int = 0
    since: int = 0
    """The first event handled here; earlier ones were folded in silently."""
    ended_at_ms: int | None = None
    was_settled: bool = False
    """The call had ended long before this process saw it: it must not be settled twice."""
    touched_s: float = 0.0
    """When it was last handled, on the loop's clock."""
    in_turn: asyncio.Task[None] | None = None
    """The last slow work whose events must come before those of the next."""


class CallConsumer(Generic[State]):
    """Feeds a handler with the calls of all partitions. `start` returns at once; `stop` drains."""

    def __init__(
        self,
        bus: Bus,
        handler: CallHandler[State],
        *,
        log: logging.Logger,
        settle_s: float = SETTLE_S,
        idle_s: float = IDLE_S,
        deliver: DeliverPolicy = DeliverPolicy.ALL,
        partitions: Sequence[int] = range(subjects.PARTITIONS),
        max_later: int = 64,
        failed: Callable[[str], None] | None = None,
    ) -> None:
        self._bus = bus
        self._handler = handler
        self._log = log
        self._settle_s = settle_s
        self._idle_s = idle_s
        self._deliver = deliver
        self._partitions = partitions
        self._failed = failed
        self._held: dict[str, _Held[State]] = {}
        """The call longest untouched first."""
        self._settling: dict[str, asyncio.TimerHandle] = {}
        self._locks: dict[int, asyncio.Lock] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._pulls: list[PartitionPull] = []
        self._later = LaterWork(self._say, self._set_aside, log, max_later)
        self._stopping = asyncio.Event()
        self.handled = 0

    @property
    def live_calls(self) -> int:
        """Calls held in memory."""
        return len(self._held)

    async def start(self) -> None:
        """Bind the durable consumers and begin to pull."""
        for partition in self._partitions:
            self._locks[partition] = asyncio.Lock()
            pull = PartitionPull(
                self._bus, partition, self._one, log=self._log, deliver=self._deliver
            )
            task = asyncio.create_task(pull.run(await pull.bind()), name=f"pull-{partition}")
            task.add_done_callback(self._stopped)
            self._pulls.append(pull)
            self._tasks.append(task)

    def pull_again(self) -> None:
        """The connection is new: what the old one was waiting for must be asked for again."""
        for pull in self._pulls:
            pull.again()

    async def stop(self) -> None:
        """Finish what is in hand, then stop pulling."""
        self._stopping.set()
        for handle in self._settling.values():
            handle.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._later.finish(timeout_s=10)

    def _stopped(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) and self._failed:
            self._failed(f"following calls stopped ({type(error).__name__}): start it again")

    async def _one(self, partition: int, message: Msg) -> None:
        async with self._locks[partition]:
            self.handled += 1
            try:
                await self._take(partition, message)
            except Stopping:
                pass
            except Exception:
                # Else the partition would stand still; the server brings this message again.
                self._log.exception("message not taken")

    async def _take(self, partition: int, message: Msg) -> None:
        where = subjects.parse_stored(message.subject)
        if where is None or where.event not in KEPT:
            # Perhaps from a newer version: records, which keeps all, reports unknown names.
            await message.ack()
            return
        try:
            event = read_event(where.event, message.data)
            if (event.call_id, event.site) != (where.call_id, where.site):
                raise NotAContract("call_id or site differ from the subject's")
        except NotAContract as error:
            await self._set_aside(message, str(error))
            await message.ack()
            return
        await self._effect(partition, message, event)

    async def _effect(self, partition: int, message: Msg, event: Event) -> None:
        sequence = message.metadata.sequence.stream
        held = self._held.get(event.call_id)
        overdue = held is not None and sequence <= held.sequence
        if held is not None and overdue:
            if sequence >= held.since:
                await message.ack()  # delivered again, though its effect is out
                return
            # A former process took it and did not finish its slow work. What follows from it is
            # made up for, with the state the call had then; the call itself has moved on.
            held = None
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if held is None:
                    held = await self._open(event, sequence)
                outcome = await self._handler.handle(held.state, event)
                await self._say(outcome.events, message)
                break
            except Stopping:
                raise
            except Exception as error:
                # The boundary of the service: one handler error must not stop other calls.
                if attempt == ATTEMPTS:
                    self._log.exception(
                        "handler failed", extra={"call": event.call_id, "event": event.event}
                    )
                    await self._set_aside(message, f"handler failed: {type(error).__name__}")
                    await message.ack()
                    return
                await message.in_progress()
                await asyncio.sleep(0.2 * attempt)
        assert held is not None
        if not overdue:
            held.state, held.sequence, held.since = outcome.state, sequence, held.since or sequence
            self._hold(event.call_id, held)
            if isinstance(event, CallEnded):
                held.ended_at_ms = event.at_ms
            if held.ended_at_ms is not None:
                self._settle_later(partition, event.call_id)
        if outcome.later is None:
            await message.ack()
        else:
            after = held.in_turn if outcome.in_turn else None
            task = await self._later.begin(message, event, outcome.later, after)
            if outcome.in_turn:
                held.in_turn = task

    def _hold(self, call_id: str, held: _Held[State]) -> None:
        """Hold a call, and let go of those that have been idle for too long."""
        now = held.touched_s = asyncio.get_running_loop().time()
        self._held.pop(call_id, None)
        self._held[call_id] = held
        while (oldest := next(iter(self._held))) != call_id:
            if now - self._held[oldest].touched_s < self._idle_s:
                break
            del self._held[oldest]

    async def _say(self, events: Sequence[Event], message: Msg | None) -> None:
        cause = message.headers if message else None
        for event in events:
            await self._though_away(partial(self._bus.publish, event, cause))

    async def _set_aside(self, message: Msg, reason: str) -> None:
        letter = partial(self._bus.dead_letter, message.subject, message.data, reason)
        await self._though_away(letter)

    async def _though_away(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Do something on the bus, again and again while it is away: deterministic ids make that
        harmless. Raises Stopping where the service stops meanwhile."""
        try:
            return await patiently(ask, self._log, stopping=self._stopping.is_set)
        except AWAY:
            raise Stopping from None

    async def _open(self, event: Event, before: int) -> _Held[State]:
        """A call's state; where its beginning was not handled here, folded from the stream."""
        held = _Held(self._handler.open(event.call_id, event.site))
        if event.event == "started":
            return held
        read = partial(read_call, self._bus, event.site, event.call_id, before=before)
        for earlier in await self._though_away(read):
            try:
                outcome = await self._handler.handle(held.state, earlier)
            except Exception:
                # It was set aside when it came: the call goes on without it.
                extra = {"call": event.call_id, "event": earlier.event}
                self._log.warning("an earlier event is left out", extra=extra)
                continue
            if outcome.later is not None:
                asyncio.ensure_future(outcome.later).cancel()
            held.state = outcome.state
            if isinstance(earlier, CallEnded):
                held.ended_at_ms = earlier.at_ms
                age = datetime.now(UTC) - earlier.wall_time
                held.was_settled = age.total_seconds() > self._settle_s + ACK_WAIT_S
        if isinstance(self._handler, ReadsAgain):
            held.state = self._handler.read_again(held.state)
        return held

    def _settle_later(self, partition: int, call_id: str) -> None:
        if earlier := self._settling.pop(call_id, None):
            earlier.cancel()
        loop = asyncio.get_running_loop()

        def settle() -> None:
            self._later.add(self._settle(partition, call_id))

        self._settling[call_id] = loop.call_later(self._settle_s, settle)

    async def _settle(self, partition: int, call_id: str) -> None:
        async with self._locks[partition]:
            self._settling.pop(call_id, None)
            held = self._held.pop(call_id, None)
            if held is None or held.was_settled:
                return
            try:
                settled = CallSettled(call_id, held.ended_at_ms or 0)
                outcome = await self._handler.handle(held.state, settled)
                await self._say(outcome.events, None)
            except Exception:
                # As in _effect.
                self._log.exception("settling failed", extra={"call": call_id})
