"""Deleting calls from `records.db` so that nothing of them remains, and proving it.

Works beside a running service: it takes the writer's turn like any other connection. Deleted pages
are overwritten (`secure_delete`), the file is rewritten (`VACUUM`) and the write-ahead log emptied;
then the files themselves are searched for what only these calls could have left.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    ColumnElement,
    Engine,
    case,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.exc import SQLAlchemyError

from services.records.tables import calls, events, prepare, purges, set_up, utc_text, why_unusable
from services.records.traces import SHORTEST, traces

LOST_AFTER = timedelta(hours=24)
"""A call without an end counts as over at its last event once that is so long ago."""
CHUNK = 100
"""Calls deleted in one go: the running service waits no longer than that takes."""


@contextmanager
def opened(path: Path) -> Iterator[Engine]:
    """The database, opened for purging. Raises Unusable."""
    engine = create_engine(URL.create("sqlite", database=str(path)), isolation_level="AUTOCOMMIT")
    event.listen(engine, "connect", set_up)
    event.listen(engine, "connect", _overwrite_deleted)
    try:
        try:
            with engine.connect() as connection:
                prepare(connection, path)
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise why_unusable(path, error) from None
        yield engine
    finally:
        engine.dispose()


def _overwrite_deleted(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA secure_delete=ON")


def ended_before(engine: Engine, site: str, cutoff: datetime, now: datetime) -> list[str]:
    """Calls of a site that were over before a wall time, oldest first."""
    lost = case((calls.c.last_at < utc_text(now - LOST_AFTER), calls.c.last_at))
    over_at: ColumnElement[str | None] = func.coalesce(calls.c.ended_at, lost)
    chosen = (
        select(calls.c.call_id)
        .where(calls.c.site == site, over_at < utc_text(cutoff))
        .order_by(over_at)
    )
    with engine.connect() as connection:
        return list(connection.scalars(chosen))


def count(engine: Engine, call_ids: Iterable[str]) -> tuple[int, int]:
    """How many calls and events of these calls the database holds."""
    number_of_calls = number_of_events = 0
    with engine.connect() as connection:
        for chunk in _chunks(call_ids):
            in_calls = select(func.count()).select_from(calls).where(calls.c.call_id.in_(chunk))
            in_events = select(func.count()).select_from(events).where(events.c.call_id.in_(chunk))
            number_of_calls += connection.scalar(in_calls) or 0
            number_of_events += connection.scalar(in_events) or 0
    return number_of_calls, number_of_events


def erase(engine: Engine, call_ids: Iterable[str]) -> None:
    """Delete calls with their events, and rewrite the file without them."""
    with engine.connect() as connection:
        for chunk in _chunks(call_ids):
            connection.execute(delete(events).where(events.c.call_id.in_(chunk)))
            connection.execute(delete(calls).where(calls.c.call_id.in_(chunk)))
        connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def found_in_files(engine: Engine, path: Path, call_ids: Sequence[str]) -> int:
    """How many of these calls have left bytes in the files of the database."""
    files = [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))]
    # Short ids stand anywhere by chance: they are looked for as their events hold them.
    found = traces(files, {id_ if len(id_) >= SHORTEST else _in_event(id_) for id_ in call_ids})
    left = {id_ for id_ in call_ids if id_ in found or _in_event(id_) in found}
    if left:
        # An id that is part of another which is kept proves nothing by itself.
        part = {id_ for id_ in left if _part_of_kept(engine, id_)}
        found = traces(files, {_in_event(id_) for id_ in part})
        left = {id_ for id_ in left if id_ not in part or _in_event(id_) in found}
    return len(left)


def _in_event(call_id: str) -> str:
    return f'"call_id":"{call_id}"'


def _part_of_kept(engine: Engine, call_id: str) -> bool:
    longer = select(calls.c.call_id).where(func.instr(calls.c.call_id, call_id) > 0).limit(1)
    with engine.connect() as connection:
        return connection.scalar(longer) is not None


def note(engine: Engine, purged_at: datetime, receipt: str) -> None:
    """Keep the receipt of a purge in the database."""
    with engine.connect() as connection:
        connection.execute(insert(purges).values(purged_at=utc_text(purged_at), receipt=receipt))


def fingerprint(call_id: str) -> str:
    """What a receipt says instead of a call's id: its SHA-256, in hexadecimal."""
    return hashlib.sha256(call_id.encode()).hexdigest()


def _chunks(call_ids: Iterable[str]) -> Iterator[list[str]]:
    rest = list(call_ids)
    for start in range(0, len(rest), CHUNK):
        yield rest[start : start + CHUNK]
