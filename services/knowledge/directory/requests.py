"""Requests about offices: what there is, and what editors make of it."""

from __future__ import annotations

import asyncio
import base64
import binascii
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from contracts.requests import (
    MOST_OFFICES,
    ImportOfficeFile,
    ImportOffices,
    ListOffices,
    Office,
    OfficeFileImported,
    OfficeKept,
    OfficesImported,
    OfficesListed,
    Problem,
    PutOffice,
    RemoveOffice,
)
from services.common.bus import RequestFailed
from services.common.service import Service
from services.knowledge.directory.files import read_office_file
from services.knowledge.directory.rows import TakenOffices, read_offices, wrong_with
from services.knowledge.directory.store import OfficeStore, Overtaken
from services.knowledge.entries.regions import RegionTree
from services.knowledge.files.table import Unreadable
from services.knowledge.files.whole import MOST_PROBLEMS, NO_ROWS
from services.knowledge.keeping.database import DatabaseDown

_FIELDS = {"id": "office_id"}
_SAID = {
    "office_id": "编号请用字母、数字和 . _ -，最多 40 个字",
    "name": "请写机构名称，最多 100 个字",
    "region": "请从地区表里选一个地区",
    "phone": "电话、地址、办公时间、联络员至少写一项，每项最多 200 个字",
    "aliases": "别称最多 20 个，每个最多 200 个字",
}


class OfficeRequests:
    """Answers from a store, once it was told of it. What a reply tells of is in force."""

    def __init__(
        self, regions: RegionTree, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._regions = regions
        self._now = now
        self._store: OfficeStore | None = None
        self._refresh: Callable[[], Awaitable[None]] | None = None

    def use(self, store: OfficeStore, refresh: Callable[[], Awaitable[None]]) -> None:
        """From now on answer from this store. `refresh` brings the search state up to date."""
        self._store, self._refresh = store, refresh

    def answer_on(self, service: Service) -> None:
        """Say what this answers."""
        service.answers(ListOffices, self.list, at_once=4)
        service.answers(PutOffice, self.put)
        service.answers(RemoveOffice, self.remove)
        service.answers(ImportOffices, self.import_)
        service.answers(ImportOfficeFile, self.import_file)

    async def list(self, asked: ListOffices) -> OfficesListed:
        """Which there are. Raises RequestFailed."""
        with _failing():
            offices, total = await self._open().listed(asked.text, asked.skip, asked.limit)
        return OfficesListed(offices=offices, total=total)

    async def put(self, asked: PutOffice) -> OfficeKept:
        """Write one. Raises RequestFailed."""
        by, office = _named(asked.by), _tidied(asked.office)
        self._check(office)
        with _failing():
            await self._open().put([office], by=by, at=self._now(), seen=asked.seen)
            kept = await self._open().office(office.office_id)
        await self._has_changed()
        return OfficeKept(office=kept)

    async def remove(self, asked: RemoveOffice) -> OfficeKept:
        """Take one out. Raises RequestFailed."""
        by = _named(asked.by)
        with _failing():
            if not await self._open().remove(asked.office_id, by=by, at=self._now()):
                said = "目录里没有这个机构：可能已有人移除"
                raise RequestFailed(Problem(code="not_found", message=said, field="office_id"))
        await self._has_changed()
        return OfficeKept(office=None)

    async def import_(self, asked: ImportOffices) -> OfficesImported:
        """Write many, all or none. Raises RequestFailed."""
        by, offices = _named(asked.by), [_tidied(office) for office in asked.offices]
        for office in offices:
            self._check(office)
        if len({office.office_id for office in offices}) < len(offices):
            said = "同一个编号出现了两次"
            raise RequestFailed(Problem(code="invalid", message=said, field="office_id"))
        with _failing():
            done = await self._open().put(offices, by=by, at=self._now(), only_look=asked.dry_run)
        if not asked.dry_run:
            await self._has_changed()
        return OfficesImported(added=done.added, changed=done.changed, unchanged=done.unchanged)

    async def import_file(self, asked: ImportOfficeFile) -> OfficeFileImported:
        """Write those of a file, all or none. Raises RequestFailed."""
        try:
            taken = await asyncio.to_thread(self._read, asked.content)
            if not (taken.offices or taken.problems):
                raise Unreadable(NO_ROWS)
            if len(taken.offices) > MOST_OFFICES:
                raise Unreadable(f"has more than {MOST_OFFICES:,} offices: split it")
        except Unreadable as error:
            said = f"{asked.name} {error}"
            raise RequestFailed(Problem(code="invalid", message=said, field="file")) from None
        bad = len({problem.line for problem in taken.problems})
        done = await self.import_(
            ImportOffices(offices=taken.offices, by=asked.by, dry_run=asked.dry_run or bad > 0)
        )
        return OfficeFileImported(
            **done.model_dump(), bad=bad, problems=taken.problems[:MOST_PROBLEMS]
        )

    def _read(self, content: str) -> TakenOffices:
        with tempfile.TemporaryDirectory() as folder:
            # What it is, its first bytes say; the ending is for a library that looks at it.
            path = Path(folder) / "offices.xlsx"
            try:
                path.write_bytes(base64.b64decode(content, validate=True))
            except binascii.Error:
                raise Unreadable("is not base64") from None
            return read_offices(read_office_file(path), self._regions)

    def _check(self, office: Office) -> None:
        if wrong := wrong_with(office, self._regions):
            field = _FIELDS.get(wrong[0], wrong[0])
            said = _SAID.get(field, "每项最多 200 个字")
            raise RequestFailed(Problem(code="invalid", message=said, field=field))

    async def _has_changed(self) -> None:
        if self._refresh is not None:
            await self._refresh()

    def _open(self) -> OfficeStore:
        if self._store is None:
            message = "知识库正在打开：请过几秒再试"
            raise RequestFailed(Problem(code="unavailable", message=message))
        return self._store


def _named(by: str) -> str:
    if not (name := by.strip()):
        raise RequestFailed(Problem(code="invalid", message="请写明由谁操作", field="by"))
    return name


def _tidied(office: Office) -> Office:
    """Without spaces around, and each alias once."""
    said = {n: v.strip() for n, v in office.model_dump().items() if isinstance(v, str)}
    aliases = tuple(dict.fromkeys(alias.strip() for alias in office.aliases if alias.strip()))
    return office.model_copy(update=said | {"aliases": aliases})


@contextmanager
def _failing() -> Iterator[None]:
    """Turns what the store raises into what the asker is told."""
    try:
        yield
    except Overtaken as error:
        said = f"这个机构刚刚由 {error.by} 改过" if error.by else "这个机构刚刚由别人移除了"
        said += "，没有保存：请重新打开，看过再改"
        problem = Problem(code="conflict", message=said, field="seen")
        raise RequestFailed(problem) from None
    except DatabaseDown:
        said = "知识库的数据库暂时连不上，没有办成：请稍后再试"
        raise RequestFailed(Problem(code="unavailable", message=said)) from None
