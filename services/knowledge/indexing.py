"""Keeps the index what the base is: makes the vectors that are missing, a chunk at a time.

What is missing follows from the ids of points, so it goes on where it was stopped. Whatever is away
(the embedding service, a Qdrant server) or lost (the directory) is waited for or made again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import numpy as np

from contracts.requests import Embedding
from services.knowledge.finding.background import Vectors
from services.knowledge.finding.embedder import Embedder, NoVectors
from services.knowledge.finding.index import Index, IndexUnavailable
from services.knowledge.finding.points import Point
from services.knowledge.finding.state import State

CHUNK = 32
"""Texts sent to the embedding service at a time."""
PATIENCE_S = 5.0
"""At most so long between two attempts to reach what is away."""
TAKEN_OVER_EVERY_S = 2.0
"""So often new vectors come into use while more are made."""
LISTED_EVERY = 1000
"""Texts between two lines in the log."""

Become = Callable[[Callable[[State], State]], Awaitable[None]]
"""Makes the state of the base another one."""


class Indexing:
    """The index beside the state it belongs to. Use as `keep()` in a task of its own."""

    def __init__(
        self,
        index: Index,
        embedder: Embedder,
        state: Callable[[], State],
        become: Become,
        log: logging.Logger,
    ) -> None:
        """`state`: the newest."""
        self.held: set[str] = set()
        """Ids of the points in the index."""
        self.model: str | None = None
        """The model whose vectors they are; None while the index is not known."""
        self.missing = 0
        """Vectors that are still to be made."""
        self.away = ""
        """Why the index cannot be used; empty where it can."""
        self.unheard = ""
        """Why nobody makes vectors; empty where somebody does."""
        self._index = index
        self._embedder = embedder
        self._state = state
        self._become = become
        self._log = log
        self._again = asyncio.Event()
        self._done = asyncio.Event()

    def begin_again(self) -> None:
        """See what is missing: the base changed, or the index may have."""
        self._done.clear()
        self._again.set()

    def lost(self, why: str) -> None:
        """The index did not answer: what it holds must be seen again."""
        if not self.away:
            self._log.warning("the index is away", extra={"why": why})
        self.away = why
        self.model = None
        self.begin_again()

    def nobody_answers(self, why: str) -> None:
        """Nobody made a vector: it is asked until somebody does."""
        if not self.unheard:
            self._log.warning("searching by words alone", extra={"why": why})
            self.begin_again()
        self.unheard = why

    def answered(self) -> None:
        """Somebody made a vector."""
        self.unheard = ""

    async def done(self) -> None:
        """Wait until nothing is missing."""
        await self._done.wait()

    async def watch(self) -> None:
        """See whether the index is still where it was."""
        if self.model is not None and not await self._index.whole():
            self.lost("its directory is gone")

    def count(self, state: State) -> None:
        """Count anew what is missing."""
        wanted = state.point_ids()
        self.missing = len(wanted) - len(wanted & self.held)

    async def keep(self) -> None:
        """Keep the index what the base is, for ever."""
        pause_s = 0.2
        while True:
            await self._again.wait()
            self._again.clear()
            try:
                await self._bring_up()
                pause_s = 0.2
            except (NoVectors, IndexUnavailable) as error:
                if isinstance(error, IndexUnavailable):
                    self.lost(str(error))
                else:
                    self.unheard = str(error)
                    if pause_s == 0.2:
                        self._log.info("waiting to index the base", extra={"why": str(error)})
                self._again.set()
                await asyncio.sleep(pause_s)
                pause_s = min(PATIENCE_S, pause_s * 2)

    async def _bring_up(self) -> None:
        # The first text tells which model answers; its vector is in the embedding service's cache.
        lines = self._state().background_points
        made = await self._embedder.embed([lines[0].text], "passage")
        self.answered()
        if made.model != self.model:
            await self._take_up(made)
        state = self._state()
        wanted = state.point_ids()
        surplus = self.held - wanted
        await self._index.remove(surplus)
        self.held -= surplus
        missing = [point for id_ in wanted - self.held if (point := state.point(id_))]
        # The background first: without it no vector can be used.
        missing.sort(key=lambda point: (not point.owner.startswith(" "), point.owner))
        self.missing = len(missing)
        if missing:
            self._log.info("indexing", extra={"texts": len(missing), "model": made.model})
        if not await self._make(missing):
            return
        if not self._again.is_set():
            self._done.set()
            self._log.info("base is indexed", extra={"texts": len(wanted)})

    async def _take_up(self, made: Embedding) -> None:
        """Begin with the index of another model, or with one that was away."""
        await self._index.use(made.model, made.dimension)
        self.held = await self._index.ids()
        await self._become(lambda state: state.without_vectors())
        needed = self._state().points_at_hand() & self.held
        brought = await self._index.vectors(list(needed))
        self.held -= needed - brought.keys()  # what it lists but does not bring is made again
        known: dict[str, Vectors | None] = dict.fromkeys(self.held)
        await self._become(lambda state: state.learned(known | brought))
        self.model = made.model
        self.away = ""

    async def _make(self, missing: list[Point]) -> bool:
        """Make vectors; False where the base changed meanwhile."""
        new: dict[str, Vectors | None] = {}
        taken_over = time.monotonic()
        try:
            for start in range(0, len(missing), CHUNK):
                if self._again.is_set():
                    return False
                chunk = missing[start : start + CHUNK]
                made = await self._embedder.embed([point.text for point in chunk], "passage")
                if made.model != self.model:
                    self._again.set()
                    return False
                await self._index.add(chunk, made.vectors)
                vectors = np.asarray(made.vectors, dtype=np.float32)
                new |= {point.id: vector for point, vector in zip(chunk, vectors, strict=True)}
                self.held |= {point.id for point in chunk}
                self.missing -= len(chunk)
                if (start // LISTED_EVERY) != (start + len(chunk)) // LISTED_EVERY:
                    self._log.info("indexing", extra={"texts": self.missing})
                if time.monotonic() - taken_over > TAKEN_OVER_EVERY_S:
                    await self._take_over(new)
                    new, taken_over = {}, time.monotonic()
        finally:
            # However it ends: what the index holds is not made again.
            await self._take_over(new)
        return True

    async def _take_over(self, new: dict[str, Vectors | None]) -> None:
        if new:
            await self._become(lambda state: state.learned(new))
