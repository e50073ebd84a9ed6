"""A database that cannot be used yet is waited for, and the operator is told."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.common.bus import Bus
from services.knowledge.app import create_app
from services.knowledge.keeping.database import Database
from services.knowledge.settings import KnowledgeSettings, Settings, database_place
from tests.conftest import free_port
from tests.connected.common.servers import living, readyz
from tests.connected.knowledge.test_service import answer_embeddings
from tests.postgres import Postgres
from tests.unit.knowledge.bags import Bags
from tests.until import until

pytestmark = pytest.mark.connected


@asynccontextmanager
async def waiting(bus: Bus, settings: Settings, words: str) -> AsyncIterator[None]:
    """The service, which waits and says so in these words; what is done meanwhile makes it
    ready."""
    await answer_embeddings(bus, Bags())
    async with living(create_app(settings)) as port:
        said = await until(lambda: readyz(port), lambda said: words in said.get("detail", ""))
        assert said["status"] == 503
        assert "geheim" not in said["detail"]
        yield
        await until(lambda: readyz(port), lambda said: said.get("ready"), patience_s=30)


def settings(bus: Bus, nats_url: str, directory: Path, database: str = "") -> Settings:
    knowledge = KnowledgeSettings.model_validate({"sample_base": False, "database": database})
    return Settings(
        site=bus.site,
        nats_url=nats_url,
        data_dir=directory,
        health_port=free_port(),
        knowledge=knowledge,
    )


async def test_tables_of_a_newer_program(bus: Bus, nats_url: str, tmp_path: Path) -> None:
    chosen = settings(bus, nats_url, tmp_path)
    place = database_place(chosen)
    database = Database(place)
    await database.open()
    await database.close()
    with sqlite3.connect(place) as other:
        (ours,) = other.execute("SELECT version_num FROM alembic_version").fetchone()
        other.execute("UPDATE alembic_version SET version_num = '9999'")
        other.commit()
        async with waiting(bus, chosen, "was written by a newer Banxi"):
            other.execute("UPDATE alembic_version SET version_num = ?", (ours,))
            other.commit()
    other.close()


async def test_postgresql_that_is_away(
    bus: Bus, nats_url: str, tmp_path: Path, postgres: Postgres
) -> None:
    chosen = settings(bus, nats_url, tmp_path, postgres.new_database())
    postgres.stop()
    try:
        async with waiting(bus, chosen, "see that the server runs"):
            postgres.start()
    except BaseException:
        postgres.start()
        raise
