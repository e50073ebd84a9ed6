"""What callers asked and the base did not hold, until it does."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.base import Contract, Id
from contracts.requests.base import Count, Reply, Request
from contracts.requests.entries import EntryId, Name

GapState = Literal["open", "drafted", "answered", "dismissed"]
"""`drafted` = an entry was written for it · `answered` = that entry counts · `dismissed` = nothing
for a knowledge base."""


class GapAsked(Contract):
    """One time that it was asked."""

    call_id: Id
    """The call."""
    at: datetime
    """When, UTC."""
    words: str
    """What the caller said; numbers masked."""
    region: str | None = None
    """Region of the call; None = the site's."""
    note: str = ""
    """What the agent remarked."""
    noted_by: str | None = None
    """The agent who did."""


class Gap(Contract):
    """A matter that was asked and not found, all its askings together."""

    gap_id: str
    """Its id."""
    words: str
    """The asking that says it best; numbers masked."""
    state: GapState
    """How far it is."""
    times: int
    """How often it was asked."""
    first_at: datetime
    """First time, UTC."""
    last_at: datetime
    """Last time, UTC."""
    asked: tuple[GapAsked, ...] = ()
    """The latest, at most 20."""
    entry_id: EntryId | None = None
    """The entry that closes it."""
    would_serve: int = 0
    """Of its askings, how many that entry would serve now: really asked again, by their regions,
    the latest 100. Of a draft: how many it is about, by its wordings and region."""


class GapsListed(Reply):
    """Gaps, most often asked first."""

    gaps: tuple[Gap, ...]
    """A page of them."""
    total: int
    """How many there are in all."""


class ListGaps(Request):
    """What was asked and not found?"""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "gaps"
    reply: ClassVar[type[Reply]] = GapsListed

    state: GapState = "open"
    """Which."""
    skip: Count = 0
    """How many to leave out from the beginning."""
    limit: Annotated[int, Field(ge=1, le=100)] = 30
    """How many at most."""


class GapHandled(Reply):
    """A gap after an act."""

    gap: Gap
    """As it is now."""


class NoteGap(Request):
    """An agent says: this was asked and there is nothing."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "note_gap"
    reply: ClassVar[type[Reply]] = GapHandled

    call_id: Id
    """The call."""
    words: Annotated[str, Field(min_length=2, max_length=500)]
    """What was asked."""
    region: str | None = None
    """Region of the call."""
    note: Annotated[str, Field(max_length=500)] = ""
    """The agent's remark."""
    by: Name
    """工号."""


class HandleGap(Request):
    """Put a gap away, open it again, or name the entry that answers it."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "handle_gap"
    reply: ClassVar[type[Reply]] = GapHandled

    gap_id: str
    """The gap."""
    act: Literal["dismiss", "reopen", "link"]
    """What to do."""
    entry_id: EntryId | None = None
    """For `link`: the entry."""
    by: Name
    """Who."""
    reason: Annotated[str, Field(max_length=500)] = ""
    """Why."""
