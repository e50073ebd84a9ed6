"""Why a situation is recognised."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.base import Evidence, Role


@dataclass(frozen=True, slots=True)
class Cause:
    """What a situation is recognised by: words, or what happened in the call."""

    at_ms: int
    end_ms: int
    event_ids: tuple[str, ...]
    why: str
    """In words for the agent."""
    evidence: Evidence | None = None
    """The words; None where it is an event alone."""
    words_only: bool = False
    """Whether the words alone decided, without their vector."""

    @property
    def role(self) -> Role | None:
        """Who said the words."""
        return self.evidence.role if self.evidence else None

    @property
    def evidences(self) -> tuple[Evidence, ...]:
        """The words, or the time where there are none."""
        return (self.evidence or Evidence(start_ms=self.at_ms, end_ms=self.end_ms),)
