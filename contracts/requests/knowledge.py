"""Requests to the knowledge service: search and import."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from contracts.base import Contract
from contracts.requests.base import Reply, Request
from contracts.requests.imports import KnowledgeImported


class KnowledgeHit(Contract):
    """One entry found. `answer` is None unless it may be given today in that region."""

    entry_id: str
    """The entry's id."""
    kind: Annotated[str, Field(pattern="^(answer|transfer)$")]
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


class ImportKnowledge(Request):
    """Import rows of a table into the base. Bad rows are named, good rows kept."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "import"
    reply: ClassVar[type[Reply]] = KnowledgeImported

    rows: tuple[dict[str, str], ...]
    """Rows as column → text, as in the file; at most 500 a request."""
    first_line: int = 2
    """Line of the first row in the file, for naming bad rows."""
    imported_by: str
    """Who imports."""
    authorised_by: str | None = None
    """Who authorised the rows marked authorised that name nobody; another than the importer."""
