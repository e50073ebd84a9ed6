"""Vectors of askings, and the space they are compared in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.knowledge.finding.background import Background, Space, Vectors
from services.knowledge.finding.embedder import Embedder, NoVectors

AT_ONCE = 16
"""Texts sent to the embedding service at a time."""


class Meaning:
    """Makes vectors of askings, all of them as questions, in a space that does not move with the
    base: its centre is that of the background asked as questions. So two askings that are one
    matter today are one tomorrow."""

    def __init__(self, embedder: Embedder, background: Background) -> None:
        self._embedder = embedder
        self._lines = background.lines
        self.model: str | None = None
        """The model in use; None = nobody has made vectors yet."""
        self.space: Space | None = None

    async def vectors(self, words: Sequence[str]) -> list[Vectors] | None:
        """One vector a text, of `model`; None where nobody makes vectors now."""
        try:
            model, made = await self._embed(words)
            if model != self.model:
                again, background = await self._embed(self._lines)
                if again != model:
                    return None
                self.space, self.model = Space.of(np.stack(background)), model
        except NoVectors:
            return None
        return made

    async def _embed(self, words: Sequence[str]) -> tuple[str, list[Vectors]]:
        made: list[Vectors] = []
        model = ""
        for start in range(0, len(words), AT_ONCE):
            part = await self._embedder.embed(words[start : start + AT_ONCE], "query")
            if model and part.model != model:
                raise NoVectors("another model answers now")
            model = part.model
            made += [np.asarray(vector, dtype=np.float32) for vector in part.vectors]
        return model, made
