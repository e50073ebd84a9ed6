"""Requests of those who import: rows are staged, planned, and taken all at once or not at all; and
what stands near to an entry that is being written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeVar

from contracts.base import Contract
from contracts.requests import (
    AlikeEntry,
    ApplyImport,
    CheckEntry,
    DropImport,
    EntriesExported,
    EntryChecked,
    ExportEntries,
    ImportPlanned,
    KnowledgeImported,
    PlanImport,
    Problem,
    RowsStaged,
    StageFile,
    StageRows,
)
from contracts.requests.imports import MOST_ROWS
from services.common.bus import RequestFailed
from services.common.service import Service
from services.knowledge.entries.alike import Neighbours
from services.knowledge.entries.authority import Life, folded
from services.knowledge.entries.entry import Entry
from services.knowledge.entries.fields import written
from services.knowledge.entries.regions import RegionTree
from services.knowledge.files.parts import Parts, arriving
from services.knowledge.files.plan import Plan, near_warnings, plan
from services.knowledge.files.rows import Numbered, Rule, Taken, read_rows
from services.knowledge.files.whole import export_entries, stage_file
from services.knowledge.keeping.database import DatabaseDown
from services.knowledge.keeping.lives import read_lives
from services.knowledge.keeping.staging import Line, Staging
from services.knowledge.keeping.store import AT_ONCE, ImportRefused, Overtaken, Store

Part = TypeVar("Part", bound=Contract)
MOST_PROBLEMS = MOST_CHANGES = 500
MOST_WARNINGS = MOST_NOTES = 200
LARGEST = 150_000
"""Bytes of each list in a reply: together they must fit into a message."""
FAULTS = " faults"
"""The cell of a staged row that keeps its faults. No column has that name."""
SEEN = "number"
"""The cell that keeps the change up to which a plan has seen the base."""


@dataclass(frozen=True, slots=True)
class _Open:
    """What there is once the database is open."""

    store: Store
    staging: Staging
    refresh: Callable[[], Awaitable[None]]


class ImportRequests:
    """Answers from a store, once it was told of it. `today`: the day that decides what counts."""

    def __init__(self, regions: RegionTree, today: Callable[[], date]) -> None:
        self._regions = regions
        self._today = today
        self._open: _Open | None = None
        self._compared: tuple[int, Neighbours] | None = None

    def use(self, store: Store, refresh: Callable[[], Awaitable[None]]) -> None:
        """From now on answer from this store. `refresh` brings the search state up to date."""
        self._open = _Open(store, Staging(store.database), refresh)

    def answer_on(self, service: Service) -> None:
        """Say what this answers."""
        service.answers(StageRows, self.stage)
        service.answers(StageFile, self.stage_file, at_once=2)
        service.answers(ExportEntries, self.export, at_once=2)
        service.answers(PlanImport, self.plan)
        service.answers(ApplyImport, self.apply)
        service.answers(DropImport, self.drop)
        service.answers(CheckEntry, self.check)

    async def stage(self, asked: StageRows) -> RowsStaged:
        """Keep rows until their import is applied. Raises RequestFailed."""
        staging = self._there().staging
        rows = [
            (row.line, row.cells | ({FAULTS: json.dumps(row.faults)} if row.faults else {}))
            for row in asked.rows
        ]
        with _failing():
            staged = await staging.stage(asked.import_id, rows, at=datetime.now(UTC))
            if staged > MOST_ROWS:
                await staging.drop(asked.import_id)
                raise _invalid(
                    "rows",
                    f"an import has at most {MOST_ROWS:,} rows: split the file; "
                    "nothing of it was imported",
                )
        return RowsStaged(staged=staged)

    async def stage_file(self, asked: StageFile) -> RowsStaged:
        """Keep a part of a file; with the last, its rows. Raises RequestFailed."""
        with _failing():
            return await stage_file(asked, self._there().staging, self.stage)

    async def export(self, asked: ExportEntries) -> EntriesExported:
        """A part of a file of all entries. Raises RequestFailed."""
        there = self._there()
        with _failing():
            return await export_entries(asked, there.staging, there.store, self._today())

    async def plan(self, asked: PlanImport) -> ImportPlanned:
        """What an import would do. Raises RequestFailed."""
        there = self._there()
        with _failing():
            number = await there.store.number()
            taken, made = await self._planned(asked)
            standing = await there.store.entries()
            seen = [(1, {SEEN: str(number)})]
            await there.staging.stage(_plan_of(asked.import_id), seen, at=datetime.now(UTC))
        near = await asyncio.to_thread(near_warnings, made, taken, standing, self._regions)
        warnings = [*made.warnings, *near]
        return ImportPlanned(
            added=made.added,
            changed=made.changed,
            unchanged=made.unchanged,
            bad=made.bad,
            problems=_fitting(made.problems, MOST_PROBLEMS),
            changes=_fitting(made.changes, MOST_CHANGES),
            warnings=_fitting(warnings, MOST_WARNINGS),
            warned=len(warnings),
            notes=_fitting(taken.notes, MOST_NOTES),
        )

    async def apply(self, asked: ApplyImport) -> KnowledgeImported:
        """Take the rows of an import, all or none; they are in force when this returns. Where it
        was planned, what the plan has shown must still be so. Raises RequestFailed."""
        there = self._there()
        with _failing():
            number = await there.store.number()
            seen = await there.staging.row(_plan_of(asked.import_id), 1)
            taken, made = await self._planned(asked)
            if made.bad and not asked.partly:
                raise _invalid(
                    "",
                    f"{made.bad} rows are bad, so nothing was imported: mend them, or import "
                    "the good ones alone (partly)",
                )
            try:
                await there.store.put_all(
                    made.write,
                    by=asked.imported_by.strip(),
                    at=datetime.now(UTC),
                    as_of=int(seen[SEEN]) if seen else number,
                    about=[entry.id for entry in taken.entries],
                )
            except (ImportRefused, Overtaken):
                message = "the base has changed meanwhile, nothing was imported: try again"
                raise RequestFailed(Problem(code="conflict", message=message)) from None
        with _failing(TAKEN):
            await self._forget(asked.import_id)
            if made.write:
                await there.refresh()
        return KnowledgeImported(
            added=made.added, changed=made.changed, unchanged=made.unchanged, bad=made.bad
        )

    async def drop(self, asked: DropImport) -> RowsStaged:
        """Forget an import. Raises RequestFailed."""
        with _failing():
            await self._forget(asked.import_id)
            await Parts(self._there().staging).drop(arriving(asked.import_id))
        return RowsStaged(staged=0)

    async def check(self, asked: CheckEntry) -> EntryChecked:
        """What stands near to an entry being written. Raises RequestFailed."""
        entry = written(asked.entry_id or "", asked.fields)
        with _failing():
            neighbours = await self._neighbours()
        return EntryChecked(
            alike=tuple(
                AlikeEntry(
                    entry_id=near.entry.id,
                    question=near.entry.question,
                    region=near.entry.region,
                    sort=near.sort,
                    likeness=round(near.likeness, 3),
                    why=near.why,
                )
                for near in await asyncio.to_thread(neighbours.near, entry)
            )
        )

    async def _neighbours(self) -> Neighbours:
        """All that counts, ready to be compared; made anew where the base has changed."""
        store = self._there().store
        number = await store.number()
        if self._compared is None or self._compared[0] != number:
            entries = await store.entries()
            made = await asyncio.to_thread(Neighbours, entries, self._regions)
            self._compared = (number, made)
        return self._compared[1]

    async def _planned(self, asked: PlanImport | ApplyImport) -> tuple[Taken, Plan]:
        there = self._there()
        by, authorised_by = folded(asked.imported_by), asked.authorised_by
        if not by:
            raise _invalid("imported_by", "say who imports")
        if authorised_by is not None and folded(authorised_by) == by:
            raise _invalid(
                "authorised_by", "who imports cannot authorise: name the one who authorised it"
            )
        if authorised_by is not None and not folded(authorised_by):
            authorised_by = None
        rows = await there.staging.staged(asked.import_id)
        if not rows:
            message = "there are no rows of this import: hand them over once more"
            raise RequestFailed(Problem(code="not_found", message=message, field="import_id"))
        rule = Rule(self._regions, authorised_by=authorised_by and authorised_by.strip())
        taken = await asyncio.to_thread(lambda: read_rows(map(_numbered, rows), rule))
        lives = await self._lives(taken.entries)
        made = await asyncio.to_thread(
            lambda: plan(taken, lives, by=asked.imported_by, today=self._today())
        )
        return taken, made

    async def _forget(self, import_id: str) -> None:
        staging = self._there().staging
        await staging.drop(import_id)
        await staging.drop(_plan_of(import_id))

    async def _lives(self, entries: Sequence[Entry]) -> dict[str, Life]:
        lives: dict[str, Life] = {}
        async with self._there().store.database.reading() as session:
            for start in range(0, len(entries), AT_ONCE):
                some = [entry.id for entry in entries[start : start + AT_ONCE]]
                lives |= await read_lives(session, some)
        return lives

    def _there(self) -> _Open:
        if self._open is None:
            message = "the knowledge base is not open yet: ask again in a few seconds"
            raise RequestFailed(Problem(code="unavailable", message=message))
        return self._open


def _plan_of(import_id: str) -> str:
    """The name under which it is kept what a plan has seen; no id of an import is such a name."""
    return f"{import_id} plan"


def _numbered(row: Line) -> Numbered:
    line, cells = row
    faults = json.loads(cells.get(FAULTS, "[]"))
    texts = {column: text for column, text in cells.items() if column != FAULTS}
    return Numbered(line, texts, tuple((column, why) for column, why in faults))


def _fitting(parts: Sequence[Part], most: int) -> tuple[Part, ...]:
    """The first of some parts, as many as a reply holds."""
    kept: list[Part] = []
    size = 0
    for part in parts[:most]:
        size += len(part.model_dump_json().encode())
        if size > LARGEST:
            break
        kept.append(part)
    return tuple(kept)


NOT_TAKEN = "the database does not answer, nothing was imported: try again later"
TAKEN = (
    "the import was taken, and the database does not answer since: it is in force as soon as that "
    "is back; do not import it again"
)


@contextmanager
def _failing(message: str = NOT_TAKEN) -> Iterator[None]:
    try:
        yield
    except DatabaseDown:
        raise RequestFailed(Problem(code="unavailable", message=message)) from None


def _invalid(field: str, message: str) -> RequestFailed:
    return RequestFailed(Problem(code="invalid", message=message, field=field or None))
