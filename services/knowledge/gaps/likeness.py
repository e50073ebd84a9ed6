"""Which askings are about the same matter. Pure.

By meaning: the cosine of their vectors. The more characters two askings share, the nearer their
vectors lie anyway, whatever they ask (护照怎么换 · 居住证怎么换): what is shared is taken off
again, unless it is nearly all that either says. Fitted on eval_data/gap_pairs.dev.jsonl; how well:
tests/slow/knowledge.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from services.knowledge.finding.background import Vectors
from services.knowledge.finding.wording import characters, content, heard_as, sounds

MEANING, SHARED, CONTAINED, BIAS = 10.0, -9.0, 3.0, -4.8
"""Weights of the cosine, the likeness of characters and the share of the shorter one's sounds that
the other one holds. Above 0 is the same matter."""
STRANGERS_FROM = 0.68
"""Cosine from which two askings without a common word are one matter: among thousands of gaps some
are near by chance."""
WORDS_FROM = 0.75
"""Likeness of characters from which askings are one matter where vectors are not known."""
NEAREST = 24
"""Askings that are compared word by word: those nearest by meaning."""
BY_MEANING_FROM = 0.4
"""Cosine below which nothing is the same matter."""


def likeness(one: str, other: str, meaning: float | None) -> float:
    """How far two askings are beyond what one matter needs; the same matter from 0 on. `meaning`:
    cosine of their vectors; None = not known."""
    heard = _heard(one)
    if heard and heard == _heard(other):
        return 5.0
    shared = _share(_characters(one), _characters(other))
    if meaning is None:
        return shared - WORDS_FROM
    a, b = _sounds(one), _sounds(other)
    contained = len(a & b) / min(len(a), len(b)) if a and b else 0.0
    if not contained and meaning < STRANGERS_FROM:
        return -1.0
    return MEANING * meaning + SHARED * shared + CONTAINED * contained + BIAS


@dataclass(frozen=True, slots=True)
class Known:
    """An asking that is kept."""

    gap_id: str
    words: str
    vector: Vectors | None
    """As the model made it; None where there is none of the model in use."""


class Shelf:
    """Askings by their gap, to find the gap that a new one belongs to."""

    def __init__(self) -> None:
        self._known: list[Known] = []
        self._mute: list[Known] = []
        self._vectors: Vectors | None = None

    def __len__(self) -> int:
        return len(self._known)

    def add(self, known: Sequence[Known]) -> None:
        """Put askings on it."""
        self._known += known
        self._mute += [one for one in known if one.vector is None]

    def gap_of(self, words: str, vector: Vectors | None) -> str | None:
        """The gap an asking belongs to; None where it is a new matter."""
        best, found = 0.0, None
        for known, meaning in self._candidates(vector):
            beyond = likeness(words, known.words, meaning)
            if beyond > best:
                best, found = beyond, known.gap_id
        return found

    def _candidates(self, vector: Vectors | None) -> list[tuple[Known, float | None]]:
        if vector is None:
            return [(known, None) for known in self._known]
        meanings = self._all_vectors(len(vector)) @ vector
        nearest = np.argsort(-meanings, kind="stable")[:NEAREST].tolist()
        near: list[tuple[Known, float | None]] = [
            (self._known[i], float(meanings[i])) for i in nearest if meanings[i] >= BY_MEANING_FROM
        ]
        # Those whose vectors are not made yet have only their words.
        return near + [(known, None) for known in self._mute]

    def _all_vectors(self, dimension: int) -> Vectors:
        """One row an asking, zeros for one without a vector."""
        if self._vectors is None:
            self._vectors = np.zeros((0, dimension), dtype=np.float32)
        if new := self._known[len(self._vectors) :]:
            rows: Vectors = np.zeros((len(new), dimension), dtype=np.float32)
            for row, known in zip(rows, new, strict=True):
                if known.vector is not None:
                    row[:] = known.vector
            self._vectors = np.concatenate([self._vectors, rows])
        return self._vectors


def best_words(askings: Sequence[str]) -> str:
    """The asking that says a matter best: what the others share most, and short."""
    grams = [_characters(words) for words in askings]

    def worth(i: int) -> tuple[float, int]:
        like = sum(_share(grams[i], other) for other in grams) / len(grams)
        return round(like - max(0, len(askings[i]) - 30) / 100, 2), -len(askings[i])

    return askings[max(range(len(askings)), key=worth)]


def _share(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / math.sqrt(len(a) * len(b)) if a and b else 0.0


@lru_cache(maxsize=65536)
def _characters(words: str) -> frozenset[str]:
    return characters(words)


@lru_cache(maxsize=65536)
def _sounds(words: str) -> frozenset[str]:
    return sounds(content(words))


@lru_cache(maxsize=65536)
def _heard(words: str) -> tuple[str, ...]:
    return heard_as(content(words))
