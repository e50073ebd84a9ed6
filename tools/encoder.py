"""The embedding model in this process, for commands that run without the services."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from contracts.requests import Embedding
from services.common.settings import load
from services.embedding import encoder
from services.embedding.settings import Settings
from services.knowledge.finding.embedder import Purpose


class LocalEmbedder:
    """Answers as the embedding service does. Making one loads the model, which takes some seconds;
    raises CannotStart where that fails."""

    def __init__(self) -> None:
        self._encoder = encoder.load(load(Settings).embedding)
        self._turn = asyncio.Lock()

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Embedding:
        """One vector a text."""
        async with self._turn:
            return await asyncio.to_thread(self._embed, texts, purpose)

    def _embed(self, texts: Sequence[str], purpose: Purpose) -> Embedding:
        vectors = self._encoder.embed(texts, purpose)
        return Embedding(
            model=self._encoder.id,
            dimension=self._encoder.dimension,
            vectors=tuple(tuple(row) for row in vectors.tolist()),
        )
