"""How loud an utterance is: the power of its voice, chunk by chunk. Pure.

Only chunks that are clearly voice count: a breath within an utterance says nothing of how loudly
somebody speaks, and neither does the line's noise around it.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from services.media.endpoint import CHUNK_MS, Rules

QUIETEST_DB = -200.0
"""Of sound without any power."""


class Chunk(NamedTuple):
    """What was heard in `CHUNK_MS` of one channel."""

    probability: float
    """That it is speech."""
    power: float
    """Mean square of its samples; 1 = a square wave at full scale."""


class Loudness:
    """The voice of one channel, kept until its utterance has ended."""

    def __init__(self, rules: Rules) -> None:
        self._threshold = rules.threshold
        self._now_ms = 0
        # An utterance is cut at its longest, some chunks late; noise that is none is forgotten.
        longest = (rules.longest_ms + rules.pause_ms) // CHUNK_MS + 2
        self._voiced: deque[tuple[int, float]] = deque(maxlen=longest)
        """Where a chunk begins, ms, and its power."""

    def hear(self, chunk: Chunk) -> None:
        """The next chunk."""
        if chunk.probability >= self._threshold:
            self._voiced.append((self._now_ms, chunk.power))
        self._now_ms += CHUNK_MS

    def level_db(self, at_ms: int, end_ms: int) -> float | None:
        """Mean loudness of an utterance that has ended, dB below full scale, to a tenth; None where
        no voice of it is left. What was heard before its end is forgotten."""
        powers = []
        while self._voiced and self._voiced[0][0] < end_ms:
            chunk_ms, power = self._voiced.popleft()
            if chunk_ms >= at_ms:
                powers.append(power)
        if not powers:
            return None
        return _decibels(sum(powers) / len(powers))


def _decibels(power: float) -> float:
    """Between `QUIETEST_DB` and 0: resampling may swing a little beyond full scale."""
    if power <= 0:
        return QUIETEST_DB
    return round(min(0.0, max(QUIETEST_DB, 10 * math.log10(power))), 1)
