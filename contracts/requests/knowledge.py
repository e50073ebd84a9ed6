"""Requests to the knowledge service: search."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from contracts.base import Contract
from contracts.requests.base import Reply, Request


class KnowledgeHit(Contract):
    """One entry found. `answer` is None unless it may be given today in that region."""

    entry_id: str
    """The entry's id."""
    kind: Annotated[str, Field(pattern="^(answer|transfer|announced)$")]
    """Whether it may be answered or must be transferred."""
    score: float
    """How well it matches, 0–1."""
    question: str
    """The entry's question."""
    answer: str | None = None
    """The answer; None for a transfer."""
    source: dict[str, Any] = Field(default_factory=dict)
    """The fields of `contracts.card.Source`."""


class KnowledgeFound(Reply):
    """What the base holds for a question, best first; empty where nothing fits."""

    hits: tuple[KnowledgeHit, ...] = ()
    """At most `limit` entries."""


class SearchKnowledge(Request):
    """Search the knowledge base as an agent does with `/`."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "search"
    reply: ClassVar[type[Reply]] = KnowledgeFound

    text: Annotated[str, Field(min_length=1, max_length=200)]
    """What to look for."""
    region: str | None = None
    """Region of the call; None = the site's."""
    limit: Annotated[int, Field(ge=1, le=20)] = 5
    """How many at most."""
