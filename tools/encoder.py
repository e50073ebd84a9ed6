"""The knowledge base's model in this process, for commands that run without the services."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np

from contracts.requests import Embedding
from services.common.settings import load
from services.embedding.batching import Batcher, ModelFailed, make_matters_batcher
from services.embedding.matters import Matters, load_matters
from services.embedding.settings import Settings
from services.knowledge.finding.embedder import NoVectors, Purpose


class LocalEmbedder:
    """Answers as the embedding service does, by the same queue, but keeps no vectors. Making one
    loads the model, which takes some seconds; raises CannotStart where that fails."""

    def __init__(self) -> None:
        self._settings = load(Settings).embedding
        self._encoder = load_matters(self._settings.threads)
        self._batcher: Batcher[Matters] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Embedding:
        """One vector a text. Raises NoVectors."""
        if self._batcher is None or self._loop is not asyncio.get_running_loop():
            self._loop = asyncio.get_running_loop()
            unkept = self._settings.model_copy(update={"cache": 0})
            self._batcher = make_matters_batcher(unkept, lambda: self._encoder)
            self._batcher.start()
        try:
            vectors = await self._batcher.embed(texts, purpose)
        except ModelFailed as error:
            raise NoVectors(f"the embedding model failed ({error})") from None
        return Embedding(
            model=self._encoder.id,
            dimension=self._encoder.dimension,
            vectors=tuple(tuple(row) for row in np.stack(vectors).astype(float).tolist()),
        )
