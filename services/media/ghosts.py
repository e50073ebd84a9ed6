"""Calls that a former process of this service left open: nobody waits for them, they are lost."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from contracts import subjects
from contracts.base import Event
from contracts.call import CallEnded, CallStarted
from contracts.events import NotAContract, read_event
from services.common import streams
from services.common.bus import Bus

SCRIPT_QUIET_S = 120.0
"""A script plays without this service: it may live as long as its last event is this young."""


async def end_ghosts(bus: Bus, log: logging.Logger) -> int:
    """Publish `ended` for every call of our site that started and never ended. Returns how many."""
    started = await _calls_with(bus, "started")
    ghosts = started - await _calls_with(bus, "ended")
    ended = 0
    for call_id in sorted(ghosts):
        if await _is_dead(bus, call_id):
            last = await _last(bus, call_id)
            at_ms = 0 if last is None else _reaches(last)
            await bus.publish(
                CallEnded(
                    call_id=call_id,
                    site=bus.site,
                    at_ms=at_ms,
                    ended_by="lost",
                    reason="service restarted",
                )
            )
            ended += 1
            log.info("ended a call left open", extra={"call": call_id})
    return ended


async def _calls_with(bus: Bus, event: str) -> set[str]:
    """Ids of the calls of our site that have this event; the server answers in pages."""
    found: dict[str, int] = {}
    while True:
        asked = {
            "subjects_filter": subjects.stored_call(bus.site, "*", event),
            "offset": len(found),
        }
        answer = await bus.client.request(
            f"$JS.API.STREAM.INFO.{streams.CALLS}", json.dumps(asked).encode(), timeout=10
        )
        info = json.loads(answer.data)
        page = info["state"].get("subjects") or {}
        found |= page
        if not page or len(found) >= info.get("total", 0):
            break
    parsed = (subjects.parse_stored(subject) for subject in found)
    return {where.call_id for where in parsed if where}


async def _last(bus: Bus, call_id: str, event: str = ">") -> Event | None:
    subject = subjects.stored_call(bus.site, call_id, event)
    message = await bus.js.get_last_msg(streams.CALLS, subject)
    where = subjects.parse_stored(message.subject or "")
    try:
        return read_event(where.event, message.data or b"") if where else None
    except NotAContract:
        return None


async def _is_dead(bus: Bus, call_id: str) -> bool:
    started = await _last(bus, call_id, "started")
    if not isinstance(started, CallStarted) or started.pace != "script":
        return True
    last = await _last(bus, call_id)
    return last is None or (datetime.now(UTC) - last.wall_time).total_seconds() > SCRIPT_QUIET_S


def _reaches(event: Event) -> int:
    """Up to where an event speaks of its call, ms."""
    return max(event.at_ms, int(getattr(event, "end_ms", 0)))
