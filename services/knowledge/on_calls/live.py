"""The calls that go on, for those that speak without being spoken to: open utterances, and a base
that changes. No part of the fold."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from contracts.base import Event
from contracts.card import CardShown, CardWithdrawn
from services.common.bus import Bus, patiently
from services.knowledge.on_calls.call import Call, Said

HELD = 4096
"""Calls held; beyond that the one longest untouched is let go."""
BACK_S = 1.0
"""At most so long it is waited for an own event to come back by the bus."""


@dataclass
class Turn:
    """Who speaks when in a call, and what was said last, which may not have come back by the bus
    yet."""

    order: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Look-ups of a call's utterances go one after the other."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held from seeing what stands to having said what follows; never while something is looked
    up, so that a withdrawal need not wait for a model."""
    last: CardShown | CardWithdrawn | None = None
    """What was said of cards last."""
    open_question: Said | None = None
    """A question for which nothing was found; a gap unless what is said next finds something."""
    noted: tuple[str, ...] = ()
    """Questions noted as gaps."""
    _awaited: str | None = None
    _back: asyncio.Event = field(default_factory=asyncio.Event)

    def handed_over(self, events: Sequence[Event]) -> None:
        """These are being published by somebody else: others wait until they are out."""
        if events:
            self._awaited = events[-1].event_id
            self._back.clear()

    def came_back(self, event: Event) -> None:
        """An own event was read from the bus."""
        if event.event_id == self._awaited:
            self._awaited = None
            self._back.set()

    async def out(self) -> None:
        """Wait until what was handed over is out."""
        if self._awaited is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._back.wait(), BACK_S)
            self._awaited = None


@dataclass(frozen=True, slots=True)
class CallState:
    """The fold, and whose turn it is."""

    call_id: str
    site: str
    call: Call = field(default_factory=Call)
    turn: Turn = field(default_factory=Turn)

    @property
    def last(self) -> CardShown | CardWithdrawn | None:
        """What was said of cards last."""
        return self.turn.last or self.call.card

    @property
    def shown(self) -> CardShown | None:
        """The card that stands."""
        return self.last if isinstance(self.last, CardShown) else None

    @property
    def not_before(self) -> int:
        """Audio time from which something new may be said of cards, ms: two events of one card
        and one moment would be the same event."""
        return self.last.at_ms + 1 if self.last else 0


class LiveCalls:
    """The newest state of every call that goes on."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, CallState] = OrderedDict()

    def follow(self, state: CallState) -> None:
        """A call has moved on. A former event handled once more moves nothing back."""
        held = self._held.get(state.call_id)
        if held is not None and held.call.folded > state.call.folded:
            return
        self._held.pop(state.call_id, None)
        if not state.call.over:
            self._held[state.call_id] = state
            if len(self._held) > HELD:
                self._held.popitem(last=False)

    def forget(self, call_id: str) -> None:
        """A call is not followed here any more."""
        self._held.pop(call_id, None)

    def get(self, call_id: str) -> CallState | None:
        """A call; None where it is over or unknown."""
        return self._held.get(call_id)

    def __iter__(self) -> Iterator[CallState]:
        return iter(tuple(self._held.values()))


class Voice:
    """Publishes what no event of a call led to."""

    def __init__(self, bus: Bus, log: logging.Logger) -> None:
        self._bus = bus
        self._log = log

    async def say(self, events: Sequence[Event]) -> None:
        """Publish, and wait until the server has it; again and again while it is away."""
        for event in events:
            await patiently(partial(self._bus.publish, event), self._log, event.call_id)
