"""From what a caller says to what may be told: which utterances are the question.

A question is often spread: 我想问一下社保卡 … 就是丢了 … 去哪里补. So an utterance is tried alone
and together with what the caller said just before, and the surer reading counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from services.knowledge.deciding.decide import Case, Judge, Ruling
from services.knowledge.finding.ranking import Evidence
from services.knowledge.finding.wording import content, subject

ALTERNATIVES = 2
LEAST_CONTENT = 2
"""Characters an utterance must hold beside fillers to ask anything."""
PART = 0.3
"""Share of the score of the matter that it and the ones before speak for, that an utterance which
names a subject must reach by itself: else every utterance would bring up what was asked before."""
AHEAD = 0.1
"""What was said before usually belongs to the question: an utterance alone must be surer by so
much."""
BEFORE = 3
"""Utterances of the caller before this one that may belong to the question."""

Hear = Callable[[str], Awaitable[Evidence]]


@dataclass(frozen=True, slots=True)
class Found:
    """What may be told."""

    ruling: Ruling
    """On the matter that is meant."""
    alternatives: tuple[Ruling, ...]
    """On others that might be."""
    utterances: int
    """How many of the caller's last utterances asked: 1 = the last alone."""


def asks(text: str) -> bool:
    """Whether an utterance holds anything to look up."""
    return len(content(text)) >= LEAST_CONTENT


async def look_up(
    text: str, before: Sequence[str], hear: Hear, judge: Judge, case: Case
) -> Found | None:
    """What may be told on `text`, the utterance now, and `before`, the caller's utterances before
    it, oldest first; None where nothing fits well enough. `hear` gives the evidence of a text."""
    if not asks(text):
        return None
    before = before[-BEFORE:]
    if not before:
        alone = await hear(text)
        return None if alone.is_talk else await _found(alone, judge, case, 1)
    alone, joined = await asyncio.gather(hear(text), hear("，".join([*before, text])))
    if alone.is_talk:
        return None
    whole = len(subject(text)) >= LEAST_CONTENT
    by_itself = await _found(alone, judge, case, 1) if whole else None
    together = await _found(joined, judge, case, 1 + len(before))
    if together and whole:
        matched = together.ruling.matched
        if alone.scores[matched] < PART * joined.scores[matched]:
            together = None
    if by_itself is None or together is None:
        return by_itself or together
    same = by_itself.ruling.source.entry_id == together.ruling.source.entry_id
    ahead = by_itself.ruling.confidence >= together.ruling.confidence + AHEAD
    return by_itself if same or ahead else together


async def _found(evidence: Evidence, judge: Judge, case: Case, utterances: int) -> Found | None:
    # In a thread: on a big base it takes milliseconds, and calls must not wait for each other.
    rulings = await asyncio.to_thread(judge.rulings, evidence, case, most=1 + ALTERNATIVES)
    if not rulings or rulings[0].confidence < evidence.weights.shown_from:
        return None
    others = tuple(ruling for ruling in rulings[1:] if ruling.score >= evidence.weights.listed_from)
    return Found(rulings[0], others, utterances)
