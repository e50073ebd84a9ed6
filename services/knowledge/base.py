"""The knowledge base as the service holds it: database, index and the state that answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime

import numpy as np

from services.common.tasks import ended
from services.knowledge.deciding.decide import Case, Ruling
from services.knowledge.entries.entry import RESERVED, Entry
from services.knowledge.entries.regions import RegionTree
from services.knowledge.finding.asking import Found, look_up
from services.knowledge.finding.background import Background, Vectors, read_background
from services.knowledge.finding.embedder import Embedder, NoVectors
from services.knowledge.finding.index import Index, IndexUnavailable
from services.knowledge.finding.ranking import Evidence
from services.knowledge.finding.state import State
from services.knowledge.indexing import Indexing
from services.knowledge.keeping.database import DatabaseDown
from services.knowledge.keeping.store import Changes, Store
from services.knowledge.settings import Settings, database_place

INDEX = "knowledge-index"
"""Its name in the data directory."""
NEAREST = 96
"""Points the index is asked for."""
LONGEST = 500
"""Characters of a question that are looked up: its end counts."""
FOLLOWED_EVERY_S = 0.3
"""So often the database is asked whether anything changed, by whichever process."""
TRIES = 3
"""How often a question is looked up again because the base changed meanwhile."""

Further = Callable[[], Awaitable[Sequence[Entry]]]
"""Gives entries that are kept elsewhere: of offices, of agreed wordings."""
Tell = Callable[[int, Collection[str]], Awaitable[None]]
"""Hears the number of a change and the entries it is known to be of; none where it may be any."""


@asynccontextmanager
async def open_base(
    settings: Settings,
    regions: RegionTree,
    embedder: Embedder,
    log: logging.Logger,
    today: Callable[[], date] = date.today,
) -> AsyncIterator[KnowledgeBase]:
    """The base of a data directory, open and being indexed. Raises CannotStart."""
    directory = settings.data_dir
    base = KnowledgeBase(
        Store(database_place(settings)),
        Index(
            site=settings.site,
            path=directory / INDEX,
            url=settings.qdrant_url,
            api_key=settings.qdrant_api_key,
        ),
        embedder,
        regions=regions,
        background=read_background(),
        region=settings.knowledge.region,
        log=log,
        today=today,
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
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        today: Callable[[], date] = date.today,
    ) -> None:
        """`region`: the site's own. `now`: the moment that decides what has ended. `today`: the day
        that decides what is valid, of whose turn is told."""
        self.regions = regions
        self.store = store
        self._index = index
        self._embedder = embedder
        self._region = region
        self._log = log
        self._now = now
        self._next_end: datetime | None = None
        self._ended: set[str] = set()
        self._today = today
        self._day = today()
        self._reading = asyncio.Lock()
        self._changing = asyncio.Lock()
        self._state = State(regions, background)
        self._indexing = Indexing(index, embedder, lambda: self._state, self._become, log)
        self._further: list[Further] = []
        self._number: int | None = None
        self._unread = ""
        self.indexing: asyncio.Task[None] | None = None
        """Makes vectors as long as the base is running; it ends only by an error."""
        self.following: asyncio.Task[None] | None = None
        """Sees what changes as long as the base is running; it ends only by an error."""
        self.tell: Tell | None = None
        """Told of every change, whoever made it, once it is searched; and of what begins or ends to
        count by the clock alone."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open database and index, begin to index what is missing and to follow what changes; close
        all at the end. Raises CannotStart."""
        await self.store.open()
        try:
            await self._index.open()
        except BaseException:
            await self.store.close()
            raise
        try:
            await self.refresh()
            self._indexing.begin_again()
            self.indexing = asyncio.create_task(self._indexing.keep(), name="knowledge-indexing")
            self.following = asyncio.create_task(self._follow(), name="knowledge-following")
            yield
        finally:
            tasks = [task for task in (self.indexing, self.following) if task is not None]
            await ended(*tasks)
            await self._index.close()
            await self.store.close()

    @property
    def size(self) -> int:
        """Entries."""
        return len(self._state.entries)

    @property
    def missing(self) -> int:
        """Vectors that are still to be made."""
        return self._indexing.missing

    @property
    def by_words_alone(self) -> bool:
        """Whether questions are looked up without vectors at the moment."""
        return bool(self._indexing.unheard or self._indexing.away) or not self._state.by_meaning

    @property
    def index_away(self) -> bool:
        """Whether the index cannot be used at the moment."""
        return bool(self._indexing.away)

    def lacking(self) -> str:
        """What does not work now, in one sentence; empty where all does."""
        if self._unread:
            return f"{self._unread}; answering by what was read before"
        if self._indexing.away:
            return f"the index is away ({self._indexing.away}); searching by words until it is back"
        if self._indexing.unheard:
            return (
                f"nobody makes vectors ({self._indexing.unheard}); "
                "searching by words and sounds until somebody does"
            )
        if self.missing:
            return (
                f"indexing the base, {self.missing} texts to go; their words are searched already"
            )
        return ""

    def search_also(self, further: Further) -> None:
        """Search entries that are kept elsewhere, from the next refresh on. Whoever changes them
        writes a deed named `…:ID`."""
        self._further.append(further)
        self._number = None

    async def refresh(self) -> None:
        """Bring what is searched up to what the database holds. What is found after this returns is
        found in that. Raises DatabaseDown."""
        async with self._reading:
            known = len(self._further)
            named: Collection[str] = ()
            if self._number is None:
                number = await self.store.number()
                ids = {entry.id for entry in self._state.entries}
                entries = [*await self.store.entries(), *await self._elsewhere()]
                ids |= {entry.id for entry in entries}
            else:
                changed = await self.store.since(self._number)
                if not changed.ids:
                    return
                number = changed.number
                own = [id_ for id_ in changed.ids if not id_.startswith(RESERVED)]
                entries = list(await self.store.entries_of(own))
                ids = set(own)
                if len(own) == len(changed.ids):
                    named = own
                else:
                    elsewhere = await self._elsewhere()
                    entries += elsewhere
                    ids |= {e.id for e in (*elsewhere, *self._state.entries) if e.sort != "entry"}
            await self._become(lambda state: state.changed(ids, entries, self._indexing.held))
            # What came to be searched meanwhile is not in it: then all is read once more.
            self._number = number if known == len(self._further) else None
            self._indexing.begin_again()
            if self.tell is not None:
                await self.tell(number, named)

    async def indexed(self) -> None:
        """Wait until all vectors of the base are made. Raises what ended the indexing."""
        assert self.indexing is not None
        waiting = asyncio.create_task(self._indexing.done())
        done, _ = await asyncio.wait({waiting, self.indexing}, return_when=asyncio.FIRST_COMPLETED)
        if waiting not in done:
            waiting.cancel()
            self.indexing.result()

    async def rebuild(self) -> None:
        """Throw the index away; it is made again from the database."""
        await self._index.forget()
        self._indexing.lost("it is made anew")

    async def find(
        self, text: str, before: Sequence[str], region: str | None, day: date
    ) -> Found | None:
        """What may be told on what a caller says now, and said `before` (oldest first)."""
        case = Case(region or self._region, day)
        for _ in range(TRIES):
            state = await self._standing()

            async def hear(words: str, state: State = state) -> Evidence:
                return await self._evidence(state, words)

            found = await look_up(text, before, hear, state.judge, case)
            if self._holds((found.ruling, *found.alternatives) if found else (), state):
                return found
        return None  # the base changes faster than it is asked: rather nothing than what was

    async def search(self, text: str, region: str | None, day: date, limit: int) -> list[Ruling]:
        """What may be told on the matters that a typed search may mean, likeliest first."""
        for _ in range(TRIES):
            state = await self._standing()
            evidence = await self._evidence(state, text)
            case = Case(region or self._region, day)
            rulings = await asyncio.to_thread(state.judge.rulings, evidence, case, most=limit)
            listed = [ruling for ruling in rulings if ruling.score >= evidence.weights.listed_from]
            if self._holds(listed, state):
                return listed
        return []

    def entry(self, entry_id: str, day: date) -> Entry | None:
        """An entry as it is on a day, to see whether what was told of it still holds; where none of
        its writings is valid then, any of them. What may be told is for `find` and `search` to
        say."""
        now = self._now()
        writings = [e for e in self._state.writings(entry_id) if not e.over(now)]
        return next((e for e in writings if e.valid_on(day)), next(iter(writings), None))

    async def put(
        self, entries: Sequence[Entry], *, by: str, at: datetime, unnamed: bool = False
    ) -> Changes:
        """Take entries as `Store.put_all` does; they are in force when this returns."""
        changes = await self.store.put_all(entries, by=by, at=at, unnamed=unnamed)
        await self.refresh()
        return changes

    async def _standing(self) -> State:
        """The newest state, without what has ended by now, whatever the database does."""
        now = self._now()
        if self._next_end is not None and self._next_end <= now:
            self._ended |= _over(self._state, now)
            await self._become(lambda state: state.changed(_over(state, now), ()))
        return self._state

    def _holds(self, rulings: Sequence[Ruling], asked: State) -> bool:
        """Whether what a state said counts: the newest has the same entries, or knows those of the
        rulings as that one did. Finding nothing may just be what the change did."""
        now = self._state
        return now.entries is asked.entries or (
            bool(rulings)
            and all(
                now.writings(ruling.source.entry_id) == asked.writings(ruling.source.entry_id)
                for ruling in rulings
            )
        )

    async def _evidence(self, state: State, heard: str) -> Evidence:
        # In threads: comparing takes some milliseconds, and calls must not wait for each other.
        text = await asyncio.to_thread(state.mend, heard[-LONGEST:])
        able = state.by_meaning and not self._indexing.away
        query = await self._vector(text) if able else None
        nearest = None
        if query is not None:
            try:
                nearest = await self._index.nearest(query, NEAREST)
            except IndexUnavailable as error:
                self._indexing.lost(str(error))
        return await asyncio.to_thread(state.evidence, text, query, nearest)

    async def _vector(self, text: str) -> Vectors | None:
        try:
            made = await self._embedder.embed([text], "query")
        except NoVectors as error:
            self._indexing.nobody_answers(str(error))
            return None
        if made.model != self._indexing.model:
            # Another model answers now: its vectors do not mix with ours.
            self._indexing.begin_again()
            return None
        self._indexing.answered()
        return np.asarray(made.vectors[0], dtype=np.float32)

    async def _become(self, change: Callable[[State], State]) -> None:
        async with self._changing:
            self._state = await asyncio.to_thread(change, self._state)
            self._next_end = min((e.ends for e in self._state.entries if e.ends), default=None)
            self._indexing.count(self._state)

    async def _elsewhere(self) -> list[Entry]:
        return [entry for further in self._further for entry in await further()]

    async def _follow(self) -> None:
        # Apart: what is withdrawn must not wait for an index that does not answer.
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch_index())
                tasks.create_task(self._follow_database())
                tasks.create_task(self._follow_clock())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _watch_index(self) -> None:
        while True:
            await asyncio.sleep(FOLLOWED_EVERY_S)
            await self._indexing.watch()

    async def _follow_database(self) -> None:
        while True:
            await asyncio.sleep(FOLLOWED_EVERY_S)
            try:
                await self.refresh()
                self._unread = ""
            except DatabaseDown as error:
                if not self._unread:
                    self._log.warning("the database is away", extra={"why": str(error)})
                self._unread = str(error)

    async def _follow_clock(self) -> None:
        # Nobody changes anything and nobody asks; but a page may go on showing what it found.
        while True:
            await asyncio.sleep(FOLLOWED_EVERY_S)
            state, day = await self._standing(), self._today()
            named, self._ended = self._ended, set()
            if day != self._day:
                named |= await asyncio.to_thread(_turned, state, self._day, day)
                self._day = day
            # While the number is unknown all is read, and told, anyway.
            if named and self.tell is not None and self._number is not None:
                await self.tell(self._number, sorted(named))


def _over(state: State, now: datetime) -> set[str]:
    return {entry.id for entry in state.entries if entry.over(now)}


def _turned(state: State, before: date, day: date) -> set[str]:
    """Entries of which another writing counts on one day than on the other, or none does."""
    return {e.id for e in state.entries if e.valid_on(before) != e.valid_on(day)}
