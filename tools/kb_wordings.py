"""`banxi kb wordings`, `announce` and `unannounce`: agreed wordings (统一口径) by command."""

from __future__ import annotations

import asyncio
import getpass
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, NoReturn, TypeVar, cast

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contracts.events import why
from contracts.requests import (
    AnnounceWording,
    ListWordings,
    Reply,
    Request,
    WithdrawWording,
    Wording,
    WordingKept,
    WordingsListed,
)
from services.common.bus import RequestFailed
from services.common.failure import CannotStart
from services.common.service import Service
from services.common.settings import load
from services.knowledge.announced.requests import WordingRequests
from services.knowledge.announced.store import WordingStore
from services.knowledge.settings import Settings, region_tree
from tools.kb_access import open_store, reach_knowledge

Answer = TypeVar("Answer", bound=Reply)

console = Console(highlight=False, soft_wrap=True)
By = Annotated[str | None, typer.Option(help="Who does it; default: your login name.")]
FORMATS = ["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


def register(app: typer.Typer) -> None:
    """Put the commands under `banxi kb`."""
    app.command("wordings")(wordings)
    app.command("announce")(announce)
    app.command("unannounce")(unannounce)


def wordings(
    past: Annotated[
        bool, typer.Option("--past", help="Also those of the last 30 days that no longer stand.")
    ] = False,
) -> None:
    """List the agreed wordings that stand, and how many have read each."""
    listed = _ask(ListWordings(past=past), WordingsListed).wordings
    if not listed:
        console.print("no wording stands: `banxi kb announce TITLE --body TEXT` publishes one")
        return
    now = datetime.now(UTC)
    table = Table("id", "title", "region", "by", "since", "until", "read by", box=None)
    for w in listed:
        read = str(len(w.receipts)) if w.stands(now) else "—"
        cells = (w.wording_id, w.title, w.region or "all", w.announced_by)
        table.add_row(*map(escape, cells), _local(w.announced_at), _end(w), read)
    console.print(table)


def announce(
    title: Annotated[str, typer.Argument(help="The topic, one line.")],
    body: Annotated[str, typer.Option(help="What agents are to say.")],
    topic: Annotated[
        list[str] | None,
        typer.Option(help="How callers bring it up; give it once for each wording of theirs."),
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Region whose calls it is for; default: all.")
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=FORMATS,
            help="When it ends by itself, by this machine's clock; a day alone counts to its end. "
            "Default: when it is withdrawn.",
        ),
    ] = None,
    by: By = None,
) -> None:
    """Publish an agreed wording: it stands on every agent's page within a second."""
    try:
        asked = AnnounceWording(
            title=title,
            body=body,
            topics=tuple(topic or ()),
            region=region,
            until=_moment(until),
            by=by or getpass.getuser(),
        )
    except ValidationError as error:
        _fail(why(error))
    kept = _ask(asked, WordingKept).wording
    console.print(
        f"published as {kept.wording_id}; take it back: banxi kb unannounce {kept.wording_id}",
        markup=False,
    )


def unannounce(
    wording_id: Annotated[str, typer.Argument(metavar="ID", help="As `banxi kb wordings` says.")],
    by: By = None,
) -> None:
    """Take an agreed wording back, from every page and every search."""
    asked = WithdrawWording(wording_id=wording_id, by=by or getpass.getuser())
    kept = _ask(asked, WordingKept).wording
    console.print(f"“{kept.title}” no longer stands", markup=False)


def _ask(request: Request, reply: type[Answer]) -> Answer:
    """Ask the running service; where none answers, the database itself."""
    try:
        return asyncio.run(_answer(load(Settings), request, reply))
    except (CannotStart, RequestFailed) as error:
        _fail(str(error))


async def _answer(settings: Settings, request: Request, reply: type[Answer]) -> Answer:
    async with reach_knowledge(settings, searching=False) as knowledge:
        if knowledge.here is None:
            return await knowledge.ask(request, reply)
        # One that runs later, or beside, sees by the deeds what was done.
        async with open_store(settings) as store:
            room = WordingRequests(region_tree(settings.knowledge))
            room.use(WordingStore(store.database))
            room.answer_on(cast(Service, knowledge.here))
            return await knowledge.ask(request, reply)


def _moment(until: datetime | None) -> datetime | None:
    if until is None:
        return None
    whole_day = until.time() == time()
    return (until + timedelta(days=1) if whole_day else until).astimezone(UTC)


def _end(wording: Wording) -> str:
    if wording.withdrawn_at is not None:
        return f"withdrawn {_local(wording.withdrawn_at)}"
    return _local(wording.until) if wording.until else "until withdrawn"


def _local(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
