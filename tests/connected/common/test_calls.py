"""Per-call consumption against a real server: order, acknowledgement, retry, rebuilding."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

import nats.errors
import pytest

from contracts.base import Event, Producer
from contracts.call import CallEnded, CallStarted
from contracts.speech import SpeechEnded, SpeechStarted
from contracts.transcript import TranscriptFinal
from services.common import bus as bus_module
from services.common import streams
from services.common.bus import Bus
from services.common.calls import CallSettled, Happening, Outcome
from services.common.consumer import ATTEMPTS, CallConsumer
from services.common.kept import read_call
from tests.until import until

pytestmark = pytest.mark.connected

LOG = logging.getLogger("banxi.test")
Names = tuple[str, ...]


@pytest.fixture
def call(site: str) -> str:
    """A call of its own: ids are unique over all sites, since the server's memory of ids is."""
    return f"{site}-c"


def final(event: SpeechEnded) -> TranscriptFinal:
    return TranscriptFinal(
        call_id=event.call_id,
        site=event.site,
        at_ms=event.at_ms,
        role=event.role,
        end_ms=event.end_ms,
        text="好的",
        heard="好的",
        by=Producer(name="scripted", version="1"),
    )


class Scribe:
    """A handler that writes down what it sees; its state: the names of the events so far."""

    def __init__(self) -> None:
        self.seen: dict[str, list[str]] = {}
        self.states: dict[str, list[Names]] = {}
        self.fail_times = 0
        self.poison: str | None = None
        self.later: Callable[[SpeechEnded], Awaitable[Sequence[Event]]] | None = None
        self.in_turn = False

    def open(self, call_id: str, site: str) -> Names:
        return ()

    async def handle(self, state: Names, happening: Happening) -> Outcome[Names]:
        if isinstance(happening, SpeechStarted) and self.fail_times:
            self.fail_times -= 1
            raise ConnectionError("the scripted handler fails")
        if isinstance(happening, Event) and happening.event_id == self.poison:
            raise ValueError("the scripted handler never takes this")
        name = "settled" if isinstance(happening, CallSettled) else happening.event
        self.seen.setdefault(happening.call_id, []).append(f"{name}@{happening.at_ms}")
        self.states.setdefault(happening.call_id, []).append(state)
        after = (*state, name)
        if isinstance(happening, SpeechEnded):
            if self.later:
                return Outcome(after, later=self.later(happening), in_turn=self.in_turn)
            return Outcome(after, [final(happening)])
        return Outcome(after)


async def say(bus: Bus, call: str, *events: str) -> None:
    """Publish scripted events: `started`, `+900` a speech start, `-900` its end, `ended`."""
    where = {"call_id": call, "site": bus.site}
    for text in events:
        if text == "started":
            await bus.publish(CallStarted(**where, at_ms=0, agent_id="8", caller_number="1"))
        elif text == "ended":
            await bus.publish(CallEnded(**where, at_ms=9000, ended_by="caller"))
        elif text[0] == "+":
            await bus.publish(SpeechStarted(**where, at_ms=int(text[1:]), role="agent"))
        else:
            at = int(text[1:])
            await bus.publish(SpeechEnded(**where, at_ms=at, end_ms=at + 500, role="agent"))


async def finals(bus: Bus, call: str) -> list[int]:
    events = await read_call(bus, bus.site, call)
    return [e.at_ms for e in events if isinstance(e, TranscriptFinal)]


async def dead(bus: Bus) -> list[tuple[str, str]]:
    """(subject, reason) of the site's dead letters."""
    found = []
    info = await bus.js.stream_info(streams.DEAD)
    if not info.state.messages:
        return []
    for sequence in range(info.state.first_seq, info.state.last_seq + 1):
        letter = await bus.js.get_msg(streams.DEAD, seq=sequence)
        if letter.subject == f"banxi.v1.{bus.site}.dead.test":
            headers = letter.headers or {}
            found.append((headers["Banxi-Subject"], headers["Banxi-Reason"]))
    return found


async def test_a_calls_events_come_in_order_whatever_other_calls_do(bus: Bus) -> None:
    scribe = Scribe()
    consumer = CallConsumer(bus, scribe, log=LOG)
    await consumer.start()
    names = [f"{bus.site}-{n}" for n in range(12)]
    for at in range(0, 1000, 100):
        for call in names:
            await say(bus, call, f"+{at}")
    await until(lambda: sum(map(len, scribe.seen.values())) == 120)
    await consumer.stop()
    for call in names:
        assert scribe.seen[call] == [f"speech.started@{at}" for at in range(0, 1000, 100)]


async def test_a_failing_handler_is_tried_again_in_place_and_order_holds(
    bus: Bus, call: str
) -> None:
    scribe = Scribe()
    scribe.fail_times = 2
    consumer = CallConsumer(bus, scribe, log=LOG)
    await consumer.start()
    await say(bus, call, "started", "+100", "-100", "+900")
    await until(lambda: len(scribe.seen.get(call, [])) == 5)
    await consumer.stop()
    assert scribe.seen[call][:3] == ["started@0", "speech.started@100", "speech.ended@100"]
    assert sorted(scribe.seen[call][3:]) == ["speech.started@900", "transcript.final@100"]
    assert await dead(bus) == []


async def test_a_handler_that_keeps_failing_loses_the_message_not_the_call(
    bus: Bus, call: str
) -> None:
    scribe = Scribe()
    scribe.fail_times = 3
    consumer = CallConsumer(bus, scribe, log=LOG)
    await consumer.start()
    await say(bus, call, "started", "+100", "-100")
    await until(lambda: "speech.ended@100" in scribe.seen.get(call, []))
    await consumer.stop()
    [(subject, reason)] = await dead(bus)
    assert subject.endswith(f".{call}.speech.started")
    assert reason == "handler failed: ConnectionError"


async def test_what_is_no_contract_goes_to_the_dead_letters_and_the_call_goes_on(
    bus: Bus, call: str
) -> None:
    scribe = Scribe()
    consumer = CallConsumer(bus, scribe, log=LOG)
    await consumer.start()
    root = f"banxi.v1.{bus.site}.call.{call}"
    await bus.js.publish(f"{root}.speech.started", b"no json")
    await bus.js.publish(
        f"{root}.speech.started",
        b'{"call_id":"other","site":"%s","at_ms":1,"role":"agent"}' % bus.site.encode(),
    )
    await say(bus, call, "started")
    await until(lambda: scribe.seen.get(call) == ["started@0"])
    await consumer.stop()
    reasons = sorted(reason for _, reason in await dead(bus))
    assert reasons[0] == "call_id or site differ from the subject's"
    assert "Invalid JSON" in reasons[1]


async def test_an_event_that_failed_does_not_spoil_the_rest_of_its_call(
    bus: Bus, call: str
) -> None:
    await say(bus, call, "started", "+100", "-100")
    scribe = Scribe()
    scribe.fail_times = 10**6  # it can never take the start of speech, neither now nor again
    consumer = CallConsumer(bus, scribe, log=LOG)
    await consumer.start()
    await until(lambda: "transcript.final@100" in scribe.seen.get(call, []))
    await consumer.stop()
    second = Scribe()
    second.fail_times = 10**6
    consumer = CallConsumer(bus, second, log=LOG)
    await consumer.start()
    await say(bus, call, "ended")
    await until(lambda: "ended@9000" in second.seen.get(call, []))
    await consumer.stop()
    assert [reason for _, reason in await dead(bus)] == ["handler failed: ConnectionError"]


async def test_a_new_process_rebuilds_the_state_and_repeats_nothing(bus: Bus, call: str) -> None:
    first = Scribe()
    consumer = CallConsumer(bus, first, log=LOG)
    await consumer.start()
    await say(bus, call, "started", "+100", "-100")
    await until(lambda: "transcript.final@100" in first.seen.get(call, []))
    await consumer.stop()
    second = Scribe()
    consumer = CallConsumer(bus, second, log=LOG)
    await consumer.start()
    await say(bus, call, "+900")
    await until(lambda: "speech.started@900" in second.seen.get(call, []))
    await consumer.stop()
    assert second.states[call][-1] == tuple(e.split("@")[0] for e in first.seen[call])
    assert await finals(bus, call) == [100]


async def test_slow_work_holds_up_nobody_and_is_acknowledged_when_published(
    bus: Bus, call: str
) -> None:
    scribe = Scribe()
    gate = asyncio.Event()

    async def decode(event: SpeechEnded) -> Sequence[Event]:
        await gate.wait()
        return [final(event)]

    scribe.later = decode
    consumer = CallConsumer(bus, scribe, log=LOG)
    await consumer.start()
    await say(bus, call, "started", "-100", "+900")
    await until(lambda: "speech.started@900" in scribe.seen.get(call, []))
    assert await pending(bus) == 1
    gate.set()
    await until(lambda: "transcript.final@100" in scribe.seen[call])
    await consumer.stop()
    assert await pending(bus) == 0
    assert await finals(bus, call) == [100]


async def test_slow_work_that_is_in_turn_speaks_in_the_order_of_the_call(
    bus: Bus, call: str
) -> None:
    scribe = Scribe()
    scribe.in_turn = True
    second_is_done, gate = asyncio.Event(), asyncio.Event()

    async def decode(event: SpeechEnded) -> Sequence[Event]:
        if event.at_ms == 100:
            await gate.wait()
        else:
            second_is_done.set()
        return [final(event)]

    scribe.later = decode
    consumer = CallConsumer(bus, scribe, log=LOG)
    await consumer.start()
    await say(bus, call, "started", "-100", "-900")
    await second_is_done.wait()
    assert await finals(bus, call) == []
    gate.set()
    await until(lambda: finals(bus, call), lambda found: found == [100, 900])
    await consumer.stop()


async def test_more_slow_work_than_there_are_slots_is_all_done(bus: Bus, call: str) -> None:
    scribe = Scribe()

    async def decode(event: SpeechEnded) -> Sequence[Event]:
        return [final(event)]

    scribe.later = decode
    consumer = CallConsumer(bus, scribe, log=LOG, max_later=1)
    await consumer.start()
    await say(bus, call, "started", "-100", "-900", "-1900")
    await until(lambda: finals(bus, call), lambda found: len(found) == 3)
    await consumer.stop()


async def pending(bus: Bus) -> int:
    """Messages delivered and not acknowledged, over the service's partitions."""
    count = 0
    for partition in range(16):
        info = await bus.js.consumer_info(streams.CALLS, f"test-{bus.site}-{partition}")
        count += info.num_ack_pending or 0
    return count


async def test_an_ended_call_settles_once_and_leaves_memory(bus: Bus, call: str) -> None:
    scribe = Scribe()
    consumer = CallConsumer(bus, scribe, log=LOG, settle_s=0.2)
    await consumer.start()
    await say(bus, call, "started", "ended")
    await until(lambda: scribe.seen.get(call, [])[-1:] == ["settled@9000"])
    assert consumer.live_calls == 0
    await consumer.stop()
    assert scribe.seen[call] == ["started@0", "ended@9000", "settled@9000"]


class AwayBus(Bus):
    """A bus that does not answer so many times, as while its server is started again."""

    away_times = 0

    async def publish(self, event: Event, cause: Mapping[str, str] | None = None) -> bool:
        if self.away_times:
            self.away_times -= 1
            raise nats.errors.TimeoutError
        return await super().publish(event, cause)


@pytest.fixture
def away(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> AwayBus:
    monkeypatch.setattr(bus_module, "RETRY_S", 0.01)
    return AwayBus(bus.client, site=bus.site, service=bus.service)


async def test_nothing_is_given_up_while_the_bus_is_away(
    bus: Bus, away: AwayBus, call: str
) -> None:
    scribe = Scribe()
    consumer = CallConsumer(away, scribe, log=LOG)
    await consumer.start()
    away.away_times = 2 * ATTEMPTS
    await say(bus, call, "started", "-100", "+900")
    await until(lambda: "transcript.final@100" in scribe.seen.get(call, []))
    await consumer.stop()
    assert "speech.started@900" in scribe.seen[call]
    assert await finals(bus, call) == [100]
    assert await dead(bus) == []


async def test_a_service_may_stop_while_the_bus_is_away(bus: Bus, away: AwayBus, call: str) -> None:
    away.away_times = 10**9
    scribe = Scribe()
    consumer = CallConsumer(away, scribe, log=LOG)
    await consumer.start()
    await say(bus, call, "started", "-100")
    await until(lambda: "speech.ended@100" in scribe.seen.get(call, []))
    async with asyncio.timeout(5):
        await consumer.stop()
    assert await pending(bus) == 1, "it is left to the next process"
    assert await dead(bus) == []


async def test_an_event_no_handler_takes_does_not_cost_the_call_after_a_restart(
    bus: Bus, call: str
) -> None:
    await say(bus, call, "started", "+100")
    for at in (900, 1900):
        scribe = Scribe()
        scribe.poison = f"{call}:agent:100:speech.started"
        consumer = CallConsumer(bus, scribe, log=LOG)
        await consumer.start()
        await say(bus, call, f"+{at}")

        def heard(scribe: Scribe = scribe, at: int = at) -> bool:
            return f"speech.started@{at}" in scribe.seen.get(call, [])

        await until(heard)
        await consumer.stop()
    [(subject, _)] = await dead(bus)
    assert subject.endswith(f".{call}.speech.started")


async def test_a_call_without_an_end_leaves_memory_and_comes_back(bus: Bus, call: str) -> None:
    scribe = Scribe()
    consumer = CallConsumer(bus, scribe, log=LOG, idle_s=0.0)
    await consumer.start()
    await say(bus, call, "started", "+100")
    await until(lambda: len(scribe.seen.get(call, [])) == 2)
    await say(bus, f"{call}2", "started")
    await until(lambda: f"{call}2" in scribe.seen and consumer.live_calls == 1)
    await say(bus, call, "+900")
    await until(lambda: "speech.started@900" in scribe.seen[call])
    await consumer.stop()
    assert scribe.states[call][-1] == ("started", "speech.started")
