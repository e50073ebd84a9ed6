"""Requests about gaps: what there is, what agents add, and what editors make of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from contracts.requests import GapHandled, GapsListed, HandleGap, ListGaps, NoteGap, Problem
from services.common.bus import RequestFailed
from services.common.service import Service
from services.knowledge.gaps.keeper import GapKeeper, UnknownEntry, UnknownGap
from services.knowledge.keeping.database import DatabaseDown


class GapRequests:
    """Answers from a keeper, once it was told of it."""

    def __init__(self) -> None:
        self._keeper: GapKeeper | None = None

    def use(self, keeper: GapKeeper) -> None:
        """From now on answer from this keeper."""
        self._keeper = keeper

    def answer_on(self, service: Service) -> None:
        """Say what this answers."""
        service.answers(ListGaps, self.list, at_once=4)
        service.answers(NoteGap, self.note)
        service.answers(HandleGap, self.handle)

    async def list(self, asked: ListGaps) -> GapsListed:
        """Which there are. Raises RequestFailed."""
        with failing():
            gaps, total = await self._open().listed(asked.state, asked.skip, asked.limit)
        return GapsListed(gaps=gaps, total=total)

    async def note(self, asked: NoteGap) -> GapHandled:
        """Keep what an agent says. Raises RequestFailed."""
        if len(asked.words.strip()) < 2:
            raise _failed("invalid", "请写下来电人问了什么", "words")
        if not asked.by.strip():
            raise _failed("invalid", "请写明由谁操作", "by")
        with failing():
            return GapHandled(gap=await self._open().note(asked))

    async def handle(self, asked: HandleGap) -> GapHandled:
        """Dismiss, reopen or link one. Raises RequestFailed."""
        if not asked.by.strip():
            raise _failed("invalid", "请写明由谁操作", "by")
        with failing():
            return GapHandled(gap=await self._open().handle(asked))

    async def drafted(self, gap_id: str, entry_id: str, by: str) -> None:
        """Somebody drafted an entry for a gap; for `EntryRequests.drafted`. The draft is kept by
        then: where there is no such gap any more, it stays without one."""
        with failing(), suppress(UnknownGap, UnknownEntry):
            await self._open().drafted(gap_id, entry_id, by)

    def _open(self) -> GapKeeper:
        if self._keeper is None:
            raise _failed("unavailable", "知识库正在打开：请过几秒再试")
        return self._keeper


@contextmanager
def failing() -> Iterator[None]:
    """Turns what the keeper raises into what the asker is told."""
    try:
        yield
    except UnknownGap:
        raise _failed("not_found", "没有这个待补项：请刷新列表", "gap_id") from None
    except UnknownEntry:
        said = "没有这个条目，或它已撤回：请写一个有草稿或已授权的条目编号"
        raise _failed("not_found", said, "entry_id") from None
    except DatabaseDown:
        said = "知识库的数据库暂时连不上，没有办成：请稍后再试"
        raise _failed("unavailable", said) from None


def _failed(code: str, message: str, field: str | None = None) -> RequestFailed:
    return RequestFailed(Problem(code=code, message=message, field=field))
