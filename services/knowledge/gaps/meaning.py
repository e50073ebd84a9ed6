"""Vectors of askings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.knowledge.finding.background import Vectors
from services.knowledge.finding.embedder import Embedder, NoVectors

AT_ONCE = 16
"""Texts sent to the embedding service at a time."""


class Meaning:
    """Makes vectors of askings, all of them as questions."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.model: str | None = None
        """The model in use; None = nobody has made vectors yet."""

    async def vectors(self, words: Sequence[str]) -> list[Vectors] | None:
        """One vector a text, of `model`; None where nobody makes vectors now."""
        made: list[Vectors] = []
        model: str | None = None
        for start in range(0, len(words), AT_ONCE):
            try:
                part = await self._embedder.embed(words[start : start + AT_ONCE], "query")
            except NoVectors:
                return None
            if model not in (None, part.model):
                return None  # another model answers now; it is asked the next time
            model = part.model
            made += [np.asarray(vector, dtype=np.float32) for vector in part.vectors]
        self.model = model or self.model
        return made
