"""A call so far, as both sides spoke it: what the type is judged by. Immutable values."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from contracts.base import Role
from services.call_type.types.signals import Found
from services.common.grams import grams
from services.common.heads import Array
from services.common.vectors import Vector
from services.common.written import Written

LEAST = 2
"""Characters beside acknowledgements from which words say something."""
MERGED_MS = 1_500
"""Finals of one side that follow each other within this time are one turn, cut at a breath."""
KEPT = 40
"""Turns that are looked at, the last ones: so a long call costs no more than a short one."""
KEPT_FINALS = 120
"""Finals that are looked at, the last ones: one side may talk on and on without the other."""


@dataclass(frozen=True, slots=True, eq=False)
class Grams:
    """A text's runs of characters and sounds, sorted out once."""

    every: frozenset[str] = frozenset()
    """All of `services.common.grams`."""
    short: frozenset[str] = frozenset()
    """Twos and threes: enough where much is looked at together."""
    pairs: frozenset[str] = frozenset()
    """Neighbouring characters: what two texts share when they are about the same."""

    @classmethod
    def of(cls, text: Written) -> Grams:
        """Those of a text."""
        every = frozenset(gram for gram, _, _ in grams(text))
        twos = frozenset(gram for gram in every if gram[0] == "c" and len(gram) == 3)
        threes = frozenset(gram for gram in every if gram[0] == "c" and len(gram) == 4)
        sounds = frozenset(g for g in every if g[0] == "s" and g.count(" ") < 3)
        return cls(every, twos | threes | sounds, frozenset(g for g in twos if "^" not in g))

    @classmethod
    def together(cls, parts: Iterable[Grams]) -> Grams:
        """Those of several texts."""
        each = list(parts)
        return cls(
            frozenset().union(*(one.every for one in each)),
            frozenset().union(*(one.short for one in each)),
            frozenset().union(*(one.pairs for one in each)),
        )


@dataclass(frozen=True, eq=False)
class Said:
    """One final, ready to be looked at."""

    event_id: str
    role: Role
    at_ms: int
    end_ms: int
    text: str
    grams: Grams = field(default_factory=Grams)
    """Its runs of characters and sounds."""
    telling: int = 0
    """Chinese characters beside acknowledgements and numbers."""
    found: tuple[Found, ...] = ()
    """Signal words in it."""
    asks: bool = False
    """Whether it holds a question word."""
    vector: Vector | None = None
    """From the embedding service; None where there was none to be had."""

    @property
    def says_something(self) -> bool:
        """Whether it says anything of the call: not 嗯, not another language."""
        return self.telling >= LEAST


@dataclass(frozen=True, eq=False)
class Turn:
    """What one side said without the other speaking, cut at breaths."""

    role: Role
    said: tuple[Said, ...]

    @property
    def at_ms(self) -> int:
        """Where it begins."""
        return self.said[0].at_ms

    @property
    def end_ms(self) -> int:
        """Where it ends."""
        return max(one.end_ms for one in self.said)

    @cached_property
    def text(self) -> str:
        """Its words."""
        return "，".join(one.text for one in self.said)

    @property
    def telling(self) -> int:
        """Chinese characters beside acknowledgements and numbers."""
        return sum(one.telling for one in self.said)

    @cached_property
    def grams(self) -> Grams:
        """Grams of all its finals."""
        return (
            self.said[0].grams
            if len(self.said) == 1
            else Grams.together(s.grams for s in self.said)
        )

    @cached_property
    def vector(self) -> Vector | None:
        """The mean of its finals' vectors, the longer ones counting more."""
        there = [one for one in self.said if one.vector is not None]
        return pooled([one.vector for one in there], [len(one.text) for one in there])


@dataclass(frozen=True, eq=False)
class Dialogue:
    """Both sides so far."""

    turns: tuple[Turn, ...] = ()
    """By their beginnings; the last `KEPT`."""
    caller_turns: int = 0
    """How many the caller has had in all."""
    matters: tuple[Grams, ...] = ()
    """What earlier calls of the number were about, newest first."""

    def after(self, said: Said) -> Dialogue:
        """With one more final; one that comes late stands where it was spoken, so that the turns
        are the same in whatever order finals come."""
        finals = [one for turn in self.turns for one in turn.said]
        finals.insert(bisect_right(finals, said.at_ms, key=lambda one: one.at_ms), said)
        known = {turn.said: turn for turn in self.turns}
        every = _turns(finals, known)
        began = _callers(every) - _callers(self.turns)
        kept = every if len(finals) <= KEPT_FINALS else _turns(finals[-KEPT_FINALS:], known)
        return replace(self, turns=kept[-KEPT:], caller_turns=self.caller_turns + began)

    def of(self, role: Role) -> list[Turn]:
        """One side's turns."""
        return [turn for turn in self.turns if turn.role == role]

    def knows(self, event_id: str, at_ms: int) -> bool:
        """Whether a final is in it, or is too old to tell."""
        full = len(self.turns) == KEPT or sum(len(turn.said) for turn in self.turns) == KEPT_FINALS
        if full and at_ms < self.turns[0].at_ms:
            return True
        return any(one.event_id == event_id for turn in self.turns for one in turn.said)


def _turns(finals: Iterable[Said], known: Mapping[tuple[Said, ...], Turn]) -> tuple[Turn, ...]:
    """Finals, in the order they were spoken, as turns; those known keep what was worked out."""
    each: list[list[Said]] = []
    end_ms = 0
    for said in finals:
        if each and each[-1][-1].role == said.role and said.at_ms - end_ms <= MERGED_MS:
            each[-1].append(said)
            end_ms = max(end_ms, said.end_ms)
        else:
            each.append([said])
            end_ms = said.end_ms
    parts = map(tuple, each)
    return tuple(known.get(one) or Turn(one[0].role, one) for one in parts)


def _callers(turns: Iterable[Turn]) -> int:
    return sum(turn.role == "caller" for turn in turns)


def pooled(vectors: Sequence[Vector | None], weights: Sequence[float]) -> Array | None:
    """The weighted mean of those that are there; None where none is."""
    there = [(v, w) for v, w in zip(vectors, weights, strict=True) if v is not None and w > 0]
    if not there:
        return None
    rows = np.array([vector for vector, _ in there], dtype=np.float32)
    shares = np.array([weight for _, weight in there], dtype=np.float32)
    return np.asarray(shares @ rows / shares.sum(), dtype=np.float32)
