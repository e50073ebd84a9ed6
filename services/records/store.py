"""The database of the records service: written in groups, read for whoever asks.

Events that arrive together share one transaction, so that sixteen partitions do not pay for sixteen
commits. What cannot be written for a reason outside the event (disk full, database locked) is tried
again until it can: an event is acknowledged only when it is on the disk.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from contracts.requests import KeptCall, KeptEvent, PastCall, RuleFeedback
from services.records import feedback
from services.records.digest import MATTER_MAX, Kept, shortened
from services.records.tables import Unusable, calls, events, prepare, set_up, utc_text, why_unusable

GROUP_MAX = 256
"""Events of one transaction at most."""
PAUSE_MAX_S = 10.0
"""The longest pause between two tries of a write, seconds."""
EVENT_FRAME = 400
"""Bytes around an event's payload in a reply, at most: its id, name, and JSON."""

Waiting = tuple[Kept, asyncio.Future[None]]


class Store:
    """One writer and many readers of `records.db`. `trouble` is told a sentence while writing
    fails, and an empty one when it works again."""

    def __init__(self, path: Path, log: logging.Logger, trouble: Callable[[str], None]) -> None:
        self.path = path
        self._log = log
        self._trouble = trouble
        self._engine = create_async_engine(URL.create("sqlite+aiosqlite", database=str(path)))
        event.listen(self._engine.sync_engine, "connect", set_up)
        self._waiting: asyncio.Queue[Waiting] = asyncio.Queue(maxsize=GROUP_MAX)
        self._opened = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Events that wait to be written."""
        return self._waiting.qsize()

    async def open(self) -> None:
        """Open the database, creating it where there is none. Raises Unusable."""
        try:
            async with self._engine.begin() as connection:
                await connection.run_sync(prepare, self.path)
        except Unusable:
            await self.close()
            raise
        except (SQLAlchemyError, sqlite3.Error) as error:
            await self.close()
            raise why_unusable(self.path, error) from None
        self._opened.set()

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    async def keep(self, kept: Kept) -> None:
        """Write an event, unless it is there already; returns once it is on the disk."""
        written = asyncio.get_running_loop().create_future()
        await self._waiting.put((kept, written))
        await written

    async def write(self) -> None:
        """Write what comes, for ever."""
        while True:
            group = [await self._waiting.get()]
            while len(group) < GROUP_MAX and not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            await self._commit(group)

    async def _commit(self, group: list[Waiting]) -> None:
        pause = 0.0
        while True:
            try:
                async with self._engine.begin() as connection:
                    for kept, _ in group:
                        await _write(connection, kept)
                break
            except Exception as error:
                if not _outside(error):
                    # Something about one of the events: the others must not suffer from it.
                    await self._one_by_one(group, error)
                    return
                pause = min(PAUSE_MAX_S, pause * 2 or 0.5)
                reason = str(getattr(error, "orig", None) or error)
                self._trouble(f"cannot write {self.path} ({reason}): trying again")
                self._log.warning("cannot write, trying again", extra={"error": reason})
                await asyncio.sleep(pause)
        if pause:
            self._trouble("")
        for _, written in group:
            if not written.done():
                written.set_result(None)

    async def _one_by_one(self, group: list[Waiting], error: Exception) -> None:
        if len(group) > 1:
            for one in group:
                await self._commit([one])
        elif not group[0][1].done():
            group[0][1].set_exception(error)

    async def history(self, caller_number: str, since: datetime, limit: int) -> list[PastCall]:
        """Calls of a number that are over and began at `since` or later, newest first."""
        await self._opened.wait()
        chosen = (
            select(calls)
            .where(calls.c.caller_number == caller_number)
            .where(calls.c.ended_at.is_not(None))
            .where(calls.c.started_at >= utc_text(since))
            .order_by(calls.c.started_at.desc())
            .limit(limit)
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(chosen)).all()
        return [
            PastCall(
                call_id=row.call_id,
                started_at=row.started_at,
                call_type=row.call_type,
                matter=shortened(row.matter or ""),
            )
            for row in rows
        ]

    async def call(self, call_id: str, skip: int, room: int) -> KeptCall | None:
        """A call's events in order, from the one after `skip` on, as many as `room` bytes hold."""
        await self._opened.wait()
        about = select(calls.c.ended_at).where(calls.c.call_id == call_id)
        chosen = (
            select(events).where(events.c.call_id == call_id).order_by(events.c.number).offset(skip)
        )
        found: list[KeptEvent] = []
        more = False
        async with self._engine.connect() as connection:
            await connection.exec_driver_sql("BEGIN")  # one view for both: sqlite3 begins none
            call = (await connection.execute(about)).one_or_none()
            if call is None:
                return None
            async for row in await connection.stream(chosen):
                # As long as it can get on the bus, where Chinese characters are escaped.
                room -= len(json.dumps(row.payload)) + EVENT_FRAME
                if room < 0 and found:
                    more = True
                    break
                found.append(
                    KeptEvent(
                        event_id=row.event_id,
                        event=row.event,
                        at_ms=row.at_ms,
                        payload=json.loads(row.payload),
                    )
                )
        ended = call.ended_at is not None
        return KeptCall(call_id=call_id, ended=ended, events=tuple(found), more=more)

    async def feedback(self, since: datetime) -> list[RuleFeedback]:
        """Agents' verdicts given at `since` or later, by rule, the one most often wrong first."""
        await self._opened.wait()
        async with self._engine.connect() as connection:
            return await feedback.count(connection, since)

    async def counts(self) -> tuple[int, int]:
        """How many calls and events are kept."""
        await self._opened.wait()
        async with self._engine.connect() as connection:
            number_of_calls = await connection.scalar(select(func.count()).select_from(calls))
            number_of_events = await connection.scalar(select(func.count()).select_from(events))
        return number_of_calls or 0, number_of_events or 0


async def _write(connection: AsyncConnection, kept: Kept) -> None:
    """One event, and what it tells of its call; nothing where the event is there already."""
    row = {
        "event_id": kept.event_id,
        "call_id": kept.call_id,
        "event": kept.event,
        "at_ms": kept.at_ms,
        "payload": kept.payload,
    }
    new = await connection.execute(insert(events).values(row).on_conflict_do_nothing())
    if not new.rowcount:
        return
    call = insert(calls).values(
        call_id=kept.call_id, site=kept.site, last_at=kept.wall_time, **kept.tells
    )
    changed: dict[str, Any] = {column: call.excluded[column] for column in kept.tells}
    if "matter" in changed:
        before = func.coalesce(calls.c.matter + "，", "")
        changed["matter"] = func.substr(before + call.excluded.matter, 1, MATTER_MAX)
    changed["last_at"] = func.max(calls.c.last_at, call.excluded.last_at)
    await connection.execute(
        call.on_conflict_do_update(index_elements=[calls.c.call_id], set_=changed)
    )


def _outside(error: Exception) -> bool:
    """Whether a write failed for a reason outside the event: locked, full, unreadable."""
    if isinstance(error, OperationalError | sqlite3.OperationalError):
        return True
    return type(error) in (DatabaseError, sqlite3.DatabaseError)
