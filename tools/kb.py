"""`banxi kb`: bring the hotline's answers in, look what is there, take it out again."""

from __future__ import annotations

import asyncio
import getpass
import uuid
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contracts.requests import (
    EntriesListed,
    EntryLine,
    Filter,
    KnowledgeFound,
    ListEntries,
    SearchKnowledge,
)
from services.common.bus import RequestFailed
from services.common.failure import CannotStart
from services.common.settings import load
from services.knowledge.entries.entry import Entry
from services.knowledge.files.table import Table as FileTable
from services.knowledge.files.table import Unreadable, read_table
from services.knowledge.files.writing import WRITERS, of_day, write_entries
from services.knowledge.keeping.database import DatabaseDown
from services.knowledge.settings import Settings, region_tree
from tools import kb_entries, kb_gaps, kb_offices, kb_wordings
from tools.kb_access import open_store, reach_knowledge
from tools.kb_import import Order, Outcome, import_table
from tools.kb_rebuild import rebuild

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "The knowledge base: its entries, the directory of offices, agreed wordings, gaps.\n\n"
        "All but `export` ask the running service; where none answers, they work on the database "
        "themselves (in BANXI_DATA_DIR, or BANXI_KNOWLEDGE__DATABASE). Begin with "
        "`banxi kb template my.xlsx`, fill it in, try `banxi kb import my.xlsx --dry-run`."
    ),
)
for topic in (kb_entries, kb_gaps, kb_offices, kb_wordings):
    topic.register(app)
console = Console(highlight=False, soft_wrap=True)
Region = Annotated[str | None, typer.Option(help="Region of the caller; default: the site's.")]


app.command("rebuild")(rebuild)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV (UTF-8 or GB18030), Excel (.xlsx) or JSONL.")],
    authorised_by: Annotated[
        str | None,
        typer.Option(help="Who authorised the rows marked authorised that name nobody."),
    ] = None,
    imported_by: Annotated[
        str | None, typer.Option(help="Who imports; default: your login name.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; change nothing.")
    ] = False,
    partly: Annotated[
        bool, typer.Option("--partly", help="Take the good rows although others are bad.")
    ] = False,
) -> None:
    """Import a table of entries: all of it or, where a row is bad, nothing.

    Columns: id, question, answer, department, region, authorised (yes|no); optional: valid_from,
    valid_to (2026-01-31, 2026/1/31, 2026.1.31, 2026年1月31日), similar_questions and tags (;
    between), authorised_by, authorised_at, version, document, liaison, phone, intake (投诉,
    业务咨询, 基础信息查询, 建议, 举报), confidential (yes|no). JSONL: one object a line, its fields
    named so.

    An entry with a known id is replaced, its history is kept; entries that are not in the file
    stay. A row marked authorised names who authorised it, another person than the importer.
    What was withdrawn stays so: a row that would bring it back is bad; it returns by a new draft
    alone.
    In Excel the first sheet is read: cells merged downwards count for each row, formulas by their
    result. Characters nobody can see are taken out, HTML stays text. At most 200,000 rows.

    Exit code 0: done, or nothing is wrong · 1: rows are bad (they are named by line and column),
    or it could not be done · 2: the file could not be read.
    """
    table = _read(file)
    if table.form != "UTF-8":
        console.print(f"read as {table.form}")
    if table.unknown:
        console.print(f"passed over columns: {', '.join(table.unknown)}", markup=False)
    order = Order(
        table,
        imported_by=imported_by or getpass.getuser(),
        authorised_by=authorised_by,
        dry_run=dry_run,
        partly=partly,
    )
    try:
        outcome = asyncio.run(import_table(load(Settings), order, console))
    except Unreadable as error:
        _fail(f"{file} {error}; nothing was imported", 2)
    except (CannotStart, RequestFailed) as error:
        _fail(str(error), 1)
    planned = outcome.planned
    for problem in planned.problems:
        where = f"line {problem.line}" + (f", {problem.field}" if problem.field else "")
        typer.echo(f"{where}: {problem.message}", err=True)
    if (named := len({problem.line for problem in planned.problems})) < planned.bad:
        typer.echo(f"… and {planned.bad - named:,} more bad rows", err=True)
    console.print(_said(outcome, order))
    if planned.bad:
        raise typer.Exit(1)


def _said(outcome: Outcome, order: Order) -> str:
    planned = outcome.planned
    figures = f"{planned.added} added, {planned.changed} changed, {planned.unchanged} unchanged"
    if outcome.done is not None:
        done = outcome.done
        said = f"{done.added} added, {done.changed} changed, {done.unchanged} unchanged"
        return said + (f"; {done.bad} rows not taken" if done.bad else "")
    if order.dry_run:
        bad = f", {planned.bad} rows are bad" if planned.bad else ""
        return f"it would be: {figures}{bad}; nothing was changed"
    return (
        f"nothing was imported, since {planned.bad} rows are bad: mend them, or take the others "
        f"with --partly ({figures})"
    )


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="What to look for.")],
    region: Region = None,
    limit: Annotated[int, typer.Option(min=1, max=20, help="How many at most.")] = 5,
) -> None:
    """Search as an agent does with `/`: answers where they may be given today, else transfers."""
    asked = SearchKnowledge(text=text[:200], region=region, limit=limit)
    try:
        found = asyncio.run(_search(load(Settings), asked))
    except (CannotStart, RequestFailed) as error:
        _fail(str(error), 1)
    if not found.hits:
        console.print("nothing fits")
    for hit in found.hits:
        told = hit.answer or f"→ transfer to {hit.source.get('department', '')}"
        console.print(f"{hit.entry_id}  {hit.question}  ({hit.score:.2f})", markup=False)
        console.print(f"    {told}", markup=False)


async def _search(settings: Settings, asked: SearchKnowledge) -> KnowledgeFound:
    async with reach_knowledge(settings) as knowledge:
        if knowledge.base is not None:
            await knowledge.base.indexed()
        return await knowledge.ask(asked, KnowledgeFound)


@app.command("list")
def list_(
    show: Annotated[
        Filter,
        typer.Option(
            help="Which: `undecided` = a draft awaits a decision, `expiring` = within 30 days, "
            "`reported` = agents said wrong or outdated."
        ),
    ] = "all",
    text: Annotated[str, typer.Option(help="Words that stand in the entry.")] = "",
) -> None:
    """List the entries: how each stands today, and on whose authority."""
    table = Table("id", "question", "region", "department", "stands", "valid to", "authorised by")
    try:
        listed = asyncio.run(_list(load(Settings), show, text))
    except (CannotStart, RequestFailed) as error:
        _fail(str(error), 1)
    for entry in listed:
        cells = (
            entry.entry_id,
            entry.question,
            entry.region,
            entry.department,
            entry.standing,
            entry.valid_to.isoformat() if entry.valid_to else "",
            entry.authorised_by or "",
        )
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)
    console.print(f"{len(listed)} entries")


@app.command()
def export(
    file: Annotated[
        Path, typer.Argument(help="File to write: .csv, .xlsx or .jsonl; must not exist yet.")
    ],
    by: Annotated[str | None, typer.Option(help="Who exports; default: your login name.")] = None,
) -> None:
    """Write all entries that were decided to a file that `import` reads again as the same.

    Reads the database, also beside a running service, and keeps there who exported when. Answers
    that may not be given are in the file, too: keep it as you keep the base. Drafts, and what
    begins to count later where something counts now, are not in it. In .csv and .xlsx, a text that
    a spreadsheet would run as a formula has an apostrophe before it, which `import` takes away.
    """
    if file.suffix.lower() not in WRITERS:
        _fail(f"{file}: give it the ending {', '.join(WRITERS)}", 1)
    try:
        entries = asyncio.run(_exported(load(Settings), file, by or getpass.getuser()))
    except (CannotStart, DatabaseDown) as error:
        _fail(str(error), 1)
    _write(file, entries)
    console.print(f"{len(entries)} entries written to {file}", markup=False)


@app.command()
def template(
    file: Annotated[
        Path, typer.Argument(help="File to write: .csv, .xlsx or .jsonl; must not exist yet.")
    ],
) -> None:
    """Write a table to fill in: the columns, and one row that shows how. Replace that row."""
    if file.suffix.lower() not in WRITERS:
        _fail(f"{file}: give it the ending {', '.join(WRITERS)}", 1)
    try:
        region = next(iter(region_tree(load(Settings).knowledge).parents))
    except CannotStart as error:
        _fail(str(error), 1)
    _write(file, [_example(region)])
    console.print(f"fill in {file}, then: banxi kb import {file} --dry-run", markup=False)


def _example(region: str) -> Entry:
    return Entry(
        id="example-1",
        question="办事大厅周末上班吗（示例，请替换）",
        answer="周一至周五上班，周末和法定节假日休息。",
        department="政务服务中心",
        region=region,
        authorised=False,
        valid_from=date(2026, 1, 1),
        valid_to=date(2026, 12, 31),
        similar=("星期六能去大厅办事吗", "你们礼拜天开门不"),
        version="1",
        document="示例〔2026〕1号",
        liaison="联络员姓名",
        phone="0000-0000000",
        intake="业务咨询",
        tags=("示例",),
    )


async def _list(settings: Settings, show: Filter, text: str) -> list[EntryLine]:
    found: list[EntryLine] = []
    async with reach_knowledge(settings, searching=False) as knowledge:
        while True:
            asked = ListEntries(show=show, text=text, skip=len(found), limit=200)
            page = await knowledge.ask(asked, EntriesListed)
            found += page.entries
            if not page.entries or len(found) >= page.total:
                return found


async def _exported(settings: Settings, file: Path, by: str) -> list[Entry]:
    async with open_store(settings) as store:
        entries = of_day(await store.entries(), date.today())
        what = f"{file.suffix.lower()[1:]}, {len(entries)} entries"
        await store.note_export(uuid.uuid4().hex, by=by, at=datetime.now(UTC), what=what)
        return entries


def _write(file: Path, entries: list[Entry]) -> None:
    try:
        write_entries(file, entries)
    except FileExistsError:
        _fail(f"{file} exists already: choose another name, or move it away", 1)
    except OSError as error:
        _fail(f"{file}: cannot be written ({error.strerror})", 1)


def _fail(sentence: str, code: int) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(code)


def _read(file: Path) -> FileTable:
    try:
        return read_table(file)
    except OSError as error:
        _fail(f"{file}: cannot be read ({error.strerror})", 2)
    except Unreadable as error:
        _fail(f"{file} {error}", 2)
