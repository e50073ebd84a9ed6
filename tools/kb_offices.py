"""`banxi kb offices`: the directory, by command."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contracts.requests import (
    MOST_OFFICES,
    ImportOffices,
    ListOffices,
    Office,
    OfficeKept,
    OfficesImported,
    OfficesListed,
    RemoveOffice,
)
from services.common.bus import RequestFailed
from services.common.failure import CannotStart
from services.common.service import Service
from services.common.settings import load
from services.knowledge.directory.files import ENDINGS, read_office_file, write_offices
from services.knowledge.directory.requests import OfficeRequests
from services.knowledge.directory.rows import read_offices
from services.knowledge.directory.store import OfficeStore
from services.knowledge.files.table import Unreadable
from services.knowledge.settings import Settings, region_tree
from tools.kb_access import Knowledge, open_store, reach_knowledge

T = TypeVar("T")

offices = typer.Typer(
    no_args_is_help=True,
    help=(
        "The directory: offices, their telephones, addresses and hours.\n\n"
        "Calls that ask for one are answered from it at once; transfers take the number and the "
        "liaison of their department from it, where the entry has none."
    ),
)
console = Console(highlight=False, soft_wrap=True)
By = Annotated[str | None, typer.Option(help="Who does it; default: your login name.")]


def register(app: typer.Typer) -> None:
    """Put the commands under `banxi kb`."""
    app.add_typer(offices, name="offices")


@offices.command("list")
def list_(
    text: Annotated[str, typer.Option(help="Words that stand in name, alias or address.")] = "",
) -> None:
    """List the offices, by region and name."""
    found = _run(lambda kb: _all(kb, text))
    table = Table("id", "name", "region", "telephone", "address", "hours", "liaison")
    for office in found:
        cells = (office.office_id, office.name, office.region, office.phone, office.address)
        table.add_row(*(Text(cell) for cell in (*cells, office.hours, office.liaison)))
    console.print(table)
    console.print(f"{len(found)} offices")


@offices.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV (UTF-8 or GB18030) or Excel (.xlsx).")],
    by: By = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; change nothing.")
    ] = False,
) -> None:
    """Import a table of offices: all of it or, where a row is bad, nothing.

    Columns: id, name, region; optional: aliases (what callers call it, ; between), phone, address,
    hours, liaison, liaison_phone (for agents alone, never told to callers). An office with a known
    id is replaced; offices that are not in the file stay. At most 1,000 rows.

    Exit code 0: done, or nothing is wrong · 1: rows are bad (they are named by line and column),
    or it could not be done · 2: the file could not be read.
    """
    try:
        taken = read_offices(read_office_file(file), region_tree(load(Settings).knowledge))
    except OSError as error:
        _fail(f"{file}: cannot be read ({error.strerror})", 2)
    except Unreadable as error:
        _fail(f"{file} {error}", 2)
    except CannotStart as error:
        _fail(str(error), 1)
    for problem in taken.problems:
        where = f"line {problem.line}" + (f", {problem.field}" if problem.field else "")
        typer.echo(f"{where}: {problem.message}", err=True)
    if taken.problems:
        bad = len({problem.line for problem in taken.problems})
        _fail(f"nothing was imported, since {bad} rows are bad: mend them", 1)
    if len(taken.offices) > MOST_OFFICES:
        _fail(f"{file} has more than {MOST_OFFICES:,} offices: split it", 2)
    asked = ImportOffices(offices=taken.offices, by=by or getpass.getuser(), dry_run=dry_run)
    done = _run(lambda kb: kb.ask(asked, OfficesImported, timeout_s=120))
    figures = f"{done.added} added, {done.changed} changed, {done.unchanged} unchanged"
    console.print(f"it would be: {figures}; nothing was changed" if dry_run else figures)


@offices.command()
def export(
    file: Annotated[Path, typer.Argument(help="File to write: .csv or .xlsx; must not exist yet.")],
) -> None:
    """Write all offices to a file that `import` reads again as the same."""
    if file.suffix.lower() not in ENDINGS:
        _fail(f"{file}: give it the ending {' or '.join(ENDINGS)}", 1)
    found = _run(lambda kb: _all(kb, ""))
    try:
        count = write_offices(file, found)
    except FileExistsError:
        _fail(f"{file} exists already: choose another name, or move it away", 1)
    except OSError as error:
        _fail(f"{file}: cannot be written ({error.strerror})", 1)
    console.print(f"{count} offices written to {file}", markup=False)


@offices.command()
def remove(
    office_id: Annotated[str, typer.Argument(help="Id of the office.")], by: By = None
) -> None:
    """Take an office out; calls are no longer answered from it, at once."""
    asked = RemoveOffice(office_id=office_id, by=by or getpass.getuser())
    _run(lambda kb: kb.ask(asked, OfficeKept))
    console.print(f"{office_id} removed", markup=False)


def _run(work: Callable[[Knowledge], Awaitable[T]]) -> T:
    async def run() -> T:
        async with _reach(load(Settings)) as knowledge:
            return await work(knowledge)

    try:
        return asyncio.run(run())
    except (CannotStart, RequestFailed) as error:
        _fail(str(error), 1)


@asynccontextmanager
async def _reach(settings: Settings) -> AsyncIterator[Knowledge]:
    """Whoever answers, with the directory answered here where no service runs: one that runs
    later, or beside, sees by the deeds what was done."""
    async with reach_knowledge(settings, searching=False) as knowledge:
        if knowledge.here is None:
            yield knowledge
            return
        async with open_store(settings) as store:
            room = OfficeRequests(region_tree(settings.knowledge))
            room.use(OfficeStore(store.database), _nothing_to_refresh)
            room.answer_on(cast(Service, knowledge.here))
            yield knowledge


async def _nothing_to_refresh() -> None:
    """Nobody searches here."""


async def _all(knowledge: Knowledge, text: str) -> list[Office]:
    found: list[Office] = []
    while True:
        asked = ListOffices(text=text, skip=len(found), limit=200)
        page = await knowledge.ask(asked, OfficesListed)
        found += page.offices
        if not page.offices or len(found) >= page.total:
            return found


def _fail(sentence: str, code: int) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(code)
