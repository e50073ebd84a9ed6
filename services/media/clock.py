"""When the call's clock is told to the others: pure, in the call's own milliseconds.

`progressed` costs a kept message, so it is said only while something may be timed: the agent is
silent, both speak at once, or the caller has not been heard yet. Then it comes at least every
`EVERY_MS` of audio.
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts.base import ROLES, Role

EVERY_MS = 500
AGENT_SILENT_MS = 3_000
"""From so much silence of the agent on, progress is told."""
OVERLAP_MS = 500
"""From so much talking at once on, progress is told."""


@dataclass(slots=True)
class _Voice:
    """One side: speaking or silent, since when."""

    speaking: bool = False
    since_ms: int = 0
    silent_from_ms: int = 0
    """Start of the silence before the present speech."""

    def speaks_at(self, at_ms: int) -> bool:
        return self.speaking and self.since_ms <= at_ms

    def silent_since(self, at_ms: int) -> int | None:
        """Start of the silence at `at_ms`; None where there is speech then."""
        if self.speaks_at(at_ms):
            return None
        return self.silent_from_ms if self.speaking else self.since_ms


class Clock:
    """Folds who speaks when, and says which moments to publish.

    `step_ms` is how far apart two questions of `progress` may be: it asks early enough that the
    next answer does not come too late.
    """

    def __init__(self, step_ms: int) -> None:
        self._step_ms = step_ms
        self._voices: dict[Role, _Voice] = {role: _Voice() for role in ROLES}
        self._told_ms = 0
        self._caller_heard_ms: int | None = None

    def began(self, role: Role, at_ms: int) -> None:
        """A side began to speak."""
        if role == "caller" and self._caller_heard_ms is None:
            self._caller_heard_ms = at_ms
        silent_from = self._voices[role].since_ms
        self._voices[role] = _Voice(speaking=True, since_ms=at_ms, silent_from_ms=silent_from)

    def finished(self, role: Role, end_ms: int) -> None:
        """A side stopped speaking."""
        self._voices[role] = _Voice(speaking=False, since_ms=end_ms)

    def progress(self, decided_ms: int, *, at_once: bool = False) -> int | None:
        """Voice activity is decided up to `decided_ms`: that moment if it should be published now.

        `at_once` asks for it without waiting for the interval: what comes next will be later.
        """
        if decided_ms <= self._told_ms or not self._is_timed(decided_ms):
            return None
        due = decided_ms + self._step_ms - self._told_ms > EVERY_MS
        if not (due or at_once or self._overlap_is_news(decided_ms)):
            return None
        self._told_ms = decided_ms
        return decided_ms

    def _is_timed(self, at_ms: int) -> bool:
        if self._caller_heard_ms is None or at_ms <= self._caller_heard_ms:
            return True
        silent = self._voices["agent"].silent_since(at_ms)
        if silent is not None and at_ms - silent >= AGENT_SILENT_MS:
            return True
        overlap = self._overlap_since(at_ms)
        return overlap is not None and at_ms - overlap >= OVERLAP_MS

    def _overlap_since(self, at_ms: int) -> int | None:
        if all(voice.speaks_at(at_ms) for voice in self._voices.values()):
            return max(voice.since_ms for voice in self._voices.values())
        return None

    def _overlap_is_news(self, at_ms: int) -> bool:
        overlap = self._overlap_since(at_ms)
        return overlap is not None and self._told_ms < overlap + OVERLAP_MS <= at_ms
