"""Calls on the bus for the tests of records."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from contracts import subjects
from contracts.base import Event, Producer
from contracts.call import CallEnded, CallStarted
from contracts.call_type import CallType, CallTypeAssessed
from contracts.requests import AskCall, KeptCall
from contracts.transcript import TranscriptFinal
from services.common import streams
from services.common.bus import Bus, RequestFailed
from services.common.service import Service
from services.records.app import create_app
from services.records.settings import Settings
from tests.until import until

BY = Producer(name="r", version="1")


@asynccontextmanager
async def running(bus: Bus, url: str, data_dir: Path) -> AsyncIterator[Service]:
    settings = Settings(site=bus.site, nats_url=url, data_dir=data_dir)
    async with create_app(settings).running() as service:
        yield service


def script(
    bus: Bus,
    call_id: str,
    *said: str,
    number: str = "13900000000",
    type_: CallType = "咨询",
    ended: bool = True,
) -> list[Event]:
    """A short call: what the caller said, and the type it came to."""
    here = {"call_id": call_id, "site": bus.site}
    events: list[Event] = [
        CallStarted(**here, at_ms=0, agent_id="015", caller_number=number),
        *(
            TranscriptFinal(
                **here, at_ms=n * 1000, end_ms=n * 1000, role="caller", text=t, heard=t, by=BY
            )
            for n, t in enumerate(said, 1)
        ),
        CallTypeAssessed(**here, at_ms=9000, by=BY, type=type_, confidence=0.8),
    ]
    if ended:
        events.append(CallEnded(**here, at_ms=10_000, ended_by="caller"))
    return events


async def publish_as_of(bus: Bus, events: list[Event], age: timedelta) -> None:
    """Publish events with a wall time that long ago."""
    then = datetime.now(UTC) - age
    for event in events:
        await bus.js.publish(
            subjects.call(event),
            event.model_copy(update={"wall_time": then}).model_dump_json().encode(),
            stream=streams.CALLS,
            headers={"Nats-Msg-Id": event.event_id},
        )


async def kept(bus: Bus, call_id: str, count: int) -> KeptCall:
    """The call as kept, as soon as it holds so many events."""

    async def ask() -> KeptCall:
        try:
            return await bus.request(AskCall(call_id=call_id), KeptCall)
        except RequestFailed as failed:
            assert failed.problem.code == "not_found", failed.problem
            return KeptCall(call_id=call_id, ended=False, events=())

    return await until(ask, lambda call: len(call.events) >= count)


async def dead(bus: Bus) -> list[dict[str, str]]:
    """The dead letters of the site: their headers, and the payload."""
    subject = subjects.dead(bus.site, "*")
    info = await bus.js.stream_info(streams.DEAD, subjects_filter=subject)
    found: list[dict[str, str]] = []
    sequence = 1
    for _ in range(sum((info.state.subjects or {}).values())):
        raw = await bus.js.get_msg(streams.DEAD, seq=sequence, subject=subject, next=True)
        assert raw.seq
        sequence = raw.seq + 1
        found.append({**(raw.headers or {}), "payload": (raw.data or b"").decode()})
    return found


def as_json(event: Event) -> dict[str, object]:
    """An event's JSON without its wall time."""
    loaded: dict[str, object] = json.loads(event.model_dump_json(exclude={"wall_time"}))
    return loaded
