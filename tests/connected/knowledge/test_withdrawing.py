"""An answer that is withdrawn while it is asked for ten times a second: nobody gets it later than a
second after the editor was told that it is done, however it was withdrawn."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nats.aio.msg import Msg
from typer.testing import CliRunner

from contracts import subjects
from contracts.card import CardShown, CardWithdrawn
from contracts.news import BaseChanged
from contracts.requests import Describe, Description, EntryDetail, KnowledgeFound, WithdrawEntry
from services.common.bus import Bus, RequestFailed
from tests.conftest import free_port
from tests.connected.knowledge.test_service import Script, bring, look, running
from tests.postgres import Postgres
from tests.unit.knowledge.bags import CARD, EARLY, WAGES
from tests.until import kept_of, until
from tools.kb import app

pytestmark = pytest.mark.connected

QUESTION = WAGES.question
EVERY_S = 0.1
AT_ONCE = timedelta(seconds=1)
ROWS = tuple(replace(entry, authorised_by="李主任").row() for entry in (WAGES, CARD, EARLY))


@dataclass(frozen=True, slots=True)
class Got:
    """What one query brought."""

    asked: datetime
    answered: datetime
    answer: str | None


async def ask(bus: Bus) -> Got:
    asked = datetime.now(UTC)
    found: KnowledgeFound = await look(bus, QUESTION)
    answers = [hit.answer for hit in found.hits if hit.entry_id == WAGES.id]
    return Got(asked, datetime.now(UTC), next(iter(answers), None))


@asynccontextmanager
async def being_asked(bus: Bus) -> AsyncIterator[list[Got]]:
    """Ten queries a second, as long as this lasts and until all are answered."""
    got: list[Got] = []

    async def one() -> None:
        got.append(await ask(bus))

    async def keep() -> None:
        async with asyncio.TaskGroup() as queries:
            while not over.is_set():
                queries.create_task(one())
                await asyncio.sleep(EVERY_S)

    over = asyncio.Event()
    asking = asyncio.create_task(keep())
    try:
        yield got
    finally:
        over.set()
        await asking


async def withdrawn_while_asked(
    bus: Bus, call_id: str, withdraw: Callable[[], Awaitable[None]]
) -> tuple[list[Got], datetime]:
    """All queries, and when the withdrawal was done. The card of a live call goes with it."""
    call = Script(bus, call_id)
    await call.begin()
    await call.say(QUESTION)
    assert await call.cards(1) == [("card.shown", f"kb-{WAGES.id}")]
    async with being_asked(bus) as got:
        await until(lambda: sum(one.answer == WAGES.answer for one in got) >= 10)
        await withdraw()
        done = datetime.now(UTC)
        await until(lambda: sum(one.asked > done + AT_ONCE for one in got) >= 10)
    told = [one for one in got if one.answer is not None]
    assert {one.answer for one in told} == {WAGES.answer}
    assert max(one.answered for one in told) <= done + AT_ONCE
    (card,) = await kept_of(bus, f"{bus.site}-{call_id}", CardShown)
    (gone,) = await kept_of(bus, f"{bus.site}-{call_id}", CardWithdrawn)
    assert gone.card_id == card.card_id
    assert gone.wall_time <= done + AT_ONCE
    return got, done


async def by_request(bus: Bus) -> None:
    asked = WithdrawEntry(entry_id=WAGES.id, becomes="absent", by="王五", reason="政策有变")
    assert (await bus.request(asked, EntryDetail, timeout_s=20)).standing == "withdrawn"


async def test_none_is_told_that_was_withdrawn(bus: Bus, nats_url: str, tmp_path: Path) -> None:
    async with running(bus, nats_url, tmp_path):
        await bring(bus, *ROWS)
        got, done = await withdrawn_while_asked(bus, "one", lambda: by_request(bus))
    # The process that withdrew it knows so before it says so.
    assert all(one.answer is None for one in got if one.asked > done)


async def test_none_is_told_that_the_command_withdrew_in_the_file_beside_the_service(
    bus: Bus, nats_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BANXI_NATS_URL", f"nats://127.0.0.1:{free_port()}")
    monkeypatch.setenv("BANXI_DATA_DIR", str(tmp_path))

    news: list[BaseChanged] = []

    async def hear(message: Msg) -> None:
        news.append(BaseChanged.model_validate_json(message.data))

    async def by_command() -> None:
        arguments = ("withdraw", WAGES.id, "--absent", "--reason", "政策有变", "--by", "王五")
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments)
        assert (result.exit_code, result.stdout) == (0, f"{WAGES.id}: withdrawn\n")

    async with running(bus, nats_url, tmp_path):
        await bring(bus, *ROWS)
        await bus.client.subscribe(subjects.news(bus.site, BaseChanged.event), cb=hear)
        await bus.heard()
        _, done = await withdrawn_while_asked(bus, "file", by_command)
    # Pages that show it hear of it, though no editor asked the service.
    (told,) = news
    assert told.entry_ids == (WAGES.id,)
    assert told.wall_time <= done + AT_ONCE


@asynccontextmanager
async def another_process(
    bus: Bus, nats_url: str, directory: Path, database: str
) -> AsyncIterator[None]:
    """The service in a process of its own, once it is ready."""
    environment = os.environ | {
        "BANXI_SITE": bus.site,
        "BANXI_NATS_URL": nats_url,
        "BANXI_DATA_DIR": str(directory),
        "BANXI_KNOWLEDGE__DATABASE": database,
        "BANXI_KNOWLEDGE__SAMPLE_BASE": "false",
        "BANXI_LOG_LEVEL": "ERROR",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.knowledge"), env=environment
    )
    try:
        await until(lambda: pid_of(bus), lambda pid: pid == process.pid, 60)
        yield
    finally:
        process.terminate()
        await process.wait()


async def pid_of(bus: Bus) -> int | None:
    """Which process answers, of those that do; None where none is up yet."""
    try:
        return (await bus.request_of("knowledge", Describe(), Description)).pid
    except RequestFailed:
        return None


async def test_none_is_told_by_another_process_on_the_same_server(
    bus: Bus, nats_url: str, tmp_path: Path, postgres: Postgres
) -> None:
    database = postgres.new_database()
    async with (
        another_process(bus, nats_url, tmp_path / "other", database),
        running(bus, nats_url, tmp_path, database=database),
    ):
        await until(lambda: pid_of(bus), lambda pid: pid == os.getpid())
        await bring(bus, *ROWS)
        # What one of them took in, the other has within a second, too.
        await until(lambda: both_know(bus))
        await withdrawn_while_asked(bus, "two", lambda: by_request(bus))
        # And both still answer what was not withdrawn.
        assert await both_know(bus, CARD.question)


async def both_know(bus: Bus, question: str = QUESTION) -> bool:
    """Whether of twenty queries in a row, which go to either, all are answered."""
    for _ in range(20):
        if not [hit for hit in (await look(bus, question)).hits if hit.answer]:
            return False
    return True
