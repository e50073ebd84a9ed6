"""One call as the desk knows it: immutable values, folded from the call's events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from contracts.base import Role
from contracts.call import EndedBy
from contracts.call_type import CallTypeAssessed, CallTypeTurned
from contracts.card import CardShown
from contracts.escalation import EscalationRaised
from contracts.score import AppealDecided, DeductionAppealed, ScoreChanged
from contracts.situation import SituationRecognised
from contracts.transcript import Correction, TranscriptPartial
from contracts.warning import HoldStarted, SilenceStarted, WarningRaised

Verdict = Literal["useful", "wrong", "outdated", "dismissed"]
_REFUSED: tuple[Verdict, ...] = ("wrong", "outdated", "dismissed")
LAST_SPANS = 24
"""Stretches of speech that can lie within the last half minute."""
MAX_ITEMS = 500
"""How many cards, warnings, ticks … are held of one call; the oldest goes first."""

MarkKind = Literal["forbidden", "asked", "corrected", "turned"]
EscalationState = Literal["raised", "acknowledged", "taken_over", "closed"]
TickState = Literal["due", "said", "missed"]


@dataclass(frozen=True, slots=True)
class Clock:
    """The call's audio clock against the wall's."""

    zero: datetime
    """Wall time of audio time 0; moves only when the clock is set anew."""
    at_ms: int
    """Latest audio time known, ms."""

    def at(self, wall: datetime) -> int:
        """The audio time expected at a wall time, ms."""
        return round((wall - self.zero) / timedelta(milliseconds=1))


@dataclass(frozen=True, slots=True)
class Mark:
    """Characters `start` to `end` of a line mean something."""

    start: int
    end: int
    kind: MarkKind
    note: str
    """What a reader sees when asking: the phrase, or the form that was heard."""


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance."""

    role: Role
    start_ms: int
    end_ms: int
    text: str
    corrections: tuple[Correction, ...] = ()
    marks: tuple[Mark, ...] = ()

    @property
    def line_id(self) -> str:
        """What tells it from the call's other lines."""
        return f"{self.role}-{self.start_ms}"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of speech; `end_ms` None while it goes on."""

    role: Role
    start_ms: int
    end_ms: int | None


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card and what became of it."""

    event: CardShown
    seen_ms: int
    """Audio time at which it came, ms."""
    withdrawn: bool = False
    superseded: bool = False
    verdict: Verdict | None = None

    def stands(self, now_ms: int) -> bool:
        """Whether it may still stand on the page."""
        expired = self.event.expires_ms is not None and self.event.expires_ms <= now_ms
        gone = self.withdrawn or self.superseded or self.verdict in _REFUSED
        return not (gone or expired)


@dataclass(frozen=True, slots=True)
class StandingWarning:
    """A warning and what became of it."""

    event: WarningRaised
    seen_ms: int
    """Audio time at which it came, ms."""
    provisional: bool
    withdrawn: bool = False
    over_ms: int | None = None
    """Audio time at which what it warned of (a silence, a wait) was over, ms."""
    verdict: Verdict | None = None
    raised: tuple[str, ...] = ()
    """Ids of the events that raised it; raised again it stays one warning."""
    raised_again: bool = False
    """Provisionally raised again since it was withdrawn: it stands again once confirmed."""

    @property
    def counts(self) -> bool:
        """Whether it is held against the call: an alarm nobody took back."""
        settled = not (self.withdrawn or self.provisional or self.verdict == "wrong")
        return settled and self.event.level == "alarm"


@dataclass(frozen=True, slots=True)
class Tick:
    """A required phrase."""

    phrase: str
    name: str
    at_ms: int
    state: TickState
    due_id: str = ""
    """Id of the event that made it due; empty once said."""


@dataclass(frozen=True, slots=True)
class Appeal:
    """What the agent holds against a deduction, and how it was decided."""

    event: DeductionAppealed
    appealed_at: datetime
    decision: AppealDecided | None = None


@dataclass(frozen=True, slots=True)
class Escalated:
    """An escalation and its life so far."""

    event: EscalationRaised
    raised_at: datetime
    """Wall time of its first rise."""
    state: EscalationState = "raised"
    supervisor: str = ""
    """Account of whoever last acted on it."""
    handled_at: datetime | None = None
    verdict: str = ""

    @property
    def open(self) -> bool:
        """Whether it still is on the wall."""
        return self.state != "closed"


@dataclass(frozen=True, slots=True)
class CallView:
    """Everything the pages show of one call. Never holds the caller's full number."""

    call_id: str
    agent_id: str | None = None
    """工号; None until `started` was seen: such a call is on nobody's page."""
    number: str = ""
    """The masked number."""
    region: str | None = None
    started_at: datetime | None = None
    """Wall time at which the audio clock was 0."""
    clock: Clock | None = None
    last_event_at: datetime | None = None
    """Wall time of the latest event."""
    ended_ms: int | None = None
    ended_at: datetime | None = None
    ended_by: EndedBy | None = None
    lines: tuple[Line, ...] = ()
    partials: tuple[TranscriptPartial, ...] = ()
    speech: tuple[Span, ...] = ()
    decoded: tuple[tuple[Role, int], ...] = ()
    """Up to where each channel's words are known, ms."""
    delay_ms: int | None = None
    """From the end of the last utterance to its words on the bus, ms."""
    type: CallTypeAssessed | None = None
    """The latest assessment."""
    turns: tuple[CallTypeTurned, ...] = ()
    """Where the caller turned from one type to another, in the order of the call."""
    situations: tuple[SituationRecognised, ...] = ()
    """Moments that were recognised, in the order of the call."""
    cards: tuple[ShownCard, ...] = ()
    warnings: tuple[StandingWarning, ...] = ()
    hold: HoldStarted | None = None
    silence: SilenceStarted | None = None
    ticks: tuple[Tick, ...] = ()
    score_changes: tuple[ScoreChanged, ...] = ()
    appeals: tuple[Appeal, ...] = ()
    escalations: tuple[Escalated, ...] = ()
    earlier_calls: int | None = None
    """Calls of the same number in the days before; None where nobody knows."""

    @property
    def now_ms(self) -> int:
        """How far the audio clock is known to be, ms."""
        return self.clock.at_ms if self.clock else 0

    @property
    def live(self) -> bool:
        """Whether the call goes on."""
        return self.started_at is not None and self.ended_at is None

    @property
    def score(self) -> int | None:
        """The score now; None while nothing was deducted or given."""
        return self.score_changes[-1].score if self.score_changes else None

    @property
    def awaiting_ms(self) -> int | None:
        """End of the earliest utterance of the last 30 s that has no words yet, ms."""
        known = dict(self.decoded)
        ends = [
            span.end_ms
            for span in self.speech[-LAST_SPANS:]
            if span.end_ms is not None and span.end_ms > max(known.get(span.role, 0), self._recent)
        ]
        return min(ends, default=None)

    @property
    def _recent(self) -> int:
        return self.now_ms - 30_000
