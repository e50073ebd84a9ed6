"""Tells a recogniser's loops and inventions from speech. Pure.

Whisper, given little sound or an unusual window, may repeat itself until it is stopped. Nobody
speaks like that, and an agent must not read it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FASTEST = 8.0
"""Characters a second nobody exceeds on the telephone (fast Mandarin has 5 to 6)."""
UNSURE = -1.0
NO_SPEECH = 0.6
"""Whisper's own limits: a mean log-probability below the first deserves a second look; together
with a probability of no speech above the second there is no speech."""
_SAME = re.compile(r"(.)\1{3}")
_TWICE = re.compile(r"(.{4,})\1")
_RUN = re.compile(r"(.{1,8}?)\1{7,}")
_WORDLESS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Decoding:
    """What a decoder made of a stretch of sound, with what it says of its own certainty."""

    text: str
    seconds: float
    """Length of the sound."""
    mean_logprob: float
    no_speech: float = 0.0
    """Probability that the sound holds no speech."""
    unfinished: bool = False
    """It was stopped at its length limit."""

    @property
    def bare(self) -> str:
        """The text without punctuation and spaces."""
        return _WORDLESS.sub("", self.text)


def is_doubtful(decoding: Decoding) -> bool:
    """Whether another way of decoding should be tried."""
    return is_loop(decoding) or decoding.mean_logprob < UNSURE or repeats(decoding)


def repeats(decoding: Decoding) -> bool:
    """Whether one character stands four times, or four or more twice, in a row."""
    bare = decoding.bare
    return _SAME.search(bare) is not None or _TWICE.search(bare) is not None


def is_loop(decoding: Decoding) -> bool:
    """Whether this cannot have been said: too fast, endless, or one thing eight times over.

    What people do say twice or thrice (别挂别挂别挂) is none.
    """
    bare = decoding.bare
    run = _RUN.search(bare)
    return (
        decoding.unfinished
        or len(bare) > FASTEST * max(decoding.seconds, 1.0)
        or (run is not None and len(run.group()) > 0.6 * len(bare))
    )


def is_silence(decoding: Decoding) -> bool:
    """Whether the decoder itself takes the sound for no speech."""
    return decoding.no_speech > NO_SPEECH and decoding.mean_logprob < UNSURE


def better(first: Decoding, second: Decoding) -> Decoding | None:
    """Which of a doubtful decoding and its second look to believe; None where neither can be true.

    One without repetition goes first (a loop is very sure of itself), then the surer one.
    """
    held = [one for one in (second, first) if not is_loop(one) and not is_silence(one)]
    return max(held, key=lambda one: (not repeats(one), one.mean_logprob), default=None)
