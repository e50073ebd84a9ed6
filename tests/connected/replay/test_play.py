"""The door's client against the running door, and scripts on the bus."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
import typer
from typer.testing import CliRunner, Result

from contracts.call import CallEnded, CallStarted
from contracts.events import read_event
from contracts.subjects import parse_stored, stored_call
from services.common import streams
from services.common.bus import Bus
from services.common.kept import read_call
from tests.connected.media.exchange import running
from tools.door_client import DoorRefused, play
from tools.recordings import Known, Recording
from tools.replay import replay
from tools.scripted_calls import read_script, timeline

pytestmark = pytest.mark.connected

APP = typer.Typer()
APP.command()(replay)
SCRIPT = Path(__file__).parents[2] / "data" / "scripts" / "hold_too_long.json"


def noise(seconds: float) -> Recording:
    samples = np.random.default_rng(3).normal(0, 20, (int(8000 * seconds), 2)).astype(np.int16)
    return Recording("noise", samples, 8000, Known())


async def banxi_replay(*arguments: str) -> Result:
    """Run the command as a user would; it has an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, APP, list(arguments))


@asynccontextmanager
async def cutting_proxy(port: int, after: int) -> AsyncIterator[int]:
    """A TCP proxy whose first connection breaks after so many bytes from the client."""
    first = True

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal first
        left = after if first else None
        first = False
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(4096):
                sink.write(data)
                await sink.drain()
            sink.close()

        back = asyncio.create_task(pump(up_reader, writer))
        try:
            while data := await reader.read(4096):
                up_writer.write(data)
                await up_writer.drain()
                if left is not None and (left := left - len(data)) <= 0:
                    break
        finally:
            if left is not None:
                back.cancel()
                up_writer.transport.abort()
                writer.transport.abort()
            else:
                up_writer.close()
            await asyncio.gather(back, return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_call_survives_a_broken_connection_whole(nats_url: str, bus: Bus) -> None:
    async with running(nats_url, bus) as door:
        port = int(door.url.split(":")[2].split("/")[0])
        async with cutting_proxy(port, after=100_000) as through:
            url = f"ws://127.0.0.1:{through}/v1/audio"
            done = await play(
                noise(20), call_id="torn", url=url, site=bus.site, speed=0, stop_by="caller"
            )
        events = await door.ended("torn")
    assert done.audio_ms == 20_000
    assert [e.event for e in events].count("started") == 1
    assert isinstance(events[-1], CallEnded)
    assert (events[-1].ended_by, events[-1].at_ms) == ("caller", 20_000)


async def test_it_plays_in_real_time_and_hangs_up_where_told(nats_url: str, bus: Bus) -> None:
    async with running(nats_url, bus) as door:
        done = await play(
            noise(5),
            call_id="live",
            url=door.url,
            site=bus.site,
            stop_by="agent",
            stop_at_s=0.65,
            codec="alaw",
        )
        start, *_, end = await door.ended("live")
    assert isinstance(start, CallStarted)
    assert isinstance(end, CallEnded)
    assert (start.pace, end.at_ms, end.ended_by) == ("live", 650, "agent")
    assert abs((start.wall_time - done.audio_zero).total_seconds()) < 0.5
    assert (end.wall_time - done.audio_zero).total_seconds() >= 0.65


async def test_a_call_that_is_broken_off_by_hand_is_ended(nats_url: str, bus: Bus) -> None:
    async with running(nats_url, bus) as door:
        call = play(noise(60), call_id="hand", url=door.url, site=bus.site, speed=1)
        playing = asyncio.create_task(call)
        async with asyncio.timeout(10):
            while True:
                if await read_call(bus, bus.site, "hand"):
                    break
                await asyncio.sleep(0.05)
        playing.cancel()
        end = (await door.ended("hand"))[-1]
        with pytest.raises(asyncio.CancelledError):
            await playing
    assert isinstance(end, CallEnded)
    assert end.ended_by == "unknown"


async def test_the_command_plays_files_with_what_lies_beside_them(
    nats_url: str, bus: Bus, tmp_path: Path
) -> None:
    for name, agent in (("a", "011"), ("b", "012")):
        soundfile.write(tmp_path / f"{name}.wav", noise(2).samples, 8000)
        beside = {"agent_id": agent, "hangup": {"by": "agent", "at": 1.5}}
        (tmp_path / f"{name}.json").write_text(json.dumps(beside))
    async with running(nats_url, bus) as door:
        where = ("--url", door.url, "--site", bus.site, "--speed", "0", "--concurrency", "2")
        files = [str(tmp_path / f"{name}.wav") for name in "ab"]
        result = await banxi_replay(*files, *where, "--call-id", "cmd")
        assert result.exit_code == 0, result.output
        for number, agent in ((1, "011"), (2, "012")):
            start, *_, end = await door.ended(f"cmd-{number}")
            assert isinstance(start, CallStarted)
            assert isinstance(end, CallEnded)
            assert (start.agent_id, end.ended_by, end.at_ms) == (agent, "agent", 1500)
        again = await banxi_replay(files[0], *where, "--call-id", "cmd-1")
        assert again.exit_code == 1
        assert "choose a new one" in again.stderr
        with pytest.raises(DoorRefused) as caught:
            await play(noise(1), call_id="x", url=door.url, site="elsewhere")
        assert caught.value.code == "wrong_site"


async def test_scripts_are_performed_as_their_timeline_says(nats_url: str, bus: Bus) -> None:
    where = ("--nats", nats_url, "--site", bus.site, "--speed", "0")
    counts = ("--calls", "3", "--concurrency", "3", "--call-id", "talk")
    result = await banxi_replay("--script", str(SCRIPT), *where, *counts)
    assert result.exit_code == 0, result.output
    info = await bus.js.stream_info(
        streams.CALLS, subjects_filter=stored_call(bus.site, "*", "ended")
    )
    found = {held.call_id for s in info.state.subjects or {} if (held := parse_stored(s))}
    assert found == {"talk-1", "talk-2", "talk-3"}
    expected = [step.event for step in timeline(read_script(SCRIPT), "talk-2", bus.site)]
    kept = await read_call(bus, bus.site, "talk-2")
    assert [e.event_id for e in kept] == [e.event_id for e in expected]
    assert read_event("ended", kept[-1].model_dump_json().encode()) == kept[-1]
