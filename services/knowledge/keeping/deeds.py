"""The record of what was done. Whoever changes what the base is made of writes a deed with it: its
number tells every process that there is something to read again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.requests import Act
from services.knowledge.keeping.entry_tables import DeedRow


async def record(
    session: AsyncSession,
    thing: str,
    act: Act,
    *,
    by: str,
    at: datetime,
    revision: int = 0,
    reason: str = "",
) -> None:
    """Write a deed, in a session of `Database.writing`. `thing`: the id of an entry, or `office:ID`
    or `wording:ID`."""
    await session.execute(
        insert(DeedRow).values(
            entry_id=thing, act=act, by=by, at=at, revision=revision, reason=reason
        )
    )


async def last_number(session: AsyncSession) -> int:
    """Number of the last deed; 0 where there is none."""
    return await session.scalar(select(func.max(DeedRow.number))) or 0
