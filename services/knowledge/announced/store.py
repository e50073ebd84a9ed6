"""The agreed wordings of the database."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.requests import AnnounceWording, Problem, Receipt, Wording
from services.knowledge.announced.entries import wording_entries
from services.knowledge.announced.standing import next_end, standing
from services.knowledge.announced.tables import ReceiptRow, WordingRow
from services.knowledge.entries.entry import Entry
from services.knowledge.entries.regions import RegionTree
from services.knowledge.keeping.database import Database
from services.knowledge.keeping.deeds import last_number, record

PAST_DAYS = 30
MOST_PAST = 50
SYSTEM = "system"
"""Who ends a wording when its time has come."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Wordings, and the number of the last change when they were so."""

    wordings: tuple[Wording, ...]
    number: int


class Refused(RuntimeError):
    """It was not kept; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class WordingStore:
    """Reads and writes wordings. Every change of what stands is a deed about `wording:ID`, by
    which all processes follow. Raises DatabaseDown where the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def standing(self, now: datetime) -> tuple[Wording, ...]:
        """Those that stand, the newest first, with their receipts."""
        return (await self.listed(now)).wordings

    async def listed(self, now: datetime, *, past: bool = False) -> Listed:
        """Those that stand, the newest first, with their receipts; `past`: then those of the last
        30 days that no longer do."""
        async with self._database.reading() as session:
            number = await last_number(session)
            stand = standing(await _with_receipts(session, await _open_rows(session)), now)
            if not past:
                return Listed(stand, number)
            rows = await session.scalars(
                select(WordingRow)
                .where(WordingRow.announced_at > now - timedelta(days=PAST_DAYS))
                .order_by(WordingRow.announced_at.desc())
                .limit(MOST_PAST + len(stand))
            )
            over = [w for w in map(_wording, rows) if not w.stands(now)]
            return Listed((*stand, *over[:MOST_PAST]), number)

    async def entries(self, regions: RegionTree) -> list[Entry]:
        """Those that stand now, for whoever searches."""
        return wording_entries(await self.standing(datetime.now(UTC)), regions)

    async def next_end(self, now: datetime) -> datetime | None:
        """When the next of those that stand ends by itself."""
        async with self._database.reading() as session:
            return next_end(map(_wording, await _open_rows(session)), now)

    async def announce(
        self,
        asked: AnnounceWording,
        now: datetime,
        problem: Callable[[Sequence[Wording]], Problem | None],
    ) -> Wording:
        """Keep a new one. `problem` says what is wrong with it beside those that stand. Raises
        Refused with that."""
        async with self._database.writing() as session:
            stand = standing(map(_wording, await _open_rows(session)), now)
            if found := problem(stand):
                raise Refused(found)
            row = WordingRow(
                id=secrets.token_hex(6),
                title=asked.title,
                body=asked.body,
                topics=asked.topics,
                region=asked.region,
                announced_by=asked.by,
                announced_at=now,
                until=asked.until,
                ended=False,
            )
            session.add(row)
            await record(session, _about(row), "authorised", by=asked.by, at=now)
            return _wording(row)

    async def withdraw(self, wording_id: str, by: str, now: datetime) -> tuple[Wording, bool]:
        """Take one back; returns it and whether it stood. Raises Refused where there is none."""
        async with self._database.writing() as session:
            row = await _row(session, wording_id)
            if not _wording(row).stands(now):
                return _wording(row), False
            row.withdrawn_by, row.withdrawn_at, row.ended = by, now, True
            await record(session, _about(row), "withdrawn", by=by, at=now)
            return _wording(row), True

    async def read(self, wording_id: str, by: str, now: datetime) -> tuple[Wording, bool]:
        """Note that somebody has read one; returns it and whether that is new. One that no longer
        stands is left as it is. Raises Refused where there is none."""
        async with self._database.writing() as session:
            row = await _row(session, wording_id)
            fresh = _wording(row).stands(now) and not await session.get(
                ReceiptRow, (wording_id, by)
            )
            if fresh:
                session.add(ReceiptRow(wording_id=wording_id, reader=by, read_at=now))
            [wording] = await _with_receipts(session, [row])
            return wording, fresh

    async def end(self, now: datetime) -> bool:
        """Make known which have ended by their time. Whether there were any: of several processes
        one alone does it."""
        async with self._database.writing() as session:
            over = [row for row in await _open_rows(session) if not _wording(row).stands(now)]
            for row in over:
                row.ended = True
                await record(session, _about(row), "withdrawn", by=SYSTEM, at=now, reason="until")
            return bool(over)


async def _open_rows(session: AsyncSession) -> Sequence[WordingRow]:
    rows = await session.scalars(select(WordingRow).where(WordingRow.ended.is_(False)))
    return rows.all()


async def _row(session: AsyncSession, wording_id: str) -> WordingRow:
    row = await session.get(WordingRow, wording_id)
    if row is None:
        raise Refused(Problem(code="not_found", message=f"there is no wording {wording_id}"))
    return row


async def _with_receipts(session: AsyncSession, rows: Sequence[WordingRow]) -> tuple[Wording, ...]:
    read: dict[str, list[Receipt]] = {row.id: [] for row in rows}
    receipts = await session.scalars(
        select(ReceiptRow)
        .where(ReceiptRow.wording_id.in_(read))
        .order_by(ReceiptRow.read_at, ReceiptRow.reader)
    )
    for receipt in receipts:
        read[receipt.wording_id].append(Receipt(by=receipt.reader, at=receipt.read_at))
    return tuple(_wording(row, tuple(read[row.id])) for row in rows)


def _wording(row: WordingRow, receipts: tuple[Receipt, ...] = ()) -> Wording:
    return Wording(
        wording_id=row.id,
        title=row.title,
        body=row.body,
        topics=row.topics,
        region=row.region,
        announced_by=row.announced_by,
        announced_at=row.announced_at,
        until=row.until,
        withdrawn_at=row.withdrawn_at,
        receipts=receipts,
    )


def _about(row: WordingRow) -> str:
    return f"wording:{row.id}"
