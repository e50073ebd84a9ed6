"""Vectors of texts, from the embedding service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import nats.errors
from pydantic import ValidationError

from contracts.requests import Embed, Embedding
from services.common.bus import Bus, RequestFailed

Purpose = Literal["query", "passage"]
QUERY_TIMEOUT_S = 3.0
"""A caller waits: after this an utterance is looked up by its words alone."""
PASSAGE_TIMEOUT_S = 120.0


class NoVectors(RuntimeError):
    """Nobody made vectors; the text says why."""


class Embedder(Protocol):
    """Makes vectors: the embedding service, or a model in this process."""

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Embedding:
        """One vector a text, at most 64 texts. Raises NoVectors."""
        ...


class BusEmbedder:
    """Asks the embedding service."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Embedding:
        """As `Embedder.embed`."""
        timeout_s = QUERY_TIMEOUT_S if purpose == "query" else PASSAGE_TIMEOUT_S
        request = Embed(texts=tuple(texts), purpose=purpose, model="matters")
        try:
            return await self._bus.request(request, Embedding, timeout_s=timeout_s)
        except RequestFailed as failed:
            raise NoVectors(failed.problem.message) from None
        except nats.errors.Error as error:
            raise NoVectors(f"the bus is away ({type(error).__name__})") from None
        except ValidationError:
            raise NoVectors("the embedding service gave no vectors that can be read") from None
