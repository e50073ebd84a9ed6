"""One entry with all that was done to it, for its editors."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.requests import Deed, EntryDetail, EntryFields
from services.knowledge.entries.authority import Life
from services.knowledge.entries.entry import Entry
from services.knowledge.entries.fields import Change, changes, fields_of
from services.knowledge.keeping.database import Database
from services.knowledge.keeping.entry_tables import DeedRow, RevisionRow
from services.knowledge.keeping.feedback import count_feedback
from services.knowledge.keeping.lives import ENTRY, entry_of, read_lives

MOST_DEEDS = 200
LARGEST = 400_000
"""Bytes of changes in one reply, which must fit into a message; older deeds go without."""


class History:
    """Reads entries with their histories."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, entry_id: str, today: date) -> EntryDetail | None:
        """An entry as it stands on a day; None where there is none. Raises DatabaseDown."""
        async with self._database.reading() as session:
            life = (await read_lives(session, [entry_id])).get(entry_id)
            if life is None:
                return None
            rows = await session.execute(
                select(*ENTRY, RevisionRow.state, RevisionRow.based_on)
                .where(RevisionRow.entry_id == entry_id)
                .order_by(RevisionRow.revision)
            )
            written: Written = {}
            latest: Entry | None = None
            decided = False
            for row in rows:
                entry = entry_of(row)
                written[entry.revision] = (entry, row.based_on)
                was_decided = row.state in ("answer", "transfer", "withdrawn")
                if was_decided or not decided:
                    latest, decided = entry, was_decided
            deeds = await _deeds(session, entry_id, written)
            said = (await count_feedback(session, [entry_id]))[entry_id]
        in_force, to_come, begins = _on(life, today)
        return EntryDetail(
            entry_id=entry_id,
            standing=life.standing(today),
            revision=life.newest,
            in_force=_fields(in_force),
            scheduled=_fields(to_come),
            scheduled_from=begins,
            draft=_fields(life.draft.entry if life.draft else None),
            drafted_by=life.draft.drafted_by if life.draft else None,
            latest=None if in_force or to_come or life.draft else _fields(latest),
            authorised_by=in_force.authorised_by if in_force else None,
            authorised_at=in_force.authorised_at if in_force else None,
            history=deeds,
            used=said.used,
            wrong=said.wrong,
            outdated=said.outdated,
        )


def _on(life: Life, today: date) -> tuple[Entry | None, Entry | None, date | None]:
    """What counts on a day, what will after it, and from when."""
    in_force = to_come = None
    begins = None
    for entry in life.entries:
        first = max(entry.takes_effect or today, entry.valid_from or today)
        if entry.valid_on(today):
            in_force = entry
        elif first > today and to_come is None:
            to_come, begins = entry, first
    return in_force, to_come, begins


def _fields(entry: Entry | None) -> EntryFields | None:
    return fields_of(entry) if entry else None


Written = dict[int, tuple[Entry, int | None]]
"""Revision → what was written, and the revision it was written over."""


async def _deeds(session: AsyncSession, entry_id: str, written: Written) -> tuple[Deed, ...]:
    """The newest deeds, newest first."""
    rows = await session.scalars(
        select(DeedRow)
        .where(DeedRow.entry_id == entry_id)
        .order_by(DeedRow.number.desc())
        .limit(MOST_DEEDS)
    )
    deeds: list[Deed] = []
    size = 0
    for row in rows:
        changed = _changes(row, written)
        size += sum(len(text.encode()) for change in changed for text in change)
        deeds.append(
            Deed(
                at=row.at,
                by=row.by,
                act=row.act,
                revision=row.revision,
                reason=row.reason,
                changes=changed if size <= LARGEST else (),
            )
        )
    return tuple(deeds)


def _changes(deed: DeedRow, written: Written) -> tuple[Change, ...]:
    """What was written with a deed. A decision writes nothing; and what a draft was decided to be
    is not the drafter's doing."""
    if deed.act not in ("drafted", "imported"):
        return ()
    entry, over = written[deed.revision]
    before = written[over][0] if over in written else None
    return tuple(
        change
        for change in changes(before, entry)
        if deed.act == "imported" or change[0] != "authorised"
    )
