"""The database of entries and of what they were before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import JSON, select
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Mapped, mapped_column

from services.common.service import CannotStart
from services.knowledge.entries.entry import Entry
from services.knowledge.keeping.tables import Tables, UtcTime


class EntryRow(Tables):
    """An entry as it is now; columns as in `Entry`."""

    __tablename__ = "entries"

    id: Mapped[str] = mapped_column(primary_key=True)
    question: Mapped[str]
    answer: Mapped[str]
    department: Mapped[str]
    region: Mapped[str]
    authorised: Mapped[bool]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    similar: Mapped[list[str]] = mapped_column(JSON)
    authorised_by: Mapped[str | None]
    authorised_at: Mapped[date | None]
    version: Mapped[str | None]
    document: Mapped[str | None]
    liaison: Mapped[str | None]
    phone: Mapped[str | None]
    revision: Mapped[int]
    """How often it was written; 1 = as it came."""


class VersionRow(Tables):
    """One state of an entry, kept for ever."""

    __tablename__ = "entry_versions"

    entry_id: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    recorded_at: Mapped[datetime] = mapped_column(UtcTime)
    recorded_by: Mapped[str]
    fields: Mapped[str]
    """The entry as a row of a table, JSON."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What writing entries did."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


class Store:
    """Entries in SQLite. Use as `await open()` … `await close()`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        self._session = async_sessionmaker(self._engine, expire_on_commit=False)

    async def open(self) -> None:
        """Create what is missing. Raises CannotStart with one sentence."""
        try:
            async with self._engine.begin() as connection:
                await connection.run_sync(Tables.metadata.create_all)
            await self.entries()
        except (SQLAlchemyError, ValueError, TypeError) as error:
            await self.close()
            reason = str(error.orig) if isinstance(error, DatabaseError) else type(error).__name__
            raise CannotStart(
                f"the knowledge base {self._path} cannot be used ({reason}): "
                "restore a copy, or move it away to begin anew"
            ) from None

    async def close(self) -> None:
        """Let go of the file."""
        await self._engine.dispose()

    async def entries(self) -> tuple[Entry, ...]:
        """All entries as they are now, by id."""
        async with self._session() as session:
            rows = await session.scalars(select(EntryRow).order_by(EntryRow.id))
            return tuple(_entry(row) for row in rows)

    async def put(self, entries: Sequence[Entry], *, by: str, at: datetime) -> Changes:
        """Write entries, all or none: new ones are added, others replaced and their history kept.
        `by` and `at` are recorded with every state."""
        added = changed = unchanged = 0
        async with self._session.begin() as session:
            for entry in entries:
                row = await session.get(EntryRow, entry.id)
                if row is not None and _entry(row) == entry:
                    unchanged += 1
                    continue
                if row is None:
                    row = EntryRow(id=entry.id, revision=0)
                    session.add(row)
                    added += 1
                else:
                    changed += 1
                _fill(row, entry)
                row.revision += 1
                await self._record(session, row.revision, entry, by, at)
        return Changes(added, changed, unchanged)

    async def history(self, entry_id: str) -> list[tuple[int, str, dict[str, str]]]:
        """The states of an entry, oldest first: revision, who recorded it, its row."""
        async with self._session() as session:
            rows = await session.scalars(
                select(VersionRow)
                .where(VersionRow.entry_id == entry_id)
                .order_by(VersionRow.revision)
            )
            return [(row.revision, row.recorded_by, json.loads(row.fields)) for row in rows]

    async def _record(
        self, session: AsyncSession, revision: int, entry: Entry, by: str, at: datetime
    ) -> None:
        session.add(
            VersionRow(
                entry_id=entry.id,
                revision=revision,
                recorded_at=at,
                recorded_by=by,
                fields=json.dumps(entry.row(), ensure_ascii=False),
            )
        )


def _entry(row: EntryRow) -> Entry:
    values = {field.name: getattr(row, field.name) for field in fields(Entry)}
    return Entry(**(values | {"similar": tuple(row.similar)}))


def _fill(row: EntryRow, entry: Entry) -> None:
    for field in fields(Entry):
        setattr(row, field.name, getattr(entry, field.name))
    row.similar = list(entry.similar)
