"""The state of one call: who spoke when, what was said, and what was concluded so far.

Immutable: every change makes a new value. All times are ms on the call's audio clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from contracts.base import Role
from contracts.call import EndedBy
from services.conduct.waiting import Marks

SLACK_MS = 800
"""How far a recogniser's boundaries may lie from those of voice activity."""
BOUNDARY_MS = 300
"""How exact a boundary found by voice activity is."""
TURN_MS = 1_000
"""Speech that goes on within this time belongs to the same utterance."""


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of speech, found by voice activity."""

    role: Role
    start: int
    end: int | None
    """None while it goes on."""
    continues: bool
    """It goes on with the stretch before it, cut at a short pause."""
    event_id: str
    """The event that told of it."""
    ended_by: str = ""
    """The event that told of its end; empty while it goes on."""


@dataclass(frozen=True, slots=True)
class Words:
    """What was said in a stretch, from a final."""

    start: int
    end: int
    text: str
    event_id: str
    marks: Marks = field(default_factory=Marks)
    """For the agent: what it holds of the words of waiting."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Stretches of one speaker with no pause worth the name between them."""

    spans: tuple[Span, ...]

    @property
    def start(self) -> int:
        """Its beginning."""
        return self.spans[0].start

    @property
    def end(self) -> int | None:
        """Its end; None while it goes on."""
        return self.spans[-1].end


@dataclass(frozen=True, slots=True)
class Channel:
    """One side of the call."""

    role: Role
    spans: tuple[Span, ...] = ()
    """By start."""
    words: tuple[Words, ...] = ()
    """By start."""

    @property
    def speaking(self) -> bool:
        """Whether a stretch is going on."""
        return any(span.end is None for span in self.spans[-3:])

    def began(self, start: int, continues: bool, event_id: str) -> Channel:
        """A stretch begins. One that was still open ends there: its end was missed."""
        if any(span.start == start for span in self.spans):
            return self
        spans = [
            s if s.end is not None else replace(s, end=max(s.start, start), ended_by=event_id)
            for s in self.spans
        ]
        spans.append(Span(self.role, start, None, continues, event_id))
        return replace(self, spans=_by_start(spans))

    def stopped(self, start: int, end: int, event_id: str) -> Channel:
        """A stretch ends; where its beginning was missed, it is known now."""
        end = max(start, end)
        for index, span in enumerate(self.spans):
            if span.start == start or (span.end is None and abs(span.start - start) < SLACK_MS):
                ended = replace(span, end=max(end, span.start), ended_by=event_id)
                return replace(self, spans=(*self.spans[:index], ended, *self.spans[index + 1 :]))
        spans = [*self.spans, Span(self.role, start, end, False, event_id, event_id)]
        return replace(self, spans=_by_start(spans))

    def said(self, words: Words) -> Channel:
        """Words are known; a second final of the same start replaces the first. Words where no
        voice was found are a stretch of their own."""
        others = [w for w in self.words if w.start != words.start]
        changed = replace(self, words=tuple(sorted([*others, words], key=lambda w: w.start)))
        if words.text and not any(_meet(span, words) for span in self.spans):
            return changed.stopped(words.start, words.end, words.event_id)
        return changed

    def words_of(self, turn: Turn) -> list[Words]:
        """The words of a turn."""
        end = turn.end
        return [
            words
            for words in self.words
            if words.start >= turn.start - SLACK_MS // 2
            and (end is None or (words.start + words.end) / 2 <= end)
        ]

    def settled(self, span: Span) -> bool:
        """Whether the words of a stretch are all there."""
        return span.end is not None and any(
            _meet(span, words) and words.end >= span.end - SLACK_MS for words in self.words
        )

    def empty(self, span: Span) -> bool:
        """Whether a stretch was decoded and held no words: a cough, a noise."""
        found = [words.text for words in self.words if _meet(span, words)]
        return bool(found) and not any(found)

    def turns(self, pause: int = TURN_MS, last: int = 12) -> list[Turn]:
        """The turns of the last stretches, oldest first."""
        return list(_turns(self.spans[-last:], pause))


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which neither side speaks."""

    start: int
    end: int | None = None
    noted: bool = False
    """`silence.started` is out."""
    closed: bool = False
    """`silence.ended` is out."""
    warned: tuple[str, ...] = ()
    """Ids of the warnings raised for it."""


@dataclass(frozen=True, slots=True)
class Hold:
    """The agent asked the caller to wait."""

    start: int
    words: str
    event_id: str
    end: int | None = None
    card: str = ""
    """The card that is shown for it."""
    warned: bool = False


@dataclass(frozen=True, slots=True)
class Interruption:
    """The agent began while the caller was speaking."""

    start: int
    warning_id: str
    open: bool
    """It may still be withdrawn."""


@dataclass(frozen=True, slots=True)
class Call:
    """Everything conduct knows of a call."""

    call_id: str
    site: str
    agent: Channel = Channel("agent")
    caller: Channel = Channel("caller")
    clock: int = 0
    """Timers have been looked at up to here."""
    decided: int = 0
    """Voice activity is known of both sides up to here."""
    started_id: str = ""
    """The event that told of its start."""
    ended_at: int | None = None
    ended_by: EndedBy | None = None
    ended_id: str = ""
    """The event that told of its end."""
    settled: bool = False
    """Nothing more will come."""
    silences: tuple[Silence, ...] = ()
    """Those that may still lead to something."""
    holds: tuple[Hold, ...] = ()
    interruptions: tuple[Interruption, ...] = ()
    silent_warned: bool = False
    silent_step: int = 0
    """Step of the silent-caller script whose card was shown last; 0 = none."""
    silent_card: str = ""
    """That card while it is shown."""
    opening_judged: bool = False
    closing_judged: bool = False
    phrases: frozenset[tuple[str, int]] = frozenset()
    """Forbidden phrases raised: rule, and start of the utterance they end in."""
    due: frozenset[str] = frozenset()
    """Required phrases whose moment has come."""
    said: frozenset[str] = frozenset()
    """Required phrases that were said."""

    def channel(self, role: Role) -> Channel:
        """One side."""
        return self.agent if role == "agent" else self.caller

    def with_channel(self, channel: Channel) -> Call:
        """The call with one side changed."""
        if channel.role == "agent":
            return replace(self, agent=channel)
        return replace(self, caller=channel)

    @property
    def over(self) -> bool:
        """Whether somebody has hung up."""
        return self.ended_at is not None

    def caller_spoke(self, until: int | None = None) -> bool:
        """Whether the caller has said anything, beginning up to `until`. Coughs do not count."""
        return any(
            not self.caller.empty(span)
            for span in self.caller.spans
            if until is None or span.start <= until
        )

    def quiet_since(self) -> int | None:
        """Since when nobody has spoken; None while somebody does."""
        if self.agent.speaking or self.caller.speaking:
            return None
        ends = [s.end for c in (self.agent, self.caller) for s in c.spans[-3:] if s.end is not None]
        return max(ends, default=0)

    def voice_after(self, start: int) -> int | None:
        """When somebody first spoke from `start` on."""
        starts = [
            s.start for c in (self.agent, self.caller) for s in c.spans[-6:] if s.start >= start
        ]
        return min(starts, default=None)

    def quiet_by(self, start: int) -> list[str]:
        """The events a silence from `start` on rests on: each side's last end of speech; where
        nobody had spoken, the start of the call."""
        found = []
        for channel in (self.agent, self.caller):
            ended = [s for s in channel.spans[-6:] if s.end is not None and s.end <= start]
            found += [span.ended_by for span in ended[-1:]]
        return found or [self.started_id]


def _by_start(spans: list[Span]) -> tuple[Span, ...]:
    return tuple(sorted(spans, key=lambda span: span.start))


def _meet(span: Span, words: Words) -> bool:
    return words.end > span.start and (span.end is None or words.start < span.end)


def _turns(spans: tuple[Span, ...], pause: int) -> Iterator[Turn]:
    if not spans:
        return
    held = [spans[0]]
    for before, span in pairwise(spans):
        gap = span.start - (before.end if before.end is not None else span.start)
        if span.continues or gap < pause:
            held.append(span)
        else:
            yield Turn(tuple(held))
            held = [span]
    yield Turn(tuple(held))
