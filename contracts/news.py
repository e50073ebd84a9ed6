"""News of a site that belong to no call: `banxi.v1.{site}.news.{event}`.

They may be lost: each holds the whole state it tells of, and whoever has missed one asks for it.
"""

from __future__ import annotations

from typing import ClassVar

from contracts.base import UNSTAMPED, Contract, Id, WallTime
from contracts.requests.wordings import Wording


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


class BaseChanged(News):
    """Entries of the knowledge base count differently from now on."""

    event: ClassVar[str] = "base.changed"

    revision: int
    """Number of the last change; it only grows."""
    entry_ids: tuple[str, ...] = ()
    """The entries, at most 100; empty where there are more."""


NEWS: dict[str, type[News]] = {model.event: model for model in (WordingsChanged, BaseChanged)}
"""Name → model."""
