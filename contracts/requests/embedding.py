"""Requests to the embedding service."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.requests.base import Reply, Request


class Embedding(Reply):
    """Vectors for the texts asked about, in order."""

    model: str
    """Name and version of the model: vectors of different models must not be mixed."""
    dimension: int
    """Length of each vector."""
    vectors: tuple[tuple[float, ...], ...]
    """One unit-length vector a text."""


class Embed(Request):
    """Turn texts into vectors."""

    service: ClassVar[str] = "embedding"
    verb: ClassVar[str] = "embed"
    reply: ClassVar[type[Reply]] = Embedding

    texts: Annotated[tuple[Annotated[str, Field(max_length=2000)], ...], Field(max_length=64)]
    """At most 64 texts of at most 2,000 characters."""
    purpose: Annotated[str, Field(pattern="^(query|passage)$")] = "query"
    """`query` for what is said or asked, `passage` for what is kept in a base: queries go first."""
    model: Annotated[str, Field(pattern="^(general|matters)$")] = "general"
    """`general` = the model the site has chosen · `matters` = the one that learned what callers
    mean, for finding entries of the knowledge base."""
