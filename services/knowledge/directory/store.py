"""The offices of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from contracts.requests import Office
from services.knowledge.directory.entries import office_entries
from services.knowledge.directory.known import Directory
from services.knowledge.directory.tables import OfficeRow
from services.knowledge.entries.entry import Entry
from services.knowledge.finding.wording import letters
from services.knowledge.keeping.database import Database
from services.knowledge.keeping.deeds import record

FIELDS = ("name", "aliases", "region", "phone", "address", "hours", "liaison", "liaison_phone")
"""What an editor writes of an office."""


@dataclass(frozen=True, slots=True)
class Written:
    """What writing offices did, or would do."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


class Overtaken(RuntimeError):
    """The office was written or removed since its editor looked; nothing was written."""

    def __init__(self, by: str | None) -> None:
        super().__init__("an office has changed")
        self.by = by
        """Who wrote it; None where it is not there any more."""


class OfficeStore:
    """Reads and writes offices. Every change is a deed about `office:ID`, by which all processes
    follow. Raises DatabaseDown where the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.known = Directory()
        """Those that `entries` read last: as new as what is searched."""

    async def offices(self) -> tuple[Office, ...]:
        """All of them, by region and name."""
        async with self._database.reading() as session:
            rows = await session.scalars(
                select(OfficeRow).order_by(OfficeRow.region, OfficeRow.name, OfficeRow.id)
            )
            return tuple(map(_office, rows))

    async def entries(self) -> list[Entry]:
        """All of them, as entries that are searched."""
        offices = await self.offices()
        self.known = Directory(offices)
        return office_entries(offices)

    async def listed(self, text: str, skip: int, limit: int) -> tuple[tuple[Office, ...], int]:
        """A page of those that hold some words, and how many there are."""
        wanted = letters(text)
        found = [office for office in await self.offices() if wanted in _searched(office)]
        return tuple(found[skip : skip + limit]), len(found)

    async def put(
        self,
        offices: Sequence[Office],
        *,
        by: str,
        at: datetime,
        only_look: bool = False,
        seen: datetime | None = None,
    ) -> Written:
        """Write offices, all or none. `only_look`: only tell what that would do. `seen`: when what
        was looked at was written; None = nobody looked. Raises Overtaken."""
        added = changed = unchanged = 0
        session_of = self._database.reading if only_look else self._database.writing
        async with session_of() as session:
            for office in offices:
                row = await session.get(OfficeRow, office.office_id)
                said = {name: getattr(office, name) for name in FIELDS}
                if row is not None and said == {name: getattr(row, name) for name in FIELDS}:
                    unchanged += 1
                    continue
                if seen is not None and (row is None or row.updated_at != seen):
                    raise Overtaken(row.updated_by if row is not None else None)
                added, changed = (added + 1, changed) if row is None else (added, changed + 1)
                if only_look:
                    continue
                if row is None:
                    row = OfficeRow(id=office.office_id)
                    session.add(row)
                for name, value in said.items():
                    setattr(row, name, value)
                row.updated_by, row.updated_at = by, at
                await session.flush()
                await record(session, f"office:{office.office_id}", "imported", by=by, at=at)
        return Written(added, changed, unchanged)

    async def office(self, office_id: str) -> Office | None:
        """One of them."""
        async with self._database.reading() as session:
            row = await session.get(OfficeRow, office_id)
            return _office(row) if row is not None else None

    async def remove(self, office_id: str, *, by: str, at: datetime) -> bool:
        """Take one out; whether there was one."""
        async with self._database.writing() as session:
            row = await session.get(OfficeRow, office_id)
            if row is None:
                return False
            await session.delete(row)
            await record(session, f"office:{office_id}", "removed", by=by, at=at)
            return True


def _office(row: OfficeRow) -> Office:
    return Office(
        office_id=row.id,
        **{name: getattr(row, name) for name in FIELDS},
        updated_by=row.updated_by,
        updated_at=row.updated_at,
    )


def _searched(office: Office) -> str:
    return letters(
        " ".join((office.office_id, office.name, *office.aliases, office.address, office.phone))
    )
