"""Lives of entries in the tables: read, and written back as the rows that differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.knowledge.entries.authority import Done, Life, Writing
from services.knowledge.entries.entry import Entry
from services.knowledge.keeping.entry_tables import DeedRow, HeadRow, RevisionRow
from services.knowledge.keeping.tables import Tables

CONTENT = (
    "question",
    "answer",
    "department",
    "region",
    "authorised",
    "valid_from",
    "valid_to",
    "similar",
    "authorised_by",
    "authorised_at",
    "version",
    "document",
    "liaison",
    "phone",
    "intake",
    "tags",
    "confidential",
    "revision",
    "takes_effect",
)
"""Columns of a revision that are fields of `Entry` under the same name."""
_DECIDED = ("authorised", "authorised_by", "authorised_at", "takes_effect")
"""Those of them that a decision sets."""
STATUS = ("state", "counts", "decided_by", "superseded", *_DECIDED)
"""Columns of a revision that may change after it was written."""
HEADS = Tables.metadata.tables[HeadRow.__tablename__]
REVISIONS = Tables.metadata.tables[RevisionRow.__tablename__]
DEEDS = Tables.metadata.tables[DeedRow.__tablename__]
ENTRY = (RevisionRow.entry_id, *(getattr(RevisionRow, name) for name in CONTENT))
"""What `entry_of` reads."""

Columns = dict[str, Any]


def entry_of(row: Any) -> Entry:
    """The entry of a row that begins with the columns `ENTRY`."""
    return Entry(id=row[0], **dict(zip(CONTENT, row[1 : len(ENTRY)], strict=True)))


async def read_lives(session: AsyncSession, ids: Sequence[str]) -> dict[str, Life]:
    """Entries as they stand; without those that were never written."""
    heads = (await session.execute(select(HeadRow).where(HeadRow.id.in_(ids)))).scalars().all()
    rows = await session.execute(
        select(
            *ENTRY,
            RevisionRow.state,
            RevisionRow.drafted_by,
            RevisionRow.decided_by,
            RevisionRow.based_on,
        )
        .join(HeadRow, HeadRow.id == RevisionRow.entry_id)
        .where(
            HeadRow.id.in_(ids),
            RevisionRow.revision.in_((HeadRow.current, HeadRow.following, HeadRow.draft)),
        )
    )
    writings = {
        (row.entry_id, row.revision): Writing(
            entry_of(row), row.state, row.drafted_by, row.decided_by, row.based_on
        )
        for row in rows
    }
    return {
        head.id: Life(
            newest=head.newest,
            current=writings.get((head.id, head.current or 0)),
            following=writings.get((head.id, head.following or 0)),
            draft=writings.get((head.id, head.draft or 0)),
            withdrawn=head.withdrawn,
        )
        for head in heads
    }


Step = tuple[str, Life, Done, str]
"""Id of an entry, how it stood, what was done to it, and why."""


class Rows(NamedTuple):
    """What acts made of entries, as rows of the tables."""

    new_heads: list[Columns]
    heads: list[Columns]
    """Of entries that are there: what becomes of them."""
    new_writings: list[Columns]
    writings: list[Columns]
    """Of writings that are there: what became of them, by `STATUS`."""
    deeds: list[Columns]


def rows_of(steps: Iterable[Step], at: datetime) -> Rows:
    """What acts made of entries, and the deeds. The acts are all of one kind."""
    new_heads: list[Columns] = []
    heads: list[Columns] = []
    new_writings: list[Columns] = []
    writings: list[Columns] = []
    deeds: list[Columns] = []
    for id_, before, done, reason in steps:
        head = _head(done, at)
        (heads if before.newest else new_heads).append({"id": id_, **head})
        held = {writing.revision for writing in before.open}
        for writing in _touched(before, done):
            status = _status(writing, done.life)
            if writing.revision in held:
                writings.append({"entry_id": id_, "revision": writing.revision, **status})
            else:
                new_writings.append({"entry_id": id_, **_content(writing, at), **status})
        deeds.append(_deed(id_, done, reason, at))
    return Rows(new_heads, heads, new_writings, writings, deeds)


async def write_steps(session: AsyncSession, steps: Iterable[Step], at: datetime) -> None:
    """Write what acts made of entries, and the deeds. The acts are all of one kind."""
    rows = rows_of(steps, at)
    connection = await session.connection()
    for table, new in (
        (HEADS, rows.new_heads),
        (REVISIONS, rows.new_writings),
        (DEEDS, rows.deeds),
    ):
        if new:
            await connection.execute(insert(table), new)
    for row in rows.heads:
        await connection.execute(update(HEADS).where(HEADS.c.id == row["id"]).values(row))
    for row in rows.writings:
        key = REVISIONS.c.entry_id == row["entry_id"], REVISIONS.c.revision == row["revision"]
        await connection.execute(update(REVISIONS).where(*key).values(row))


def _touched(before: Life, done: Done) -> list[Writing]:
    """Writings of which something may have changed, as they are now."""
    now = {writing.revision: writing for writing in done.life.open}
    now[done.concerns.revision] = done.concerns
    return [*now.values(), *(w for w in before.open if w.revision not in now)]


def _head(done: Done, at: datetime) -> Columns:
    life = done.life
    decides = done.act not in ("drafted", "discarded")
    return {
        "newest": life.newest,
        "current": life.current.revision if life.current else None,
        "following": life.following.revision if life.following else None,
        "draft": life.draft.revision if life.draft else None,
        "withdrawn": life.withdrawn,
    } | ({"decided_at": at} if decides else {})


def _status(writing: Writing, life: Life) -> Columns:
    """What may change of a writing: all but what it says."""
    is_current = writing is life.current
    successor = life.following.entry if life.following is not None and is_current else None
    put_away = writing.state == "draft" and writing is not life.draft
    return {
        "state": "discarded" if put_away else writing.state,
        "counts": is_current or writing is life.following,
        "decided_by": writing.decided_by,
        "superseded": successor.takes_effect if successor else None,
        **{name: getattr(writing.entry, name) for name in _DECIDED},
    }


def _content(writing: Writing, at: datetime) -> Columns:
    return {
        **{name: getattr(writing.entry, name) for name in CONTENT},
        "based_on": writing.based_on,
        "drafted_by": writing.drafted_by,
        "drafted_at": at,
    }


def _deed(id_: str, done: Done, reason: str, at: datetime) -> Columns:
    return {
        "entry_id": id_,
        "revision": done.concerns.revision,
        "act": done.act,
        "by": done.by.strip(),
        "at": at,
        "reason": reason,
    }
