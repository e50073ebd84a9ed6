"""A call as the knowledge service sees it: a fold over its events, our own among them. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from contracts.base import Event, Producer
from contracts.call import CallEnded, CallProgressed, CallStarted
from contracts.card import CardShown, CardWithdrawn
from contracts.feedback import FeedbackGiven
from contracts.gap import GapNoted
from contracts.transcript import TranscriptFinal
from services.common.version import VERSION
from services.knowledge.finding.asking import BEFORE

PRODUCER = Producer(name="knowledge", version=VERSION)
TOGETHER_MS = 45_000
"""Utterances further apart than this are not one question."""

NOT_THIS = "来电人说问的不是这件事"
"""Why a card goes that the caller refuses."""


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance of the caller, or the stable part of one that is still open."""

    text: str
    start_ms: int
    end_ms: int
    event_id: str


@dataclass(frozen=True, slots=True)
class Call:
    """What of a call matters for its cards."""

    region: str | None = None
    """Its region; None = the site's."""
    said: tuple[Said, ...] = ()
    """The caller's last utterances, the newest last."""
    final_ms: int = -1
    """Where the caller's latest utterance begins that has its final, worded or not, ms."""
    card: CardShown | None = None
    """The answer or transfer card that was shown last, until it is withdrawn."""
    refused: frozenset[str] = frozenset()
    """Cards that the agent called wrong or outdated."""
    gaps: tuple[str, ...] = ()
    """Questions of this call that were noted as gaps."""
    clock_ms: int = 0
    """The latest moment known, ms."""
    folded: int = 0
    """How many events are in it."""
    over: bool = False

    def after(self, event: Event) -> Call:
        """The call with one more event."""
        at_ms = event.audio_ms if isinstance(event, CallProgressed) else event.at_ms
        call = replace(self, clock_ms=max(self.clock_ms, at_ms), folded=self.folded + 1)
        return call._after(event)

    def _after(self, event: Event) -> Call:
        match event:
            case CallStarted():
                return replace(self, region=event.region)
            case CallEnded():
                return replace(self, over=True)
            case CardShown() if is_ours(event):
                return replace(self, card=event)
            case CardWithdrawn() if self.card and event.card_id == self.card.card_id:
                call = replace(self, card=None)
                return call._without_refused(event) if event.reason == NOT_THIS else call
            case FeedbackGiven() if event.verdict in ("wrong", "outdated"):
                return replace(self, refused=self.refused | {event.target_id})
            case GapNoted() if is_ours(event):
                words = tuple(piece.words for piece in event.evidence)
                return replace(self, gaps=self.gaps + words)
            case TranscriptFinal() if event.role == "caller":
                call = replace(self, final_ms=max(self.final_ms, event.at_ms))
                if not event.text.strip():
                    return call
                said = Said(event.text, event.at_ms, event.end_ms, event.event_id)
                return replace(call, said=(*self.said, said)[-(1 + BEFORE) :])
            case _:
                return self

    def _without_refused(self, event: CardWithdrawn) -> Call:
        """What was said before a refusal is no part of what is asked after it."""
        since = max((piece.start_ms for piece in event.evidence), default=0)
        return replace(self, said=tuple(said for said in self.said if said.start_ms >= since))

    def before(self, now: Said) -> tuple[str, ...]:
        """What the caller said shortly before an utterance, oldest first."""
        return tuple(
            said.text
            for said in self.said
            if said.start_ms < now.start_ms and now.start_ms - said.end_ms <= TOGETHER_MS
        )[-BEFORE:]

    def asked_by(self, now: Said, utterances: int) -> tuple[Said, ...]:
        """The last `utterances` up to and with `now`, oldest first."""
        earlier = [said for said in self.said if said.start_ms < now.start_ms]
        return (*earlier[len(earlier) - (utterances - 1) :], now)


def is_ours(event: CardShown | CardWithdrawn | GapNoted) -> bool:
    """Whether this service said it."""
    return event.by.name == PRODUCER.name
