"""Reading kept events again from the stream."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from nats.js.errors import NotFoundError

from contracts import subjects
from contracts.base import Event
from contracts.events import NotAContract, read_event
from services.common import streams
from services.common.bus import Bus


async def read_kept(
    bus: Bus, filter_subject: str, before: int | None = None, after: int = 0
) -> AsyncIterator[Event]:
    """Kept events on stored subjects, in order, between the stream sequences `after` and `before`
    (without both). What is no event is left out: whoever follows the stream sets it aside."""
    sequence = after + 1
    while True:
        try:
            raw = await bus.js.get_msg(
                streams.CALLS, seq=sequence, subject=filter_subject, next=True, direct=True
            )
        except NotFoundError:
            return
        assert raw.seq is not None
        if before is not None and raw.seq >= before:
            return
        sequence = raw.seq + 1
        where = subjects.parse_stored(raw.subject or "")
        if where is not None:
            with contextlib.suppress(NotAContract):
                yield read_event(where.event, raw.data or b"")


async def read_call(
    bus: Bus, site: str, call_id: str, *, before: int | None = None, after: int = 0
) -> list[Event]:
    """A call's kept events, as `read_kept` gives them."""
    of_call = subjects.stored_call(site, call_id)
    return [event async for event in read_kept(bus, of_call, before, after)]
