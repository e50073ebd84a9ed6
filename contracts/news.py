"""News of a site that belong to no call: `banxi.v1.{site}.news.{event}`.

They may be lost: each holds the whole state it tells of, and whoever has missed one asks for it.
"""

from __future__ import annotations

from typing import ClassVar

from contracts.base import UNSTAMPED, Contract, Id, WallTime
from contracts.requests.wordings import Receipt, Wording


class News(Contract):
    """Base of all news."""

    event: ClassVar[str]
    """Its name: the last tokens of its subject."""

    site: Id
    """The site."""
    wall_time: WallTime = UNSTAMPED
    """When it was published, UTC. The bus stamps it."""


class WordingsChanged(News):
    """Another agreed wording stands, or one no longer does."""

    event: ClassVar[str] = "wordings.changed"

    wordings: tuple[Wording, ...]
    """All that stand now, the newest first; without receipts."""
    number: int = 0
    """Number of the last change of the base when it was so; it only grows. News with a smaller
    one than what is known came late."""


class WordingRead(News):
    """Somebody has read an agreed wording."""

    event: ClassVar[str] = "wordings.read"

    wording_id: str
    """The wording."""
    receipt: Receipt
    """Who, and when."""


class BaseChanged(News):
    """Entries of the knowledge base count differently from now on."""

    event: ClassVar[str] = "base.changed"

    revision: int
    """Number of the last change; it only grows."""
    entry_ids: tuple[str, ...] = ()
    """The entries, at most 100; empty where there are more."""


NEWS: dict[str, type[News]] = {
    model.event: model for model in (WordingsChanged, WordingRead, BaseChanged)
}
"""Name → model."""
