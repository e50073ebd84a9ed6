"""Databases for tests: SQLite always, PostgreSQL where it is on the machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from services.knowledge.keeping.store import Store
from tests.postgres import Postgres, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real server for the whole session."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """An empty database: a file, and the address of one on a server."""
    if request.param == "sqlite":
        return tmp_path / "knowledge.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
async def store(database_place: Path | str) -> AsyncIterator[Store]:
    """An open store on an empty database."""
    store = Store(database_place)
    await store.open()
    yield store
    await store.close()
