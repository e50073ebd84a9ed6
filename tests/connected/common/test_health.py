"""What an operator sees: alive, ready or why not, figures; whatever is started first."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import nats
import pytest
from nats.js import JetStreamContext

from contracts.requests import Describe, Description
from services.common import service as kernel
from services.common import streams
from services.common.bus import Bus, RequestFailed
from services.common.calls import Outcome
from services.common.failure import CannotStart, CannotStartYet
from services.common.process import until_stopped
from services.common.service import Service
from services.common.settings import ServiceSettings
from tests.conftest import free_port
from tests.connected.common.servers import get, living, nats_server, readyz
from tests.until import until

pytestmark = pytest.mark.connected


class Idle:
    """A handler that does nothing."""

    def open(self, call_id: str, site: str) -> None:
        return None

    async def handle(self, state: None, happening: object) -> Outcome[None]:
        return Outcome(state)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "TRY_AGAIN_S", 0.1)
    monkeypatch.setattr(kernel, "LOOK_S", 0.1)


def settings(url: str, site: str) -> ServiceSettings:
    return ServiceSettings(nats_url=url, site=site, health_port=free_port())


async def says(port: int, *words: str) -> None:
    """Return when `/readyz` says these words and 503."""
    said = await until(
        lambda: readyz(port), lambda said: all(word in said.get("detail", "") for word in words)
    )
    assert (said["status"], said["ready"]) == (503, False)


async def declare_other(js: JetStreamContext) -> None:
    """Our streams, as somebody else would declare them."""
    for config in streams.definitions():
        other = config.name == streams.CALLS
        await js.add_stream(replace(config, subject_transform=None) if other else config)


async def test_it_waits_for_the_bus_and_its_streams_and_says_why(tmp_path: Path, site: str) -> None:
    port = free_port()
    service = Service("conduct", settings(f"nats://127.0.0.1:{port}", site))
    service.follows_calls(Idle())
    async with living(service) as health:
        await says(health, "cannot reach NATS", "BANXI_NATS_URL")
        alive = await get(health, "healthz")
        assert alive
        assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
        with nats_server(port):
            await says(health, "no JetStream")
        with nats_server(port, "-js", "-sd", tmp_path) as url:
            await says(health, "BANXI_CALLS is missing", "banxi streams declare")
            async with contextlib.AsyncExitStack() as stack:
                client = await nats.connect(url)
                stack.push_async_callback(client.close)
                js = client.jetstream()
                await declare_other(js)
                await says(health, "BANXI_CALLS", "subject_transform", "banxi streams declare")
                await streams.declare(js)
                said = await until(lambda: readyz(health), lambda said: said["ready"])
                assert said["status"] == 200
                assert said["partitions"]["held"] + said["partitions"]["standby"] == 16
                await js.delete_stream(streams.AUDIO)
                await says(health, "BANXI_AUDIO is missing")
                await streams.declare(js)
                await until(lambda: readyz(health), lambda said: said["ready"])
        await says(health, "connection to NATS is lost")
        alive = await get(health, "healthz")
        assert alive
        assert alive.status_code == 200


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_missing_token_is_named(tmp_path: Path, site: str) -> None:
    port = free_port()
    with nats_server(port, "-js", "-sd", tmp_path, "--auth", "sesame") as url:
        async with living(Service("records", settings(url, site))) as health:
            await says(health, "BANXI_NATS_TOKEN")
    gc.collect()  # nats-py leaves the socket of a refused connection to the collector


async def test_a_part_that_cannot_start_yet_is_tried_again(
    nats_url: str, site: str, bus: Bus
) -> None:
    service = Service("knowledge", settings(nats_url, site))
    tried: list[Exception] = []

    @asynccontextmanager
    async def database(_: Bus) -> AsyncIterator[None]:
        service.follows_calls(Idle())
        if len(tried) < 2:
            tried.append(
                OSError(28, "No space left on device") if tried else CannotStartYet("gone")
            )
            raise tried[-1]
        yield

    service.lives_with(database)
    async with living(service) as health:
        await until(lambda: readyz(health), lambda said: said.get("ready"))
        assert len(tried) == 2
        assert len(service.consumers) == 1


async def test_what_waiting_does_not_help_ends_it(nats_url: str, site: str, bus: Bus) -> None:
    service = Service("knowledge", settings(nats_url, site))

    @asynccontextmanager
    async def broken(_: Bus) -> AsyncIterator[None]:
        if service.up is False:
            raise CannotStart("a file has a mistake")
        yield

    service.lives_with(broken)
    with pytest.raises(CannotStart, match="mistake"):
        await until_stopped(service)


async def test_every_replica_says_how_it_is_and_the_pages_say_the_same(
    nats_url: str, site: str, bus: Bus
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for number in range(2):
            service = Service("conduct", settings(nats_url, site))
            service.follows_calls(Idle())
            service.figures_of = lambda number=number: {"number": float(number)}  # type: ignore[misc]
            await stack.enter_async_context(service.running())
        answers = await bus.ask_every(("conduct", "desk"), Describe(), Description)
        assert sorted(said.figures["number"] for said in answers) == [0, 1]
        assert all(said.ready and said.instance for said in answers)
        assert service.settings.health_port
        page = await get(service.settings.health_port, "metrics")
        assert page
        lines = page.text.splitlines()
        for line in (
            "banxi_ready 1.0",
            "banxi_calls_live 0.0",
            "banxi_conduct_number 1.0",
            'banxi_consumer_lag{consumer="conduct"} 0.0',
            'banxi_partitions{state="standby"} 16.0',
            'banxi_requests_total{outcome="ok",verb="describe"} 1.0',
            "banxi_dead_letters_total 0.0",
        ):
            assert line in lines


async def test_who_lacks_something_is_ready_for_the_rest_and_says_so(
    nats_url: str, site: str, bus: Bus
) -> None:
    service = Service("conduct", settings(nats_url, site))
    service.lacking = lambda: "half of it is missing"
    async with living(service) as port:
        said = await until(lambda: readyz(port), lambda said: said.get("ready"))
        assert (said["status"], said["detail"]) == (200, "half of it is missing")
        about = await bus.request_of("conduct", Describe(), Description)
        assert (about.ready, about.detail) == (True, "half of it is missing")
        assert (about.figures["ready"], about.figures["lacking"]) == (1.0, 1.0)
        service.lacking = str
        said = await readyz(port)
        assert (said["ready"], said["detail"]) == (True, "")
        assert service.figures.now()["lacking"] == 0.0


async def test_requests_are_counted_by_how_they_end(nats_url: str, site: str, bus: Bus) -> None:
    service = Service("conduct", settings(nats_url, site))
    async with service.running():
        await bus.client.request(f"banxi.v1.{site}.cmd.conduct.describe", b"nonsense")
        with pytest.raises(RequestFailed):
            await bus.request_of("desk", Describe(), Description)
        now = service.figures.now()
        assert (now["requests{describe,invalid}"], now["dead_letters"]) == (1, 1)
