"""One side of a call: when it spoke, and what was said.

Immutable: every change makes a new value. All times are ms on the call's audio clock.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from contracts.base import Role
from services.conduct.manners.book import Manner
from services.conduct.waits.book import Marks

SLACK_MS = 800
"""How far a recogniser's boundaries may lie from those of voice activity."""
BOUNDARY_MS = 300
"""How exact a boundary found by voice activity is."""
TURN_MS = 1_000
"""Speech that goes on within this time belongs to the same utterance."""
RECENT = 32
"""How many stretches and utterances of a side, the last ones, may still be judged anew: so a long
call costs no more an event than a short one."""


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
    noise: bool = False
    """It was decoded and held no words (a cough, hold music), or goes on from one that held none.
    Until its words are known, a stretch counts as speech."""


@dataclass(frozen=True, slots=True)
class Words:
    """What was said in a stretch, from a final."""

    start: int
    end: int
    text: str
    event_id: str
    marks: Marks = field(default_factory=Marks)
    """What it holds of the words of waiting and of the checklist."""
    manner: Manner = field(default_factory=Manner)
    """What it shows of the speaker's manner."""


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
        """Whether a stretch is going on that counts."""
        return any(span.end is None and self.counts(span) for span in self.spans[-3:])

    def counts(self, span: Span) -> bool:
        """Whether a stretch breaks a silence. A noise at the agent's place does not; a caller of
        whom nothing is understood is still somebody the agent may be listening to."""
        return not span.noise or self.role == "caller"

    def began(self, start: int, continues: bool, event_id: str) -> Channel:
        """A stretch begins. One that was still open ends there: its end was missed."""
        at = bisect_left(self.spans, start, key=start_of)
        if at < len(self.spans) and self.spans[at].start == start:
            return self
        recent = max(0, len(self.spans) - RECENT)
        closed = (
            s if s.end is not None else replace(s, end=max(s.start, start), ended_by=event_id)
            for s in self.spans[recent:]
        )
        span = Span(self.role, start, None, continues, event_id)
        return replace(self, spans=(*self.spans[:recent], *closed))._with(span)._weighed()

    def stopped(self, start: int, end: int, event_id: str) -> Channel:
        """A stretch ends; where its beginning was missed, it is known now."""
        end = max(start, end)
        at = bisect_left(self.spans, start, key=start_of)
        known = at < len(self.spans) and self.spans[at].start == start
        if not known:
            open_ = [
                index
                for index in range(max(0, len(self.spans) - RECENT), len(self.spans))
                if self.spans[index].end is None and abs(self.spans[index].start - start) < SLACK_MS
            ]
            if not open_:
                span = Span(self.role, start, end, False, event_id, event_id)
                return self._with(span)._weighed()
            at = open_[0]
        span = self.spans[at]
        ended = replace(span, end=max(end, span.start), ended_by=event_id)
        changed = replace(self, spans=(*self.spans[:at], ended, *self.spans[at + 1 :]))
        return changed._weighed()

    def said(self, words: Words) -> Channel:
        """Words are known; a second final of the same start replaces the first. Words where no
        voice was found are a stretch of their own."""
        at = bisect_left(self.words, words.start, key=start_of)
        same = at < len(self.words) and self.words[at].start == words.start
        changed = replace(self, words=(*self.words[:at], words, *self.words[at + same :]))
        if words.text and not any(_meet(span, words) for span in self._around(words)):
            return changed.stopped(words.start, words.end, words.event_id)
        return changed._weighed()

    def words_of(self, turn: Turn) -> list[Words]:
        """The words of a turn."""
        end = turn.end
        found = []
        for words in self.words[
            bisect_left(self.words, turn.start - SLACK_MS // 2, key=start_of) :
        ]:
            if end is not None and words.start > end:
                break
            if end is None or (words.start + words.end) / 2 <= end:
                found.append(words)
        return found

    def settled(self, span: Span) -> bool:
        """Whether the words of a stretch are all there."""
        return span.end is not None and any(
            words.end >= span.end - SLACK_MS for words in self.words_in(span)
        )

    def span_at(self, start: int) -> Span | None:
        """The stretch that begins at `start`."""
        at = bisect_left(self.spans, start, key=start_of)
        found = at < len(self.spans) and self.spans[at].start == start
        return self.spans[at] if found else None

    def before(self, start: int) -> Span | None:
        """The stretch that begins last before `start`."""
        at = bisect_left(self.spans, start, key=start_of)
        return self.spans[at - 1] if at else None

    def stretch(self, first: Span, pause: int = 0) -> list[Span]:
        """A stretch with what goes on from it: cut there, or begun again within less than `pause`
        ms."""
        found = [first]
        for span in self.spans[bisect_left(self.spans, first.start + 1, key=start_of) :]:
            end = found[-1].end
            resumed = pause and (end is None or span.start - end < pause)
            if not (span.continues or resumed):
                break
            found.append(span)
        return found

    def last_voice(self, before: int | None = None) -> Span | None:
        """The last stretch that counts, beginning before `before`."""
        at = len(self.spans) if before is None else bisect_left(self.spans, before, key=start_of)
        return next((span for span in reversed(self.spans[:at]) if self.counts(span)), None)

    def next_voice(self, since: int) -> Span | None:
        """The first stretch that counts, beginning at `since` or later and not over by then."""
        at = bisect_left(self.spans, since, key=start_of)
        found = (s for s in self.spans[at:] if self.counts(s) and (s.end is None or s.end > since))
        return next(found, None)

    def between(self, since: int, until: int) -> tuple[Span, ...]:
        """The stretches that begin in a time."""
        at = bisect_left(self.spans, since, key=start_of)
        return self.spans[at : bisect_left(self.spans, until, lo=at, key=start_of)]

    def words_in(self, span: Span) -> list[Words]:
        """The words that lie in a stretch, wholly or in part."""
        until = len(self.words)
        if span.end is not None:
            until = bisect_left(self.words, span.end, key=start_of)
        near = self.words[max(0, until - RECENT) : until]
        return [words for words in near if _meet(span, words)]

    def _with(self, span: Span) -> Channel:
        at = bisect_left(self.spans, span.start, key=start_of)
        return replace(self, spans=(*self.spans[:at], span, *self.spans[at:]))

    def _weighed(self) -> Channel:
        """Which of the last stretches are noise, judged anew."""
        before = max(0, len(self.spans) - RECENT)
        weighed = list(self.spans[before:])
        for index, span in enumerate(weighed):
            if before and not index:
                continue  # what it may go on from is no longer looked at
            texts = [words.text for words in self.words_in(span)]
            if any(texts) or not texts or not self.settled(span):
                noise = not any(texts) and span.continues and index > 0 and weighed[index - 1].noise
            else:
                noise = True
            if noise != span.noise:
                weighed[index] = replace(span, noise=noise)
        return replace(self, spans=(*self.spans[:before], *weighed))

    def _around(self, words: Words) -> tuple[Span, ...]:
        """The stretches that may hold words."""
        until = bisect_left(self.spans, words.end, key=start_of)
        return self.spans[max(0, until - RECENT) : until]

    def turns(self, pause: int = TURN_MS, last: int = 12, *, noise: bool = True) -> list[Turn]:
        """The turns of the last stretches, oldest first; without `noise`, of those of speech."""
        spans = self.spans[-last:]
        return list(_turns(spans if noise else tuple(s for s in spans if not s.noise), pause))


def start_of(one: Span | Words) -> int:
    """When it began, ms."""
    return one.start


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
