"""`banxi kb gaps` and `banxi kb gap …`: what was asked and not found, by command."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Annotated, Literal, NoReturn, TypeVar, cast

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contracts.events import why
from contracts.requests import (
    Embedding,
    Gap,
    GapHandled,
    GapsListed,
    GapState,
    HandleGap,
    ListGaps,
)
from services.common.bus import RequestFailed
from services.common.failure import CannotStart
from services.common.logs import get_logger
from services.common.service import Service
from services.common.settings import load
from services.knowledge.finding.asking import Found
from services.knowledge.finding.embedder import NoVectors, Purpose
from services.knowledge.gaps.keeper import GapKeeper
from services.knowledge.gaps.meaning import Meaning
from services.knowledge.gaps.requests import GapRequests
from services.knowledge.settings import Settings, region_tree
from tools.kb_access import Knowledge, open_store, reach_knowledge

T = TypeVar("T")

gap = typer.Typer(
    no_args_is_help=True,
    help="A gap, by its id: put it away, open it again, or name the entry that answers it.",
)
console = Console(highlight=False, soft_wrap=True)
GapId = Annotated[str, typer.Argument(help="Id of the gap, as `banxi kb gaps` lists it.")]
By = Annotated[str | None, typer.Option(help="Who does it; default: your login name.")]
Reason = Annotated[str, typer.Option(help="Why.")]


def register(app: typer.Typer) -> None:
    """Put the commands under `banxi kb`."""
    app.command("gaps")(gaps)
    app.add_typer(gap, name="gap")


def gaps(
    state: Annotated[
        GapState,
        typer.Option(
            help="Which: `drafted` = an entry was written for it, `answered` = that entry counts."
        ),
    ] = "open",
    asked: Annotated[bool, typer.Option("--asked", help="With every asking.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 30,
) -> None:
    """List what callers asked and the base did not hold, most often asked first.

    Numbers and names are masked. `would serve`: how many of its askings its entry would serve now.
    """
    found, total = _run(lambda kb: _all(kb, state, limit))
    table = Table("id", "asked", "times", "last", "entry", "would serve")
    for one in found:
        last = one.last_at.astimezone().strftime("%Y-%m-%d %H:%M")
        served = str(one.would_serve) if one.entry_id else ""
        cells = (one.gap_id, one.words, str(one.times), last, one.entry_id or "", served)
        table.add_row(*(Text(cell) for cell in cells))
        for asking in one.asked if asked else ():
            note = f"  ({asking.noted_by}: {asking.note})" if asking.note else ""
            table.add_row("", Text(f"  {asking.words}{note}"), "", Text(asking.call_id), "", "")
    console.print(table)
    console.print(f"{len(found)} of {total} gaps")


@gap.command()
def dismiss(gap_id: GapId, reason: Reason = "", by: By = None) -> None:
    """Put a gap away: it is nothing for the base. What joins it later is counted there."""
    _handle(gap_id, "dismiss", None, reason, by)


@gap.command()
def reopen(gap_id: GapId, reason: Reason = "", by: By = None) -> None:
    """Open a gap again, without an entry."""
    _handle(gap_id, "reopen", None, reason, by)


@gap.command()
def link(
    gap_id: GapId,
    entry_id: Annotated[str, typer.Argument(help="The entry that answers it, or is drafted for.")],
    reason: Reason = "",
    by: By = None,
) -> None:
    """Name the entry that answers a gap; the running service sees how many askings it serves."""
    _handle(gap_id, "link", entry_id, reason, by)


def _handle(
    gap_id: str,
    act: Literal["dismiss", "reopen", "link"],
    entry_id: str | None,
    reason: str,
    by: str | None,
) -> None:
    try:
        asked = HandleGap(
            gap_id=gap_id, act=act, entry_id=entry_id, by=by or getpass.getuser(), reason=reason
        )
    except ValidationError as error:
        _fail(why(error))
    handled = _run(lambda kb: kb.ask(asked, GapHandled)).gap
    served = f", would serve {handled.would_serve} of {handled.times}" if entry_id else ""
    console.print(f"{handled.gap_id} is {handled.state}{served}", markup=False)


async def _all(knowledge: Knowledge, state: GapState, limit: int) -> tuple[list[Gap], int]:
    found: list[Gap] = []
    while True:
        some = min(100, limit - len(found))
        page = await knowledge.ask(ListGaps(state=state, skip=len(found), limit=some), GapsListed)
        found += page.gaps
        if not page.gaps or len(found) >= min(limit, page.total):
            return found, page.total


def _run(work: Callable[[Knowledge], Awaitable[T]]) -> T:
    async def run() -> T:
        async with _reach(load(Settings)) as knowledge:
            return await work(knowledge)

    try:
        return asyncio.run(run())
    except (CannotStart, RequestFailed) as error:
        _fail(str(error))


@asynccontextmanager
async def _reach(settings: Settings) -> AsyncIterator[Knowledge]:
    """Whoever answers, with gaps answered here where no service runs: those that run see what was
    done, since the database is the same."""
    async with reach_knowledge(settings, searching=False) as knowledge:
        if knowledge.here is None:
            yield knowledge
            return
        async with open_store(settings) as store:
            room = GapRequests()
            nobody = _Nobody()
            room.use(
                GapKeeper(
                    store.database,
                    nobody,
                    Meaning(nobody),
                    region_tree(settings.knowledge),
                    settings.knowledge.region,
                    today=date.today,
                    log=get_logger("kb"),
                )
            )
            room.answer_on(cast(Service, knowledge.here))
            yield knowledge


class _Nobody:
    """In the place of the base and of the model, which only a running service has: how many
    askings an entry would serve, it finds out when the gap is listed."""

    async def find(
        self, text: str, before: Sequence[str], region: str | None, day: date
    ) -> Found | None:
        """Nothing is searched here."""
        return None

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Embedding:
        """No vectors are made here."""
        raise NoVectors("no service runs")


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
