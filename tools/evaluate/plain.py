"""Plain vector search: what everybody builds first, to stand beside our own in the same run."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from services.embedding.encoder import Encoder, load
from services.embedding.settings import EmbeddingSettings
from services.knowledge.entries.entry import Entry

AT_ONCE = 32


class PlainSearch:
    """The entry whose wording has the nearest vector of the general model, whatever it is."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._encoder: Encoder = load(EmbeddingSettings())
        texts = [text for entry in entries for text in entry.wordings]
        self._owners = [entry for entry in entries for _ in entry.wordings]
        self._vectors = np.concatenate(
            [
                self._encoder.embed(texts[i : i + AT_ONCE], "passage")
                for i in range(0, len(texts), AT_ONCE)
            ]
            or [np.zeros((0, self._encoder.dimension), dtype=np.float32)]
        )

    def find(self, text: str) -> tuple[list[Entry], float]:
        """Entries, nearest first, and how long it took, seconds."""
        started = time.perf_counter()
        near = self._vectors @ self._encoder.embed([text], "query")[0]
        found = {self._owners[i].id: self._owners[i] for i in np.argsort(-near).tolist()}
        return list(found.values()), time.perf_counter() - started
