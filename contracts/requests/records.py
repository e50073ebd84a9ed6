"""Requests to the records: what is known of a number, and a call as kept."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from contracts.base import Contract, Id
from contracts.requests.base import Reply, Request


class PastCall(Contract):
    """One earlier call of a number."""

    call_id: Id
    """The call."""
    started_at: str
    """When it was answered, ISO 8601 UTC."""
    call_type: str | None = None
    """Its last type."""
    matter: str = ""
    """What it was about: the caller's first telling words, shortened."""


class History(Reply):
    """What is known of a number, newest first."""

    calls: tuple[PastCall, ...] = ()
    """Earlier calls."""


class AskHistory(Request):
    """What do we know of this number?"""

    service: ClassVar[str] = "records"
    verb: ClassVar[str] = "history"
    reply: ClassVar[type[Reply]] = History

    caller_number: Annotated[str, Field(min_length=1, max_length=32)]
    """The calling number as the exchange delivers it."""
    within_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """How far back, days."""
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    """How many at most."""


class KeptEvent(Contract):
    """One event as kept."""

    event_id: str
    """Its deterministic id."""
    event: str
    """Its name."""
    at_ms: int
    """When, ms on the audio clock."""
    payload: dict[str, Any]
    """The event's own JSON."""


class KeptCall(Reply):
    """A call as kept: its events in order."""

    call_id: Id
    """The call."""
    ended: bool
    """Whether it is over."""
    events: tuple[KeptEvent, ...]
    """In the order of the stream."""
    more: bool = False
    """True where later events did not fit: ask again with `skip`."""


class AskCall(Request):
    """Give me this call."""

    service: ClassVar[str] = "records"
    verb: ClassVar[str] = "call"
    reply: ClassVar[type[Reply]] = KeptCall

    call_id: Id
    """The call."""
    skip: Annotated[int, Field(ge=0)] = 0
    """How many events to leave out from the beginning: those already had."""
