"""What calls tell the editors of the base, brought to where it is kept."""

from __future__ import annotations

from datetime import UTC, datetime

from contracts.base import UNSTAMPED
from contracts.feedback import FeedbackGiven
from contracts.gap import GapNoted
from services.knowledge.gaps.keeper import GapKeeper
from services.knowledge.keeping.feedback import Feedback


class ForEditors:
    """Keeps gaps and what agents said of cards; each event once, however often it comes."""

    def __init__(self, gaps: GapKeeper, feedback: Feedback) -> None:
        self._gaps = gaps
        self._feedback = feedback

    async def noted(self, event: GapNoted) -> None:
        """A gap was noted. Raises DatabaseDown."""
        await self._gaps.noted(event)

    async def feedback(self, event: FeedbackGiven) -> None:
        """An agent said what a card was worth. Raises DatabaseDown."""
        if event.rule:
            at = event.wall_time if event.wall_time != UNSTAMPED else datetime.now(UTC)
            await self._feedback.keep(event.event_id, event.rule, event.verdict, at)
