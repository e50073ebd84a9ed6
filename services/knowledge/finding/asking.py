"""From what a caller says to what may be told: which utterances are the question.

A question is often spread: 我想问一下社保卡 … 就是丢了 … 去哪里补. So an utterance is tried
alone, and where that shows nothing, together with what the caller said just before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from services.knowledge.deciding.decide import SHOWN_FROM, Case, Judge, Ruling
from services.knowledge.finding.find import Evidence
from services.knowledge.finding.wording import content, subject

ALTERNATIVE_FROM = 0.4
"""Score from which another matter is named beside the one shown."""
ALTERNATIVES = 2
LEAST_CONTENT = 2
"""Characters an utterance must hold beside fillers to ask anything."""
PART_FROM = 0.1
"""Score an utterance must have by itself for the matter that it and the ones before speak for."""
BEFORE = 2
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
    alone = await hear(text)
    if alone.talk > alone.scores.max(initial=0.0):
        return None
    whole = len(subject(text)) >= LEAST_CONTENT
    if (whole or not before) and (found := _found(alone, judge, case, 1)):
        return found
    joined: list[Found] = []
    for count in range(1, min(BEFORE, len(before)) + 1):
        evidence = await hear("，".join([*before[-count:], text]))
        found = _found(evidence, judge, case, 1 + count)
        # Else every utterance would bring up again what was asked before it.
        if found and (not whole or alone.scores[found.ruling.matched] >= PART_FROM):
            joined.append(found)
    return max(joined, key=lambda found: found.ruling.confidence, default=None)


def _found(evidence: Evidence, judge: Judge, case: Case, utterances: int) -> Found | None:
    rulings = judge.rulings(evidence, case, most=1 + ALTERNATIVES)
    if not rulings or rulings[0].confidence < SHOWN_FROM:
        return None
    others = tuple(ruling for ruling in rulings[1:] if ruling.score >= ALTERNATIVE_FROM)
    return Found(rulings[0], others, utterances)
