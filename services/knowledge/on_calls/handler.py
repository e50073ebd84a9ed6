"""Follows every call and looks up what its caller asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from contracts.base import Event
from contracts.card import CardShown, CardWithdrawn
from contracts.transcript import TranscriptFinal
from services.common.calls import CallSettled, Happening, Outcome
from services.knowledge.base import KnowledgeBase
from services.knowledge.on_calls.cards import Call, cards, outdated


@dataclass
class Turn:
    """Look-ups of one call take turns, in the order of its utterances. Not part of the fold."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    last: CardShown | CardWithdrawn | None = None
    """What these look-ups said last; it may not have come back by the bus yet."""


@dataclass(frozen=True, slots=True)
class CallState:
    """The fold, and whose turn it is."""

    call_id: str
    site: str
    call: Call = field(default_factory=Call)
    turn: Turn = field(default_factory=Turn)


class KnowledgeHandler:
    """Shows a card where a caller asks for something the base holds, and withdraws it at the next
    utterance of the caller once its entry says something else.

    The look-up is slow work (`Outcome.later`): it depends on the base of that moment. What the call
    remembers of it is the card that was shown, which comes back as an event of the call, so that a
    call read again from its events looks nothing up.
    """

    def __init__(self, base: KnowledgeBase, today: Callable[[], date]) -> None:
        self._base = base
        self._today = today

    def open(self, call_id: str, site: str) -> CallState:
        """A call of which nothing has happened yet."""
        return CallState(call_id, site)

    async def handle(self, state: CallState, happening: Happening) -> Outcome[CallState]:
        """Fold an event in; what a caller says is looked up."""
        if isinstance(happening, CallSettled):
            return Outcome(state)
        state = replace(state, call=state.call.after(happening))
        if not isinstance(happening, TranscriptFinal) or happening.role != "caller":
            return Outcome(state)
        if state.call.over or not happening.text.strip():
            return Outcome(state)
        return Outcome(state, later=self._look_up(state), in_turn=True)

    async def _look_up(self, state: CallState) -> Sequence[Event]:
        call = state.call
        now, day = call.said[-1], self._today()
        async with state.turn.lock:
            found = await self._base.find(now.text, call.before(), call.region, day)
            last = state.turn.last or call.card
            shown = last if isinstance(last, CardShown) else None
            events: Sequence[CardShown | CardWithdrawn] = ()
            if found is not None:
                said = call.said[-found.utterances :]
                events = cards(state.call_id, state.site, found, said, shown)
            elif shown is not None and shown.source is not None:
                gone = outdated(shown, self._base.entry(shown.source.entry_id), now, day)
                events = (gone,) if gone else ()
            if events:
                state.turn.last = events[-1]
            return events
