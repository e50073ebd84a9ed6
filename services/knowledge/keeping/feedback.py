"""What agents said of the cards of entries, counted for the editors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.knowledge.keeping.database import Database
from services.knowledge.keeping.entry_tables import FeedbackRow, HeadRow

COUNTED = {"useful": "used", "wrong": "wrong", "outdated": "outdated"}
"""Verdicts that say something of an entry → the counter."""


@dataclass(slots=True)
class Count:
    """How often agents said what."""

    used: int = 0
    wrong: int = 0
    outdated: int = 0


class Feedback:
    """Keeps what agents said, each event once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, event_id: str, entry_id: str, verdict: str, at: datetime) -> None:
        """Note a verdict on an entry; one that was noted already, or says nothing of an entry of
        ours, changes nothing. Raises DatabaseDown."""
        if verdict not in COUNTED:
            return
        async with self._database.reading() as session:
            if await session.get(HeadRow, entry_id) is None:
                return
        async with self._database.writing() as session:
            if await session.get(FeedbackRow, event_id) is None:
                session.add(
                    FeedbackRow(event_id=event_id, entry_id=entry_id, verdict=verdict, at=at)
                )


async def count_feedback(session: AsyncSession, ids: Sequence[str]) -> defaultdict[str, Count]:
    """Entry → how often agents said what; zeros where nothing was said."""
    counts: defaultdict[str, Count] = defaultdict(Count)
    rows = await session.execute(
        select(FeedbackRow.entry_id, FeedbackRow.verdict, func.count())
        .where(FeedbackRow.entry_id.in_(ids))
        .group_by(FeedbackRow.entry_id, FeedbackRow.verdict)
    )
    for entry_id, verdict, number in rows:
        setattr(counts[entry_id], COUNTED[verdict], number)
    return counts
