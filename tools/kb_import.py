"""`banxi kb import`: a file of entries, staged row by row, planned, and taken all at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as Printed
from rich.text import Text

from contracts.requests import (
    ApplyImport,
    DropImport,
    FileRow,
    ImportPlanned,
    KnowledgeImported,
    PlanImport,
    RowsStaged,
    StageRows,
)
from services.common.bus import RequestFailed
from services.knowledge.files.rows import Numbered, bounded
from services.knowledge.files.table import Table
from services.knowledge.settings import Settings
from tools.kb_access import Knowledge, reach_knowledge

ROWS_A_REQUEST = 200
BYTES_A_REQUEST = 400_000
"""A message of NATS holds a megabyte at most."""
IMPORT_TIMEOUT_S = 900.0
LOOK_EVERY_S = 0.3
SHOWN = 40
"""Changes and warnings that are printed one by one."""
SORTS = {
    "contradiction": "says the contrary of",
    "duplicate": "is a double of",
    "overrules": "overrules",
    "overruled": "is overruled by",
    "draft": "has a draft",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What to import, and how."""

    table: Table
    imported_by: str
    authorised_by: str | None = None
    dry_run: bool = False
    partly: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    planned: ImportPlanned
    done: KnowledgeImported | None = None
    """None where nothing was taken."""


async def import_table(settings: Settings, order: Order, console: Console) -> Outcome:
    """Import a table; bars and the plan go to `console`. Raises CannotStart, RequestFailed,
    Unreadable; then nothing was imported."""
    trying = order.dry_run
    async with reach_knowledge(settings, searching=not trying, trying=trying) as knowledge:
        doing = "checking against" if trying else "importing into"
        console.print(f"{doing} {knowledge.where}", markup=False)
        import_id = uuid.uuid4().hex
        applied = False
        try:
            planned = await _planned(knowledge, import_id, order, console)
            show_plan(planned, console)
            if order.dry_run or (planned.bad and not order.partly):
                return Outcome(planned)
            asked = ApplyImport(
                import_id=import_id,
                imported_by=order.imported_by,
                authorised_by=order.authorised_by,
                partly=order.partly,
            )
            done = await knowledge.ask(asked, KnowledgeImported, timeout_s=IMPORT_TIMEOUT_S)
            applied = True
            await _wait_for_vectors(knowledge, console)
            return Outcome(planned, done)
        finally:
            if not applied:
                await _forget(knowledge, import_id)


async def _planned(
    knowledge: Knowledge, import_id: str, order: Order, console: Console
) -> ImportPlanned:
    with _bars(console) as bars:
        task = bars.add_task("rows", total=order.table.count)
        for chunk in chunks(order.table.rows):
            rows = StageRows(import_id=import_id, rows=tuple(chunk))
            await knowledge.ask(rows, RowsStaged, timeout_s=60)
            bars.advance(task, len(chunk))
    asked = PlanImport(
        import_id=import_id, imported_by=order.imported_by, authorised_by=order.authorised_by
    )
    return await knowledge.ask(asked, ImportPlanned, timeout_s=IMPORT_TIMEOUT_S)


async def _forget(knowledge: Knowledge, import_id: str) -> None:
    # Where that fails: what is never applied is forgotten after a day anyway.
    with contextlib.suppress(RequestFailed):
        await knowledge.ask(DropImport(import_id=import_id), RowsStaged)


async def _wait_for_vectors(knowledge: Knowledge, console: Console) -> None:
    """Show how the vectors are made. In a running service they are made without us, too."""
    total = await knowledge.vectors_missing()
    if not total:
        return
    with _bars(console) as bars:
        task = bars.add_task("vectors", total=total)
        while missing := await knowledge.vectors_missing():
            total = max(total, missing)
            bars.update(task, total=total, completed=total - missing)
            if knowledge.base is not None and knowledge.base.indexing is not None:
                await asyncio.wait({knowledge.base.indexing}, timeout=LOOK_EVERY_S)
                if knowledge.base.indexing.done():
                    knowledge.base.indexing.result()
            else:
                await asyncio.sleep(LOOK_EVERY_S)
        bars.update(task, completed=total)
    if knowledge.base is not None:
        await knowledge.base.indexed()


def show_plan(planned: ImportPlanned, console: Console) -> None:
    """Print what an import would do."""
    if planned.changes:
        table = Printed("line", "entry", "", "field", "before", "after", title="what changes")
        for change in planned.changes[:SHOWN]:
            cells = change.changes or (("question", "", change.question),)
            for number, (field, before, after) in enumerate(cells):
                first = (str(change.line), change.entry_id, change.act) if not number else ("",) * 3
                table.add_row(*(Text(cell) for cell in (*first, field, before, after)))
        console.print(table)
        _more(planned.added + planned.changed, min(SHOWN, len(planned.changes)), console)
    for note in planned.notes[:SHOWN]:
        console.print(f"line {note.line}, {note.field}: {note.message}", markup=False)
    _more(len(planned.notes), SHOWN, console)
    for warning in planned.warnings[:SHOWN]:
        other = "" if warning.other == warning.entry_id else f" {warning.other}"
        said = (
            f"line {warning.line}: {warning.entry_id} {SORTS[warning.sort]}{other}: {warning.why}"
        )
        console.print(said, markup=False)
    _more(planned.warned, min(SHOWN, len(planned.warnings)), console)


def _more(there: int, shown: int, console: Console) -> None:
    if there > shown:
        console.print(f"… and {there - shown:,} more")


def chunks(rows: Iterable[Numbered]) -> Iterator[list[FileRow]]:
    """Rows as they are handed over, as many together as a request takes."""
    chunk: list[FileRow] = []
    size = 0
    for row in map(bounded, rows):
        weight = len(json.dumps(dict(row.cells), ensure_ascii=False).encode())
        if chunk and (len(chunk) >= ROWS_A_REQUEST or size + weight > BYTES_A_REQUEST):
            yield chunk
            chunk, size = [], 0
        chunk.append(FileRow(line=row.line, cells=dict(row.cells), faults=row.faults))
        size += weight
    if chunk:
        yield chunk


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:>8}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )
