"""Rows of imports that wait for the rest of their file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.knowledge.keeping.database import Database
from services.knowledge.keeping.entry_tables import StagedRow

KEPT = timedelta(days=1)
"""What is never applied is forgotten after this time."""

Line = tuple[int, Mapping[str, str]]
"""Line in the file, and its cells: column → text."""


class Staging:
    """Keeps rows by import. Every method raises DatabaseDown while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def stage(self, import_id: str, rows: Sequence[Line], *, at: datetime) -> int:
        """Keep rows; a line that is there already is replaced. Returns how many of this import
        wait."""
        lines = [line for line, _ in rows]
        async with self._database.writing() as session:
            await session.execute(delete(StagedRow).where(StagedRow.staged_at < at - KEPT))
            await session.execute(
                delete(StagedRow).where(StagedRow.import_id == import_id, StagedRow.line.in_(lines))
            )
            if rows:
                values = [
                    {
                        "import_id": import_id,
                        "line": line,
                        "cells": json.dumps(dict(cells), ensure_ascii=False),
                        "staged_at": at,
                    }
                    for line, cells in rows
                ]
                await session.execute(insert(StagedRow), values)
            return await _count(session, import_id)

    async def staged(self, import_id: str) -> list[Line]:
        """The rows of an import, by line."""
        found: list[Line] = []
        async with self._database.reading() as session:
            rows = await session.stream(
                select(StagedRow.line, StagedRow.cells)
                .where(StagedRow.import_id == import_id)
                .order_by(StagedRow.line)
            )
            async for some in rows.partitions(500):
                found += ((line, json.loads(cells)) for line, cells in some)
        return found

    async def row(self, import_id: str, line: int) -> Mapping[str, str] | None:
        """The cells of one row."""
        async with self._database.reading() as session:
            row = await session.get(StagedRow, (import_id, line))
            return json.loads(row.cells) if row is not None else None

    async def count(self, import_id: str) -> int:
        """How many rows of an import wait."""
        async with self._database.reading() as session:
            return await _count(session, import_id)

    async def drop(self, import_id: str) -> int:
        """Forget an import. Returns how many rows waited."""
        async with self._database.writing() as session:
            dropped = await session.execute(
                delete(StagedRow).where(StagedRow.import_id == import_id)
            )
            return cast(CursorResult[Any], dropped).rowcount


async def _count(session: AsyncSession, import_id: str) -> int:
    waiting = select(func.count()).where(StagedRow.import_id == import_id)
    return await session.scalar(waiting) or 0
