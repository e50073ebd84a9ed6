"""What is published about the type: assessments, turns, the card of advice. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from contracts.base import Event, Evidence, Producer
from contracts.call_type import (
    CALL_TYPES,
    CallType,
    CallTypeAssessed,
    CallTypeTurned,
    Intake,
    TypeConfidence,
)
from contracts.card import CardShown, CardWithdrawn
from services.call_type.tables import Advice
from services.call_type.types.assess import Assessment
from services.call_type.types.dialogue import Said
from services.call_type.types.reasons import Reason

NAME = "call-type"
"""The producer named in what is published."""
STEP = 0.1
"""Change of confidence that is worth telling."""
_TOP = 3
_PRIORITY = 40
"""Advice for the whole call gives way to wording that the very moment needs."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was last said of a call, and the card of advice that lies there."""

    type: CallType | None = None
    intake: Intake | None = None
    confidence: float = 0.0
    card: CallType | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """Whose events these are."""

    call_id: str
    site: str
    version: str
    """Of the tables and models."""

    @property
    def by(self) -> Producer:
        """The producer."""
        return Producer(name=NAME, version=self.version)


def assessed(
    call: Call, told: Told, now: Assessment, said: Said, why: Sequence[Reason]
) -> CallTypeAssessed:
    """What is to be said of the call after an utterance."""
    return CallTypeAssessed(
        call_id=call.call_id,
        site=call.site,
        at_ms=said.at_ms,
        by=call.by,
        derived_from=_causes(said, why),
        evidence=tuple(map(evidence, why)),
        type=now.shown,
        confidence=share(now.confidence),
        previous=told.type if now.shown != told.type else None,
        types=tuple(
            TypeConfidence(type=label, confidence=share(one)) for label, one in now.best(_TOP)
        ),
        intake=now.intake,
    )


def is_news(told: Told, now: Assessment, firm: float) -> bool:
    """Whether an assessment says anything that was not said last, or is the first that is firm
    enough for advice."""
    confidence = share(now.confidence)
    # Rounded, or 0.7 - 0.6 would be a little less than 0.1.
    moved = round(abs(confidence - told.confidence), 3) >= STEP
    due = now.shown != told.card and confidence >= firm
    return moved or due or (now.shown, now.intake) != (told.type, told.intake)


def turned(call: Call, now: Assessment, said: Said, why: Sequence[Reason]) -> CallTypeTurned:
    """The caller has turned with an utterance."""
    assert now.turned_from is not None
    assert now.shown is not None
    return CallTypeTurned(
        call_id=call.call_id,
        site=call.site,
        at_ms=said.at_ms,
        by=call.by,
        derived_from=_causes(said, why),
        evidence=tuple(map(evidence, why)),
        previous=now.turned_from,
        type=now.shown,
        confidence=share(now.turn_confidence),
    )


def advise(
    told: Told,
    event: CallTypeAssessed,
    advice: Mapping[CallType, Advice],
    firm: float,
    remarks: Iterable[str],
) -> tuple[Told, list[Event]]:
    """The advice of the type, once it is firm; that of another type goes at once."""
    events: list[Event] = []
    if told.card is not None and told.card != event.type:
        events.append(
            CardWithdrawn(
                call_id=event.call_id,
                site=event.site,
                at_ms=event.at_ms,
                by=event.by,
                derived_from=(event.event_id,),
                card_id=card_id(told.card),
                reason=f"来电类型由“{told.card}”转为“{event.type}”",
            )
        )
        told = replace(told, card=None)
    if event.type and event.type != told.card and event.confidence >= firm:
        events.append(_card(event, advice[event.type], remarks))
        told = replace(told, card=event.type)
    return told, events


def remember(told: Told, published: CallTypeAssessed | CardShown | CardWithdrawn) -> Told:
    """What was really published, before a restart, stands above what would be said now."""
    if isinstance(published, CallTypeAssessed):
        return replace(
            told,
            type=published.type,
            intake=published.intake,
            confidence=published.confidence,
        )
    label = {card_id(label): label for label in CALL_TYPES}.get(published.card_id)
    if isinstance(published, CardShown):
        return replace(told, card=label)
    return replace(told, card=None) if label == told.card else told


def card_id(label: CallType) -> str:
    """Id of the card with the advice for a type."""
    return f"advice-{CALL_TYPES.index(label) + 1}"


def evidence(reason: Reason) -> Evidence:
    """A reason as it is published."""
    return Evidence(
        words=reason.words,
        role="caller",
        start_ms=reason.said.at_ms,
        end_ms=reason.said.end_ms,
        score=reason.score,
    )


def share(probability: float) -> float:
    """Three digits, rounded down, so that several never sum to more than 1."""
    return int(probability * 1000) / 1000


def _causes(said: Said, why: Sequence[Reason]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((said.event_id, *(reason.said.event_id for reason in why))))


def _card(event: CallTypeAssessed, advice: Advice, remarks: Iterable[str]) -> CardShown:
    words = "、".join(f"“{one.words}”" for one in event.evidence[:2])
    because = "；".join([f"来电人说{words}" if words else "听整段对话", *remarks])
    return CardShown(
        call_id=event.call_id,
        site=event.site,
        at_ms=event.at_ms,
        by=event.by,
        derived_from=(event.event_id,),
        evidence=event.evidence,
        card_id=card_id(advice.type),
        slot="moment",
        kind="advice",
        title=f"{advice.type}：{advice.title}",
        body=advice.say,
        avoid=advice.avoid,
        why=f"{because}，像是“{advice.type}”来电（把握 {event.confidence:.0%}）",
        priority=_PRIORITY,
        confidence=event.confidence,
    )
