"""Announced wording (统一口径): one agreed text for a hot topic, on every agent's page."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from contracts.base import Contract, WallTime
from contracts.requests.base import Reply, Request
from contracts.requests.entries import Name


class Receipt(Contract):
    """Somebody has read it."""

    by: str
    """工号."""
    at: WallTime
    """When, UTC."""


class Wording(Contract):
    """An agreed wording."""

    wording_id: str
    """Its id."""
    title: str
    """The topic, one line."""
    body: str
    """What is to be said."""
    topics: tuple[str, ...] = ()
    """How callers bring the topic up."""
    region: str | None = None
    """Region whose calls it is for, with all below it; None = all."""
    announced_by: str
    """The supervisor."""
    announced_at: WallTime
    """When, UTC."""
    until: WallTime | None = None
    """When it ends by itself; None = when it is withdrawn."""
    withdrawn_at: WallTime | None = None
    """When it was withdrawn; None where it stands."""
    receipts: tuple[Receipt, ...] = ()
    """Who has read it, first first; empty where it no longer stands."""

    def stands(self, now: datetime) -> bool:
        """Whether it stands at a moment."""
        return self.withdrawn_at is None and (self.until is None or now < self.until)


class WordingsListed(Reply):
    """Wordings, the newest first."""

    wordings: tuple[Wording, ...]
    """What was asked for."""
    number: int = 0
    """Number of the last change of the base when it was so; it only grows."""


class ListWordings(Request):
    """Which wordings stand?"""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "wordings"
    reply: ClassVar[type[Reply]] = WordingsListed

    past: bool = False
    """Whether to list also those of the last 30 days that no longer stand, at most 50."""


class WordingKept(Reply):
    """A wording as it is now."""

    wording: Wording
    """The wording."""


class AnnounceWording(Request):
    """A supervisor publishes an agreed wording. At most 12 stand at a time; the same twice is a
    `conflict`."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "announce"
    reply: ClassVar[type[Reply]] = WordingKept

    title: Annotated[str, Field(min_length=1, max_length=60)]
    """The topic, one line."""
    body: Annotated[str, Field(min_length=1, max_length=1000)]
    """What is to be said."""
    topics: Annotated[tuple[Annotated[str, Field(max_length=100)], ...], Field(max_length=20)] = ()
    """How callers bring the topic up; with none it is pinned by its title alone."""
    region: str | None = None
    """Region whose calls it is for; None = all."""
    until: WallTime | None = None
    """When it ends by itself."""
    by: Name
    """The supervisor's account."""


class WithdrawWording(Request):
    """Take it back, everywhere. Said again it changes nothing."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "unannounce"
    reply: ClassVar[type[Reply]] = WordingKept

    wording_id: str
    """The wording."""
    by: Name
    """The supervisor's account."""


class ReadWording(Request):
    """An agent has read it. Said again it changes nothing."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "read_wording"
    reply: ClassVar[type[Reply]] = WordingKept

    wording_id: str
    """The wording."""
    by: Name
    """工号."""
