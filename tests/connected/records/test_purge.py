from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import sqlite3
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats
import pytest
import typer
from typer.testing import CliRunner, Result

from contracts.requests import AskCall, KeptCall
from services.common import streams
from services.common.bus import Bus, RequestFailed
from services.common.kept import read_call
from services.knowledge.gaps.store import Asking, add, listed
from services.knowledge.keeping.store import Store
from tests.conftest import free_port, nats_server_path
from tests.connected.records.scripts import (
    as_json,
    dead,
    kept,
    publish_as_of,
    running,
    script,
)
from tests.until import until
from tools.purge import purge

pytestmark = pytest.mark.connected

OLD, DAYS = timedelta(days=40), "30d"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A nats-server whose files the tests may look into."""
    port, store = free_port(), tmp_path_factory.mktemp("purge-nats")
    process = subprocess.Popen(
        [nats_server_path(), "-js", "-sd", str(store), "-a", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    yield f"nats://127.0.0.1:{port}", store
    process.terminate()
    process.wait(10)


@pytest.fixture
async def bus(server: tuple[str, Path], site: str) -> AsyncIterator[Bus]:
    client = await nats.connect(server[0])
    await streams.declare(client.jetstream())
    yield Bus(client, site=site, service="test")
    await client.close()


async def banxi_purge(bus: Bus, url: str, data_dir: Path, *options: str) -> Result:
    app = typer.Typer()
    app.command()(purge)
    environment = {
        "BANXI_SITE": bus.site,
        "BANXI_NATS_URL": url,
        "BANXI_DATA_DIR": str(data_dir),
    }
    return await asyncio.to_thread(CliRunner().invoke, app, options, env=environment)


def where_bytes_are(text: str, *folders: Path) -> list[str]:
    return [
        path.name
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and text.encode() in path.read_bytes()
    ]


async def test_old_calls_are_gone_with_proof_while_records_runs(
    bus: Bus, server: tuple[str, Path], tmp_path: Path
) -> None:
    url, store = server
    # Ids of which the kept one holds a purged one: the proof must not mistake them.
    old, short, fresh = (f"old-{uuid.uuid4().hex}", "c1", f"fresh-{uuid.uuid4().hex}")
    longer = f"{old}-2"
    async with running(bus, url, tmp_path):
        for id_ in (old, short):
            events = script(bus, id_, f"{id_} 医保断缴了怎么办")
            await publish_as_of(bus, events, OLD)
            await kept(bus, id_, len(events))
        for id_ in (fresh, longer):
            events = script(bus, id_, "社保卡丢了怎么补")
            for event in events:
                await bus.publish(event)
            await kept(bus, id_, len(events))
        broken = f"banxi.v1.{bus.site}.call.{old}.transcript.final"
        await bus.js.publish(broken, f"{old} no JSON".encode())
        await until(lambda: dead(bus), bool)
        assert where_bytes_are(old, tmp_path, store)

        dry = await banxi_purge(bus, url, tmp_path, "--older-than", DAYS, "--dry-run")
        assert dry.exit_code == 0 and "UTC: 2; in the records: 2 with" in dry.stderr
        await kept(bus, old, len(events))

        proof = tmp_path / "proof.json"
        ran = await banxi_purge(
            bus, url, tmp_path, "--older-than", DAYS, "--yes", "--receipt", str(proof)
        )
        assert ran.exit_code == 0, ran.output
        receipt = json.loads(proof.read_text())
        assert json.loads(ran.stdout) == receipt
        assert (receipt["calls"], receipt["events"]) == (2, 2 * len(events))
        assert receipt["stream_messages"] == 2 * len(events) + 2
        assert sorted(receipt["call_sha256"]) == sorted(
            hashlib.sha256(id_.encode()).hexdigest() for id_ in (old, short)
        )
        assert receipt["remains"] == {
            "records_rows": 0, "files": 0, "stream_messages": 0, "askings": None,
        }  # fmt: skip

        # The service goes on: what is left is there, and new calls are kept.
        for id_ in (old, short):
            with pytest.raises(RequestFailed):
                await bus.request(AskCall(call_id=id_), KeptCall)
            assert await read_call(bus, bus.site, id_) == []
        after = script(bus, "after", "再问一下退休的事")
        for event in after:
            await bus.publish(event)
        await kept(bus, "after", len(after))
        assert len((await kept(bus, fresh, len(events))).events) == len(events)
        assert await dead(bus) == []
    for words in (f"{old} 医保", f'"call_id":"{old}"', f"{short} 医保", f'"call_id":"{short}"'):
        assert where_bytes_are(words, tmp_path, store) == []
    with sqlite3.connect(tmp_path / "records.db") as database:
        (noted,) = database.execute("SELECT receipt FROM purges").fetchone()
    database.close()
    assert json.loads(noted) == receipt


async def test_without_the_bus_the_records_are_purged_and_the_stream_later(
    bus: Bus, server: tuple[str, Path], tmp_path: Path
) -> None:
    url, _ = server
    id_ = f"old-{uuid.uuid4().hex}"
    events = script(bus, id_)
    async with running(bus, url, tmp_path):
        await publish_as_of(bus, events, OLD)
        await kept(bus, id_, len(events))
    nobody = f"nats://127.0.0.1:{free_port()}"
    ran = await banxi_purge(bus, nobody, tmp_path, "--older-than", DAYS, "--yes")
    assert ran.exit_code == 0, ran.output
    receipt = json.loads(ran.stdout)
    assert receipt["calls"] == 1 and receipt["remains"]["stream_messages"] is None
    assert "NATS does not answer" in ran.stderr
    left = await read_call(bus, bus.site, id_)
    assert [as_json(event) for event in left] == [as_json(event) for event in events]


async def test_what_records_never_saw_is_purged_from_the_stream(
    bus: Bus, server: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _ = server
    async with running(bus, url, tmp_path):
        pass
    for event in script(bus, "unseen"):
        await bus.publish(event)
    # The server stamps what it stores: let the smallest age be no age at all.
    monkeypatch.setattr("tools.purge.UNITS", {"m": timedelta(0)})
    ran = await banxi_purge(bus, url, tmp_path, "--older-than", "1m", "--yes")
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["stream_messages"] == 3
    assert await read_call(bus, bus.site, "unseen") == []


async def test_a_call_without_an_end_goes_by_its_last_event(
    bus: Bus, server: tuple[str, Path], tmp_path: Path
) -> None:
    url, _ = server
    async with running(bus, url, tmp_path):
        await publish_as_of(bus, script(bus, "lost", ended=False), OLD)
        await publish_as_of(bus, script(bus, "going-on", ended=False), timedelta(hours=2))
        for id_ in ("lost", "going-on"):
            await kept(bus, id_, 2)
        ran = await banxi_purge(bus, url, tmp_path, "--older-than", "1h", "--yes")
        assert json.loads(ran.stdout)["call_sha256"] == [hashlib.sha256(b"lost").hexdigest()]
        await kept(bus, "going-on", 2)


async def test_what_callers_asked_goes_with_their_calls(
    bus: Bus, server: tuple[str, Path], tmp_path: Path
) -> None:
    url, _ = server
    async with running(bus, url, tmp_path):
        events = script(bus, "old-call")
        await publish_as_of(bus, events, OLD)
        await kept(bus, "old-call", len(events))
    now = datetime.now(UTC)
    store = Store(tmp_path / "knowledge.db")
    await store.open()
    async with store.database.writing() as session:
        gap = (await add(session, None, asking("在夜市摆摊怎么报名", now - OLD), None, None)).id
        again = asking("请问夜市摆摊怎么报名呢", now)
        await add(session, gap, again, None, None)
        await add(session, None, asking("水库钓鱼要不要办证", now - OLD), None, None)
        # The agent remarked on it after the call, which is not long ago.
        note = replace(asking("公园能不能遛狗", now), call_id="old-call")
        await add(session, None, note, None, None)

    dry = await banxi_purge(bus, url, tmp_path, "--older-than", DAYS, "--dry-run")
    assert "questions in the knowledge base: 3" in dry.stderr
    ran = await banxi_purge(bus, url, tmp_path, "--older-than", DAYS, "--yes")
    assert ran.exit_code == 0, ran.output
    receipt = json.loads(ran.stdout)
    assert (receipt["askings"], receipt["remains"]["askings"]) == (3, 0)
    async with store.database.reading() as session:
        gaps, _ = await listed(session, "open", 0, 10)
    assert [(g.gap_id, g.words, g.times) for g in gaps] == [(gap, again.words, 2)]
    assert [one.words for one in gaps[0].asked] == [again.words]
    for gone in ("在夜市摆摊", "水库钓鱼要不要办证", "公园能不能遛狗", "old-call"):
        assert where_bytes_are(gone, tmp_path) == []
    await store.close()


def asking(words: str, at: datetime) -> Asking:
    return Asking(uuid.uuid4().hex, f"call-{uuid.uuid4().hex}", at, words, "临江市")


@pytest.mark.parametrize("age", ["30", "0d", "d", "-3d", "3 weeks"])
async def test_an_age_that_is_none_is_refused(bus: Bus, tmp_path: Path, age: str) -> None:
    ran = await banxi_purge(bus, "nats://127.0.0.1:1", tmp_path, f"--older-than={age}", "--yes")
    assert ran.exit_code == 1
    assert ran.stderr.startswith("--older-than must be")


async def test_a_database_that_is_none_is_one_sentence(bus: Bus, tmp_path: Path) -> None:
    for content, says in ((None, "there is no "), (b"text" * 1000, "cannot be used")):
        if content:
            (tmp_path / "records.db").write_bytes(content)
        ran = await banxi_purge(bus, "nats://127.0.0.1:1", tmp_path, "--older-than", DAYS, "--yes")
        assert ran.exit_code == 1
        assert says in ran.stderr and ran.stderr.count("\n") == 1
