"""Requests of editors: list, read, draft, decide, discard, withdraw."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial

from contracts.requests import (
    DecideDraft,
    DiscardDraft,
    DraftEntry,
    EntriesListed,
    EntryDetail,
    EntryFields,
    ListEntries,
    Problem,
    ReadEntry,
    WithdrawEntry,
)
from services.common.bus import RequestFailed
from services.common.service import Service
from services.knowledge.entries import authority
from services.knowledge.entries.authority import Done, Life, Refused
from services.knowledge.entries.fields import clean, written
from services.knowledge.entries.refusals import failure
from services.knowledge.entries.regions import RegionTree
from services.knowledge.keeping.database import DatabaseDown
from services.knowledge.keeping.history import History
from services.knowledge.keeping.listing import Listing
from services.knowledge.keeping.store import Move, Store


@dataclass(frozen=True, slots=True)
class _Open:
    """What there is once the database is open."""

    store: Store
    listing: Listing
    history: History
    refresh: Callable[[], Awaitable[None]]


class EntryRequests:
    """Answers from a store, once it was told of it. `today`: the day that decides what counts.

    What a reply tells of is in force: the search state is brought up to date before it is sent.
    """

    def __init__(self, regions: RegionTree, today: Callable[[], date]) -> None:
        self._regions = regions
        self._today = today
        self._open: _Open | None = None
        self.drafted: Callable[[str, str, str], Awaitable[None]] | None = None
        """Told the gap, the entry and who, where a draft was written for a gap."""

    def use(self, store: Store, refresh: Callable[[], Awaitable[None]]) -> None:
        """From now on answer from this store. `refresh` brings the search state up to date."""
        database = store.database
        self._open = _Open(store, Listing(database), History(database), refresh)

    def answer_on(self, service: Service) -> None:
        """Say what this answers."""
        service.answers(ListEntries, self.list, at_once=4)
        service.answers(ReadEntry, self.read, at_once=4)
        service.answers(DraftEntry, self.draft)
        service.answers(DecideDraft, self.decide)
        service.answers(DiscardDraft, self.discard)
        service.answers(WithdrawEntry, self.withdraw)

    async def list(self, asked: ListEntries) -> EntriesListed:
        """A page of entries. Raises RequestFailed."""
        with _failing():
            return await self._there().listing.page(
                show=asked.show,
                text=asked.text,
                today=self._today(),
                skip=asked.skip,
                limit=asked.limit,
            )

    async def read(self, asked: ReadEntry) -> EntryDetail:
        """One entry. Raises RequestFailed."""
        with _failing():
            return await self._detail(asked.entry_id)

    async def draft(self, asked: DraftEntry) -> EntryDetail:
        """Write a draft. Raises RequestFailed."""
        there = self._there()
        _see_texts(asked.fields)
        if clean(asked.fields.region) not in self._regions:
            raise _invalid("region", "地区表里没有这个地区：请从表中选一个")

        def make(entry_id: str, life: Life) -> Done | Refused:
            entry = written(entry_id, asked.fields)
            return authority.draft(life, entry, seen=asked.revision, by=asked.by)

        with _failing():
            if asked.entry_id is None:
                entry_id, done = await there.store.begin(partial(make, life=Life()), at=_now())
                if isinstance(done, Refused):
                    raise failure(done.reason)
                await there.refresh()
            else:
                entry_id = asked.entry_id
                await self._act(entry_id, partial(make, entry_id))
            if asked.gap_id is not None and self.drafted is not None:
                await self.drafted(asked.gap_id, entry_id, asked.by)
            return await self._detail(entry_id)

    async def decide(self, asked: DecideDraft) -> EntryDetail:
        """Decide on a draft. Raises RequestFailed."""
        move = partial(
            authority.decide,
            decision=asked.decision,
            seen=asked.revision,
            by=asked.by,
            today=self._today(),
            from_day=asked.from_day,
        )
        return await self._done(asked.entry_id, move, asked.reason)

    async def discard(self, asked: DiscardDraft) -> EntryDetail:
        """Put an own draft away. Raises RequestFailed."""
        move = partial(authority.discard, seen=asked.revision, by=asked.by)
        return await self._done(asked.entry_id, move)

    async def withdraw(self, asked: WithdrawEntry) -> EntryDetail:
        """Take an answer back. Raises RequestFailed."""
        if not asked.reason.strip():
            raise _invalid("reason", "请写明撤回的理由")
        move = partial(authority.withdraw, becomes=asked.becomes, by=asked.by, today=self._today())
        return await self._done(asked.entry_id, move, asked.reason)

    async def _done(self, entry_id: str, move: Move, reason: str = "") -> EntryDetail:
        with _failing():
            await self._act(entry_id, move, reason)
            return await self._detail(entry_id)

    async def _act(self, entry_id: str, move: Move, reason: str = "") -> None:
        there = self._there()
        done = await there.store.act(entry_id, move, at=_now(), reason=reason.strip())
        if done is None:
            raise _unknown()
        if isinstance(done, Refused):
            raise failure(done.reason)
        await there.refresh()

    async def _detail(self, entry_id: str) -> EntryDetail:
        detail = await self._there().history.read(entry_id, self._today())
        if detail is None:
            raise _unknown()
        return detail

    def _there(self) -> _Open:
        if self._open is None:
            raise _unavailable("知识库正在打开：请过几秒再试")
        return self._open


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except DatabaseDown:
        raise _unavailable("知识库的数据库暂时连不上：请稍后重新打开，看过再操作") from None


def _see_texts(fields: EntryFields) -> None:
    for name in ("question", "department"):
        if not clean(getattr(fields, name)):
            raise _invalid(name, "不能是空的")


def _invalid(field: str, message: str) -> RequestFailed:
    return RequestFailed(Problem(code="invalid", message=message, field=field))


def _unknown() -> RequestFailed:
    return RequestFailed(Problem(code="not_found", message="没有这一条：可能编号写错了"))


def _unavailable(message: str) -> RequestFailed:
    return RequestFailed(Problem(code="unavailable", message=message))
