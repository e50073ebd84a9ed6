"""How the caller talks, from voice activity alone: how loudly against the call's own start, how
much of the time, how often into the agent's words. A pure fold over speech events.

Events may come late, twice or in any order: what is measured afterwards is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Literal

from contracts.base import Event, Role
from contracts.speech import SpeechEnded, SpeechStarted

WINDOW_MS = 60_000
"""What is measured is the last minute."""
HELD_MS = 2 * WINDOW_MS
"""What is held is more: where a long speech is cut at breaths, its beginning is needed too."""
MOST = 200
"""Utterances of a side that are held at most; nobody has more in that time."""
START_MS = 6_000
"""So much of the caller's own speech is the start, against which the rest is held."""
TELLING_MS = 600
"""A shorter utterance (嗯, 对) says nothing of how loudly somebody speaks."""
LAST = 3
"""Utterances that are as loud as the caller is now: one alone may be a cough."""
FEWEST = 2
BREATH_MS = 600
"""Utterances of one side that are no further apart are one, cut at a breath."""
CUT_IN_MS = 700
"""Talking at once for a shorter time is a 嗯 between, or one turn overlapping the next."""
TOGETHER_MS = 500
"""Who begins no later than this after the other does not cut in: both began at once, or it is the
other's echo on the line."""
ENOUGH_MS = 20_000
"""So much talk of both must lie in the last minute before anybody's share of it says something."""

Span = tuple[int, int]
"""From, to; ms on the audio clock."""
Measured = Literal["louder_db", "talk_share", "cut_ins", "cut_in_s"]
"""The caller's loudness against the start, dB · the caller's share of all talk, 0 to 1 · how often
the caller began while the agent was speaking · for how long both spoke then, seconds."""


@dataclass(frozen=True, slots=True, order=True)
class Spoke:
    """An utterance."""

    at_ms: int
    end_ms: int
    level_db: float | None = field(default=None, compare=False)

    @property
    def span(self) -> Span:
        """Where it lies."""
        return self.at_ms, self.end_ms

    @property
    def tells(self) -> bool:
        """Whether it says something of how loudly its speaker speaks."""
        return self.level_db is not None and self.end_ms - self.at_ms >= TELLING_MS


@dataclass(frozen=True, slots=True)
class Voice:
    """One side so far."""

    began_ms: int = -1
    """Beginning of the last speech that was heard of."""
    ended_ms: int = -1
    """Beginning of the last speech whose end was heard of."""
    spoken: tuple[Spoke, ...] = ()
    """Its utterances of the last time, by time."""

    def spans(self, now_ms: int) -> list[Span]:
        """Where it spoke, breaths included; what goes on lasts until now."""
        spans = [spoke.span for spoke in self.spoken]
        if self.began_ms > self.ended_ms:
            spans.append((self.began_ms, max(self.began_ms, now_ms)))
        whole: list[Span] = []
        for start, end in spans:
            if whole and start - whole[-1][1] <= BREATH_MS:
                whole[-1] = (whole[-1][0], max(whole[-1][1], end))
            else:
                whole.append((start, end))
        return whole


@dataclass(frozen=True, slots=True)
class Measure:
    """Something measured, and where it was heard."""

    value: float
    span: Span


@dataclass(frozen=True, slots=True)
class Prosody:
    """The voices of a call so far."""

    now_ms: int = 0
    """Up to where speech was heard of."""
    start: tuple[Spoke, ...] = ()
    """The caller's first telling utterances, by time, until they are `START_MS` long."""
    caller: Voice = Voice()
    agent: Voice = Voice()

    def after(self, event: Event) -> Prosody:
        """With one more event; any that is not of speech changes nothing."""
        if isinstance(event, SpeechStarted):
            voice = self._of(event.role)
            voice = replace(voice, began_ms=max(voice.began_ms, event.at_ms))
            return self._with(event.role, voice, event.at_ms)
        if isinstance(event, SpeechEnded):
            spoke = Spoke(event.at_ms, max(event.at_ms, event.end_ms), event.level_db)
            voice = self._of(event.role)
            voice = Voice(
                voice.began_ms,
                max(voice.ended_ms, spoke.at_ms),
                _joined(voice.spoken, spoke),
            )
            heard = self._with(event.role, voice, spoke.end_ms)
            if event.role == "caller" and spoke.tells:
                heard = replace(heard, start=_first(_joined(self.start, spoke)))
            return heard
        return self

    def measures(self) -> dict[Measured, Measure]:
        """What there is to measure now; what is not there was not to be measured."""
        since_ms = max(0, self.now_ms - WINDOW_MS)
        caller, agent = self.caller.spans(self.now_ms), self.agent.spans(self.now_ms)
        found: dict[Measured, Measure] = {}
        if louder := self._louder(since_ms):
            found["louder_db"] = louder
        of_caller, of_agent = (_length(_since(since_ms, spans)) for spans in (caller, agent))
        if of_caller + of_agent >= ENOUGH_MS:
            share = of_caller / (of_caller + of_agent)
            found["talk_share"] = Measure(share, (since_ms, self.now_ms))
        over = [span for span in _cut_ins(caller, agent) if span[0] >= since_ms]
        if over:
            span = (over[0][0], over[-1][1])
            found["cut_ins"] = Measure(float(len(over)), span)
            found["cut_in_s"] = Measure(_length(over) / 1000, span)
        return found

    def _louder(self, since_ms: int) -> Measure | None:
        """How much louder than at the start, dB; None before the start is over."""
        if _length(spoke.span for spoke in self.start) < START_MS:
            return None
        after_ms = max(since_ms, self.start[-1].end_ms)
        last = [s for s in self.caller.spoken if s.tells and s.at_ms >= after_ms][-LAST:]
        if len(last) < FEWEST:
            return None
        return Measure(_level(last) - _level(self.start), (last[0].at_ms, last[-1].end_ms))

    def _of(self, role: Role) -> Voice:
        return self.caller if role == "caller" else self.agent

    def _with(self, role: Role, voice: Voice, heard_ms: int) -> Prosody:
        now_ms = max(self.now_ms, heard_ms)
        caller, agent = (voice, self.agent) if role == "caller" else (self.caller, voice)
        return Prosody(now_ms, self.start, _recent(caller, now_ms), _recent(agent, now_ms))


def _joined(spoken: tuple[Spoke, ...], spoke: Spoke) -> tuple[Spoke, ...]:
    """With one more, by time; the one that was known is not taken again."""
    if any(known.at_ms == spoke.at_ms for known in spoken):
        return spoken
    return tuple(sorted((*spoken, spoke)))


def _first(spoken: tuple[Spoke, ...]) -> tuple[Spoke, ...]:
    """As many from the first on as make the start."""
    length = 0
    for count, spoke in enumerate(spoken, 1):
        length += spoke.end_ms - spoke.at_ms
        if length >= START_MS:
            return spoken[:count]
    return spoken


def _recent(voice: Voice, now_ms: int) -> Voice:
    """Without what was said too long ago."""
    held = tuple(spoke for spoke in voice.spoken if spoke.end_ms > now_ms - HELD_MS)[-MOST:]
    return replace(voice, spoken=held)


def _since(since_ms: int, spans: Iterable[Span]) -> list[Span]:
    return [(max(start, since_ms), end) for start, end in spans if end > since_ms]


def _length(spans: Iterable[Span]) -> int:
    return sum(end - start for start, end in spans)


def _level(spoken: Iterable[Spoke]) -> float:
    return median(spoke.level_db for spoke in spoken if spoke.level_db is not None)


def _cut_ins(caller: Iterable[Span], agent: Sequence[Span]) -> list[Span]:
    """Where the caller began while the agent was speaking, and both went on."""
    over = [
        (start, min(end, others_end))
        for start, end in caller
        for others_start, others_end in agent
        if others_start + TOGETHER_MS < start < others_end
    ]
    return [span for span in over if span[1] - span[0] >= CUT_IN_MS]
