"""Per-call consumption: a call's kept events, in order, acknowledged after their effect.

Within a partition (`services.common.pulling`) messages are handled one after the other, so the
events of a call keep their order; partitions go in parallel. A failing handler is tried again in
place (never handed back to the server: that would break the order), then the message goes to the
dead letters and the call goes on.

Any number of replicas may follow the calls: one holds a partition, the others stand by. What a
replica knows of a partition's calls it knows for one tenure, and forgets when another holds it.

State is a fold over the call's events. Events that this process has not handled in this tenure are
read again from the stream and folded silently. So a call of which nothing was heard for `IDLE_S`
need not be held: it may have no end at all. The end of a call is acknowledged when it has settled:
else a call whose holder dies in between would never settle.

While the bus does not answer, nothing is given up: what was to be said is said when it is back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Generic, TypeVar

from nats.js.api import DeliverPolicy

from contracts import subjects
from contracts.base import Event
from contracts.call import CallEnded
from contracts.events import KEPT, NotAContract, read_event
from services.common.bus import AWAY, Bus, patiently
from services.common.calls import CallHandler, CallSettled, LetsGo, ReadsAgain, State
from services.common.in_hand import Taken
from services.common.kept import read_call
from services.common.later import LaterWork, Stopping
from services.common.pulling import ACK_WAIT_S, PartitionPull

T = TypeVar("T")

SETTLE_S = 6.0
"""Seconds after a call ended until it counts as settled: late finals have come by then."""
ATTEMPTS = 3
MAX_LATER = 64
"""Slow work in hand at a time; with so much, the next event waits."""
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
    ended: Taken | None = None
    """The end of the call, in hand until it has settled."""


@dataclass(slots=True)
class _Tenure(Generic[State]):
    """What is known of the calls of a partition while it is held here."""

    until: int
    """Up to this number in the stream, others may have handled what comes."""
    held: dict[str, _Held[State]] = field(default_factory=dict)
    """The call longest untouched first."""
    settling: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    over: bool = False


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
        max_later: int = MAX_LATER,
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
        self._tenures: dict[int, _Tenure[State]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._pulls: list[PartitionPull] = []
        self._later = LaterWork(self._say, self._set_aside, log, max_later)
        self._stopping = asyncio.Event()
        self.handled = 0

    @property
    def live_calls(self) -> int:
        """Calls held in memory."""
        return sum(len(tenure.held) for tenure in self._tenures.values())

    @property
    def held(self) -> tuple[int, ...]:
        """Partitions held here: those whose calls this process handles."""
        return tuple(pull.partition for pull in self._pulls if pull.held)

    @property
    def standby(self) -> int:
        """How many are not: another replica's, or quiet since the server started."""
        return len(self._pulls) - len(self.held)

    @property
    def later_work(self) -> int:
        """Slow work in hand."""
        return self._later.depth

    async def start(self) -> None:
        """Bind the durable consumers and begin to pull."""
        for partition in self._partitions:
            pull = PartitionPull(self._bus, partition, self, log=self._log, deliver=self._deliver)
            self._pulls.append(pull)
            await pull.bind()
            task = asyncio.create_task(pull.run(), name=f"pull-{partition}")
            task.add_done_callback(self._stopped)
            self._tasks.append(task)

    def pull_again(self) -> None:
        """The connection is new: what the old one was waiting for must be asked for again."""
        for pull in self._pulls:
            pull.again()

    async def stop(self) -> None:
        """Finish what is in hand, then leave the partitions to the replicas that stand by."""
        self._stopping.set()
        for pull in self._pulls:
            pull.leave()
        if self._tasks:
            for task in (await asyncio.wait(self._tasks, timeout=10))[1]:
                task.cancel()
        await self._later.finish(timeout_s=10)
        await asyncio.gather(*(pull.release() for pull in self._pulls))

    # What `PartitionPull` tells us.

    def began(self, partition: int, until: int) -> None:
        """This process holds the partition from now on."""
        self._tenures[partition] = _Tenure(until)

    async def take(self, partition: int, taken: Taken) -> None:
        """Handle a message."""
        tenure = self._tenures[partition]
        async with tenure.lock:
            if tenure.over:
                await taken.give_back()
                return
            self.handled += 1
            try:
                await self._take(tenure, taken)
            except Stopping:
                pass
            except Exception:
                # Else the partition would stand still; the server brings this message again.
                self._log.exception("message not taken")
                await taken.give_back()

    async def over(self, partition: int) -> None:
        """The partition is another's: what is known of its calls would soon be wrong."""
        tenure = self._tenures.pop(partition, None)
        if tenure is None:
            return
        tenure.over = True
        for handle in tenure.settling.values():
            handle.cancel()
        for call_id, held in tenure.held.items():
            self._let_go(call_id)
            if held.ended:
                await held.ended.give_back()

    def _stopped(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) and self._failed:
            self._failed(f"following calls stopped ({type(error).__name__}): start it again")

    async def _take(self, tenure: _Tenure[State], message: Taken) -> None:
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
        await self._effect(tenure, message, event)

    async def _effect(self, tenure: _Tenure[State], message: Taken, event: Event) -> None:
        sequence = message.sequence
        known = held = tenure.held.get(event.call_id)
        overdue = held is not None and sequence <= held.sequence
        if held is not None and overdue:
            if sequence >= held.since:
                await message.ack()  # delivered again, though its effect is out
                return
            # A former holder took it and did not finish its slow work. What follows from it is
            # made up for, with the state the call had then; the call itself has moved on.
            held = None
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if held is None:
                    held = await self._open(event, sequence)
                else:
                    await self._catch_up(tenure, held, event, before=sequence)
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
                await asyncio.sleep(0.2 * attempt)
        assert held is not None
        if not overdue:
            held.state, held.sequence, held.since = outcome.state, sequence, held.since or sequence
            known = held
        assert known is not None
        self._hold(tenure, known, message, event)
        if outcome.later is None:
            await message.ack()
        else:
            after = held.in_turn if outcome.in_turn else None
            task = await self._later.begin(message, event, outcome.later, after)
            if outcome.in_turn:
                held.in_turn = task

    def _hold(
        self, tenure: _Tenure[State], held: _Held[State], message: Taken, event: Event
    ) -> None:
        """Hold a call, and let go of those that have been idle for too long."""
        if tenure.over:
            self._let_go(event.call_id)  # the handler may just have begun to keep something of it
            return
        now = held.touched_s = asyncio.get_running_loop().time()
        tenure.held.pop(event.call_id, None)
        tenure.held[event.call_id] = held
        if isinstance(event, CallEnded):
            held.ended_at_ms, held.was_settled = event.at_ms, False
            if held.ended is None:
                held.ended = message
                message.causes += 1
        if held.ended_at_ms is not None:
            self._settle_later(tenure, event.call_id)
        for each in self._tenures.values():
            while (oldest := next(iter(each.held), event.call_id)) != event.call_id:
                other = each.held[oldest]
                if other.ended or now - other.touched_s < self._idle_s:
                    break
                del each.held[oldest]
                self._let_go(oldest)

    def _let_go(self, call_id: str) -> None:
        if isinstance(self._handler, LetsGo):
            self._handler.let_go(call_id)

    async def _say(self, events: Sequence[Event], message: Taken | None) -> None:
        cause = message.headers if message else None
        for event in events:
            await self._though_away(partial(self._bus.publish, event, cause))

    async def _set_aside(self, message: Taken, reason: str) -> None:
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
        if event.event != "started":
            await self._fold(held, event.site, event.call_id, before)
        return held

    async def _catch_up(
        self, tenure: _Tenure[State], held: _Held[State], event: Event, before: int
    ) -> None:
        """Fold what a former holder handled after the last event that came here: where it left
        something unfinished, that came first."""
        if held.sequence < tenure.until and held.sequence + 1 < before:
            await self._fold(held, event.site, event.call_id, before)

    async def _fold(self, held: _Held[State], site: str, call_id: str, before: int) -> None:
        """Read a call's events up to `before` again and fold them silently."""
        read = partial(read_call, self._bus, site, call_id, before=before, after=held.sequence)
        for earlier in await self._though_away(read):
            try:
                outcome = await self._handler.handle(held.state, earlier)
            except Exception:
                # It was set aside when it came: the call goes on without it.
                extra = {"call": call_id, "event": earlier.event}
                self._log.warning("an earlier event is left out", extra=extra)
                continue
            if outcome.later is not None:
                asyncio.ensure_future(outcome.later).cancel()
            held.state = outcome.state
            held.since = 0  # it was not handled here; what comes next is
            if isinstance(earlier, CallEnded):
                held.ended_at_ms = earlier.at_ms
                age = datetime.now(UTC) - earlier.wall_time
                held.was_settled = age.total_seconds() > self._settle_s + ACK_WAIT_S
        held.sequence = before - 1
        if isinstance(self._handler, ReadsAgain):
            held.state = self._handler.read_again(held.state)

    def _settle_later(self, tenure: _Tenure[State], call_id: str) -> None:
        if earlier := tenure.settling.pop(call_id, None):
            earlier.cancel()
        loop = asyncio.get_running_loop()

        def settle() -> None:
            self._later.add(self._settle(tenure, call_id))

        tenure.settling[call_id] = loop.call_later(self._settle_s, settle)

    async def _settle(self, tenure: _Tenure[State], call_id: str) -> None:
        async with tenure.lock:
            tenure.settling.pop(call_id, None)
            held = tenure.held.get(call_id)
            if held is None or tenure.over:
                return
            try:
                if not held.was_settled:
                    if held.sequence < tenure.until:
                        await self._fold(held, self._bus.site, call_id, tenure.until + 1)
                    settled = CallSettled(call_id, held.ended_at_ms or 0)
                    outcome = await self._handler.handle(held.state, settled)
                    await self._say(outcome.events, None)
            except Stopping:
                return
            except Exception:
                # As in _effect.
                self._log.exception("settling failed", extra={"call": call_id})
            if not tenure.over:
                del tenure.held[call_id]
                self._let_go(call_id)
            if held.ended:
                await held.ended.ack()
