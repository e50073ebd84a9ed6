"""A call's events in; assessments, turns, recognised moments and cards out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from contracts.base import Event
from contracts.call import CallEnded, CallStarted
from contracts.call_type import CallTypeAssessed
from contracts.card import CardShown, CardWithdrawn
from contracts.transcript import TranscriptFinal
from services.call_type.books import Books
from services.call_type.history import NOTHING, History
from services.call_type.prosody import Prosody
from services.call_type.situations.story import Story
from services.call_type.types import notices
from services.call_type.types.assess import Assessment
from services.call_type.types.dialogue import Said
from services.call_type.types.ear import LONGEST
from services.call_type.types.notices import Told
from services.call_type.types.reasons import reasons, turning_words
from services.common.calls import Happening, Outcome
from services.common.vectors import Embeds, Vector

REPEATED = ("纠缠",)
"""Types for which it tells that the number called before."""
NEVER = 2.0
"""A confidence that nothing reaches."""


class KnowsNumbers(Protocol):
    """Where the history of a number comes from."""

    async def of(self, started: CallStarted) -> History:
        """What is known of the number of a call that starts."""
        ...


@dataclass(frozen=True, slots=True)
class CallState:
    """A call so far."""

    call_id: str
    site: str
    assessment: Assessment
    moments: Story
    prosody: Prosody = field(default_factory=Prosody)
    history: History = NOTHING
    told: Told = field(default_factory=Told)
    """What was said of it, as this process knows at once."""
    published: Told = field(default_factory=Told)
    """The same, as our own events that came back tell."""
    over: bool = False
    """Somebody has hung up: no card comes any more."""


class CallTypeHandler:
    """Assesses the call after every utterance of the caller that says something, and recognises
    the moments of both sides."""

    def __init__(self, books: Books, embedder: Embeds, numbers: KnowsNumbers, firm: float) -> None:
        self._assessor = books.assessor
        self._advice = {one.type: one for one in books.tables.advice.advice}
        self._version = f"{books.tables.digest} {books.assessor.model.about.version}"
        self._signs = books.signs
        self._moments = books.moments
        self._embedder = embedder
        self._numbers = numbers
        self._firm = firm

    def open(self, call_id: str, site: str) -> CallState:
        """A call of which nothing was heard yet."""
        return CallState(call_id, site, self._assessor.begin(), self._moments.open(call_id, site))

    async def handle(self, state: CallState, happening: Happening) -> Outcome[CallState]:
        """Fold one happening in and say what follows from it."""
        if isinstance(happening, Event):
            state = replace(state, prosody=state.prosody.after(happening))
        match happening:
            case CallEnded():
                state = replace(state, over=True)
            case CallStarted() if state.history is NOTHING:
                state = self._with_history(state, await self._numbers.of(happening))
            case TranscriptFinal():
                vector = await self._vector(state, happening)
                return Outcome(*await asyncio.to_thread(self.hear, state, happening, vector))
            case CallTypeAssessed() | CardShown() | CardWithdrawn() if _is_ours(happening):
                published = notices.remember(state.published, happening)
                return Outcome(replace(state, published=published))
        story, events = self._moments.fold(state.moments, happening, None)
        return Outcome(replace(state, moments=story), events)

    def read_again(self, state: CallState) -> CallState:
        """After a restart a call is heard again from the stream, but perhaps without vectors. What
        was really published stands above what would have been said now."""
        told, standing = state.published, state.assessment.standing
        if standing.shown != told.type:
            standing = replace(standing, shown=told.type, since=standing.turn)
        assessment = replace(state.assessment, standing=standing)
        return replace(state, told=told, assessment=assessment)

    def _with_history(self, state: CallState, history: History) -> CallState:
        matters = self._assessor.begin(history.matters).dialogue.matters
        dialogue = replace(state.assessment.dialogue, matters=matters)
        assessment = replace(state.assessment, dialogue=dialogue)
        return replace(state, assessment=assessment, history=history)

    async def _vector(self, state: CallState, final: TranscriptFinal) -> Vector | None:
        text = final.text.strip()
        if not text or state.assessment.dialogue.knows(final.event_id, final.at_ms):
            return None
        vectors = await self._embedder.vectors([text[:LONGEST]])
        return vectors[0] if vectors else None

    def hear(
        self, state: CallState, final: TranscriptFinal, vector: Vector | None
    ) -> tuple[CallState, Sequence[Event]]:
        """As `handle` of a final, with its vector at hand; for callers without an event loop."""
        span = (final.at_ms, final.end_ms)
        said = self._assessor.ear.hear(final.event_id, final.role, span, final.text.strip(), vector)
        before = state.assessment
        leanings = self._signs.leanings(state.prosody)
        state = replace(state, assessment=self._assessor.hear(before, said, leanings))
        events: list[Event] = []
        if final.role == "caller" and state.assessment.dialogue is not before.dialogue:
            state, events = self._tell(state, said)
        story, more = self._moments.fold(state.moments, final, vector)
        return replace(state, moments=story), events + more

    def _tell(self, state: CallState, said: Said) -> tuple[CallState, list[Event]]:
        """What is to be said of the call after an utterance of the caller."""
        now, told, head = state.assessment, state.told, self._assessor.model.types
        if now.shown is None:
            return state, []
        version = self._version if not now.words_only else f"{self._version} words only"
        call = notices.Call(state.call_id, state.site, version)
        events: list[Event] = []
        if now.turned:
            why = turning_words(now.dialogue, now.turned, head)
            events.append(notices.turned(call, now, said, why))
        # After the hang-up no card comes: none is due.
        if not notices.is_news(told, now, NEVER if state.over else self._firm):
            return state, events
        why = reasons(now.dialogue, now.shown, head)
        assessed = notices.assessed(call, told, now, said, why)
        told = replace(
            told, type=assessed.type, intake=assessed.intake, confidence=assessed.confidence
        )
        if state.over:
            return replace(state, told=told), [*events, assessed]
        remarks = self._remarks(state)
        told, cards = notices.advise(told, assessed, self._advice, self._firm, remarks)
        return replace(state, told=told), [*events, assessed, *cards]

    def _remarks(self, state: CallState) -> list[str]:
        """What beside the words speaks for the type, for the agent to read."""
        shown = state.assessment.shown
        said = [remark.text for remark in self._signs.remarks(state.prosody, shown)[:1]]
        if shown in REPEATED and state.history.calls:
            said.append(f"此号码近期来电 {state.history.calls} 次")
        return said


def _is_ours(event: CallTypeAssessed | CardShown | CardWithdrawn) -> bool:
    return event.by.name == notices.NAME
