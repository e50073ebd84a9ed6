"""A knowledge service with a memory, played for the editors' page: it keeps what is written and
refuses what the real one refuses, as far as the page can tell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from contracts import requests
from contracts.requests import (
    AlikeEntry,
    Deed,
    EntriesListed,
    EntryChecked,
    EntryDetail,
    EntryFields,
    EntryLine,
    Failure,
    Gap,
    GapHandled,
    GapsListed,
    Office,
    OfficeKept,
    OfficesListed,
    Problem,
    Region,
    RegionsListed,
    Reply,
)
from services.common.bus import Bus
from tests.connected.desk.running import answering

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
TODAY = date(2026, 11, 22)


class FakeBase:
    """What the knowledge service keeps."""

    def __init__(self) -> None:
        self.entries: dict[str, EntryDetail] = {}
        self.gaps: dict[str, Gap] = {}
        self.offices: dict[str, Office] = {}
        self.asked: list[Any] = []

    def hold(self, entry_id: str, fields: EntryFields, by: str = "王采编", **more: Any) -> None:
        """An entry that may be given."""
        self.entries[entry_id] = EntryDetail(
            entry_id=entry_id,
            standing="answer",
            revision=1,
            in_force=fields,
            authorised_by=by,
            authorised_at=TODAY,
            history=(Deed(at=NOW, by=by, act="authorised", revision=1),),
        ).model_copy(update=more)

    @asynccontextmanager
    async def answering(self, bus: Bus) -> AsyncIterator[None]:
        """Answer on the bus until left."""
        answers: dict[type[requests.Request], Callable[[Any], Reply | Failure]] = {
            requests.ListEntries: self._list,
            requests.ReadEntry: lambda asked: self._entry(asked.entry_id),
            requests.DraftEntry: self._draft,
            requests.DecideDraft: self._decide,
            requests.DiscardDraft: self._discard,
            requests.WithdrawEntry: self._withdraw,
            requests.CheckEntry: self._check,
            requests.ListGaps: self._gaps,
            requests.HandleGap: self._handle_gap,
            requests.ListOffices: lambda asked: OfficesListed(
                offices=tuple(self.offices.values()), total=len(self.offices)
            ),
            requests.PutOffice: self._put_office,
            requests.ListRegions: lambda asked: RegionsListed(
                regions=(
                    Region(name="青川省"),
                    Region(name="临江市", parent="青川省"),
                    Region(name="云岭县", parent="临江市"),
                ),
                home="临江市",
            ),
        }
        async with AsyncExitStack() as stack:
            for request, answer in answers.items():
                noted = self._noting(answer)
                await stack.enter_async_context(answering(bus, request, noted))
            yield

    def _noting(self, answer: Callable[[Any], Reply | Failure]) -> Callable[[Any], Reply | Failure]:
        def noted(asked: Any) -> Reply | Failure:
            self.asked.append(asked)
            return answer(asked)

        return noted

    def _list(self, asked: requests.ListEntries) -> Reply:
        def shows(detail: EntryDetail, show: str) -> bool:
            if show == "undecided":
                return detail.draft is not None
            if show == "reported":
                return bool(detail.wrong or detail.outdated)
            return show in ("all", detail.standing)

        found = [d for d in self.entries.values() if shows(d, asked.show)]
        found = [d for d in found if asked.text in d.entry_id + _fields(d).question]
        shown = ("all", "undecided", "answer", "transfer", "expired", "withdrawn", "reported")
        return EntriesListed(
            entries=tuple(_line(d) for d in found[asked.skip : asked.skip + asked.limit]),
            total=len(found),
            counts={name: sum(shows(d, name) for d in self.entries.values()) for name in shown},
        )

    def _entry(self, entry_id: str) -> EntryDetail | Failure:
        return self.entries.get(entry_id) or _failure("not_found", "there is no such entry")

    def _draft(self, asked: requests.DraftEntry) -> Reply | Failure:
        entry_id = asked.entry_id or f"new-{len(self.entries) + 1}"
        old = self.entries.get(entry_id)
        if asked.revision != (old.revision if old else 0):
            return _failure("conflict", "read it again", "revision")
        before = old or EntryDetail(entry_id=entry_id, standing="draft", revision=0)
        return self._keep(
            before, "drafted", asked.by, draft=asked.fields, drafted_by=asked.by,
            revision=before.revision + 1,
        )  # fmt: skip

    def _decide(self, asked: requests.DecideDraft) -> Reply | Failure:
        entry = self.entries[asked.entry_id]
        if asked.revision != entry.revision or entry.draft is None:
            return _failure("conflict", "read it again", "revision")
        if asked.by == entry.drafted_by:
            return _failure("invalid", "起草人不能授权自己的草稿：请由另一位采编员授权", "by")
        gone: dict[str, Any] = {"draft": None, "drafted_by": None}
        if asked.decision == "refused":
            return self._keep(entry, "refused", asked.by, asked.reason, **gone)
        act = "authorised" if asked.decision == "answer" else "referred"
        if asked.from_day:
            later: dict[str, Any] = {"scheduled": entry.draft, "scheduled_from": asked.from_day}
            return self._keep(entry, act, asked.by, asked.reason, **later, **gone)
        return self._keep(
            entry, act, asked.by, asked.reason, in_force=entry.draft, standing=asked.decision,
            authorised_by=asked.by, authorised_at=TODAY, **gone,
        )  # fmt: skip

    def _discard(self, asked: requests.DiscardDraft) -> Reply | Failure:
        entry = self.entries[asked.entry_id]
        return self._keep(entry, "discarded", asked.by, draft=None, drafted_by=None)

    def _withdraw(self, asked: requests.WithdrawEntry) -> Reply | Failure:
        entry = self.entries[asked.entry_id]
        standing = "transfer" if asked.becomes == "transfer" else "withdrawn"
        now = entry.in_force if standing == "transfer" else None
        return self._keep(
            entry, "withdrawn", asked.by, asked.reason, standing=standing, in_force=now,
            latest=entry.in_force, revision=entry.revision + 1,
        )  # fmt: skip

    def _keep(
        self, entry: EntryDetail, act: Any, by: str, reason: str = "", **changed: Any
    ) -> EntryDetail:
        deed = Deed(
            at=NOW, by=by, act=act, revision=changed.get("revision", entry.revision), reason=reason
        )
        kept = entry.model_copy(update=changed | {"history": (deed, *entry.history)})
        self.entries[entry.entry_id] = kept
        return kept

    def _check(self, asked: requests.CheckEntry) -> Reply:
        alike = tuple(
            AlikeEntry(
                entry_id=d.entry_id,
                question=_fields(d).question,
                region=_fields(d).region,
                sort="duplicate",
                likeness=0.95,
                why="问法几乎一样",
            )
            for d in self.entries.values()
            if d.entry_id != asked.entry_id and _fields(d).question[:4] == asked.fields.question[:4]
        )
        return EntryChecked(alike=alike)

    def _gaps(self, asked: requests.ListGaps) -> Reply:
        gaps = tuple(gap for gap in self.gaps.values() if gap.state == asked.state)
        return GapsListed(gaps=gaps[asked.skip : asked.skip + asked.limit], total=len(gaps))

    def _handle_gap(self, asked: requests.HandleGap) -> Reply:
        states = {"dismiss": "dismissed", "reopen": "open", "link": "drafted"}
        gap = self.gaps[asked.gap_id].model_copy(update={"state": states[asked.act]})
        self.gaps[asked.gap_id] = gap
        return GapHandled(gap=gap)

    def _put_office(self, asked: requests.PutOffice) -> Reply | Failure:
        old = self.offices.get(asked.office.office_id)
        if asked.seen is not None and asked.seen != (old and old.updated_at):
            return _failure("conflict", "这个机构刚刚由别人改过，没有保存", "seen")
        at = NOW + timedelta(microseconds=len(self.asked))
        office = asked.office.model_copy(update={"updated_by": asked.by, "updated_at": at})
        self.offices[office.office_id] = office
        return OfficeKept(office=office)


def _fields(detail: EntryDetail) -> EntryFields:
    fields = detail.in_force or detail.draft or detail.latest
    assert fields is not None
    return fields


def _line(detail: EntryDetail) -> EntryLine:
    fields = _fields(detail)
    return EntryLine(
        entry_id=detail.entry_id,
        question=fields.question,
        department=fields.department,
        region=fields.region,
        standing=detail.standing,
        drafted_by=detail.drafted_by,
        valid_to=fields.valid_to,
        authorised_by=detail.authorised_by,
        used=detail.used,
        wrong=detail.wrong,
        outdated=detail.outdated,
    )


def _failure(code: str, message: str, field: str | None = None) -> Failure:
    return Failure(error=Problem(code=code, message=message, field=field))
