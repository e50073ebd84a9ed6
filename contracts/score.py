"""The live quality score."""

from __future__ import annotations

from typing import ClassVar

from contracts.base import Derived


class ScoreChanged(Derived):
    """A deduction was made or taken back; the evidence is in `evidence`."""

    event: ClassVar[str] = "score.changed"

    score: int
    """The score now, 0–100."""
    points: int
    """Points of this change; negative for a deduction."""
    reason: str
    """What for, in words for the agent."""
