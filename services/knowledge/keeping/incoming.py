"""Many entries at once: what is to be written is put beside the tables first, into some that only
this connection sees, and made to count by a few short statements. Nobody waits for the rest of the
work, and nobody sees a part of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, MetaData, Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable, DropTable

from services.knowledge.keeping.lives import DEEDS, HEADS, REVISIONS, STATUS, Rows


def _like(name: str, columns: Iterable[Column[Any]]) -> Table:
    copies = (Column(column.name, column.type) for column in columns)
    return Table(f"incoming_{name}", MetaData(), *copies, prefixes=["TEMPORARY"])


_NEW_HEADS = _like("new_heads", HEADS.c)
_HEADS = _like("heads", HEADS.c)
_NEW_WRITINGS = _like("new_writings", REVISIONS.c)
_WRITINGS = _like("writings", [REVISIONS.c[n] for n in ("entry_id", "revision", *STATUS)])
_DEEDS = _like("deeds", [column for column in DEEDS.c if column.name != "number"])
_TABLES = (_NEW_HEADS, _HEADS, _NEW_WRITINGS, _WRITINGS, _DEEDS)
"""In the order of `Rows`."""
EFFECT = (
    insert(HEADS).from_select(_NEW_HEADS.c.keys(), select(_NEW_HEADS)),
    update(HEADS)
    .where(HEADS.c.id == _HEADS.c.id)
    .values({column.name: column for column in _HEADS.c if column.name != "id"}),
    insert(REVISIONS).from_select(_NEW_WRITINGS.c.keys(), select(_NEW_WRITINGS)),
    update(REVISIONS)
    .where(
        REVISIONS.c.entry_id == _WRITINGS.c.entry_id,
        REVISIONS.c.revision == _WRITINGS.c.revision,
    )
    .values({name: _WRITINGS.c[name] for name in STATUS}),
    insert(DEEDS).from_select(_DEEDS.c.keys(), select(_DEEDS)),
)


async def begin(connection: AsyncConnection) -> None:
    """Make room on a connection, which may hold what an attempt that failed has left."""
    for table in _TABLES:
        await connection.execute(DropTable(table, if_exists=True))
        await connection.execute(CreateTable(table))


async def put(connection: AsyncConnection, rows: Rows) -> None:
    """Put rows beside the tables."""
    for table, some in zip(_TABLES, rows, strict=True):
        if some:
            await connection.execute(insert(table), some)


async def take_effect(connection: AsyncConnection) -> None:
    """Make all that was put count, in the transaction that is open."""
    for statement in EFFECT:
        await connection.execute(statement)
    for table in _TABLES:
        await connection.execute(DropTable(table))
