"""The database all rooms share: SQLite in the data directory, or PostgreSQL by its address."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from services.common.failure import CannotStart, CannotStartYet, may_pass
from services.knowledge.keeping.schema import Newer, bring_up_to_date

BUSY_S = 30
"""So long a write waits for another one to end."""
CONNECT_S = 5
"""So long a server may take to answer."""
WRITING = 0x42616E7869
"""The lock writers of one PostgreSQL database take turns by ("Banxi")."""


class DatabaseDown(CannotStartYet):
    """The database cannot be reached or does not answer now. Says nothing of its contents. Where
    that happens at the start, it is waited for."""


class Database:
    """Reads and writes. Use as `await open()` … `await close()`.

    Writers take turns, in all processes: what one has written is whole when the next one looks, and
    the numbers of deeds are seen in their order.
    """

    def __init__(self, place: Path | str) -> None:
        """`place`: a file, or `postgresql+asyncpg://user:password@host/name`. Raises CannotStart
        where it is neither."""
        self._url = _url(place)
        self._engine = _engine(self._url)
        self._session = async_sessionmaker(self._engine, expire_on_commit=False)

    @property
    def place(self) -> str:
        """Where it is, for people; without a password."""
        if self._url.get_backend_name() == "sqlite":
            return self._url.database or ""
        port = f":{self._url.port}" if self._url.port else ""
        return f"{self._url.host}{port}/{self._url.database}"

    async def open(self) -> None:
        """Bring its tables up to date, creating what is missing. Raises CannotStart with one
        sentence; CannotStartYet where waiting may help."""
        try:
            async with self._engine.connect() as connection:
                await connection.execution_options(writes=True)
                async with connection.begin():
                    await self._take_turn(connection)
                    await connection.run_sync(bring_up_to_date)
        except Newer as error:
            await self.close()
            raise CannotStartYet(
                f"the knowledge base {self.place} was written by a newer Banxi ({error}): "
                "start that version, or restore a copy of before"
            ) from None
        except (SQLAlchemyError, OSError, TimeoutError, ValueError, TypeError) as error:
            await self.close()
            raise self._why_not(error) from None

    async def close(self) -> None:
        """Let go of it."""
        await self._engine.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that reads one state of the database. Raises DatabaseDown."""
        with _down(self.place):
            async with self._session() as session:
                if self._url.get_backend_name() == "postgresql":
                    # SQLite does so by itself; here each statement would see a later state.
                    options = {"isolation_level": "REPEATABLE READ"}
                    await session.connection(execution_options=options)
                yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A session that writes, all or nothing: committed at the end, undone by any exception.
        Raises DatabaseDown."""
        with _down(self.place):
            async with self._session.begin() as session:
                connection = await session.connection(execution_options={"writes": True})
                await self._take_turn(connection)
                yield session

    @asynccontextmanager
    async def preparing(self) -> AsyncIterator[AsyncConnection]:
        """A connection, to prepare much to write in temporary tables: within `begin()` of it, then
        within `effective`. Raises DatabaseDown."""
        with _down(self.place):
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def effective(self, connection: AsyncConnection) -> AsyncIterator[None]:
        """What is written meanwhile on a connection of `preparing` is all or nothing, and others
        that write wait, as in `writing`."""
        await connection.execution_options(writes=True)
        async with connection.begin():
            await self._take_turn(connection)
            yield

    async def scrub(self) -> None:
        """Leave no bytes of what was deleted: SQLite writes its file anew, and other writers wait
        so long. The files of a server are its keeper's. Raises DatabaseDown."""
        if self._url.get_backend_name() != "sqlite":
            return
        with _down(self.place):
            async with self._engine.connect() as connection:
                # Past the engine, which begins a transaction with whatever is executed.
                driver = (await connection.get_raw_connection()).driver_connection
                assert driver is not None
                for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                    await driver.execute(statement)

    async def _take_turn(self, connection: AsyncConnection) -> None:
        if self._url.get_backend_name() == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITING})

    def _why_not(self, error: Exception) -> CannotStart:
        if self._url.get_backend_name() == "sqlite":
            if may_pass(error):
                return CannotStartYet(
                    f"the knowledge base {self.place} cannot be used at the moment "
                    f"({_reason(error)})"
                )
            cause = error.orig if isinstance(error, DBAPIError) else None
            reason = str(cause) if isinstance(cause, sqlite3.Error) else type(error).__name__
            return CannotStart(
                f"the knowledge base {self.place} cannot be used ({reason}): "
                "restore a copy, or move it away to begin anew"
            )
        never = isinstance(error, ValueError | TypeError)  # no such address
        return (CannotStart if never else CannotStartYet)(
            f"the knowledge base {self.place} cannot be used ({_reason(error)}): "
            "see that the server runs and BANXI_KNOWLEDGE__DATABASE names it, its user and password"
        )


def _url(place: Path | str) -> URL:
    if isinstance(place, Path):
        return URL.create("sqlite+aiosqlite", database=str(place))
    try:
        url = make_url(place)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in ("postgresql", "postgresql+asyncpg", "postgres"):
        raise CannotStart(
            "BANXI_KNOWLEDGE__DATABASE must be postgresql+asyncpg://user:password@host/name; "
            "leave it empty for a file in the data directory"
        )
    return url.set(drivername="postgresql+asyncpg")


def _engine(url: URL) -> AsyncEngine:
    as_written = {"json_serializer": lambda value: json.dumps(value, ensure_ascii=False)}
    if url.get_backend_name() == "postgresql":
        return create_async_engine(
            url,
            pool_size=5,
            max_overflow=5,
            pool_timeout=CONNECT_S,
            pool_pre_ping=True,
            connect_args={
                "timeout": CONNECT_S,
                "command_timeout": 60,
                "server_settings": {"lock_timeout": f"{BUSY_S}s", "application_name": "banxi"},
            },
            **as_written,
        )
    engine = create_async_engine(url, connect_args={"timeout": BUSY_S}, **as_written)
    event.listen(engine.sync_engine, "connect", _set_up)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _set_up(connection: Any, _: Any) -> None:
    """SQLite: readers beside a writer, and transactions as we say, not as the driver guesses."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


_OURS = (ProgrammingError, IntegrityError, DataError)
"""What a database answers where we asked wrongly: that it is not away."""


@contextmanager
def _down(place: str) -> Iterator[None]:
    """Turns what drivers raise when a database is away into DatabaseDown."""
    try:
        yield
    except _OURS:
        raise
    except (DBAPIError, PoolTimeout, OSError, TimeoutError) as error:
        raise DatabaseDown(f"the database {place} does not answer ({_reason(error)})") from None


def _reason(error: BaseException) -> str:
    """What is wrong, without the values of a statement."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return str(cause)
    inner = getattr(cause, "__cause__", None) or cause
    return type(inner).__name__
