"""The envelope: CloudEvents 1.0 attributes and W3C trace context in NATS headers.

The payload stays plain JSON, so that a subscriber who knows nothing of envelopes can read it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime

from contracts.base import Event

_TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$")


def trace_of(call_id: str) -> str:
    """The trace id of a call: 32 hex digits, the same for all its events, not reversible."""
    return hashlib.sha256(b"banxi:" + call_id.encode()).hexdigest()[:32]


def traceparent(event: Event, cause: Mapping[str, str] | None = None) -> str:
    """`00-{trace}-{span}-01`: the call's trace (or the cause's), a span made from the event id."""
    match = _TRACEPARENT.match((cause or {}).get("traceparent", ""))
    trace = match.group(1) if match else trace_of(event.call_id)
    span = hashlib.sha256(event.event_id.encode()).hexdigest()[:16]
    return f"00-{trace}-{span}-01"


def headers(
    event: Event, *, source: str, wall_time: datetime, cause: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Headers of a published event: `source` is the service, `cause` the headers it came from."""
    return {
        "Nats-Msg-Id": event.event_id,
        "ce-specversion": "1.0",
        "ce-id": event.event_id,
        "ce-source": f"banxi/{source}",
        "ce-type": f"banxi.v1.{event.event}",
        "ce-subject": event.call_id,
        "ce-time": wall_time.isoformat(),
        "ce-datacontenttype": "application/json",
        "traceparent": traceparent(event, cause),
    }


def said_at(headers: Mapping[str, str] | None) -> datetime | None:
    """When the message with these headers was published; None where they do not say it, or not as
    we do: others publish, too."""
    try:
        time = datetime.fromisoformat((headers or {}).get("ce-time", ""))
    except ValueError:
        return None
    return time if time.tzinfo else None
