"""What of a call matters for its moments: a value, kept by `Moments`. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from contracts.base import Role
from services.call_type.situations.look import Turn
from services.common.vectors import Vector

KEPT = 32
"""Finals that are remembered, the last ones by the time they were said."""
MERGED_MS = 1_500
"""Finals of one side that follow each other within this time are one turn, cut at a breath."""
MERGED_CHARACTERS = 60
"""But no more than so many characters: in a long story the moment is its end."""
TURNS = 3
"""Turns that a moment is judged by."""


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """One final that holds words."""

    event_id: str
    role: Role
    at_ms: int
    end_ms: int
    text: str
    vector: Vector | None


@dataclass(frozen=True, slots=True)
class Lying:
    """The card that lies there."""

    situation: str
    at_ms: int
    """When it was shown."""
    expires_ms: int
    priority: int
    body: str
    event_id: str
    """Of its `card.shown`."""
    role: Role | None
    """Whose words brought it; None where none did."""
    until_ms: int
    """End of those words, and of what goes on with them."""
    went_on: int = 0
    """How often the caller has since said something else."""


@dataclass(frozen=True, slots=True)
class Hold:
    """The caller was asked to wait."""

    at_ms: int
    event_id: str
    words: str


@dataclass(frozen=True, slots=True)
class Story:
    """A call so far."""

    call_id: str
    site: str
    agent_id: str | None = None
    department: str | None = None
    """That of the last answer or transfer card of the knowledge service."""
    said: tuple[Said, ...] = ()
    """In the order of speaking."""
    noises: tuple[tuple[int, str], ...] = ()
    """Time and id of the caller's finals without words since it last said something."""
    clock_ms: int = 0
    hold: Hold | None = None
    lying: Lying | None = None
    shown: Mapping[str, int] = field(default_factory=dict)
    """When each situation's card was last shown, ms."""
    recognised: Mapping[str, int] = field(default_factory=dict)
    """When each situation was last recognised, ms."""
    others: frozenset[str] = frozenset()
    """Wording cards of other services that stand in the same slot."""
    over: bool = False

    def knows(self, event_id: str, at_ms: int) -> bool:
        """Whether a final was heard already, or is too old to tell."""
        forgotten = len(self.said) == KEPT and at_ms < self.said[0].at_ms
        return forgotten or any(one.event_id == event_id for one in self.said)

    def with_said(self, said: Said) -> Story:
        """With one more final, where it was spoken."""
        at = bisect_right(self.said, said.at_ms, key=lambda one: one.at_ms)
        every = (*self.said[:at], said, *self.said[at:])
        return replace(self, said=every[-KEPT:])

    def turns_to(self, said: Said) -> list[Turn]:
        """The turns that lead to a final, its own the last."""
        at = next((n for n, one in enumerate(self.said) if one.event_id == said.event_id), None)
        if at is None:
            return []
        turns: list[list[Said]] = [[said]]
        for one in reversed(self.said[:at]):
            first = turns[-1][0]
            length = sum(len(part.text) for part in turns[-1]) + len(one.text)
            goes_on = one.role == first.role and first.at_ms - one.end_ms <= MERGED_MS
            if goes_on and length <= MERGED_CHARACTERS:
                turns[-1].insert(0, one)
            elif len(turns) == TURNS:
                break
            else:
                turns.append([one])
        return [_turn(parts) for parts in reversed(turns)]


def _turn(parts: Sequence[Said]) -> Turn:
    last = parts[-1]
    if len(parts) == 1 or last.vector is None:
        vector = last.vector
    else:
        there = [(one.vector, len(one.text)) for one in parts if one.vector is not None]
        rows = np.array([row for row, _ in there], dtype=np.float32)
        vector = np.average(rows, axis=0, weights=[size for _, size in there])
    return Turn(last.role, "，".join(one.text for one in parts), vector)
