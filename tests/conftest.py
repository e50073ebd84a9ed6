"""Fixtures every tier shares, and the rule that every module names its tier."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import nats
import pytest

from services.common import streams
from services.common.bus import Bus

TIERS = {"unit", "connected", "slow"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        named = TIERS & {mark.name for mark in item.iter_markers()}
        if len(named) != 1:
            raise pytest.UsageError(
                f"{item.nodeid}: its module must say `pytestmark = pytest.mark.<tier>` "
                f"with exactly one of {', '.join(sorted(TIERS))}"
            )


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, patience_s: float = 10.0) -> None:
    """Return when somebody listens on the port."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def nats_server_path() -> str:
    """The nats-server of the wheel, beside the running Python."""
    beside = Path(sys.executable).with_name("nats-server")
    return str(beside) if beside.exists() else shutil.which("nats-server") or "nats-server"


@pytest.fixture(scope="session")
def nats_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real nats-server with JetStream on a free port, for the whole session."""
    port = free_port()
    store = tmp_path_factory.mktemp("nats")
    server = subprocess.Popen(
        [nats_server_path(), "-js", "-sd", str(store), "-a", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for_port(port)
    yield f"nats://127.0.0.1:{port}"
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


@pytest.fixture
def site() -> str:
    """A site of its own for every test, so that tests share a server without meeting."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
async def bus(nats_url: str, site: str) -> AsyncIterator[Bus]:
    """A connected bus with the streams declared."""
    client = await nats.connect(nats_url)
    await streams.declare(client.jetstream())
    bus = Bus(client, site=site, service="test")
    yield bus
    await forget_consumers(bus)
    await client.close()


async def forget_consumers(bus: Bus) -> None:
    """Remove the durable consumers of the test's site: a server holds a thousand at most, and the
    services of each test make sixteen each."""
    info = bus.js.consumers_info
    while ours := [c.name for c in await info(streams.CALLS) if c.name and bus.site in c.name]:
        for name in ours:
            await bus.js.delete_consumer(streams.CALLS, name)


@pytest.fixture(autouse=True)
def numbers_of_bags(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where the real model makes the vectors, the numbers learned with it weigh them: a
    scripted one has its own."""
    real = request.node.get_closest_marker("slow") and not hasattr(request.module, "Bags")
    if not real:
        from tests.unit.knowledge.bags import RANKING

        monkeypatch.setattr("services.knowledge.finding.find.packaged_ranking", lambda: RANKING)
