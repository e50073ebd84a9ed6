"""Entries in the database: what counts, one by one and all together, and how they are changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from services.knowledge.entries.authority import Done, Life, Reason, Refused, take_in
from services.knowledge.entries.entry import Entry
from services.knowledge.entries.fields import fields_of
from services.knowledge.keeping import deeds, incoming
from services.knowledge.keeping.database import Database
from services.knowledge.keeping.entry_tables import DeedRow, HeadRow, RevisionRow
from services.knowledge.keeping.lives import ENTRY, Step, entry_of, read_lives, rows_of, write_steps

AT_ONCE = 200
"""Entries read or written between two looks at what else there is to do."""

ASKED_AGAIN = timedelta(minutes=10)
"""Within this time, the same new draft of the same person is the same request once more."""

Move = Callable[[Life], Done | Refused]
"""An act of `authority` on an entry as it stands."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What writing entries did."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Changed:
    """What was done since a change."""

    number: int
    """Number of the last change; it only grows."""
    ids: tuple[str, ...]
    """Ids it concerns, each once: of entries, and `office:ID`, `wording:ID`."""


class ImportRefused(ValueError):
    """Entries that may not be taken as they are; nothing was written."""

    def __init__(self, refused: Sequence[tuple[str, Reason]]) -> None:
        super().__init__(f"{len(refused)} entries may not be taken")
        self.refused = tuple(refused)
        """Entry and reason, in the order they came."""


class Overtaken(RuntimeError):
    """What entries were to be written over was changed since it was looked at; nothing was
    written."""


class Store:
    """Entries and their deeds. Use as `await open()` … `await close()`. All that reads or writes
    raises DatabaseDown while the database is away."""

    def __init__(self, place: Path | str) -> None:
        """`place`: a file, or the address of a PostgreSQL database. Raises CannotStart."""
        self.database = Database(place)

    async def open(self) -> None:
        """Bring the tables up to date. Raises CannotStart with one sentence."""
        await self.database.open()

    async def close(self) -> None:
        """Let go of the database."""
        await self.database.close()

    async def number(self) -> int:
        """Number of the last change; it only grows."""
        async with self.database.reading() as session:
            return await deeds.last_number(session)

    async def since(self, number: int) -> Changed:
        """What changed after the change of that number."""
        async with self.database.reading() as session:
            last = await _changed(session, number)
            return Changed(max(last.values(), default=number), tuple(sorted(last)))

    async def entries(self) -> tuple[Entry, ...]:
        """All that counts, will count or has expired, by id. An entry with a successor set for a
        day is two values."""
        found: list[Entry] = []
        async with self.database.reading() as session:
            rows = await session.stream(_COUNTING)
            async for some in rows.partitions(AT_ONCE):
                found += (_counting(row) for row in some)
        return tuple(found)

    async def entries_of(self, ids: Sequence[str]) -> tuple[Entry, ...]:
        """The values of these entries, as in `entries`; none for those that no longer count."""
        found: list[Entry] = []
        async with self.database.reading() as session:
            for start in range(0, len(ids), AT_ONCE):
                some = ids[start : start + AT_ONCE]
                rows = await session.execute(_COUNTING.where(RevisionRow.entry_id.in_(some)))
                found += (_counting(row) for row in rows)
        return tuple(found)

    async def note_export(self, export_id: str, *, by: str, at: datetime, what: str) -> None:
        """Keep that somebody took all entries out: a deed that changes nothing. `what`: the form
        of the file, and how many there are."""
        async with self.database.writing() as session:
            await deeds.record(
                session, f"export:{export_id}", "exported", by=by, at=at, reason=what
            )

    async def act(
        self, entry_id: str, move: Move, *, at: datetime, reason: str = ""
    ) -> Done | Refused | None:
        """Do something to an entry and keep it, with its deed; None where there is no such entry.
        Nothing else is done to it meanwhile, by any process."""
        async with self.database.writing() as session:
            before = (await read_lives(session, [entry_id])).get(entry_id)
            if before is None:
                return None
            done = move(before)
            if isinstance(done, Done):
                await write_steps(session, [(entry_id, before, done, reason)], at)
            return done

    async def begin(
        self, make: Callable[[str], Done | Refused], *, at: datetime
    ) -> tuple[str, Done | Refused]:
        """A new entry: `make` gets the id it will have. Returns that id, too; where the same person
        has begun the same entry a moment ago, nothing is written, and the id is that one's: the
        reply did not reach him, and he asks again."""
        async with self.database.writing() as session:
            number = await deeds.last_number(session) + 1
            while await session.get(HeadRow, f"k{number}") is not None:
                number += 1
            entry_id = f"k{number}"
            done = make(entry_id)
            if isinstance(done, Done):
                if (begun := await _begun(session, done, at)) is not None:
                    return begun, done
                await write_steps(session, [(entry_id, Life(), done, "")], at)
            return entry_id, done

    async def put_all(
        self,
        entries: Sequence[Entry],
        *,
        by: str,
        at: datetime,
        authorised_by: str | None = None,
        today: date | None = None,
        unnamed: bool = False,
        dry: bool = False,
        as_of: int | None = None,
        about: Collection[str] = (),
    ) -> Changes:
        """Take entries from a file, each id once, all or none: in one transaction that is short,
        since all is prepared before it. `authorised_by`: who authorised those that are marked so
        and name nobody. `unnamed`: see `authority.take_in`. `dry`: only tell what it would do.
        `as_of`: number of the change up to which somebody has looked at the entries `about`.
        Raises ImportRefused; Overtaken where one of those has changed since."""
        day = today or at.astimezone().date()

        def take(life: Life, entry: Entry) -> Done | Refused | None:
            named = _named(entry, authorised_by)
            return take_in(life, named, by=by, today=day, unnamed=unnamed)

        if dry:
            return (await self._steps(entries, take)).changes
        while True:
            number = await self.number()
            taken = await self._steps(entries, take)
            async with self.database.preparing() as connection:
                async with connection.begin():
                    await incoming.begin(connection)
                    for start in range(0, len(taken.steps), AT_ONCE):
                        some = taken.steps[start : start + AT_ONCE]
                        await incoming.put(connection, rows_of(some, at))
                async with self.database.effective(connection):
                    if as_of is not None and _meet(await _changed(connection, as_of), about):
                        raise Overtaken
                    ids = (entry.id for entry in entries)
                    if not _meet(await _changed(connection, number), ids):
                        await incoming.take_effect(connection)
                        return taken.changes
            # Somebody changed one of them meanwhile: see once more what this does.

    async def _steps(
        self, entries: Sequence[Entry], take: Callable[[Life, Entry], Done | Refused | None]
    ) -> _Taken:
        """What taking entries does, as the base stands. Raises ImportRefused."""
        steps: list[Step] = []
        refused: list[tuple[str, Reason]] = []
        added = 0
        async with self.database.reading() as session:
            for start in range(0, len(entries), AT_ONCE):
                some = entries[start : start + AT_ONCE]
                lives = await read_lives(session, [entry.id for entry in some])
                for entry in some:
                    before = lives.get(entry.id, Life())
                    done = take(before, entry)
                    if isinstance(done, Refused):
                        refused.append((entry.id, done.reason))
                    elif done is not None:
                        steps.append((entry.id, before, done, _authority_of(done)))
                        added += before.newest == 0
        if refused:
            raise ImportRefused(refused)
        changes = Changes(added, len(steps) - added, len(entries) - len(steps))
        return _Taken(steps, changes)


@dataclass(frozen=True, slots=True)
class _Taken:
    steps: Sequence[Step]
    changes: Changes


def _meet(changed: Mapping[str, int], ids: Iterable[str]) -> bool:
    return not changed.keys().isdisjoint(ids)


async def _changed(by: AsyncSession | AsyncConnection, after: int) -> dict[str, int]:
    """What was changed after a change → the number of its last one."""
    rows = await by.execute(
        select(DeedRow.entry_id, func.max(DeedRow.number))
        .where(DeedRow.number > after, DeedRow.act != "exported")
        .group_by(DeedRow.entry_id)
    )
    return {row[0]: row[1] for row in rows}


async def _begun(session: AsyncSession, done: Done, at: datetime) -> str | None:
    """The entry that the same person began with the same draft a moment ago and that was not put
    away since."""
    lately = select(DeedRow.entry_id).where(
        DeedRow.act == done.act,
        DeedRow.revision == done.concerns.revision,
        DeedRow.by == done.by.strip(),
        DeedRow.at > at - ASKED_AGAIN,
    )
    rows = await session.execute(
        select(*ENTRY).where(
            RevisionRow.entry_id.in_(lately),
            RevisionRow.revision == done.concerns.revision,
            RevisionRow.state.in_(("draft", "answer", "transfer")),
        )
    )
    wanted = fields_of(done.concerns.entry)
    return next((e.id for e in map(entry_of, rows) if fields_of(e) == wanted), None)


_COUNTING = (
    select(*ENTRY, RevisionRow.superseded)
    .where(RevisionRow.counts)
    .order_by(RevisionRow.entry_id, RevisionRow.revision)
)


def _counting(row: Any) -> Entry:
    return replace(entry_of(row), superseded=row[-1])


def _named(entry: Entry, authorised_by: str | None) -> Entry:
    if not entry.authorised or entry.authorised_by:
        return entry
    return replace(entry, authorised_by=authorised_by)


def _authority_of(done: Done) -> str:
    """On whose authority something came by import, for its deed."""
    entry = done.concerns.entry
    return f"授权人：{entry.authorised_by or '未记录'}" if entry.authorised else ""
