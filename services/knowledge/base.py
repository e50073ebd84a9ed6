"""The knowledge base as the service holds it: database, index and the state that answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime

import numpy as np

from services.knowledge.deciding.decide import Case, Ruling
from services.knowledge.entries.entry import Entry
from services.knowledge.entries.regions import RegionTree
from services.knowledge.finding.asking import Found, look_up
from services.knowledge.finding.background import Background, Vectors, read_background
from services.knowledge.finding.embedder import Embedder, NoVectors
from services.knowledge.finding.find import Evidence
from services.knowledge.finding.index import Index, IndexUnavailable
from services.knowledge.finding.points import Point, points
from services.knowledge.finding.state import State
from services.knowledge.keeping.store import Changes, Store
from services.knowledge.settings import Settings

DATABASE = "knowledge.db"
INDEX = "knowledge-index"
"""Names in the data directory."""
NEAREST = 96
"""Points the index is asked for."""
CHUNK = 16
"""Texts sent to the embedding service at a time, while the base is indexed."""
LONGEST = 500
"""Characters of a question that are looked up: its end counts."""
LISTED_FROM = 0.35
"""Score from which a search lists a matter."""
PATIENCE_S = 5.0
"""At most so long between two attempts to reach the embedding service."""


@asynccontextmanager
async def open_base(
    settings: Settings, regions: RegionTree, embedder: Embedder, log: logging.Logger
) -> AsyncIterator[KnowledgeBase]:
    """The base of a data directory, open and being indexed. Raises CannotStart."""
    directory = settings.data_dir
    base = KnowledgeBase(
        Store(directory / DATABASE),
        Index(site=settings.site, path=directory / INDEX, url=settings.qdrant_url),
        embedder,
        regions=regions,
        background=read_background(),
        region=settings.knowledge.region,
        log=log,
    )
    async with base.running():
        yield base


class KnowledgeBase:
    """Search and import. Use inside `async with base.running():`.

    Entries written are in force at once; their vectors follow as the embedding service makes them,
    and until then they are found by their words.
    """

    def __init__(
        self,
        store: Store,
        index: Index,
        embedder: Embedder,
        *,
        regions: RegionTree,
        background: Background,
        region: str,
        log: logging.Logger,
    ) -> None:
        """`region`: the site's own."""
        self.regions = regions
        self._store = store
        self._index = index
        self._embedder = embedder
        self._background = background
        self._region = region
        self._log = log
        self._writing = asyncio.Lock()
        self._stale = asyncio.Event()
        self._indexed = asyncio.Event()
        self._model: str | None = None
        self._state = State((), regions, background)
        self._troubled = False
        self.missing = 0
        """Vectors that are still to be made."""
        self.indexing: asyncio.Task[None] | None = None
        """Makes them as long as the base is running; it ends only by an error."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open database and index, begin to index what is missing; close all at the end.
        Raises CannotStart."""
        await self._store.open()
        try:
            await self._index.open()
        except BaseException:
            await self._store.close()
            raise
        try:
            await self._renew()
            self._stale.set()
            self.indexing = asyncio.create_task(self._keep_indexed(), name="knowledge-indexing")
            yield
        finally:
            if self.indexing is not None:
                self.indexing.cancel()
                await asyncio.gather(self.indexing, return_exceptions=True)
            await self._index.close()
            await self._store.close()

    @property
    def size(self) -> int:
        """Entries."""
        return len(self._state.entries)

    @property
    def by_words_alone(self) -> bool:
        """Whether questions are looked up without vectors at the moment."""
        return self._troubled or not self._state.by_meaning

    async def indexed(self) -> None:
        """Wait until all vectors of the base are made. Raises what ended the indexing."""
        assert self.indexing is not None
        waiting = asyncio.create_task(self._indexed.wait())
        done, _ = await asyncio.wait({waiting, self.indexing}, return_when=asyncio.FIRST_COMPLETED)
        if waiting not in done:
            waiting.cancel()
            self.indexing.result()

    async def find(
        self, text: str, before: Sequence[str], region: str | None, day: date
    ) -> Found | None:
        """What may be told on what a caller says now, and said `before` (oldest first)."""
        state = self._state
        case = Case(region or self._region, day)

        async def hear(words: str) -> Evidence:
            return await self._evidence(state, words)

        return await look_up(text, before, hear, state.judge, case)

    async def search(self, text: str, region: str | None, day: date, limit: int) -> list[Ruling]:
        """What may be told on the matters that a typed search may mean, likeliest first."""
        state = self._state
        evidence = await self._evidence(state, text)
        rulings = state.judge.rulings(evidence, Case(region or self._region, day), most=limit)
        return [ruling for ruling in rulings if ruling.score >= LISTED_FROM]

    def entry(self, entry_id: str) -> Entry | None:
        """An entry as it is now, to see whether what was told of it still holds. What may be told
        is for `find` and `search` to say."""
        return next((entry for entry in self._state.entries if entry.id == entry_id), None)

    async def put(self, entries: Sequence[Entry], *, by: str, at: datetime) -> Changes:
        """Write entries; they are in force when this returns."""
        async with self._writing:
            changes = await self._store.put(entries, by=by, at=at)
            if changes.added or changes.changed:
                await self._renew()
                self._index_again()
        return changes

    async def _evidence(self, state: State, heard: str) -> Evidence:
        text = state.mend(heard[-LONGEST:])
        query = await self._vector(text) if state.by_meaning else None
        probe = state.probe(query) if query is not None else None
        nearest = None
        if probe is not None:
            try:
                nearest = await self._index.nearest(probe, NEAREST)
            except IndexUnavailable as error:
                self._trouble(str(error))
        # In a thread: comparing takes some milliseconds, and calls must not wait for each other.
        return await asyncio.to_thread(state.evidence, text, query, nearest)

    async def _vector(self, text: str) -> Vectors | None:
        try:
            made = await self._embedder.embed([text], "query")
        except NoVectors as error:
            self._trouble(str(error))
            return None
        if made.model != self._model:
            self._index_again()  # another model answers now: its vectors do not mix with ours
            return None
        self._troubled = False
        return np.asarray(made.vectors[0], dtype=np.float32)

    def _index_again(self) -> None:
        self._indexed.clear()
        self._stale.set()

    def _trouble(self, why: str) -> None:
        """Say once that search goes by words alone."""
        if not self._troubled:
            self._log.warning("searching by words alone", extra={"why": why})
        self._troubled = True

    async def _renew(self) -> None:
        """Make the state from what database and index hold now."""
        entries = await self._store.entries()
        vectors: dict[str, Vectors] | None = None
        if self._model is not None:
            try:
                vectors = await self._index.vectors()
            except IndexUnavailable as error:
                self._trouble(str(error))
        self._state = await asyncio.to_thread(
            State, entries, self.regions, self._background, vectors
        )
        self.missing = len(self._state.missing)

    async def _keep_indexed(self) -> None:
        pause_s = 0.2
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                await self._index_missing()
                pause_s = 0.2
            except (NoVectors, IndexUnavailable) as error:
                if pause_s == 0.2:
                    self._log.info("waiting to index the base", extra={"why": str(error)})
                self._stale.set()
                await asyncio.sleep(pause_s)
                pause_s = min(PATIENCE_S, pause_s * 2)

    async def _index_missing(self) -> None:
        """Bring the index to what the base is, a chunk at a time."""
        wanted = {point.id: point for point in points(self._state.entries, self._background)}
        # The first text tells which model answers; its vector is in the embedding service's cache.
        made = await self._embedder.embed([self._background.lines[0]], "passage")
        if made.model != self._model:
            await self._index.use(made.model, made.dimension)
            async with self._writing:
                self._model = made.model
                await self._renew()
        held = await self._index.ids()
        await self._index.remove(held - wanted.keys())
        missing = [point for id_, point in wanted.items() if id_ not in held]
        if missing:
            self._log.info("indexing", extra={"texts": len(missing), "model": made.model})
        told = 0
        for start in range(0, len(missing), CHUNK):
            if self._stale.is_set():
                return  # the base changed: begin again with what it is now
            await self._index_chunk(missing[start : start + CHUNK])
            done = min(start + CHUNK, len(missing))
            if done - told >= 200 and done < len(missing):
                self._log.info("indexing", extra={"done": done, "of": len(missing)})
                told = done
        async with self._writing:
            if self._stale.is_set():
                return
            await self._renew()
            self._indexed.set()
        self._log.info("base is indexed", extra={"entries": self.size, "texts": len(wanted)})

    async def _index_chunk(self, chunk: Sequence[Point]) -> None:
        made = await self._embedder.embed([point.text for point in chunk], "passage")
        if made.model != self._model:
            self._stale.set()
            return
        await self._index.add(chunk, made.vectors)
        self.missing -= len(chunk)
