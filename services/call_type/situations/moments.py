"""A call's events in, recognised moments and their cards out. Pure.

At most one card lies at a time. It leaves when its moment has passed: the agent has answered, the
caller speaks of something else, its time is over, a more pressing moment came, or the call ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from contracts.base import Event, Evidence, Producer
from contracts.call import CallEnded, CallStarted
from contracts.card import CardShown, CardWithdrawn
from contracts.escalation import EscalationTakenOver
from contracts.feedback import FeedbackGiven
from contracts.situation import SituationRecognised
from contracts.speech import SpeechEnded
from contracts.transcript import TranscriptFinal
from contracts.warning import HoldEnded, HoldStarted, WarningRaised
from services.call_type.situations.book import AGENT_SLOT, DEPARTMENT_SLOT, Book, Situation
from services.call_type.situations.cause import Cause
from services.call_type.situations.look import Turn
from services.call_type.situations.passing import after, passed
from services.call_type.situations.published import CARD, laid, remember
from services.call_type.situations.recogniser import Recognised
from services.call_type.situations.story import Hold, Said, Story
from services.common.calls import CallSettled, Happening
from services.common.vectors import Vector

NAME = "situations"
"""The producer named in what is published."""
AGAIN_MS = 60_000
"""The same card is not shown again within this time."""
TOLD_AGAIN_MS = 10_000
"""What is recognised again within this time is the same moment."""
LONG_HOLD_MS = 15_000
"""A wait from which it is worth saying that the search goes on."""
NOISES, NOISES_MS = 3, 15_000
"""So many sounds of the caller without a word within this time: the line is bad."""
WAITING = ("silent-caller", "long-look-up")
"""Situations for which another service has wording of its own, step by step: while that lies there,
they are told and no second card is laid beside it."""

ONCE_SPOKEN = ("supervisor-takes-over",)
"""Situations that words do not make before the caller has spoken: who answers a silent line says
much like one who takes over (电话已经接通，请您讲话)."""

Step = tuple[Story, list[Event]]


class Recognises(Protocol):
    """Says what a moment is; `Recogniser` does."""

    @property
    def version(self) -> str:
        """Version of what it learned from."""
        ...

    def recognise(self, turns: Sequence[Turn]) -> Recognised:
        """What the moment of the last turn is."""
        ...


class Moments:
    """Folds calls. Deterministic; a final seen twice changes nothing."""

    def __init__(self, recogniser: Recognises, book: Book) -> None:
        self._recogniser = recogniser
        self._book = book
        self.version = f"{book.digest} {recogniser.version}"

    def open(self, call_id: str, site: str) -> Story:
        """A call of which nothing was heard yet."""
        return Story(call_id, site)

    def fold(self, story: Story, happening: Happening, vector: Vector | None) -> Step:
        """The call after one more happening, and what is to be published. `vector`: of the text of
        a final, by the model that `Recogniser.about` names; None where there is none."""
        if isinstance(happening, CallSettled):
            return story, []
        story, events = self._time_passes(story, happening)
        story, more = self._hear(story, happening, vector)
        return story, events + more

    def _time_passes(self, story: Story, event: Event) -> Step:
        now = event.end_ms if isinstance(event, TranscriptFinal | SpeechEnded) else event.at_ms
        story = replace(story, clock_ms=max(story.clock_ms, now))
        events: list[Event] = []
        lying, hold = story.lying, story.hold
        if lying and lying.expires_ms <= story.clock_ms:
            story, events = self._withdraw(story, lying.expires_ms, "这一刻已经过去", event)
        if hold and not isinstance(event, HoldEnded):
            due = hold.at_ms + LONG_HOLD_MS
            if due <= story.clock_ms and not story.over:
                cause = Cause(
                    due, due, (hold.event_id,), f"请来电人等待已超过{LONG_HOLD_MS // 1000}秒"
                )
                story, more = self._recognised(
                    replace(story, hold=None), "long-look-up", 1.0, cause
                )
                events += more
        return story, events

    def _hear(self, story: Story, event: Event, vector: Vector | None) -> Step:
        at, id_ = event.at_ms, event.event_id
        match event:
            case CardShown() | CardWithdrawn() | SituationRecognised() if event.by.name == NAME:
                return remember(story, event), []
            case CallStarted():
                return replace(story, agent_id=event.agent_id), []
            case CallEnded():
                story, events = self._withdraw(story, at, "通话已结束", event)
                return replace(story, over=True, hold=None), events
            case TranscriptFinal():
                return self._final(story, event, vector)
            case CardShown():
                return self._other_card(story, event)
            case CardWithdrawn():
                return replace(story, others=story.others - {event.card_id}), []
            case HoldStarted():
                return replace(story, hold=Hold(at, id_, event.words)), []
            case HoldEnded():
                return replace(story, hold=None), []
            case WarningRaised(kind="silent_caller"):
                cause = Cause(at, event.end_ms, (id_,), "开头语之后一直没有来电人的声音")
                return self._recognised(story, "silent-caller", 1.0, cause, card=False)
            case EscalationTakenOver():
                cause = Cause(at, at, (id_,), "班长已接管本通来电")
                return self._recognised(story, "supervisor-takes-over", 1.0, cause)
            case FeedbackGiven(target="card") if event.verdict != "useful":
                away = story.lying and event.target_id == f"{CARD}{story.lying.situation}"
                return (replace(story, lying=None) if away else story), []
            case _:
                return story, []

    def _final(self, story: Story, final: TranscriptFinal, vector: Vector | None) -> Step:
        if story.knows(final.event_id, final.at_ms):
            return story, []
        if not final.text.strip():
            return self._noise(story, final)
        said = Said(
            final.event_id,
            final.role,
            final.at_ms,
            max(final.at_ms, final.end_ms),
            final.text,
            vector,
        )
        late = any(passed(said, one) for one in story.said)
        story = story.with_said(said)
        if said.role == "caller":
            story = replace(story, noises=())
        found = self._recogniser.recognise(story.turns_to(said))
        if found.situation in ONCE_SPOKEN and not any(one.role == "caller" for one in story.said):
            found = Recognised(None, found.confidence)
        story, events = self._goes_on(story, said, found.situation)
        if found.situation is None:
            return story, events
        who = "来电人" if said.role == "caller" else "坐席"
        evidence = Evidence(
            words=found.words or said.text[:30],
            role=said.role,
            start_ms=said.at_ms,
            end_ms=said.end_ms,
            score=_share(found.confidence),
        )
        why = f"{who}说“{evidence.words}”"
        cause = Cause(
            said.at_ms, said.end_ms, (said.event_id,), why, evidence, words_only=vector is None
        )
        story, more = self._recognised(
            story, found.situation, found.confidence, cause, card=not late
        )
        return story, events + more

    def _noise(self, story: Story, final: TranscriptFinal) -> Step:
        """Several sounds without a word."""
        if final.role != "caller" or any(id_ == final.event_id for _, id_ in story.noises):
            return story, []
        recent = (*story.noises, (final.at_ms, final.event_id))
        recent = tuple(n for n in recent if abs(final.at_ms - n[0]) <= NOISES_MS)[-NOISES:]
        story = replace(story, noises=recent)
        if len(recent) < NOISES:
            return story, []
        causes = tuple(id_ for _, id_ in recent)
        cause = Cause(final.at_ms, final.end_ms, causes, "来电人一侧接连有声音，但听不出话")
        story, events = self._recognised(story, "bad-line", 0.8, cause)
        return replace(story, noises=()), events

    def _other_card(self, story: Story, card: CardShown) -> Step:
        if card.source is not None:
            return replace(story, department=card.source.department or story.department), []
        if card.slot != "moment" or card.kind != "wording":
            return story, []
        story = replace(story, others=story.others | {card.card_id})
        if story.lying and story.lying.situation in WAITING:
            return self._withdraw(story, card.at_ms, "另有等待提示", card)
        return story, []

    def _goes_on(self, story: Story, said: Said, situation: str | None) -> Step:
        """Whether the moment of the card that lies there has passed with these words."""
        if story.lying is None:
            return story, []
        now = after(story.lying, said, situation)
        if isinstance(now, str):
            return self._withdraw(story, said.end_ms, now, said)
        return replace(story, lying=now), []

    def _recognised(
        self, story: Story, id_: str, confidence: float, cause: Cause, *, card: bool = True
    ) -> Step:
        """Tell of a situation, and lay its card where it may lie."""
        situation = self._book.by_id.get(id_)
        if situation is None:
            return story, []
        before = story.recognised.get(id_)
        events: list[Event] = []
        if before is None or abs(cause.at_ms - before) >= TOLD_AGAIN_MS:
            told = SituationRecognised(
                call_id=story.call_id,
                site=story.site,
                at_ms=cause.at_ms,
                by=self._by(cause),
                derived_from=cause.event_ids,
                evidence=cause.evidences,
                situation=id_,
                name=situation.name,
                confidence=_share(confidence),
            )
            events.append(told)
            story = replace(story, recognised={**story.recognised, id_: cause.at_ms})
        sure = confidence >= self._book.table.shows_from
        if not (card and sure and self._may_lie(story, situation, cause)):
            return story, events
        if story.lying:
            reason = f"有更要紧的情况：{situation.name}"
            story, gone = self._withdraw(story, cause.end_ms, reason, cause)
            events += gone
        shown = self._card(story, situation, confidence, cause)
        story = replace(
            story,
            shown={**story.shown, id_: shown.at_ms},
            lying=laid(shown, cause.role),
        )
        return story, [*events, shown]

    def _may_lie(self, story: Story, situation: Situation, cause: Cause) -> bool:
        last = story.shown.get(situation.id)
        if story.over or (last is not None and cause.end_ms - last < AGAIN_MS):
            return False
        if cause.end_ms + situation.stays_s * 1000 <= story.clock_ms:
            return False
        if situation.id in WAITING and story.others:
            return False
        lying = story.lying
        return lying is None or situation.priority > lying.priority

    def _card(
        self, story: Story, situation: Situation, confidence: float, cause: Cause
    ) -> CardShown:
        known = {AGENT_SLOT: story.agent_id, DEPARTMENT_SLOT: story.department}
        read_by = "（班长用）" if situation.reader == "supervisor" else ""
        return CardShown(
            call_id=story.call_id,
            site=story.site,
            at_ms=cause.end_ms,
            by=self._by(cause),
            derived_from=cause.event_ids,
            evidence=cause.evidences,
            card_id=f"{CARD}{situation.id}",
            slot="moment",
            kind="wording",
            title=f"{situation.name}：{situation.title}{read_by}",
            body=self._book.say(situation, known),
            avoid=situation.avoid,
            why=cause.why,
            priority=situation.priority,
            expires_ms=cause.end_ms + situation.stays_s * 1000,
            confidence=_share(confidence),
        )

    def _withdraw(self, story: Story, at_ms: int, reason: str, cause: Event | Said | Cause) -> Step:
        lying = story.lying
        if lying is None:
            return story, []
        causes = cause.event_ids if isinstance(cause, Cause) else (cause.event_id,)
        gone = CardWithdrawn(
            call_id=story.call_id,
            site=story.site,
            # Words may have been heard before the card and be known after it.
            at_ms=max(at_ms, lying.at_ms),
            by=Producer(name=NAME, version=self.version),
            derived_from=tuple(dict.fromkeys((lying.event_id, *causes))),
            card_id=f"{CARD}{lying.situation}",
            reason=reason,
        )
        return replace(story, lying=None), [gone]

    def _by(self, cause: Cause) -> Producer:
        version = f"{self.version} words only" if cause.words_only else self.version
        return Producer(name=NAME, version=version)


def _share(probability: float) -> float:
    """Three digits, within 0 and 1."""
    return min(1.0, max(0.0, round(probability, 3)))
