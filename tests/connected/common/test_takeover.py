"""Several replicas of a service: one holds a partition, and another takes over from it."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import nats
import pytest
from nats.js.api import AckPolicy, ConsumerConfig

from contracts import subjects
from contracts.base import Event
from contracts.speech import SpeechEnded
from services.common import streams
from services.common.bus import Bus
from services.common.calls import Happening, Outcome
from services.common.consumer import CallConsumer
from services.common.pulling import ACK_WAIT_S, GROUP, PIN_S
from tests.connected.common.test_calls import Names, Scribe, final, finals, pending, say
from tests.until import until

pytestmark = pytest.mark.connected

LOG = logging.getLogger("banxi.test")
REPO = Path(__file__).parents[3]


class Replica(Scribe):
    """A scribe that keeps something of its calls beside their state."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: list[str] = []
        self.gate: asyncio.Event | None = None

    async def handle(self, state: Names, happening: Happening) -> Outcome[Names]:
        if self.gate and isinstance(happening, SpeechEnded):
            await self.gate.wait()
        return await super().handle(state, happening)

    def let_go(self, call_id: str) -> None:
        self.gone.append(call_id)


@asynccontextmanager
async def following(
    nats_url: str, site: str, scribe: Scribe, settle_s: float = 6.0
) -> AsyncIterator[CallConsumer[Names]]:
    """A replica of the service `test`, on a connection of its own."""
    client = await nats.connect(nats_url)
    bus = Bus(client, site=site, service="test")
    consumer = CallConsumer(bus, scribe, log=LOG, settle_s=settle_s)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()
        await client.close()


@pytest.fixture
def call(site: str) -> str:
    return f"{site}-c"


@contextmanager
def stuck_replica(nats_url: str, site: str) -> Iterator[subprocess.Popen[str]]:
    """A replica that never finishes its slow work, as a process of its own."""
    program = [sys.executable, "-m", "tests.connected.common.replica", nats_url, site]
    with subprocess.Popen(program, cwd=REPO, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def heard(scribe: Scribe, call: str, what: str) -> Callable[[], bool]:
    return lambda: what in scribe.seen.get(call, [])


async def durable_of(bus: Bus, call: str) -> str:
    """The durable consumer that brings a call's events."""
    stored = await bus.js.get_last_msg(streams.CALLS, subjects.stored_call(bus.site, call))
    return f"test-{bus.site}-{stored.subject.split('.')[4]}"  # type: ignore[union-attr]


async def test_a_stopped_replica_leaves_its_calls_at_once_and_nothing_twice(
    nats_url: str, bus: Bus, call: str
) -> None:
    first, second = Replica(), Replica()
    async with following(nats_url, bus.site, first) as holder:
        await say(bus, call, "started", "+100", "-100")
        await until(heard(first, call, "transcript.final@100"))
        async with following(nats_url, bus.site, second) as standby:
            assert (len(holder.held), standby.held) == (1, ())
            assert 1 + holder.standby == standby.standby == 16
            await say(bus, call, "+900")
            await until(heard(first, call, "speech.started@900"))
            assert not second.seen
            begun = time.monotonic()
            await holder.stop()
            assert first.gone == [call]
            await say(bus, call, "-900")
            await until(heard(second, call, "speech.ended@900"))
            assert time.monotonic() - begun < PIN_S / 2, "it need not wait for the pin"
            await until(heard(second, call, "transcript.final@900"))
            assert len(standby.held) == 1
    assert first.seen[call][-1] == "speech.started@900"
    known = ("started", "speech.started", "speech.ended", "transcript.final")
    assert second.states[call][-1][:4] == known
    assert await finals(bus, call) == [100, 900]
    assert await pending(bus) == 0


async def test_what_a_killed_replica_had_in_hand_is_done_before_what_came_after(
    nats_url: str, bus: Bus, call: str
) -> None:
    scribe = Scribe()
    scribe.in_turn = True

    async def decode(event: SpeechEnded) -> Sequence[Event]:
        return [final(event)]

    scribe.later = decode
    with stuck_replica(nats_url, bus.site) as process:
        await until(lambda: pulls(bus), lambda waiting: waiting == 16, patience_s=30)
        async with following(nats_url, bus.site, scribe):
            await say(bus, call, "started", "-100", "+900")
            assert process.stdout
            for expected in ("started@0", "speech.ended@100", "speech.started@900"):
                line = await asyncio.to_thread(process.stdout.readline)
                assert line.strip() == expected
            await until(lambda: pending(bus), lambda left: left == 1)
            process.kill()
            begun = time.monotonic()
            await say(bus, call, "-900")
            await until(lambda: finals(bus, call), lambda found: len(found) == 2)
            assert time.monotonic() - begun < PIN_S + ACK_WAIT_S
            assert await finals(bus, call) == [100, 900]
            await until(heard(scribe, call, "transcript.final@900"))
    # What the killed one had handled between the two is in the state all the same.
    at_900 = scribe.seen[call].index("speech.ended@900")
    assert scribe.states[call][at_900] == ("started", "speech.ended", "speech.started")


async def pulls(bus: Bus) -> int:
    """Pulls of the service that wait at the server."""
    waiting = 0
    for info in await bus.js.consumers_info(streams.CALLS):
        if info.name and info.name.startswith(f"test-{bus.site}-"):
            waiting += info.num_waiting or 0
    return waiting


async def test_a_pin_lost_while_a_handler_works_breaks_neither_order_nor_state(
    nats_url: str, bus: Bus, call: str
) -> None:
    first, second = Replica(), Replica()
    first.gate = asyncio.Event()
    async with following(nats_url, bus.site, first) as holder:
        await say(bus, call, "started", "-100")
        await until(lambda: holder.live_calls == 1)
        async with following(nats_url, bus.site, second) as standby:
            await asyncio.sleep(PIN_S + 1)  # the pin outlasts a slow handler
            assert (len(holder.held), standby.held) == (1, ())
            unpin = f"$JS.API.CONSUMER.UNPIN.{streams.CALLS}.{await durable_of(bus, call)}"
            await bus.client.request(unpin, b'{"group":"%s"}' % GROUP.encode())
            await say(bus, call, "-900")
            await until(lambda: not holder.held)
            assert first.gone == [call]
            assert call not in second.seen, "it waits for what the first has in hand"
            first.gate.set()
            await until(heard(second, call, "speech.ended@900"))
            await until(lambda: standby.live_calls == 1)
            assert holder.live_calls == 0
            assert "speech.ended@900" not in first.seen[call]
    assert second.states[call][-1][:2] == ("started", "speech.ended")
    assert await finals(bus, call) == [100, 900]


async def test_a_call_whose_holder_goes_between_end_and_settling_settles_once(
    nats_url: str, bus: Bus, call: str
) -> None:
    first, second = Replica(), Replica()
    async with following(nats_url, bus.site, first, settle_s=60):
        await say(bus, call, "started", "ended", "-100")
        await until(heard(first, call, "transcript.final@100"))
    async with following(nats_url, bus.site, second, settle_s=0.3):
        await until(heard(second, call, "settled@9000"))
        await until(lambda: pending(bus), lambda left: left == 0)
    assert second.seen[call].count("settled@9000") == 1
    settled = second.seen[call].index("settled@9000")
    assert "transcript.final" in second.states[call][settled], "late events count too"


async def test_consumers_of_a_running_site_are_upgraded_in_place(
    nats_url: str, bus: Bus, call: str
) -> None:
    await say(bus, call, "started", "+100", "-100")
    durable = await durable_of(bus, call)
    await bus.js.add_consumer(
        streams.CALLS,
        ConsumerConfig(
            durable_name=durable,
            filter_subject=subjects.stored_partition(bus.site, int(durable.split("-")[-1])),
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=20,
            max_ack_pending=256,
        ),
    )
    before = await bus.js.pull_subscribe_bind(durable, streams.CALLS)
    for message in await before.fetch(2):
        await message.ack_sync()
    [left] = await before.fetch(1)
    await left.nak()
    scribe = Scribe()
    async with following(nats_url, bus.site, scribe):
        await until(heard(scribe, call, "transcript.final@100"))
    states = dict(zip(scribe.seen[call], scribe.states[call], strict=True))
    assert states["speech.ended@100"] == ("started", "speech.started")
    assert await finals(bus, call) == [100]
    info = await bus.js.consumer_info(streams.CALLS, durable)
    assert info.delivered and info.delivered.consumer_seq == 5, "it went on where it was"
