"""The audio door over real sockets and a real nats-server."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from contracts import subjects
from contracts.audio import read_frame
from contracts.base import ROLES
from contracts.call import CallEnded, CallProgressed, CallStarted
from contracts.requests import Describe, Description
from contracts.speech import SpeechEnded
from services.common import streams
from services.common.bus import Bus
from services.common.failure import CannotStart
from services.media.app import create_app
from services.media.settings import MediaSettings, Settings
from tests.connected.media.exchange import Door, Exchange, quiet, running

pytestmark = pytest.mark.connected

STOP = {"type": "stop", "by": "caller"}
NORMAL, POLICY = 1000, 1008


async def frames_of(bus: Bus, call_id: str, role: str) -> list[tuple[int, int]]:
    """Start and end of a channel's frames on the bus, ms."""
    subject = subjects.audio(bus.site, call_id, role)  # type: ignore[arg-type]
    subscription = await bus.js.subscribe(subject, stream=streams.AUDIO, ordered_consumer=True)
    found = []
    while True:
        try:
            message = await subscription.next_msg(timeout=0.5)
        except TimeoutError:
            break
        frame = read_frame(bus.site, call_id, role, message.headers, message.data)  # type: ignore[arg-type]
        found.append((frame.start_ms, frame.end_ms))
    await subscription.unsubscribe()
    return found


async def test_a_fast_sender_loses_nothing_and_is_told_when_all_is_kept(
    nats_url: str, bus: Bus
) -> None:
    async with running(nats_url, bus) as door, door.socket() as exchange:
        assert await exchange.begin(door.start("fast")) == 0
        sound = quiet(1000)
        for _ in range(60):
            await exchange.say(sound)
        await exchange.say(quiet(30))
        await exchange.say(STOP)
        assert await exchange.closed() == NORMAL
        events = await door.ended("fast")
        assert isinstance(events[0], CallStarted)
        assert events[0].pace == "replay"
        assert isinstance(events[-1], CallEnded)
        assert (events[-1].at_ms, events[-1].ended_by) == (60_030, "caller")
        moments = [e.audio_ms for e in events if isinstance(e, CallProgressed)]
        assert moments[-1] == 60_030
        assert max(b - a for a, b in zip([0, *moments], moments, strict=False)) <= 500
        for role in ROLES:
            found = await frames_of(bus, "fast", role)
            assert found == [(ms, min(ms + 100, 60_030)) for ms in range(0, 60_030, 100)]


BAD: list[tuple[str, list[Any], str, str | None]] = [
    ("no json", ["hello"], "bad_json", None),
    ("frames first", [b"1234"], "not_started", None),
    ("missing field", [{"agent_id": None}], "missing_field", "agent_id"),
    ("foreign codec", [{"codec": "opus"}], "bad_field", "codec"),
    ("call id", [{"call_id": "a.b c"}], "bad_field", "call_id"),
    ("other site", [{"site": "elsewhere"}], "wrong_site", "site"),
    ("nothing to resume", [{"resume": True}], "unknown_call", "call_id"),
    ("odd length", [{}, b"123"], "odd_length", None),
    ("2 MB", [{}, bytes(2_000_000)], "too_large", None),
    ("second start", [{}, {}], "already_started", None),
    ("unknown type", [{}, '{"type":"hi"}'], "unknown_type", "type"),
    ("too fast", [{"pace": "live"}, quiet(2000), quiet(2000), quiet(2000)], "too_fast", None),
]


async def test_every_mistake_is_explained_and_disturbs_nobody(nats_url: str, bus: Bus) -> None:
    async with running(nats_url, bus) as door, door.socket() as other:
        await other.begin(door.start("other"))
        for number, (name, messages, code, field) in enumerate(BAD):
            await other.say(quiet(100))
            async with door.socket() as exchange:
                for message in messages:
                    if isinstance(message, dict):
                        message = door.start(f"bad{number}", **message)
                    await exchange.say(message)
                error = await exchange.hear("error")
                assert (error["code"], error.get("field")) == (code, field), name
                assert error["message"], name
                assert await exchange.closed() == POLICY, name
        await other.say(STOP)
        assert await other.closed() == NORMAL
        assert (await door.ended("other"))[-1].at_ms == 100 * len(BAD)


async def test_a_call_id_serves_once(nats_url: str, bus: Bus) -> None:
    async with running(nats_url, bus) as door:
        async with door.socket() as first:
            await first.begin(door.start("once"))
            assert await refused(door, door.start("once")) == ("call_in_use", "call_id")
            await first.say(STOP)
            await first.closed()
        assert await refused(door, door.start("once")) == ("call_in_use", "call_id")
        assert await refused(door, door.start("once", resume=True)) == ("unknown_call", "call_id")


async def refused(door: Door, start: dict[str, Any]) -> tuple[str, str | None]:
    """Code and field with which a start is turned away."""
    async with door.socket() as exchange:
        await exchange.say(start)
        error = await exchange.hear("error")
        return error["code"], error.get("field")


async def test_two_legs_make_one_call(nats_url: str, bus: Bus) -> None:
    async with running(nats_url, bus) as door, door.socket() as agent, door.socket() as caller:
        mono = {"layout": "mono", "left": None}
        await agent.begin(door.start("legs", role="agent", **mono))
        assert await refused(door, door.start("legs", role="agent", **mono)) == (
            "call_in_use",
            "call_id",
        )
        other = door.start("legs", role="caller", agent_id="009", **mono)
        assert await refused(door, other) == ("mismatch", "agent_id")
        await caller.begin(door.start("legs", role="caller", codec="ulaw", **mono))
        await caller.say(b"\xff" * 8 * 1200)
        await agent.say(quiet(2000, channels=1))
        await agent.say(STOP)
        assert [await agent.closed(), await caller.closed()] == [NORMAL, NORMAL]
        events = await door.ended("legs")
        assert [e.event for e in events].count("started") == 1
        assert (events[-1].event, events[-1].at_ms) == ("ended", 2000)
        for role in ROLES:
            assert (await frames_of(bus, "legs", role))[-1] == (1900, 2000)


async def test_a_lost_connection_is_resumed(nats_url: str, bus: Bus) -> None:
    async with running(nats_url, bus) as door:
        async with door.socket() as first:
            await first.begin(door.start("back"))
            await first.say(quiet(1500))
            await heard(door, "back")
            first.connection.transport.abort()
        async with door.socket() as second, door.socket() as third:
            assert await second.begin(door.start("back", resume=True)) == 1500
            await second.say(quiet(500))
            assert await third.begin(door.start("back", resume=True)) in (1500, 2000)
            assert (await second.hear("error"))["code"] == "replaced"
            await third.say(quiet(500))
            await third.say(STOP)
            assert await third.closed() == NORMAL
        events = await door.ended("back")
        assert [e.event for e in events].count("started") == 1
        assert isinstance(events[-1], CallEnded)
        assert events[-1].ended_by == "caller"
        assert events[-1].at_ms in (2000, 2500)


async def heard(door: Door, call_id: str) -> None:
    """Until the first frame of a call is on the bus."""
    async with asyncio.timeout(10):
        while True:
            if door.service.figures.now()["frames_in"]:
                return
            await asyncio.sleep(0.02)


async def test_a_call_that_nobody_resumes_is_lost_after_the_grace_time(
    nats_url: str, bus: Bus
) -> None:
    async with running(nats_url, bus, grace_s=2.0) as door:
        async with door.socket() as exchange:
            await exchange.begin(door.start("gone", pace="live"))
            await exchange.say(quiet(1000))
            await heard(door, "gone")
            exchange.connection.transport.abort()
        events = await door.ended("gone")
    end = events[-1]
    assert isinstance(end, CallEnded)
    assert (end.ended_by, end.at_ms) == ("lost", 1000)
    # In the meantime the clock went on by wall time.
    assert max(e.audio_ms for e in events if isinstance(e, CallProgressed)) > 1300


async def test_who_stays_silent_for_ever_is_told_and_let_go(nats_url: str, bus: Bus) -> None:
    patience = {"start_timeout_s": 0.3, "idle_timeout_s": 0.5}
    async with running(nats_url, bus, **patience) as door:
        async with door.socket() as mute, door.socket() as idle:
            await idle.begin(door.start("idle"))
            assert (await mute.hear("error"))["code"] == "no_start"
            assert (await idle.hear("error"))["code"] == "idle"
            assert await idle.closed() == POLICY
        end = (await door.ended("idle"))[-1]
        assert isinstance(end, CallEnded)
        assert (end.ended_by, end.reason) == ("lost", "no audio")


async def test_calls_that_live_when_the_service_stops_are_lost(nats_url: str, bus: Bus) -> None:
    async with running(nats_url, bus) as door:
        exchange = Exchange(await connect(door.url))
        await exchange.begin(door.start("cut"))
        await exchange.say(quiet(700))
        await heard(door, "cut")
    assert (await exchange.hear("error"))["code"] == "stopping"
    await exchange.connection.close()
    end = (await door.ended("cut"))[-1]
    assert isinstance(end, CallEnded)
    assert (end.ended_by, end.reason, end.at_ms) == ("lost", "service stopped", 700)


async def test_calls_a_former_process_left_open_are_ended_at_start(nats_url: str, bus: Bus) -> None:
    about = {"site": bus.site, "at_ms": 0, "agent_id": "008", "caller_number": "1"}
    for call_id in ("ghost", "whole", "played"):
        pace = "script" if call_id == "played" else "live"
        await bus.publish(CallStarted.model_validate(about | {"call_id": call_id, "pace": pace}))
    await bus.publish(
        SpeechEnded(call_id="ghost", site=bus.site, at_ms=100, end_ms=4200, role="agent")
    )
    await bus.publish(CallEnded(call_id="whole", site=bus.site, at_ms=900, ended_by="agent"))
    async with running(nats_url, bus) as door:
        end = (await door.ended("ghost"))[-1]
        assert isinstance(end, CallEnded)
        assert (end.ended_by, end.at_ms, end.reason) == ("lost", 4200, "service restarted")
        ends = await bus.js.stream_info(
            streams.CALLS, subjects_filter=subjects.stored_call(bus.site, "*", "ended")
        )
        assert len(ends.state.subjects or {}) == 2  # the script plays on, without this service


async def test_it_acknowledges_every_second_and_says_how_it_is(nats_url: str, bus: Bus) -> None:
    async with running(nats_url, bus) as door, door.socket() as exchange:
        await exchange.begin(door.start("acks"))
        await exchange.say(quiet(300))
        assert await exchange.hear("ack") == {"type": "ack", "received_ms": 300}
        said = await bus.request_of("media", Describe(), Description)
        assert said.ready
        assert [model.name for model in said.models] == ["silero-vad"]
        assert (said.figures["calls_live"], said.figures["frames_in"]) == (1, 6)


async def test_a_door_with_a_token_opens_only_to_who_shows_it(nats_url: str, bus: Bus) -> None:
    async with running(nats_url, bus, door_token="sesame") as door:
        for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer é"}):
            with pytest.raises(InvalidStatus) as caught:
                async with door.socket(additional_headers=header):
                    pass
            assert caught.value.response.status_code == 401
            assert json.loads(caught.value.response.body)["code"] == "bad_token"
        async with door.socket(additional_headers={"Authorization": "Bearer sesame"}) as exchange:
            assert await exchange.begin(door.start("shown")) == 0


async def test_a_port_in_use_is_named(nats_url: str, bus: Bus) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        settings = Settings(site=bus.site, nats_url=nats_url, media=MediaSettings(port=port))
        with pytest.raises(CannotStart, match=f"port {port} .*BANXI_MEDIA__PORT"):
            async with create_app(settings).running():
                pass


async def test_a_client_that_vanishes_at_once_leaves_nothing_behind(
    nats_url: str, bus: Bus
) -> None:
    async with running(nats_url, bus) as door:
        async with door.socket() as exchange:
            exchange.connection.transport.abort()
        async with door.socket() as exchange:
            assert isinstance(exchange, Exchange)
            await exchange.begin(door.start("after"))
        assert door.service.figures.now()["calls_live"] == 1
