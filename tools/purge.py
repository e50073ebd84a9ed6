"""`banxi purge`: delete old calls so that nothing of them remains, and prove it.

Calls go from the records and from the kept stream, and what callers asked from the gaps of the
knowledge base. In the stream each message is erased by itself: the server then overwrites its
bytes, while purging by subject would leave them in its files.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, cast

import nats
import nats.errors
import typer
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError
from sqlalchemy.exc import SQLAlchemyError

from contracts import subjects
from services.common import streams
from services.common.failure import CannotStart
from services.common.settings import ServiceSettings, load
from services.knowledge.gaps.purging import count_askings, forget_askings
from services.knowledge.keeping.database import Database, DatabaseDown
from services.knowledge.settings import Settings as KnowledgeSettings
from services.knowledge.settings import database_place
from services.records import purging
from services.records.tables import FILE, Unusable

UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
AT_ONCE = 32
"""Messages erased at the same time."""


@dataclass(frozen=True)
class Remains:
    """What is still found of purged calls; None where it could not be looked at."""

    records_rows: int
    """Rows of calls and events."""
    files: int
    """Calls of which the bytes of the database's files hold a trace."""
    stream_messages: int | None
    """Messages of the kept stream and dead letters."""
    askings: int | None
    """Questions of callers in the gaps of the knowledge base."""


@dataclass(frozen=True)
class Receipt:
    """What a purge did, and the proof: nothing in it names a call or a person."""

    purged_at: str
    cutoff: str
    """Calls that were over before this wall time."""
    site: str
    calls: int
    events: int
    """Events deleted from the records."""
    stream_messages: int | None
    """Messages erased from the bus; None = the bus did not answer."""
    askings: int | None
    """Questions of callers deleted from the gaps of the knowledge base, of these calls and older
    than the cutoff; None = there is no knowledge base here, or it could not be opened."""
    call_sha256: list[str]
    """SHA-256 of each call's id: whoever knows an id can check that it was purged."""
    remains: Remains

    @property
    def proven(self) -> bool:
        """Whether nothing was found of the purged calls where it could be looked."""
        remains = self.remains
        return not (
            remains.records_rows or remains.files or remains.stream_messages or remains.askings
        )


def purge(
    older_than: Annotated[
        str,
        typer.Option(help="Age a call must have reached since it ended: 30d, 12h or 90m."),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before deleting.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go; delete nothing.")
    ] = False,
    receipt: Annotated[
        Path | None, typer.Option(help="Write the receipt to this JSON file as well.")
    ] = None,
) -> None:
    """Delete calls that ended long ago, with proof.

    They go from the records (BANXI_DATA_DIR) and, where NATS answers, from the kept stream and the
    dead letters; the running system is not disturbed. What callers asked so long ago that the
    knowledge base did not hold goes from its gaps; a gap that nobody asked since goes with it,
    whether or not an editor has seen to it. A receipt with the SHA-256 of each call's id
    and the result of a second look is printed and kept in the records. Exit code 1 where anything
    of the calls is still found.

    For example: banxi purge --older-than 30d --dry-run
    """
    settings = load(ServiceSettings)
    age = _age(older_than)
    path = settings.data_dir / FILE
    if not path.is_file():
        raise _stop(f"there is no {path}: set BANXI_DATA_DIR to where the records service keeps it")
    try:
        done = asyncio.run(_purge(settings, path, age, dry_run=dry_run, yes=yes))
    except Unusable as error:
        raise _stop(str(error)) from None
    except (SQLAlchemyError, DatabaseDown, nats.errors.Error, TimeoutError) as error:
        reason = getattr(error, "orig", None) or str(error) or type(error).__name__
        raise _stop(f"the purge stopped before its end ({reason}): purge again") from None
    if done is None:
        return
    text = json.dumps(asdict(done), indent=2)
    typer.echo(text)
    if receipt:
        try:
            receipt.write_text(text + "\n")
        except OSError as error:
            raise _stop(f"purged, but cannot write {receipt} ({error.strerror})") from None
    if done.stream_messages is None:
        typer.echo(
            "NATS does not answer: the kept stream was left alone; purge again later", err=True
        )
    if not done.proven:
        raise _stop("something of these calls is still found (see `remains`): purge again")


async def _purge(
    settings: ServiceSettings, path: Path, age: timedelta, *, dry_run: bool, yes: bool
) -> Receipt | None:
    now = datetime.now(UTC)
    cutoff = now - age
    with purging.opened(path) as engine:
        async with _stream(settings) as stream, _gaps() as gaps:
            call_ids = purging.ended_before(engine, settings.site, cutoff, now)
            if stream:
                # What ended while records did not run stands in the stream alone.
                known = set(call_ids)
                call_ids += [c for c in await stream.ended_before(cutoff) if c not in known]
            calls, events = purging.count(engine, call_ids)
            askings = await gaps.count(cutoff, call_ids) if gaps else None
            typer.echo(
                f"calls that ended before {cutoff:%Y-%m-%d %H:%M} UTC: {len(call_ids)}; "
                f"in the records: {calls} with {events} events"
                + (f"; questions in the knowledge base: {askings}" if gaps else ""),
                err=True,
            )
            if dry_run or not (call_ids or askings):
                return None
            if not yes:
                typer.confirm("Delete them for ever?", abort=True, err=True)
            erased = await stream.erase(call_ids) if stream else None
            if gaps and askings:
                await gaps.forget(cutoff, call_ids)
            purging.erase(engine, call_ids)
            done = Receipt(
                purged_at=now.isoformat(timespec="seconds"),
                cutoff=cutoff.isoformat(timespec="seconds"),
                site=settings.site,
                calls=len(call_ids),
                events=events,
                stream_messages=erased,
                askings=askings,
                call_sha256=[purging.fingerprint(call_id) for call_id in call_ids],
                remains=Remains(
                    records_rows=sum(purging.count(engine, call_ids)),
                    files=purging.found_in_files(engine, path, call_ids),
                    stream_messages=await stream.count(call_ids) if stream else None,
                    askings=await gaps.count(cutoff, call_ids) if gaps else None,
                ),
            )
            purging.note(engine, now, json.dumps(asdict(done)))
            return done


class _Stream:
    """The kept stream and the dead letters of a site."""

    def __init__(self, js: JetStreamContext, site: str) -> None:
        self._js = js
        self._site = site

    async def ended_before(self, cutoff: datetime) -> list[str]:
        """Calls whose end the stream stored before a wall time, oldest first."""
        found: list[str] = []
        async for raw in self._messages(
            streams.CALLS, subjects.stored_call(self._site, "*", "ended")
        ):
            if raw.time and raw.time >= cutoff:
                break
            if where := subjects.parse_stored(raw.subject or ""):
                found.append(where.call_id)
        return found

    async def erase(self, call_ids: Sequence[str]) -> int:
        """Erase all messages of these calls; how many there were."""
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(stream: str, sequence: int) -> None:
            async with slots:
                with suppress(NotFoundError):  # its age may have taken it meanwhile
                    await self._js.delete_msg(stream, sequence)

        total = 0
        async for stream, batch in self._of(call_ids):
            await asyncio.gather(*(one(stream, sequence) for sequence in batch))
            total += len(batch)
        return total

    async def count(self, call_ids: Sequence[str]) -> int:
        """How many messages of these calls there are."""
        return sum([len(batch) async for _, batch in self._of(call_ids)])

    async def _of(self, call_ids: Iterable[str]) -> AsyncIterator[tuple[str, list[int]]]:
        """Stream and sequence numbers of all messages of these calls, a call at a time."""
        wanted = set(call_ids)
        for call_id in wanted:
            subject = subjects.stored_call(self._site, call_id)
            yield (
                streams.CALLS,
                [cast("int", raw.seq) async for raw in self._messages(streams.CALLS, subject)],
            )
        dead = []
        async for raw in self._messages(streams.DEAD, subjects.dead(self._site, "*")):
            where = subjects.parse_stored((raw.headers or {}).get("Banxi-Subject", ""))
            if where and where.call_id in wanted:
                dead.append(cast("int", raw.seq))
        yield streams.DEAD, dead

    async def _messages(self, stream: str, subject: str) -> AsyncIterator[RawStreamMsg]:
        sequence = 1
        while True:
            try:
                raw = await self._js.get_msg(stream, seq=sequence, subject=subject, next=True)
            except NotFoundError:
                return
            yield raw
            sequence = cast("int", raw.seq) + 1


class _Gaps:
    """What callers asked and the knowledge base did not hold."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, cutoff: datetime, call_ids: Sequence[str]) -> int:
        """How many askings are so old, or of these calls."""
        async with self._database.reading() as session:
            return await count_askings(session, cutoff, call_ids)

    async def forget(self, cutoff: datetime, call_ids: Sequence[str]) -> None:
        """Delete them, so that no bytes remain in a file of ours."""
        async with self._database.writing() as session:
            await forget_askings(session, cutoff, call_ids)
        await self._database.scrub()


@asynccontextmanager
async def _gaps() -> AsyncIterator[_Gaps | None]:
    """The gaps of the knowledge base; None where there is none, or it cannot be opened."""
    place = database_place(load(KnowledgeSettings))
    if isinstance(place, Path) and not place.is_file():
        yield None
        return
    try:
        database = Database(place)
        await database.open()
    except CannotStart as error:
        typer.echo(f"{error}; what callers asked was left alone there; purge again later", err=True)
        yield None
        return
    try:
        yield _Gaps(database)
    finally:
        await database.close()


@asynccontextmanager
async def _stream(settings: ServiceSettings) -> AsyncIterator[_Stream | None]:
    """The bus, or None where it does not answer."""
    token = settings.nats_token.get_secret_value() if settings.nats_token else None
    try:
        client = await nats.connect(
            settings.nats_url,
            token=token,
            connect_timeout=2,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0.2,
            error_cb=_quiet,
        )
    except (nats.errors.Error, OSError, TimeoutError):
        yield None
        return
    try:
        yield _Stream(client.jetstream(), settings.site)
    finally:
        await client.close()


async def _quiet(_: Exception) -> None:
    """What goes wrong is raised where it is asked for; nats-py need not print it as well."""


def _age(text: str) -> timedelta:
    match = re.fullmatch(r"([1-9]\d{0,4})([mhd])", text)
    if not match:
        raise _stop("--older-than must be a number with d, h or m: 30d, 12h, 90m")
    return int(match.group(1)) * UNITS[match.group(2)]


def _stop(sentence: str) -> typer.Exit:
    typer.echo(sentence, err=True)
    return typer.Exit(1)
