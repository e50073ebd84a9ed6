"""Requests about agreed wordings, and the news of every change of what stands."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import nats.errors

from contracts.news import News, WordingRead, WordingsChanged
from contracts.requests import (
    AnnounceWording,
    ListWordings,
    Problem,
    ReadWording,
    WithdrawWording,
    WordingKept,
    WordingsListed,
)
from services.common.bus import Bus, RequestFailed
from services.common.service import Service
from services.common.tasks import ended
from services.knowledge.announced.standing import problem, tidied
from services.knowledge.announced.store import Refused, WordingStore
from services.knowledge.entries.regions import RegionTree
from services.knowledge.keeping.database import DatabaseDown

LOOK_S = 20.0
"""So often it is looked whether another process announced one that ends sooner."""
RETRY_S = 2.0
LEAST_S = 0.02
STOP_S = 5.0


def utc_now() -> datetime:
    """The moment."""
    return datetime.now(UTC)


class WordingRequests:
    """Answers from the database, once it is open."""

    def __init__(self, regions: RegionTree, *, now: Callable[[], datetime] = utc_now) -> None:
        self._store: WordingStore | None = None
        self._refresh: Callable[[], Awaitable[None]] | None = None
        self._regions = regions
        self._now = now
        self._bus: Bus | None = None
        self._look = asyncio.Event()
        self._stopping = False
        self._in_hand = 0
        self._idle = asyncio.Event()

    def use(
        self, store: WordingStore, refresh: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """The database is open. `refresh`: brings the search state to what it holds; awaited after
        every change of what stands."""
        self._store = store
        self._refresh = refresh

    def answer_on(self, service: Service) -> None:
        """Say what this answers."""
        service.answers(ListWordings, self.list, at_once=4)
        service.answers(AnnounceWording, self.announce)
        service.answers(WithdrawWording, self.withdraw)
        service.answers(ReadWording, self.read, at_once=4)

    @asynccontextmanager
    async def telling(self, bus: Bus, log: logging.Logger) -> AsyncIterator[None]:
        """Tell the site what stands: now, after every change, and when one ends by itself."""
        assert self._store is not None, "the database is opened before"
        self._bus = bus
        clock = asyncio.create_task(self._end_in_time(self._store, log), name="wordings-end")
        try:
            yield
        finally:
            self._stopping = True
            self._look.set()
            await asyncio.wait([clock], timeout=STOP_S)
            await self._finish()
            await ended(clock)
            self._bus = None

    async def list(self, asked: ListWordings) -> WordingsListed:
        """Which stand. Raises RequestFailed."""
        async with self._using() as store:
            found = await store.listed(self._now(), past=asked.past)
        return WordingsListed(wordings=found.wordings, number=found.number)

    async def announce(self, asked: AnnounceWording) -> WordingKept:
        """Publish one. Raises RequestFailed."""
        asked, now = tidied(asked), self._now()
        async with self._using() as store:
            kept = await store.announce(
                asked, now, lambda stand: problem(asked, stand, self._regions, now)
            )
            await self._has_changed(store)
        return WordingKept(wording=kept)

    async def withdraw(self, asked: WithdrawWording) -> WordingKept:
        """Take one back. Raises RequestFailed."""
        async with self._using() as store:
            kept, stood = await store.withdraw(asked.wording_id, asked.by.strip(), self._now())
            if stood:
                await self._has_changed(store)
        return WordingKept(wording=kept)

    async def read(self, asked: ReadWording) -> WordingKept:
        """Note a receipt. Raises RequestFailed."""
        by = asked.by.strip()
        async with self._using() as store:
            kept, fresh = await store.read(asked.wording_id, by, self._now())
        if fresh and self._bus is not None:
            receipt = next(receipt for receipt in kept.receipts if receipt.by == by)
            await self._tell(
                WordingRead(site=self._bus.site, wording_id=kept.wording_id, receipt=receipt)
            )
        return WordingKept(wording=kept)

    async def _has_changed(self, store: WordingStore) -> None:
        """Pages first; then what is found in calls."""
        self._look.set()
        await self._tell_standing(store)
        await self._search_anew()

    async def _search_anew(self) -> None:
        if self._refresh is not None:
            with suppress(DatabaseDown):  # the deed is written: it is followed when it is back
                await self._refresh()

    async def _tell_standing(self, store: WordingStore) -> None:
        if self._bus is None:
            return
        found = await store.listed(self._now())
        bare = tuple(w.model_copy(update={"receipts": ()}) for w in found.wordings)
        await self._tell(WordingsChanged(site=self._bus.site, wordings=bare, number=found.number))

    async def _tell(self, news: News) -> None:
        """News may be lost: whoever missed some asks."""
        if self._bus is not None:
            with suppress(nats.errors.Error, TimeoutError, OSError):
                await self._bus.publish_news(news)

    async def _end_in_time(self, store: WordingStore, log: logging.Logger) -> None:
        """Wait for the next end, and make it known."""
        told = False
        while not self._stopping:
            self._look.clear()
            wait_s = RETRY_S
            try:
                now = self._now()
                ended = await store.end(now)
                if ended or not told:
                    await self._tell_standing(store)
                    told = True
                if ended:
                    await self._search_anew()
                end = await store.next_end(now)
                wait_s = min(LOOK_S, (end - now).total_seconds()) if end else LOOK_S
            except DatabaseDown as error:
                log.warning("cannot see which wordings end", extra={"why": str(error)})
            except Exception:  # whatever it is: a wording that is over must end
                log.exception("cannot see which wordings end")
            with suppress(TimeoutError):
                async with asyncio.timeout(max(LEAST_S, wait_s)):
                    await self._look.wait()

    @asynccontextmanager
    async def _using(self) -> AsyncIterator[WordingStore]:
        """The store, for one request. Raises RequestFailed for what goes wrong with it."""
        if self._store is None:
            message = "the knowledge base is not open: ask again in a few seconds"
            raise RequestFailed(Problem(code="unavailable", message=message))
        self._in_hand += 1
        try:
            yield self._store
        except Refused as refused:
            raise RequestFailed(refused.problem) from None
        except DatabaseDown as error:
            raise RequestFailed(Problem(code="unavailable", message=str(error))) from None
        finally:
            self._in_hand -= 1
            if not self._in_hand:
                self._idle.set()

    async def _finish(self) -> None:
        """Take no more requests, and let those in hand end: a connection to the database is not to
        be torn in two."""
        self._store = None
        self._idle.clear()
        if self._in_hand:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), STOP_S)
