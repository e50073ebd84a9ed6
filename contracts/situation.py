"""Moments that need wording at once."""

from __future__ import annotations

from typing import ClassVar

from contracts.base import Derived, Share


class SituationRecognised(Derived):
    """One of the situations of the hotlines' rules was recognised at `at_ms`."""

    event: ClassVar[str] = "situation.recognised"

    situation: str
    """Id of the situation, for instance `silent-caller`."""
    name: str
    """Its Chinese name."""
    confidence: Share
    """How sure."""

    @property
    def key(self) -> str:
        """The situation: one a moment."""
        return self.situation
