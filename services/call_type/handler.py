"""A call's events in, assessments and advice cards out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from contracts.base import Event, Evidence, Producer
from contracts.call_type import CALL_TYPES, CallType, CallTypeAssessed, Intake, TypeConfidence
from contracts.card import CardShown, CardWithdrawn
from contracts.transcript import TranscriptFinal
from services.call_type.assess import Assessor, Reason
from services.call_type.dialogue import Dialogue, Heard
from services.call_type.tables import Advice, Tables
from services.common.calls import Happening, Outcome
from services.common.vectors import Embeds

NAME = "call-type"
"""The producer named in what is published."""
STEP = 0.1
"""Change of confidence that is worth telling."""
_TOP = 3
_PRIORITY = 40
"""Advice for the whole call gives way to wording that the very moment needs."""


@dataclass(frozen=True, slots=True)
class CallState:
    """A call so far: its dialogue, what was last said of it, and the card that lies there."""

    call_id: str
    site: str
    dialogue: Dialogue
    type: CallType | None = None
    intake: Intake | None = None
    confidence: float = 0.0
    card: CallType | None = None
    """The type whose advice is shown."""


class CallTypeHandler:
    """Assesses the call after every utterance of the caller that says something."""

    def __init__(self, assessor: Assessor, tables: Tables, embedder: Embeds, firm: float) -> None:
        self._assessor = assessor
        self._digest = tables.digest
        self._advice: Mapping[CallType, Advice] = {a.type: a for a in tables.advice.advice}
        self._embedder = embedder
        self._firm = firm

    def open(self, call_id: str, site: str) -> CallState:
        """A call of which nothing was heard yet."""
        return CallState(call_id, site, Dialogue())

    async def handle(self, state: CallState, happening: Happening) -> Outcome[CallState]:
        """Weigh an utterance of the caller; take note of what was published before a restart."""
        if isinstance(happening, TranscriptFinal) and happening.role == "caller":
            return await self._hear(state, happening)
        if isinstance(happening, CallTypeAssessed | CardShown | CardWithdrawn):
            return Outcome(remember(state, happening))
        return Outcome(state)

    async def _hear(self, state: CallState, final: TranscriptFinal) -> Outcome[CallState]:
        heard_before = {spoke.heard.event_id for spoke in state.dialogue.recent}
        texts = self._assessor.texts(state.dialogue, final.text)
        if not texts or final.event_id in heard_before:
            return Outcome(state)
        alone, together = (*(await self._embedder.vectors(texts) or ()), None, None)[:2]
        heard = Heard(final.event_id, final.at_ms, final.end_ms, final.text, alone, together)
        state = replace(state, dialogue=self._assessor.hear(state.dialogue, heard))
        assessed = self._assessed(state, heard)
        if assessed is None:
            return Outcome(state)
        state = replace(
            state,
            type=assessed.type,
            intake=assessed.intake,
            confidence=assessed.confidence,
        )
        state, cards = self._cards(state, assessed)
        return Outcome(state, (assessed, *cards))

    def _assessed(self, state: CallState, heard: Heard) -> CallTypeAssessed | None:
        """What is to be said of the call now; None where it is what was said last."""
        dialogue = state.dialogue
        confidence = _share(dialogue.confidence)
        same = (dialogue.shown, dialogue.intake) == (state.type, state.intake)
        # Rounded, or 0.7 - 0.6 would be a little less than 0.1.
        if same and round(abs(confidence - state.confidence), 3) < STEP:
            return None
        reasons = self._assessor.reasons(dialogue)
        causes = dict.fromkeys((heard.event_id, *(r.heard.event_id for r in reasons)))
        return CallTypeAssessed(
            call_id=state.call_id,
            site=state.site,
            at_ms=heard.at_ms,
            by=Producer(name=NAME, version=self._version(dialogue)),
            derived_from=tuple(causes),
            evidence=tuple(_evidence(reason) for reason in reasons),
            type=dialogue.shown,
            confidence=confidence,
            previous=state.type if dialogue.shown != state.type else None,
            types=tuple(
                TypeConfidence(type=label, confidence=_share(probability))
                for label, probability in dialogue.best(_TOP)
            ),
            intake=dialogue.intake,
        )

    def _cards(self, state: CallState, assessed: CallTypeAssessed) -> tuple[CallState, list[Event]]:
        """The advice of the type, once it is firm; that of another type goes at once."""
        events: list[Event] = []
        if state.card is not None and state.card != assessed.type:
            events.append(
                CardWithdrawn(
                    call_id=state.call_id,
                    site=state.site,
                    at_ms=assessed.at_ms,
                    by=assessed.by,
                    derived_from=(assessed.event_id,),
                    card_id=_card_id(state.card),
                    reason=f"来电类型由“{state.card}”转为“{assessed.type}”",
                )
            )
            state = replace(state, card=None)
        if assessed.type and assessed.type != state.card and assessed.confidence >= self._firm:
            events.append(self._card(state, assessed, self._advice[assessed.type]))
            state = replace(state, card=assessed.type)
        return state, events

    def _card(self, state: CallState, assessed: CallTypeAssessed, advice: Advice) -> CardShown:
        said = "、".join(f"“{evidence.words}”" for evidence in assessed.evidence[:2])
        because = f"来电人说{said}" if said else "听整段对话"
        return CardShown(
            call_id=state.call_id,
            site=state.site,
            at_ms=assessed.at_ms,
            by=assessed.by,
            derived_from=(assessed.event_id,),
            evidence=assessed.evidence,
            card_id=_card_id(advice.type),
            slot="moment",
            kind="advice",
            title=f"{advice.type}：{advice.title}",
            body=advice.say,
            avoid=advice.avoid,
            why=f"{because}，像是“{advice.type}”来电（把握 {assessed.confidence:.0%}）",
            priority=_PRIORITY,
            confidence=assessed.confidence,
        )

    def _version(self, dialogue: Dialogue) -> str:
        return f"{self._digest} {'words only' if dialogue.words_only else self._embedder.model}"


def remember(
    state: CallState, published: CallTypeAssessed | CardShown | CardWithdrawn
) -> CallState:
    """After a restart a call is heard again from the stream, but perhaps without vectors. What was
    really published about its last utterance then stands above what would be said now."""
    last = state.dialogue.recent[-1].heard.at_ms if state.dialogue.recent else None
    if published.by.name != NAME or published.at_ms != last:
        return state
    if isinstance(published, CallTypeAssessed):
        dialogue = state.dialogue
        if (dialogue.shown, dialogue.intake) != (published.type, published.intake):
            dialogue = replace(
                dialogue, shown=published.type, intake=published.intake, challenger=None
            )
        return replace(
            state,
            dialogue=dialogue,
            type=published.type,
            intake=published.intake,
            confidence=published.confidence,
        )
    types = {_card_id(label): label for label in CALL_TYPES}
    if isinstance(published, CardShown):
        return replace(state, card=types.get(published.card_id))
    gone = types.get(published.card_id) == state.card
    return replace(state, card=None) if gone else state


def _share(probability: float) -> float:
    """Three digits, rounded down, so that several never sum to more than 1."""
    return int(probability * 1000) / 1000


def _card_id(label: CallType) -> str:
    return f"advice-{CALL_TYPES.index(label) + 1}"


def _evidence(reason: Reason) -> Evidence:
    return Evidence(
        words=reason.words,
        role="caller",
        start_ms=reason.heard.at_ms,
        end_ms=reason.heard.end_ms,
        score=reason.score,
    )
