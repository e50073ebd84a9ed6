"""Forgetting what callers asked long ago, with the calls in which they did. What each function
writes is part of the session it is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.knowledge.gaps.likeness import best_words
from services.knowledge.gaps.store import latest_words
from services.knowledge.gaps.tables import AskingRow, GapRow

CHUNK = 500
"""Calls a statement names."""


async def count_askings(session: AsyncSession, cutoff: datetime, call_ids: Sequence[str]) -> int:
    """How many askings are older than a moment, or of one of these calls."""
    found = 0
    for chosen in _chosen(cutoff, call_ids):
        found += await session.scalar(select(func.count(AskingRow.number)).where(chosen)) or 0
    return found


async def forget_askings(session: AsyncSession, cutoff: datetime, call_ids: Sequence[str]) -> None:
    """Delete those. A gap of which none is left goes with them, whatever became of it: all it says
    are a caller's words. Others stay, in words of the askings that are left; how often they were
    asked is counted on."""
    touched: set[str] = set()
    for chosen in _chosen(cutoff, call_ids):
        touched |= set(await session.scalars(select(AskingRow.gap_id).where(chosen).distinct()))
        await session.execute(delete(AskingRow).where(chosen))
    for gap_id in touched:
        if left := await latest_words(session, gap_id):
            words = best_words(left)
            await session.execute(update(GapRow).where(GapRow.id == gap_id).values(words=words))
        else:
            await session.execute(delete(GapRow).where(GapRow.id == gap_id))


def _chosen(cutoff: datetime, call_ids: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    """What is chosen, in several conditions that share nothing."""
    old = AskingRow.at < cutoff
    yield old
    for start in range(0, len(call_ids), CHUNK):
        yield ~old & AskingRow.call_id.in_(call_ids[start : start + CHUNK])
