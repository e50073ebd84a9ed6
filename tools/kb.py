"""`banxi kb`: bring the hotline's answers in, look what is there, take it out again."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from contracts.requests import (
    ImportKnowledge,
    KnowledgeFound,
    KnowledgeImported,
    RowProblem,
    SearchKnowledge,
)
from services.common.bus import RequestFailed
from services.common.service import CannotStart
from services.common.settings import load
from services.knowledge.base import DATABASE, KnowledgeBase
from services.knowledge.entries.entry import Entry
from services.knowledge.files.rows import Numbered, Rule, read_rows
from services.knowledge.files.table import Table as FileTable
from services.knowledge.files.table import Unreadable, read_table, write_csv
from services.knowledge.keeping.store import Store
from services.knowledge.settings import Settings, region_tree
from tools.kb_access import reach_knowledge

ROWS_A_REQUEST = 100
BYTES_A_REQUEST = 400_000
"""A message of NATS holds a megabyte at most."""

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "The knowledge base: import, search, list, export.\n\n"
        "`import` and `search` ask the running service; where none answers, they work on the data "
        "directory (BANXI_DATA_DIR) themselves. `list` and `export` read the data directory."
    ),
)
console = Console(highlight=False, soft_wrap=True)
Region = Annotated[str | None, typer.Option(help="Region of the caller; default: the site's.")]


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV (UTF-8 or GB18030) or Excel (.xlsx).")],
    authorised_by: Annotated[
        str | None,
        typer.Option(help="Who authorised the rows marked authorised that name nobody."),
    ] = None,
    imported_by: Annotated[
        str | None, typer.Option(help="Who imports; default: your login name.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check the rows; change nothing.")
    ] = False,
) -> None:
    """Import a table of entries. Entries with a known id are replaced, their history is kept.

    Columns: id, question, answer, department, region, authorised (yes|no); optional: valid_from,
    valid_to (2026-01-31), similar_questions (; between), authorised_by, authorised_at, version,
    document, liaison, phone. Bad rows are named by line and column and left out, good ones are
    taken. Exit code 1 where a row was bad, 2 where the file could not be read.
    """
    table = _read(file)
    if table.form != "UTF-8":
        console.print(f"read as {table.form}")
    if table.unknown:
        console.print(f"passed over columns: {', '.join(table.unknown)}")
    settings = load(Settings)
    try:
        if dry_run:
            rule = Rule(region_tree(settings.knowledge), authorised_by=authorised_by)
            taken = read_rows(table.rows, rule)
            problems: Sequence[RowProblem] = taken.problems
            said = f"{len(taken.entries)} rows are good; nothing was changed"
        else:
            by = imported_by or getpass.getuser()
            done = asyncio.run(_import(settings, table.rows, by, authorised_by))
            problems = done.problems
            said = f"{done.added} added, {done.changed} changed, {done.unchanged} unchanged"
    except (CannotStart, RequestFailed) as error:
        _fail(str(error), 1)
    for problem in problems:
        where = f"line {problem.line}" + (f", {problem.field}" if problem.field else "")
        typer.echo(f"{where}: {problem.message}", err=True)
    bad = len({problem.line for problem in problems})
    console.print(said + (f"; {bad} rows not taken" if bad else ""))
    if bad:
        raise typer.Exit(1)


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="What to look for.")],
    region: Region = None,
    limit: Annotated[int, typer.Option(min=1, max=20, help="How many at most.")] = 5,
) -> None:
    """Search as an agent does with `/`: answers where they may be given today, else transfers."""
    try:
        found = asyncio.run(_search(load(Settings), text[:200], region, limit))
    except (CannotStart, RequestFailed) as error:
        _fail(str(error), 1)
    if not found.hits:
        console.print("nothing fits")
    for hit in found.hits:
        told = hit.answer or f"→ transfer to {hit.source.get('department', '')}"
        console.print(f"{hit.entry_id}  {hit.question}  ({hit.score:.2f})", markup=False)
        console.print(f"    {told}", markup=False)


@app.command("list")
def list_() -> None:
    """List the entries of the data directory."""
    entries = _entries()
    table = Table("id", "question", "region", "department", "authorised", "valid", "version")
    for entry in entries:
        cells = entry.row()
        valid = f"{cells['valid_from']}…{cells['valid_to']}".strip("…")
        table.add_row(
            *(cells[column] for column in ("id", "question", "region", "department", "authorised")),
            valid,
            cells["version"],
        )
    console.print(table)
    console.print(f"{len(entries)} entries")


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="CSV file to write; it must not exist yet.")],
) -> None:
    """Write all entries of the data directory to a CSV file that `import` reads again."""
    entries = _entries()
    try:
        with file.open("xb") as out:
            out.write(write_csv(entry.row() for entry in entries))
    except FileExistsError:
        _fail(f"{file} exists already: choose another name, or move it away", 1)
    except OSError as error:
        _fail(f"{file}: cannot be written ({error.strerror})", 1)
    console.print(f"{len(entries)} entries written to {file}")


def _fail(sentence: str, code: int) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(code)


def _read(file: Path) -> FileTable:
    try:
        return read_table(file.read_bytes())
    except OSError as error:
        _fail(f"{file}: cannot be read ({error.strerror})", 2)
    except Unreadable as error:
        _fail(f"{file} {error}", 2)


def _entries() -> tuple[Entry, ...]:
    directory = load(Settings).data_dir
    path = directory / DATABASE
    if not path.exists():
        _fail(
            f"there is no knowledge base in {directory} yet: `banxi kb import` makes one, "
            "or set BANXI_DATA_DIR to where it is",
            1,
        )

    async def read() -> tuple[Entry, ...]:
        store = Store(path)
        await store.open()
        try:
            return await store.entries()
        finally:
            await store.close()

    try:
        return asyncio.run(read())
    except CannotStart as error:
        _fail(str(error), 1)


async def _search(settings: Settings, text: str, region: str | None, limit: int) -> KnowledgeFound:
    async with reach_knowledge(settings) as knowledge:
        if knowledge.base is not None:
            await knowledge.base.indexed()
        return await knowledge.search(SearchKnowledge(text=text, region=region, limit=limit))


async def _import(
    settings: Settings, rows: Sequence[Numbered], by: str, authorised_by: str | None
) -> KnowledgeImported:
    added = changed = unchanged = 0
    rows, problems = _without_repeats(rows)
    async with reach_knowledge(settings) as knowledge:
        console.print(f"importing into {knowledge.where}")
        with _progress() as progress:
            task = progress.add_task("rows", total=len(rows))
            for chunk in _chunks(rows):
                done = await knowledge.import_(
                    ImportKnowledge(
                        rows=tuple(dict(row.cells) for row in chunk),
                        first_line=chunk[0].line,
                        imported_by=by,
                        authorised_by=authorised_by,
                    )
                )
                added += done.added
                changed += done.changed
                unchanged += done.unchanged
                problems += done.problems
                progress.advance(task, len(chunk))
            if knowledge.base is not None:
                await _index(knowledge.base, progress)
    problems.sort(key=lambda problem: problem.line)
    return KnowledgeImported(
        added=added, changed=changed, unchanged=unchanged, problems=tuple(problems)
    )


async def _index(base: KnowledgeBase, progress: Progress) -> None:
    total = base.missing
    task = progress.add_task("vectors", total=total)
    waiting = asyncio.create_task(base.indexed())
    while not waiting.done():
        progress.update(task, completed=total - base.missing)
        await asyncio.wait({waiting}, timeout=0.2)
    progress.update(task, completed=total)
    await waiting


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description:>8}"), BarColumn(), MofNCompleteColumn(), console=console
    )


def _without_repeats(rows: Sequence[Numbered]) -> tuple[list[Numbered], list[RowProblem]]:
    """Rows whose id has not come before: requests are checked one by one, this is the file."""
    first: dict[str, int] = {}
    kept: list[Numbered] = []
    problems: list[RowProblem] = []
    for row in rows:
        id_ = row.cells.get("id", "")
        if id_ in first:
            said = f"{id_} stands on line {first[id_]} already"
            problems.append(RowProblem(line=row.line, field="id", message=said))
            continue
        if id_:
            first[id_] = row.line
        kept.append(row)
    return kept, problems


def _chunks(rows: Sequence[Numbered]) -> Iterator[list[Numbered]]:
    """Rows that stand one below the other, as many as a request takes."""
    chunk: list[Numbered] = []
    size = 0
    for row in rows:
        weight = len(json.dumps(dict(row.cells), ensure_ascii=False).encode())
        follows = bool(chunk) and row.line == chunk[-1].line + 1
        fits = len(chunk) < ROWS_A_REQUEST and size + weight <= BYTES_A_REQUEST
        if chunk and not (follows and fits):
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += weight
    if chunk:
        yield chunk
