"""A call as the knowledge service sees it, and the cards that follow from what was found. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import date

from contracts.base import Event, Evidence, Producer
from contracts.call import CallEnded, CallStarted
from contracts.card import Alternative, CardShown, CardWithdrawn
from contracts.transcript import TranscriptFinal
from services.common.version import VERSION
from services.knowledge.deciding.decide import Ruling
from services.knowledge.entries.entry import Entry
from services.knowledge.finding.asking import BEFORE, Found

PRODUCER = Producer(name="knowledge", version=VERSION)
TOGETHER_MS = 45_000
"""Utterances further apart than this are not one question."""
QUOTED = 40
"""Characters of the caller's words that a card repeats."""
_PLAIN_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance of the caller."""

    text: str
    start_ms: int
    end_ms: int
    event_id: str


@dataclass(frozen=True, slots=True)
class Call:
    """What of a call matters for its cards. A fold over its events, our own cards among them."""

    region: str | None = None
    """Its region; None = the site's."""
    said: tuple[Said, ...] = ()
    """The caller's last utterances, the newest last."""
    card: CardShown | None = None
    """The answer or transfer card that was shown last, until it is withdrawn."""
    over: bool = False

    def after(self, event: Event) -> Call:
        """The call with one more event."""
        if isinstance(event, CallStarted):
            return replace(self, region=event.region)
        if isinstance(event, CallEnded):
            return replace(self, over=True)
        if isinstance(event, CardShown) and event.by.name == PRODUCER.name:
            return replace(self, card=event)
        if isinstance(event, CardWithdrawn) and self.card and event.card_id == self.card.card_id:
            return replace(self, card=None)
        if isinstance(event, TranscriptFinal) and event.role == "caller" and event.text.strip():
            said = Said(event.text, event.at_ms, event.end_ms, event.event_id)
            return replace(self, said=(*self.said, said)[-(1 + BEFORE) :])
        return self

    def before(self) -> tuple[str, ...]:
        """What the caller said shortly before the newest utterance, oldest first."""
        now = self.said[-1]
        return tuple(s.text for s in self.said[:-1] if now.start_ms - s.end_ms <= TOGETHER_MS)


def cards(
    call_id: str, site: str, found: Found, said: tuple[Said, ...], shown: CardShown | None
) -> tuple[CardShown | CardWithdrawn, ...]:
    """The events that bring a finding to the agent. `said`: the utterances that asked, the newest
    last; `shown`: the card shown before. None where that one says the same already."""
    ruling = found.ruling
    now = said[-1]
    words = "，".join(s.text for s in said)
    derived_from = tuple(s.event_id for s in said)
    evidence = tuple(
        Evidence(
            words=s.text,
            role="caller",
            start_ms=s.start_ms,
            end_ms=s.end_ms,
            score=round(ruling.score, 3),
        )
        for s in said
    )
    card = CardShown(
        call_id=call_id,
        site=site,
        at_ms=now.end_ms,
        by=PRODUCER,
        derived_from=derived_from,
        evidence=evidence,
        card_id=card_id(ruling.source.entry_id),
        slot="answer",
        kind=ruling.kind,
        title=ruling.source.question,
        body=body(ruling),
        why=f"来电人说：“{_short(words)}”",
        confidence=round(ruling.confidence, 3),
        source=ruling.source,
        alternatives=tuple(
            Alternative(entry_id=other.source.entry_id, question=other.source.question)
            for other in found.alternatives
        ),
    )
    if shown is None:
        return (card,)
    if shown.card_id == card.card_id:
        return () if _says(shown) == _says(card) else (card,)
    withdrawn = CardWithdrawn(
        call_id=call_id,
        site=site,
        at_ms=now.end_ms,
        by=PRODUCER,
        derived_from=derived_from,
        evidence=evidence,
        card_id=shown.card_id,
        reason="来电人问到了另一件事",
    )
    return withdrawn, card


def outdated(shown: CardShown, entry: Entry | None, now: Said, day: date) -> CardWithdrawn | None:
    """The withdrawal of a card that no longer holds; None where it does. `entry`: its entry as it
    is on `day`; `now`: the utterance at which this is seen."""
    if (reason := _why_outdated(shown, entry, day)) is None:
        return None
    return CardWithdrawn(
        call_id=shown.call_id,
        site=shown.site,
        at_ms=now.end_ms,
        by=PRODUCER,
        derived_from=(shown.event_id, now.event_id),
        card_id=shown.card_id,
        reason=reason,
    )


def _why_outdated(shown: CardShown, entry: Entry | None, day: date) -> str | None:
    answers = shown.kind == "answer"
    if entry is None:
        return "知识库里已经没有这一条"
    if answers and not entry.authorised:
        return "这条答复已取消授权，请不要再按它答复"
    if not entry.valid_on(day):
        return "这一条已不在有效期内"
    if shown.source != entry.source() or (answers and shown.body != entry.answer):
        return "知识库里这一条刚有改动，请不要再按原来的说"
    return None


def _says(card: CardShown) -> tuple[object, ...]:
    return card.kind, card.body, card.source


def body(ruling: Ruling) -> str:
    """What may be read aloud: the answer, or the wording that asks for consent to a transfer."""
    if ruling.answer is not None:
        return ruling.answer
    who = "负责的联络员" if ruling.source.liaison else "那边的工作人员"
    return (
        f"您问的这件事由{ruling.source.department}负责答复。"
        f"我把电话转过去，请{who}直接为您解答，您看可以吗？"
    )


def card_id(entry_id: str) -> str:
    """The id of an entry's card. Ids stand in message headers, which hold plain characters only."""
    if not _PLAIN_ID.fullmatch(entry_id):
        entry_id = hashlib.sha256(entry_id.encode()).hexdigest()[:16]
    return f"kb-{entry_id}"


def _short(words: str) -> str:
    return words if len(words) <= QUOTED else f"…{words[-QUOTED:]}"
