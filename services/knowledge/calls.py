"""Follows every call and looks up what its caller asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from contracts.base import Event
from contracts.card import CardShown
from contracts.transcript import TranscriptFinal
from services.common.calls import CallSettled, Happening, Outcome
from services.knowledge.asking import asks
from services.knowledge.base import KnowledgeBase
from services.knowledge.cards import Call, cards


@dataclass
class Turn:
    """Look-ups of one call take turns, in the order of its utterances. Not part of the fold."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    card: CardShown | None = None
    """The last card of these look-ups; it may not have come back by the bus yet."""


@dataclass(frozen=True, slots=True)
class CallState:
    """The fold, and whose turn it is."""

    call_id: str
    site: str
    call: Call = field(default_factory=Call)
    turn: Turn = field(default_factory=Turn)


class KnowledgeHandler:
    """Shows a card where a caller asks for something the base holds.

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
        if state.call.over or not asks(happening.text):
            return Outcome(state)
        return Outcome(state, later=self._look_up(state))

    async def _look_up(self, state: CallState) -> Sequence[Event]:
        call = state.call
        async with state.turn.lock:
            found = await self._base.find(
                call.said[-1].text, call.before(), call.region, self._today()
            )
            if found is None:
                return ()
            shown = state.turn.card or call.card
            said = call.said[-found.utterances :]
            events = cards(state.call_id, state.site, found, said, shown)
            for event in events:
                if isinstance(event, CardShown):
                    state.turn.card = event
            return events
