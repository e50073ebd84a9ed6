"""Requests of those who hand over or fetch whole files, in parts: what they hold is staged, read
and written as by hand."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Generator
from contextlib import closing
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

from contracts.requests import (
    EntriesExported,
    ExportEntries,
    FileRow,
    Problem,
    RowProblem,
    RowsStaged,
    StageFile,
    StageRows,
)
from services.common.bus import RequestFailed
from services.knowledge.files.parts import BadPart, Parts, arriving, leaving
from services.knowledge.files.rows import Numbered, bounded
from services.knowledge.files.table import Table, Unreadable, read_table
from services.knowledge.files.writing import of_day, write_entries
from services.knowledge.keeping.staging import Staging
from services.knowledge.keeping.store import Store

ROWS_AT_ONCE = 500
MOST_PROBLEMS = 500
NO_ROWS = "holds no rows below its header"
Stage = Callable[[StageRows], Awaitable[RowsStaged]]


async def stage_file(asked: StageFile, staging: Staging, stage: Stage) -> RowsStaged:
    """Keep a part of a file; with the last one, read the file and stage its rows. Raises
    RequestFailed, DatabaseDown."""
    parts, name = Parts(staging), arriving(asked.import_id)
    try:
        await parts.keep(name, asked.part, asked.content)
        if not asked.last:
            return RowsStaged(staged=0)
        with tempfile.TemporaryDirectory() as folder:
            # What it is, its first bytes say; the ending is for a library that looks at it.
            path = Path(folder) / "import.xlsx"
            await parts.put_together(name, asked.part + 1, path)
            await staging.drop(asked.import_id)
            return await _stage_rows(asked.import_id, path, stage)
    except (Unreadable, BadPart) as error:
        # Nothing of a file that cannot be read to its end is left to be applied.
        await parts.drop(name)
        await staging.drop(asked.import_id)
        message = f"{asked.name} {error}"
        raise RequestFailed(Problem(code="invalid", message=message, field="file")) from None


async def export_entries(
    asked: ExportEntries, staging: Staging, store: Store, today: date
) -> EntriesExported:
    """A part of a file of all entries. Raises RequestFailed, DatabaseDown."""
    parts, name = Parts(staging), leaving(asked.export_id)
    if asked.part == 0:
        await parts.drop(name)
        entries = of_day(await store.entries(), today)
        what = f"{asked.format}, {len(entries)} entries"
        by = (asked.by or "").strip()
        await store.note_export(asked.export_id, by=by, at=datetime.now(UTC), what=what)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"export.{asked.format}"
            await asyncio.to_thread(write_entries, path, entries)
            await parts.take_apart(name, path, len(entries))
    found = await parts.part(name, asked.part)
    if found is None:
        message = "there is no such part of this export: begin once more with part 0"
        raise RequestFailed(Problem(code="not_found", message=message, field="part"))
    content, count, size = found
    if asked.part + 1 == count:
        await parts.drop(name)
    return EntriesExported(parts=count, entries=size, content=content)


async def _stage_rows(import_id: str, path: Path, stage: Stage) -> RowsStaged:
    table = await asyncio.to_thread(read_table, path)
    problems: list[RowProblem] = []
    staged = 0
    with closing(_rows(table)) as rows:
        while some := await asyncio.to_thread(lambda: tuple(islice(rows, ROWS_AT_ONCE))):
            problems += (
                RowProblem(line=row.line, field=column, message=why)
                for row in some
                for column, why in row.faults
            )
            staged = (await stage(StageRows(import_id=import_id, rows=some))).staged
    if not staged:
        raise Unreadable(NO_ROWS)
    return RowsStaged(
        staged=staged,
        form=table.form,
        passed_over=table.unknown[:20],
        problems=tuple(problems[:MOST_PROBLEMS]),
    )


def _rows(table: Table) -> Generator[FileRow]:
    return (_row(bounded(row)) for row in table.rows)


def _row(row: Numbered) -> FileRow:
    return FileRow(line=row.line, cells=dict(row.cells), faults=row.faults)
