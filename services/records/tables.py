"""The database as it lies in `records.db`, and how a connection to it is set up.

Wall times are text, ISO 8601 in UTC to the millisecond: they sort as they stand.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    inspect,
)
from sqlalchemy.exc import SQLAlchemyError

from services.common.failure import may_pass

FILE = "records.db"
VERSION = 1
"""Form of the database, kept in its `user_version`."""
BUSY_MS = 30_000
"""How long a connection waits for another that writes (a purge, for instance)."""

metadata = MetaData()

calls = Table(
    "calls",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("agent_id", Text),
    Column("caller_number", Text),
    Column("started_at", Text),
    Column("ended_at", Text),
    Column("last_at", Text, nullable=False),
    Column("call_type", Text),
    Column("matter", Text),
    Index("calls_by_number", "caller_number", "started_at"),
)
events = Table(
    "events",
    metadata,
    # In the order of arrival, which within a call is the order of the stream.
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("event_id", Text, nullable=False, unique=True),
    Column("call_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("at_ms", Integer, nullable=False),
    Column("payload", Text, nullable=False),
    Index("events_by_call", "call_id", "number"),
)
feedback = Index("events_feedback", events.c.event, sqlite_where=events.c.event == "feedback.given")
"""Verdicts are few among many events, and counted over all calls."""
purges = Table(
    "purges",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("purged_at", Text, nullable=False),
    Column("receipt", Text, nullable=False),
)


class Unusable(RuntimeError):
    """The database cannot be used. The message is one sentence that says what to do. `passing`:
    waiting may help."""

    def __init__(self, sentence: str, *, passing: bool = False) -> None:
        super().__init__(sentence)
        self.passing = passing


def set_up(connection: Any, _: Any) -> None:
    """Set a new SQLite connection up: readers do not wait for writers, a commit is on the disk."""
    cursor = connection.cursor()
    try:
        for pragma in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "synchronous=FULL"):
            cursor.execute(f"PRAGMA {pragma}")
    except Exception:
        connection.close()  # the pool does not know it yet, and would leave it open
        raise
    cursor.close()


def prepare(connection: Connection, path: Path) -> None:
    """Create the tables of a new database; refuse one that is not ours. Raises Unusable."""
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if version == 0 and not inspect(connection).get_table_names():
        metadata.create_all(connection)
        connection.exec_driver_sql(f"PRAGMA user_version={VERSION}")
    elif version > VERSION:
        raise Unusable(
            f"{path} was written by a newer Banxi (form {version}; this one knows {VERSION}): "
            "start that version, or restore a copy of before",
            passing=True,
        )
    elif version != VERSION:
        raise Unusable(
            f"{path} is not a records database of this version: move it away, "
            "or set BANXI_DATA_DIR to another directory"
        )
    # A database of an earlier release has the same form without it.
    feedback.create(connection, checkfirst=True)


def why_unusable(path: Path, error: SQLAlchemyError | sqlite3.Error) -> Unusable:
    """The sentence for a database that cannot be opened."""
    reason = getattr(error, "orig", None) or error
    if may_pass(error):
        return Unusable(f"{path} cannot be used at the moment ({reason})", passing=True)
    return Unusable(
        f"{path} cannot be used as a database ({reason}): move it away or restore it from a backup"
    )


def utc_text(time: datetime) -> str:
    """A wall time as it is kept. A time without a zone is taken as UTC."""
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="milliseconds")
