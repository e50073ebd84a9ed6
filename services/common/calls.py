"""Per-call consumption: a call's kept events, in order, acknowledged after their effect.

One durable pull consumer a partition, site and service. Within a partition messages are handled
one after the other, so the events of a call keep their order; partitions go in parallel. A failing
handler is tried again in place (never handed back to the server: that would break the order), then
the message goes to the dead letters and the call goes on.

State is a fold over the call's events. When a call is seen whose beginning this process has not
handled (after a restart), its earlier events are read again from the stream and folded silently.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from contracts import subjects
from contracts.base import Event
from contracts.call import CallEnded
from contracts.events import KEPT, NotAContract, read_event
from services.common import streams
from services.common.bus import Bus

State = TypeVar("State")

ACK_WAIT_S = 20.0
SETTLE_S = 6.0
"""Seconds after a call ended until it counts as settled: late finals have come by then."""
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class CallSettled:
    """Not on the bus: told to a handler once, when an ended call has been quiet for `SETTLE_S`."""

    call_id: str
    at_ms: int
    """The hang-up, ms on the audio clock."""


Happening = Event | CallSettled


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


@dataclass(frozen=True, slots=True)
class Outcome(Generic[State]):
    """What came of an event: the call's new state, events to publish now, perhaps more later."""

    state: State
    events: Sequence[Event] = ()
    later: Awaitable[Sequence[Event]] | None = None
    """Slow work (a model). The next message is handled meanwhile; the message that caused it is
    acknowledged when the work's events have been published."""


class CallHandler(Protocol[State]):
    """A service's view of calls. `handle` must depend on nothing but its arguments and be
    deterministic, since it is run again (its outcome discarded) to rebuild state."""

    def open(self, call_id: str, site: str) -> State:
        """The state of a call of which nothing has happened yet."""
        ...

    async def handle(self, state: State, happening: Happening) -> Outcome[State]:
        """Fold one event into the state and say what follows from it."""
        ...


class CallConsumer(Generic[State]):
    """Feeds a handler with the calls of all partitions. `start` returns at once; `stop` drains."""

    def __init__(
        self,
        bus: Bus,
        handler: CallHandler[State],
        *,
        log: logging.Logger,
        settle_s: float = SETTLE_S,
        deliver: DeliverPolicy = DeliverPolicy.ALL,
        partitions: Sequence[int] = range(subjects.PARTITIONS),
        max_later: int = 64,
    ) -> None:
        self._bus = bus
        self._handler = handler
        self._log = log
        self._settle_s = settle_s
        self._deliver = deliver
        self._partitions = partitions
        self._held: dict[str, _Held[State]] = {}
        self._settling: dict[str, asyncio.TimerHandle] = {}
        self._locks: dict[int, asyncio.Lock] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._later: set[asyncio.Task[None]] = set()
        self._later_slots = asyncio.Semaphore(max_later)
        self._stopping = asyncio.Event()
        self.handled = 0

    @property
    def live_calls(self) -> int:
        """Calls held in memory."""
        return len(self._held)

    async def start(self) -> None:
        """Bind the durable consumers and begin to pull."""
        for partition in self._partitions:
            durable = f"{self._bus.service}-{self._bus.site}-{partition}"
            await self._bus.js.add_consumer(
                streams.CALLS,
                ConsumerConfig(
                    durable_name=durable,
                    filter_subject=subjects.stored_partition(self._bus.site, partition),
                    ack_policy=AckPolicy.EXPLICIT,
                    ack_wait=ACK_WAIT_S,
                    max_ack_pending=256,
                    deliver_policy=self._deliver,
                ),
            )
            subscription = await self._bus.js.pull_subscribe_bind(durable, streams.CALLS)
            self._locks[partition] = asyncio.Lock()
            self._tasks.append(
                asyncio.create_task(self._pull(partition, subscription), name=durable)
            )

    async def stop(self) -> None:
        """Finish what is in hand, then stop pulling."""
        self._stopping.set()
        for handle in self._settling.values():
            handle.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._later:
            await asyncio.wait(self._later, timeout=10)

    async def _pull(self, partition: int, subscription: JetStreamContext.PullSubscription) -> None:
        try:
            while not self._stopping.is_set():
                for message in await self._fetch(subscription):
                    # Shielded: stopping must not cut a message in half.
                    work = asyncio.ensure_future(self._one(partition, message))
                    try:
                        await asyncio.shield(work)
                    except asyncio.CancelledError:
                        await asyncio.wait([work], timeout=10)
                        raise
        finally:
            # Else the server may hand a message to the pull that nobody waits for any more.
            with contextlib.suppress(nats.errors.Error):
                await subscription.unsubscribe()

    async def _fetch(self, subscription: JetStreamContext.PullSubscription) -> list[Msg]:
        """The next message, or none after a while."""
        try:
            # One at a time: nats-py waits for a batch to fill, which costs latency.
            return await subscription.fetch(1, timeout=20)
        # nats-py raises either of the two for an empty pull.
        except (nats.errors.TimeoutError, TimeoutError):
            return []
        except nats.errors.Error as error:
            if self._bus.client.is_closed:
                self._stopping.set()
                return []
            self._log.warning("pull failed, trying again", extra={"error": repr(error)})
            await asyncio.sleep(1)
            return []

    async def _one(self, partition: int, message: Msg) -> None:
        async with self._locks[partition]:
            self.handled += 1
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
                await self._bus.dead_letter(message.subject, message.data, str(error))
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
                for said in outcome.events:
                    await self._bus.publish(said, message.headers)
                break
            except Exception as error:
                # The boundary of the service: one handler error must not stop other calls.
                if attempt == ATTEMPTS:
                    self._log.exception(
                        "handler failed", extra={"call": event.call_id, "event": event.event}
                    )
                    reason = f"handler failed: {type(error).__name__}"
                    await self._bus.dead_letter(message.subject, message.data, reason)
                    await message.ack()
                    return
                await message.in_progress()
                await asyncio.sleep(0.2 * attempt)
        assert held is not None
        if not overdue:
            held.state, held.sequence, held.since = outcome.state, sequence, held.since or sequence
            self._held[event.call_id] = held
            if isinstance(event, CallEnded):
                held.ended_at_ms = event.at_ms
            if held.ended_at_ms is not None:
                self._settle_later(partition, event.call_id)
        if outcome.later is None:
            await message.ack()
        else:
            await self._later_slots.acquire()
            task = asyncio.create_task(self._finish_later(message, event, outcome.later))
            self._later.add(task)
            task.add_done_callback(self._later.discard)

    async def _open(self, event: Event, before: int) -> _Held[State]:
        """A call's state; where its beginning was not handled here, folded from the stream."""
        held = _Held(self._handler.open(event.call_id, event.site))
        if event.event == "started":
            return held
        for earlier in await read_call(self._bus, event.site, event.call_id, before=before):
            outcome = await self._handler.handle(held.state, earlier)
            if outcome.later is not None:
                asyncio.ensure_future(outcome.later).cancel()
            held.state = outcome.state
            if isinstance(earlier, CallEnded):
                held.ended_at_ms = earlier.at_ms
                age = datetime.now(UTC) - earlier.wall_time
                held.was_settled = age.total_seconds() > self._settle_s + ACK_WAIT_S
        return held

    async def _finish_later(
        self, message: Msg, event: Event, later: Awaitable[Sequence[Event]]
    ) -> None:
        beat = asyncio.create_task(self._keep_alive(message))
        try:
            for said in await later:
                await self._bus.publish(said, message.headers)
        except Exception as error:
            # As in _effect: one call's slow work must not stop others.
            self._log.exception("later work failed", extra={"call": event.call_id})
            reason = f"handler failed: {type(error).__name__}"
            await self._bus.dead_letter(message.subject, message.data, reason)
        finally:
            beat.cancel()
            self._later_slots.release()
        with contextlib.suppress(nats.errors.Error):
            await message.ack()

    async def _keep_alive(self, message: Msg) -> None:
        while True:
            await asyncio.sleep(ACK_WAIT_S / 3)
            await message.in_progress()

    def _settle_later(self, partition: int, call_id: str) -> None:
        if earlier := self._settling.pop(call_id, None):
            earlier.cancel()
        loop = asyncio.get_running_loop()

        def settle() -> None:
            task = loop.create_task(self._settle(partition, call_id))
            self._later.add(task)
            task.add_done_callback(self._later.discard)

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
                for said in outcome.events:
                    await self._bus.publish(said)
            except Exception:
                # As in _effect.
                self._log.exception("settling failed", extra={"call": call_id})


async def read_call(bus: Bus, site: str, call_id: str, *, before: int | None = None) -> list[Event]:
    """A call's kept events in order, up to (not including) stream sequence `before`."""
    found: list[Event] = []
    subject = subjects.stored_call(site, call_id)
    sequence = 1
    while True:
        try:
            raw = await bus.js.get_msg(
                streams.CALLS, seq=sequence, subject=subject, next=True, direct=True
            )
        except NotFoundError:
            return found
        assert raw.seq is not None
        if before is not None and raw.seq >= before:
            return found
        sequence = raw.seq + 1
        where = subjects.parse_stored(raw.subject or "")
        if where is None:
            continue
        with contextlib.suppress(NotAContract):
            found.append(read_event(where.event, raw.data or b""))
