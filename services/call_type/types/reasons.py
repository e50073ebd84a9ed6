"""The words that speak for a type: evidence from the call, not a bare score. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from contracts.call_type import CALL_TYPES, CallType
from services.call_type.types.dialogue import Dialogue, Grams, Said, Turn
from services.common.heads import Head
from services.common.written import Written, read

RECENT = 6
"""The caller's last turns, in which reasons are looked for."""
FEWEST, LONGEST = 4, 18
"""Characters of a reason."""
MOST = 3
"""Reasons that are given at most."""
TELLING = 0.25
"""Probability a stretch of words must give the type by itself; one of ten by chance has 0.1."""
FADE = 0.85
"""What is left of a reason's weight with each turn after it: the young ones come first."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Words that speak for a type."""

    said: Said
    words: str
    """As they were heard."""
    score: float
    """Probability that the words alone give the type."""


def reasons(dialogue: Dialogue, label: CallType, head: Head) -> list[Reason]:
    """What speaks for a type in the caller's last turns, the strongest first."""
    return _best(dialogue.of("caller")[-RECENT:], label, head)


def turning_words(dialogue: Dialogue, label: CallType, head: Head) -> list[Reason]:
    """What speaks for a type in the caller's last turn, and in the one before it where that says
    nothing by itself."""
    caller = dialogue.of("caller")
    return _best(caller[-1:], label, head) or _best(caller[-2:], label, head)


def _best(turns: Sequence[Turn], label: CallType, head: Head) -> list[Reason]:
    found: list[tuple[float, Reason]] = []
    for age, turn in enumerate(reversed(turns)):
        for said in turn.said:
            reason = _strongest(said, label, head)
            if reason:
                found.append((reason.score * FADE**age, reason))
    found.sort(key=lambda one: -one[0])
    return [reason for _, reason in found[:MOST]]


def _strongest(said: Said, label: CallType, head: Head) -> Reason | None:
    """The stretch of a final that speaks most for a type."""
    column = CALL_TYPES.index(label)
    text = read(said.text)
    scored = [
        (_share(text, start, end, column, head), end - start, start, end)
        for start, end in _stretches(text)
    ]
    if not scored:
        return None
    score, _, start, end = max(scored)
    if score < TELLING:
        return None
    return Reason(said, text.words(start, end), round(score, 3))


def _share(text: Written, start: int, end: int, column: int, head: Head) -> float:
    block = head.grams["last"]
    rows = block.rows(Grams.of(read(text.words(start, end))).every)
    return float(np.exp(head.words({"last": rows}))[column])


def _stretches(text: Written) -> list[tuple[int, int]]:
    """Clauses, a very short one with the one before it (你们这些人。滚), but no 喂 at the front;
    where the recogniser wrote none, stretches of the usual length."""
    clauses: list[tuple[int, int]] = []
    for start, end in pairwise(sorted(text.breaks)):
        if clauses and end - start < FEWEST:
            clauses[-1] = clauses[-1][0], end
        elif clauses and clauses[-1][1] - clauses[-1][0] < FEWEST:
            clauses[-1] = start, end
        else:
            clauses.append((start, end))
    found: list[tuple[int, int]] = []
    for start, end in clauses:
        parts = max(1, -(-(end - start) // LONGEST))
        found += pairwise(
            [start + round((end - start) * part / parts) for part in range(parts + 1)]
        )
    return found
