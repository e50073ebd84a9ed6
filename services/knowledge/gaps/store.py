"""The gaps of the database. What each function writes is part of the session it is given."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.requests import Gap, GapAsked, GapState
from services.knowledge.finding.background import Vectors
from services.knowledge.gaps.likeness import Known, best_words
from services.knowledge.gaps.tables import AskingRow, GapRow
from services.knowledge.keeping.entry_tables import DeedRow, HeadRow, RevisionRow

SHOWN = 20
"""Askings that a gap is shown with."""
KEPT = 200
"""Askings that are kept of a gap, the latest; how often it was asked is counted on."""


@dataclass(frozen=True, slots=True)
class Asking:
    """One time that something was asked and not found; words masked."""

    event_id: str
    call_id: str
    at: datetime
    words: str
    region: str | None
    note: str = ""
    noted_by: str | None = None


async def is_known(session: AsyncSession, event_id: str) -> str | None:
    """The gap that holds the asking of an event."""
    return await session.scalar(select(AskingRow.gap_id).where(AskingRow.event_id == event_id))


async def asked_in_call(session: AsyncSession, gap_id: str, call_id: str) -> AskingRow | None:
    """The asking of a call that a gap holds already."""
    return await session.scalar(
        select(AskingRow).where(AskingRow.gap_id == gap_id, AskingRow.call_id == call_id).limit(1)
    )


async def add(
    session: AsyncSession,
    gap_id: str | None,
    asking: Asking,
    model: str | None,
    vector: Vectors | None,
) -> GapRow:
    """Keep an asking: of a gap, or as a new one."""
    gap = await session.get(GapRow, gap_id) if gap_id is not None else None
    if gap is None:
        gap = GapRow(
            id=secrets.token_hex(6),
            words=asking.words,
            state="open",
            times=0,
            first_at=asking.at,
            last_at=asking.at,
            would_serve=0,
            reason="",
        )
        session.add(gap)
        await session.flush()
    session.add(
        AskingRow(
            gap_id=gap.id,
            event_id=asking.event_id,
            call_id=asking.call_id,
            at=asking.at,
            words=asking.words,
            region=asking.region,
            note=asking.note,
            noted_by=asking.noted_by,
            model=model if vector is not None else None,
            vector=vector.astype("<f4").tobytes() if vector is not None else None,
        )
    )
    gap.times += 1
    gap.first_at, gap.last_at = min(gap.first_at, asking.at), max(gap.last_at, asking.at)
    await session.flush()
    gap.words = best_words(await latest_words(session, gap.id))
    rows = await _latest(session, gap.id, KEPT + 1)
    if len(rows) > KEPT:
        await session.execute(delete(AskingRow).where(AskingRow.number == rows[KEPT].number))
    return gap


async def known_after(
    session: AsyncSession, number: int, model: str | None
) -> tuple[int, list[Known]]:
    """Askings kept after the one of that number, and the number of the last."""
    rows = (
        await session.execute(
            select(
                AskingRow.number, AskingRow.gap_id, AskingRow.words, AskingRow.model,
                AskingRow.vector,
            )
            .where(AskingRow.number > number)
            .order_by(AskingRow.number)
        )
    ).all()  # fmt: skip
    known = [
        Known(gap_id, words, _vector(vector) if vector and made_by == model else None)
        for _, gap_id, words, made_by, vector in rows
    ]
    return (rows[-1].number if rows else number), known


async def without_vector(session: AsyncSession, model: str, most: int) -> Sequence[tuple[int, str]]:
    """Number and words of askings that have no vector of that model, some of them."""
    rows = await session.execute(
        select(AskingRow.number, AskingRow.words)
        .where(or_(AskingRow.model.is_(None), AskingRow.model != model))
        .order_by(AskingRow.number)
        .limit(most)
    )
    return [(number, words) for number, words in rows]


async def give_vectors(
    session: AsyncSession, model: str, vectors: Iterable[tuple[int, Vectors]]
) -> None:
    """Keep the vectors of askings."""
    for number, vector in vectors:
        await session.execute(
            update(AskingRow)
            .where(AskingRow.number == number)
            .values(model=model, vector=vector.astype("<f4").tobytes())
        )


async def listed(
    session: AsyncSession, state: GapState, skip: int, limit: int
) -> tuple[tuple[Gap, ...], int]:
    """A page of the gaps of a state, most often asked first, and how many there are."""
    total = await session.scalar(select(func.count()).where(GapRow.state == state)) or 0
    rows = await session.scalars(
        select(GapRow)
        .where(GapRow.state == state)
        .order_by(GapRow.times.desc(), GapRow.last_at.desc(), GapRow.id)
        .offset(skip)
        .limit(limit)
    )
    return tuple([await shown(session, row) for row in rows.all()]), total


async def shown(session: AsyncSession, gap: GapRow) -> Gap:
    """A gap with its latest askings."""
    asked = await _latest(session, gap.id, SHOWN)
    return Gap(
        gap_id=gap.id,
        words=gap.words,
        state=gap.state,
        times=gap.times,
        first_at=gap.first_at,
        last_at=gap.last_at,
        asked=tuple(
            GapAsked(
                call_id=row.call_id,
                at=row.at,
                words=row.words,
                region=row.region,
                note=row.note,
                noted_by=row.noted_by,
            )
            for row in asked
        ),
        entry_id=gap.entry_id,
        would_serve=gap.would_serve,
    )


async def askings(session: AsyncSession, gap_id: str, most: int) -> list[tuple[str, str | None]]:
    """Words and region of the latest askings of a gap."""
    return [(row.words, row.region) for row in await _latest(session, gap_id, most)]


async def latest_words(session: AsyncSession, gap_id: str) -> list[str]:
    """What the latest askings of a gap say, of which it takes its own words."""
    return [row.words for row in await _latest(session, gap_id, SHOWN)]


async def followed(session: AsyncSession, since: int | None) -> Sequence[GapRow]:
    """Gaps that wait for or rest on an entry of which there are deeds after that number; None = on
    any entry."""
    asked = select(GapRow).where(GapRow.state.in_(("drafted", "answered")))
    if since is not None:
        # By the database: an import has more entries than a statement takes parameters.
        done = select(DeedRow.entry_id).where(DeedRow.number > since)
        asked = asked.where(GapRow.entry_id.in_(done))
    return (await session.scalars(asked)).all()


async def state_by_entry(session: AsyncSession, entry_id: str, today: date) -> GapState:
    """How far a gap is whose entry is this one."""
    counting = await session.scalars(
        select(RevisionRow).where(
            RevisionRow.entry_id == entry_id,
            RevisionRow.counts.is_(True),
            RevisionRow.state.in_(("answer", "transfer")),
        )
    )
    later = False
    for row in counting:
        if (row.takes_effect or today) <= today and (
            row.superseded is None or today < row.superseded
        ):
            return "answered"
        later = True
    head = await session.get(HeadRow, entry_id)
    return "drafted" if later or (head is not None and head.draft is not None) else "open"


async def drafted_wordings(
    session: AsyncSession, entry_id: str
) -> tuple[tuple[str, ...], str] | None:
    """The wordings and the region of what is drafted of an entry; None where nothing is."""
    head = await session.get(HeadRow, entry_id)
    if head is None or (number := head.draft or head.following) is None:
        return None
    row = await session.get(RevisionRow, (entry_id, number))
    return ((row.question, *row.similar), row.region) if row is not None else None


async def _latest(session: AsyncSession, gap_id: str, most: int) -> Sequence[AskingRow]:
    rows = await session.scalars(
        select(AskingRow)
        .where(AskingRow.gap_id == gap_id)
        .order_by(AskingRow.number.desc())
        .limit(most)
    )
    return rows.all()


def _vector(kept: bytes) -> Vectors:
    return np.frombuffer(kept, dtype="<f4")
