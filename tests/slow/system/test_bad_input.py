"""Bad input against the whole system: it is named to its sender or set aside, every process lives,
and a call that goes on meanwhile does not notice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import nats.errors
import psutil
import pytest
import pytest_asyncio

from contracts import subjects
from contracts.base import MAX_MS, Event
from contracts.call import CallEnded
from contracts.events import KEPT, LIVE
from contracts.requests import REQUESTS, AskCall, Describe, Description, Failure, KeptCall
from contracts.warning import WarningRaised
from services.common import streams
from services.common.bus import Bus, RequestFailed
from services.common.consumer import SETTLE_S
from services.common.kept import read_call
from tools.connection import connected
from tools.scripted_calls import perform, read_script, timeline
from tools.system import System, free_ports

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]

ROOT = Path(__file__).parents[3]
SCRIPT = read_script(ROOT / "tests" / "data" / "scripts" / "hold_too_long.json")
SECRETS = ("受理编号", "您先告诉我", SCRIPT.caller_number, "秘密")
"""Words and numbers of the calls played here: none of them may stand in a log."""
HARMLESS = ("later-version", "very-big", "no-zone", "decades")
"""Odd messages that every service must take."""
STUMBLED = re.compile("handler failed|cannot be shown")
"""The reason where a service could read a message, and failed on it."""
SPEED = 8
"""Times as fast as talk."""


def golden(model: type[Any]) -> dict[str, Any]:
    """A good message, to be spoilt."""
    said: dict[str, Any] = json.loads(
        (ROOT / "tests/golden" / f"{model.__name__}.json").read_text()
    )
    return said


class Running:
    """The whole system with its log in memory, and a connection to its bus."""

    def __init__(self, system: System, bus: Bus, log: list[tuple[str, str]]) -> None:
        self.system = system
        self.bus = bus
        self.log = log

    async def processes(self) -> dict[str, int]:
        """Process id of every service; each must say that it is ready."""
        found = {}
        for name in self.system.services:
            said = await self.bus.request_of(name, Describe(), Description, timeout_s=20)
            assert said.ready, (name, said.detail)
            found[name] = said.pid
        return found

    async def play(self, call_id: str) -> list[Event]:
        """Play the script; the call's events once nothing more comes."""
        await perform(self.bus, timeline(SCRIPT, call_id, self.bus.site), speed=SPEED)
        events: list[Event] = []
        while True:
            before = len(events)
            events = await read_call(self.bus, self.bus.site, call_id)
            if len(events) == before and any(isinstance(e, CallEnded) for e in events):
                return events
            await asyncio.sleep(SETTLE_S + 2)

    async def dead(self) -> dict[str, set[str]]:
        """Reasons of the dead letters by the subject of what was set aside."""
        found: dict[str, set[str]] = {}
        state = (await self.bus.js.stream_info(streams.DEAD)).state
        for sequence in range(state.first_seq, state.last_seq + 1):
            headers = (await self.bus.js.get_msg(streams.DEAD, seq=sequence)).headers or {}
            found.setdefault(headers["Banxi-Subject"], set()).add(headers["Banxi-Reason"])
        return found

    async def kept(self, call_id: str) -> KeptCall:
        """The call as records has it."""
        return await self.bus.request(AskCall(call_id=call_id), KeptCall, timeout_s=20)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    log: list[tuple[str, str]] = []
    system = System(
        tmp_path_factory.mktemp("bad") / "data",
        free_ports(),
        say=lambda name, line: log.append((name, line)),
    )
    try:
        await system.start()
        await system.wait_ready()
        async with connected(system.nats_url) as client:
            yield Running(system, Bus(client, site=system.site, service="test"), log)
    finally:
        await system.stop()
    assert [line for line in log if any(secret in line[1] for secret in SECRETS)] == []


def spoilt(model: type[Event], site: str) -> dict[str, bytes]:
    """Messages that are no contract, by what is wrong with them."""
    good = golden(model) | {"site": site}
    wrong: dict[str, dict[str, Any]] = {
        "missing": {},
        "types": {name: [] for name in good},
        "other-call": good,
        "other-site": good | {"site": "elsewhere"},
        "negative": good | {"at_ms": -1},
        "endless": good | {"at_ms": 10**30},
        "fraction": good | {"at_ms": 1.5},
        "first-year": good | {"wall_time": "0001-01-01T00:00:00+14:00"},
        "last-year": good | {"wall_time": "9999-12-31T23:59:59-14:00"},
        "surrogate": good | {"agent_id": "\ud800", "role": "\ud800", "by": "\ud800", "x": "\ud800"},
    }
    strays = ("missing", "other-call")
    objects = {
        label: json.dumps(said if label in strays else said | {"call_id": f"bad-{label}"}).encode()
        for label, said in wrong.items()
    }
    return objects | {
        "no-json": "秘密".encode() + b"\xff",
        "empty": b"",
        "list": b"[1]",
        "null": b"null",
        "deep": b"[" * 100_000,
        "big": b"x" * 900_000,
    }


def odd(model: type[Event], site: str) -> dict[str, bytes]:
    """Messages that are strange, and contracts all the same."""
    good = golden(model) | {"site": site}
    ours = ("call_id", "site", "event", "wall_time", "role", "agent_id")
    free = [name for name, said in good.items() if isinstance(said, str) and name not in ours]
    strange: dict[str, dict[str, Any]] = {
        "later-version": good | {"new_field": {"a": [1]}},
        "very-big": good | {"new_field": "x" * 900_000},
        "no-zone": good | {"wall_time": "2026-01-01T00:00:00"},
        "decades": good | {"at_ms": MAX_MS},
        "long": good | dict.fromkeys(free, "秘密長" * 1_700),
        "emoji": good | dict.fromkeys(free, "😀\u202e" * 200),
        "control": good | dict.fromkeys(free, "\0\r\nNats-Msg-Id: x\r\n\r\n"),
    }
    return {
        label: json.dumps(said | {"call_id": f"odd-{label}"}).encode()
        for label, said in strange.items()
    }


def bad_frames() -> list[tuple[dict[str, str] | None, bytes]]:
    """Frames that are none."""
    start, rate = "Banxi-Start-Ms", "Banxi-Rate"
    return [
        (None, b"xx"),
        ({start: "soon", rate: "8000"}, b"xx"),
        ({start: "-1", rate: "8000"}, b"xx"),
        ({start: "9" * 5_000, rate: "8000"}, b"xx"),
        ({start: "0", rate: "44100"}, b"xx"),
        ({start: "0", rate: "8000"}, b"xxx"),
        ({start: "0", rate: "8000"}, b""),
    ]


async def test_what_is_no_contract_is_set_aside_and_nobody_notices(running: Running) -> None:
    bus, site = running.bus, running.bus.site
    before = await running.processes()
    meanwhile = asyncio.create_task(running.play("meanwhile"))
    expected = set()
    for name, model in (KEPT | LIVE).items():
        kind = "live" if name in LIVE else "call"
        for label, payload in spoilt(model, site).items():
            await bus.client.publish(f"banxi.v1.{site}.{kind}.bad-{label}.{name}", payload)
            if name in KEPT:
                expected.add((f"bad-{label}", name))
        for label, payload in odd(model, site).items():
            await bus.client.publish(f"banxi.v1.{site}.{kind}.odd-{label}.{name}", payload)
        await bus.heard()
    for name, model in reversed(KEPT.items()):
        payload = json.dumps(golden(model) | {"site": site, "call_id": "backwards"}).encode()
        await bus.client.publish(f"banxi.v1.{site}.call.backwards.{name}", payload)
    for tail in ("call.bad-name.no.such.event", "call.bad-name.started.twice", "call.名.started"):
        await bus.client.publish(f"banxi.v1.{site}.{tail}", b"{}")
    for headers, payload in bad_frames():
        await bus.client.publish(f"banxi.v1.{site}.audio.bad-frame.agent", payload, headers=headers)
    expected |= {("bad-name", "no.such.event"), ("bad-name", "started.twice")}

    events = await meanwhile
    kinds = [event.kind for event in events if isinstance(event, WarningRaised)]
    assert {"hold_over_30s", "interruption"} <= set(kinds)
    kept = await running.kept("meanwhile")
    assert [e.event_id for e in kept.events] == [e.event_id for e in events]

    missing = expected
    async with asyncio.timeout(60):
        while missing:
            dead = await running.dead()
            parsed = [where for subject in dead if (where := subjects.parse_stored(subject))]
            missing = expected - {(where.call_id, where.event) for where in parsed}
            await asyncio.sleep(0.5)
    assert any("audio.bad-frame" in subject for subject in dead)
    reasons = {reason for said in dead.values() for reason in said}
    assert not any(secret in reason for reason in reasons for secret in SECRETS)
    # What is odd, but a contract, no service stumbles over.
    assert [said for said in dead.items() if STUMBLED.search(" ".join(said[1]))] == []
    for subject in dead:
        assert not any(f".odd-{label}." in subject for label in HARMLESS), subject
    kept = await running.kept("odd-long")
    assert "transcript.final" in {e.event for e in kept.events}
    assert await running.processes() == before


async def test_every_request_gets_a_reply_whatever_it_holds(running: Running) -> None:
    bus = running.bus
    before = await running.processes()
    nonsense: list[tuple[bytes, dict[str, str] | None]] = [
        (b"no json \xff", None),
        (b"[]", None),
        (b"[" * 100_000, None),
        (b"no json", {"content-type": "application/json"}),
        (b"\xff\xfe", {"content-type": "text/plain"}),
        (b'{"call_id": {}, "texts": {}, "text": {}, "rows": {}, "caller_number": {}}', None),
    ]
    for request in REQUESTS:
        # What asks for nothing takes any object for its own.
        asks = any(field.is_required() for field in request.model_fields.values())
        for service in running.system.services if request is Describe else (request.service,):
            subject = subjects.command(bus.site, service, request.verb)
            for payload, headers in nonsense[: None if asks else 5]:
                reply = await bus.client.request(subject, payload, timeout=20, headers=headers)
                said = Failure.model_validate_json(reply.data)
                assert (said.error.code, bool(said.error.message)) == ("invalid", True)
        if request is not Describe:
            good = golden(request)
            for name in good:
                value: Any
                for value in ("\0\r\nX: y", "長" * 5_000, 10**30, -1, [], None, {}, "😀"):
                    payload = json.dumps(good | {name: value}).encode()
                    reply = await bus.client.request(subject, payload, timeout=20)
                    assert b'"internal"' not in reply.data, (request.verb, name)
    assert await running.processes() == before


async def test_killed_services_come_back_and_nothing_is_lost_or_doubled(running: Running) -> None:
    whole = story(await running.play("whole"))
    before = await running.processes()
    playing = asyncio.create_task(running.play("killed"))
    await asyncio.sleep(3)  # in the middle of the hold
    for name in ("conduct", "records", "escalation"):
        os.kill(before[name], signal.SIGKILL)
    assert story(await playing) == whole
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(RequestFailed, AssertionError):
                kept = await running.kept("killed")
                if kept.ended and (await running.processes())["conduct"] != before["conduct"]:
                    break
            await asyncio.sleep(0.5)
    events = await read_call(running.bus, running.bus.site, "killed")
    assert [e.event_id for e in kept.events] == [e.event_id for e in events]


async def test_a_killed_nats_server_is_started_again_and_calls_go_on(running: Running) -> None:
    before = await running.processes()
    config = str(running.system.data_dir / "nats.conf")  # the tests have a server of their own
    [server] = [child for child in psutil.Process().children() if config in child.cmdline()]
    server.kill()
    async with asyncio.timeout(90):
        while True:
            with contextlib.suppress(RequestFailed, AssertionError, nats.errors.Error):
                if await running.processes() == before:
                    break
            await asyncio.sleep(0.5)
    await perform(running.bus, timeline(SCRIPT, "after", running.bus.site), speed=SPEED)
    kinds: set[str] = set()
    async with asyncio.timeout(30):
        while not {"hold_over_30s", "interruption"} <= kinds:
            events = await read_call(running.bus, running.bus.site, "after")
            kinds = {event.kind for event in events if isinstance(event, WarningRaised)}
            await asyncio.sleep(0.2)
    await running.bus.js.stream_info(streams.AUDIO)
    assert await running.processes() == before


def story(events: list[Event]) -> list[tuple[str, str, int]]:
    """What conduct made of a call, whatever the call is called."""
    told = ("warning.", "hold.", "silence.", "phrase.")
    return sorted((e.event, e.key, e.at_ms) for e in events if e.event.startswith(told))
