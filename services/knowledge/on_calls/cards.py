"""The cards that follow from what was found, and what takes them back. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import date

from contracts.base import UNSTAMPED, Evidence
from contracts.card import Alternative, CardKind, CardShown, CardWithdrawn, Source
from contracts.gap import GapNoted
from services.knowledge.deciding.decide import Ruling
from services.knowledge.entries.entry import Entry
from services.knowledge.finding.asking import Found
from services.knowledge.on_calls.aloud import aloud
from services.knowledge.on_calls.asked import asked
from services.knowledge.on_calls.call import PRODUCER, Said
from services.knowledge.on_calls.notes import note

QUOTED = 40
"""Characters of the caller's words that a card repeats."""
PRIORITY: Mapping[CardKind, int] = {"announced": 60}
"""An agreed wording comes before an answer; other kinds have the usual 50."""
ANOTHER_MATTER = "来电人问到了另一件事"
NOT_MEANT = "来电人说完以后，问的不是这件事"
OTHER_NUMBER = "这个部门的电话或联络员刚有改动，请不要再按原来的转接"
_PLAIN_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")

OfCard = CardShown | CardWithdrawn


def cards(
    call_id: str,
    site: str,
    found: Found,
    said: tuple[Said, ...],
    shown: CardShown | None,
    today: date,
    *,
    source: Source | None = None,
    not_before: int = 0,
    marked_anew: bool = True,
) -> tuple[OfCard, ...]:
    """The events that bring a finding to the agent. `said`: the utterances that asked, the newest
    last; `shown`: the card that stands; none where that one says the same already. `source`: the
    ruling's, completed by the directory; None = as it is. `not_before`: audio time of what was said
    of cards last, which these events come after. `marked_anew`: whether a card that stands is shown
    again where another part of it was asked."""
    source = source or found.ruling.source
    card = _card(call_id, site, found, source, said, today, not_before)
    if shown is None:
        return (card,)
    if shown.card_id == card.card_id:
        marks = marked_anew and card.asked and card.asked != shown.asked
        return (card,) if marks or _says(shown) != _says(card) else ()
    return withdrawal(shown, said, ANOTHER_MATTER, card.at_ms), card


def _card(
    call_id: str,
    site: str,
    found: Found,
    source: Source,
    said: tuple[Said, ...],
    today: date,
    not_before: int,
) -> CardShown:
    ruling = found.ruling
    text = consent(source) if ruling.answer is None else ruling.answer
    kind: CardKind = ruling.kind
    told = ruling.answer is not None
    return CardShown(
        call_id=call_id,
        site=site,
        at_ms=max(said[-1].end_ms, not_before),
        by=PRODUCER,
        derived_from=tuple(s.event_id for s in said),
        evidence=_evidence(said, ruling.score),
        card_id=card_id(ruling.source.entry_id),
        slot="answer",
        kind=kind,
        title=ruling.source.question,
        body=text,
        asked=asked(text, [s.text for s in said], ruling.source.question) if told else (),
        aloud=aloud(text) if told else (),
        note=note(ruling.source.region, ruling.differs, ruling.ends, today) if told else "",
        why=_why(kind, "，".join(s.text for s in said)),
        priority=PRIORITY.get(kind, 50),
        confidence=round(ruling.confidence, 3),
        source=source,
        alternatives=tuple(
            Alternative(entry_id=other.source.entry_id, question=other.source.question)
            for other in found.alternatives
        ),
    )


def withdrawal(shown: CardShown, said: tuple[Said, ...], reason: str, at_ms: int) -> CardWithdrawn:
    """The withdrawal of a card. `said`: the utterances that speak against it, if any do."""
    return CardWithdrawn(
        call_id=shown.call_id,
        site=shown.site,
        at_ms=max(at_ms, shown.at_ms),
        by=PRODUCER,
        derived_from=(shown.event_id, *(s.event_id for s in said)),
        evidence=_evidence(said, None),
        card_id=shown.card_id,
        reason=reason,
    )


def outdated(shown: CardShown, entry: Entry | None, day: date) -> str | None:
    """Why a card no longer holds; None where it does. `entry`: its entry as it is on `day`. Whom a
    transfer reaches, and where, is for `corrected`: the directory may have said it."""
    answers = shown.kind != "transfer"
    if entry is None:
        return "知识库里已经没有这一条"
    if answers and not entry.answerable:
        return "这条答复已取消授权，请不要再按它答复"
    if not entry.valid_on(day):
        return "这一条已不在有效期内"
    told, now = shown.source, entry.source()
    if told and not answers:
        told, now = _unreached(told), _unreached(now)
    if told != now or (answers and shown.body != entry.answer):
        return "知识库里这一条刚有改动，请不要再按原来的说"
    return None


def corrected(shown: CardShown, source: Source, at_ms: int) -> CardShown:
    """The card of a transfer with another telephone or liaison."""
    return shown.model_copy(
        update={
            "at_ms": max(at_ms, shown.at_ms),
            "wall_time": UNSTAMPED,
            "body": consent(source),
            "source": source,
        }
    )


def holds(ruling: Ruling, entry: Entry | None, day: date) -> bool:
    """Whether a ruling still says what its entry says now: between the two the base may have
    changed."""
    if entry is None or not entry.valid_on(day) or ruling.source != entry.source():
        return False
    return ruling.answer is None or (entry.answerable and ruling.answer == entry.answer)


def supposed(shown: CardShown, now: Said) -> bool:
    """Whether a card rests on the beginning of this very utterance, of which it did not know the
    end."""
    if not shown.derived_from or not shown.derived_from[-1].endswith(".partial"):
        return False
    heard = shown.evidence[-1]
    return heard.start_ms <= now.end_ms and now.start_ms <= heard.end_ms


def gap(call_id: str, site: str, region: str | None, asked: Said) -> GapNoted:
    """Nothing may be told on a question."""
    return GapNoted(
        call_id=call_id,
        site=site,
        at_ms=asked.start_ms,
        by=PRODUCER,
        derived_from=(asked.event_id,),
        evidence=_evidence((asked,), None),
        region=region,
    )


def consent(source: Source) -> str:
    """The wording that asks for consent to a transfer; may be read aloud."""
    who = "负责的联络员" if source.liaison else "那边的工作人员"
    return (
        f"您问的这件事由{source.department}负责答复。"
        f"我把电话转过去，请{who}直接为您解答，您看可以吗？"
    )


def card_id(entry_id: str) -> str:
    """The id of an entry's card. Ids stand in message headers, which hold plain characters only."""
    if not _PLAIN_ID.fullmatch(entry_id):
        entry_id = hashlib.sha256(entry_id.encode()).hexdigest()[:16]
    return f"kb-{entry_id}"


def about(shown: CardShown) -> str:
    """What a card is about: its title and the words that asked for it."""
    return "，".join([shown.title, *(piece.words for piece in shown.evidence)])


def _why(kind: CardKind, words: str) -> str:
    quoted = f"来电人说：“{_short(words)}”"
    return f"这件事没有授权坐席答复，请转接。{quoted}" if kind == "transfer" else quoted


def _evidence(said: tuple[Said, ...], score: float | None) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            words=s.text,
            role="caller",
            start_ms=s.start_ms,
            end_ms=s.end_ms,
            score=None if score is None else round(score, 3),
        )
        for s in said
    )


def _says(card: CardShown) -> tuple[object, ...]:
    return card.kind, card.body, card.source, card.note


def _unreached(source: Source) -> Source:
    return source.model_copy(update={"phone": None, "liaison": None})


def _short(words: str) -> str:
    return words if len(words) <= QUOTED else f"…{words[-QUOTED:]}"
