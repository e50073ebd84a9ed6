"""The tables from version to version, on both databases; old bases are carried over."""

from __future__ import annotations

import importlib
import json
import pkgutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

import services.knowledge
from services.common.failure import CannotStart
from services.knowledge.keeping import schema
from services.knowledge.keeping.database import Database
from services.knowledge.keeping.history import History
from services.knowledge.keeping.store import Store
from services.knowledge.keeping.tables import Tables
from tests.postgres import Postgres

pytestmark = pytest.mark.connected

CELLS = {
    "id": "card-1",
    "question": "社保卡丢了怎么补办",
    "answer": "带身份证到网点。",
    "department": "社保中心",
    "region": "临江市",
    "authorised": "yes",
    "valid_from": "2026-01-01",
    "valid_to": "",
    "similar_questions": "社保卡不见了;补卡去哪里",
    "authorised_by": "王",
    "authorised_at": "2026-02-03",
    "version": "2",
    "document": "",
    "liaison": "",
    "phone": "12333",
}
OLDER = CELLS | {"answer": "旧答复。", "authorised": "no", "authorised_by": ""}


def declare_all() -> None:
    """Import every table of the service."""
    for module in pkgutil.walk_packages(services.knowledge.__path__, "services.knowledge."):
        if module.name.rpartition(".")[2].endswith("tables"):
            importlib.import_module(module.name)


async def begin_as(place: Path | str, version: str) -> Database:
    """A database as a program left it that knew no versions."""
    database = Database(place)

    def make(connection: Connection) -> None:
        schema.bring_up_to_date(connection, version)
        connection.execute(text("DROP TABLE alembic_version"))

    async with database.writing() as session:
        await (await session.connection()).run_sync(make)
    return database


async def test_the_migrations_make_what_the_program_declares(database_place: Path | str) -> None:
    declare_all()
    database = Database(database_place)
    await database.open()
    await database.open()  # a second start finds nothing to do

    def differences(connection: Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection), Tables.metadata)

    async with database.reading() as session:
        assert await (await session.connection()).run_sync(differences) == []
    await database.close()


async def test_a_base_of_the_first_version_is_carried_over(database_place: Path | str) -> None:
    database = await begin_as(database_place, "0001")
    entry = 'INSERT INTO entries (id, question, answer, department, region, authorised, "similar", '
    state = "INSERT INTO entry_versions VALUES (:id, :revision, :at, :by, :fields)"
    async with database.writing() as session:
        await session.execute(
            text(entry + "revision) VALUES ('card-1', '', '', '', '', true, '[]', 2)")
        )
        for number, cells in enumerate((OLDER, CELLS), 1):
            values = {
                "id": "card-1",
                "revision": number,
                "at": datetime(2026, 2, number, 8),
                "by": f"导入{number}",
                "fields": json.dumps(cells, ensure_ascii=False),
            }
            await session.execute(text(state), values)
    await database.close()
    store = Store(database_place)
    await store.open()
    (carried,) = await store.entries()
    assert {k: v for k, v in carried.row().items() if v} == {k: v for k, v in CELLS.items() if v}
    assert (carried.revision, carried.authorised_by) == (2, "王")
    detail = await History(store.database).read("card-1", date(2026, 6, 1))
    assert detail is not None
    assert [(deed.by, deed.at.day, deed.at.tzinfo) for deed in detail.history] == [
        ("导入2", 2, UTC),
        ("导入1", 1, UTC),
    ]
    assert ("answer", "旧答复。", "带身份证到网点。") in detail.history[0].changes
    await store.close()


async def test_a_base_of_a_newer_program_is_left_alone(database_place: Path | str) -> None:
    database = Database(database_place)
    await database.open()
    async with database.writing() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()
    with pytest.raises(CannotStart, match=r"written by a newer Banxi .*start that version"):
        await Database(database_place).open()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("mysql://kb:geheim@host/kb", "must be postgresql"),
        ("not an address", "must be postgresql"),
        ("postgresql+asyncpg://kb:geheim@127.0.0.1:9/kb", r"127\.0\.0\.1:9/kb cannot be used"),
    ],
)
async def test_a_database_that_cannot_be_used_is_one_sentence(address: str, said: str) -> None:
    with pytest.raises(CannotStart, match=said) as told:
        await Database(address).open()
    assert "geheim" not in str(told.value)
    assert "\n" not in str(told.value)


async def test_a_wrong_password_is_not_told(postgres: Postgres) -> None:
    address = postgres.new_database().replace("geheim", "falsch")
    with pytest.raises(CannotStart, match="user and password") as told:
        await Database(address).open()
    assert "falsch" not in str(told.value)
