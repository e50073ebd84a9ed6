"""Editors at work on a real bus: what they decide is in force before they are answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from contracts import subjects
from contracts.news import BaseChanged
from contracts.requests import (
    DecideDraft,
    DiscardDraft,
    DraftEntry,
    EntriesListed,
    EntryDetail,
    EntryFields,
    KnowledgeFound,
    ListEntries,
    ListOffices,
    OfficeKept,
    OfficesListed,
    ReadEntry,
    RemoveOffice,
    Request,
    SearchKnowledge,
    WithdrawEntry,
)
from services.common.bus import Bus, RequestFailed
from services.knowledge.app import create_app
from services.knowledge.settings import KnowledgeSettings, Settings
from tests.postgres import Postgres
from tests.unit.knowledge.bags import DAY

pytestmark = pytest.mark.connected

FIELDS = EntryFields(
    question="残疾证怎么办理",
    answer="到户籍所在地残联办理。",
    department="市残联",
    region="临江市",
)


@pytest.fixture
async def service(
    bus: Bus, nats_url: str, tmp_path: Path, database_place: Path | str
) -> AsyncIterator[None]:
    """No embedding service answers here: what is written is found by its words at once."""
    address = database_place if isinstance(database_place, str) else None
    settings = Settings(
        site=bus.site,
        nats_url=nats_url,
        data_dir=tmp_path,
        knowledge=KnowledgeSettings.model_validate({"sample_base": False, "database": address}),
    )
    async with create_app(settings, today=lambda: DAY).running():
        yield


async def ask(bus: Bus, request: Request) -> EntryDetail:
    return await bus.request(request, EntryDetail)


async def found(bus: Bus) -> list[tuple[str, str | None]]:
    asked = SearchKnowledge(text=FIELDS.question)
    hits = (await bus.request(asked, KnowledgeFound)).hits
    return [(hit.kind, hit.answer) for hit in hits]


async def refusal(bus: Bus, request: Request) -> tuple[str, str | None]:
    with pytest.raises(RequestFailed) as failed:
        await ask(bus, request)
    return failed.value.problem.code, failed.value.problem.field


async def test_two_people_bring_an_answer_and_one_takes_it_back(bus: Bus, service: None) -> None:
    news: asyncio.Queue[BaseChanged] = asyncio.Queue()

    async def hear(message: Msg) -> None:
        news.put_nowait(BaseChanged.model_validate_json(message.data))

    await bus.client.subscribe(subjects.news(bus.site, BaseChanged.event), cb=hear)
    await bus.heard()
    drafted = await ask(bus, DraftEntry(fields=FIELDS, by="甲"))
    assert await ask(bus, DraftEntry(fields=FIELDS, by="甲")) == drafted, "asked again, it is one"
    id_, seen = drafted.entry_id, drafted.revision
    assert (drafted.standing, drafted.draft, drafted.in_force) == ("draft", FIELDS, None)
    assert await found(bus) == []
    decide = DecideDraft(entry_id=id_, revision=seen, decision="answer", by="甲")
    assert await refusal(bus, decide) == ("invalid", "by")
    decided = await ask(bus, decide.model_copy(update={"by": "乙"}))
    assert (decided.standing, decided.authorised_by) == ("answer", "乙")
    assert await found(bus) == [("answer", FIELDS.answer)]

    withdraw = WithdrawEntry(entry_id=id_, by="甲", reason="政策有变")
    await ask(bus, withdraw)
    assert await found(bus) == [("transfer", None)]
    await ask(bus, withdraw.model_copy(update={"becomes": "absent"}))
    assert await found(bus) == []

    last = 0
    async with asyncio.timeout(5):
        while id_ not in (told := await news.get()).entry_ids or told.revision < 4:
            assert told.revision >= last
            last = told.revision


async def test_what_cannot_be_done_is_said_and_changes_nothing(bus: Bus, service: None) -> None:
    blank = FIELDS.model_copy(update={"question": "  "})
    elsewhere = FIELDS.model_copy(update={"region": "别处"})
    assert await refusal(bus, DraftEntry(fields=blank, by="甲")) == ("invalid", "question")
    assert await refusal(bus, DraftEntry(fields=elsewhere, by="甲")) == ("invalid", "region")
    assert await refusal(bus, DraftEntry(entry_id="no", fields=FIELDS, by="甲")) == (
        "not_found",
        None,
    )
    assert await refusal(bus, ReadEntry(entry_id="no")) == ("not_found", None)
    dirty = FIELDS.model_copy(update={"answer": " <b>到残联\x00</b>\r\n办理 "})
    drafted = await ask(bus, DraftEntry(fields=dirty, by="甲"))
    assert drafted.draft is not None
    assert drafted.draft.answer == "<b>到残联</b>\n办理"
    id_, seen = drafted.entry_id, drafted.revision
    newer = DraftEntry(entry_id=id_, revision=seen, fields=FIELDS, by="丙")
    await ask(bus, newer)
    assert await refusal(bus, newer) == ("conflict", "revision")
    old = DecideDraft(entry_id=id_, revision=seen, decision="answer", by="乙")
    assert await refusal(bus, old) == ("conflict", "revision")
    listed = await bus.request(ListEntries(show="undecided", text="残联"), EntriesListed)
    assert [(line.entry_id, line.drafted_by) for line in listed.entries] == [(id_, "丙")]
    put_away = await ask(bus, DiscardDraft(entry_id=id_, revision=seen + 1, by="丙"))
    assert (put_away.standing, put_away.draft) == ("draft", None)
    assert await found(bus) == []


async def test_while_the_server_is_away_what_is_known_is_told(
    bus: Bus, nats_url: str, tmp_path: Path, postgres: Postgres
) -> None:
    settings = Settings(
        site=bus.site,
        nats_url=nats_url,
        data_dir=tmp_path,
        knowledge=KnowledgeSettings.model_validate(
            {"sample_base": False, "database": postgres.new_database()}
        ),
    )
    async with create_app(settings, today=lambda: DAY).running():
        drafted = await ask(bus, DraftEntry(fields=FIELDS, by="甲"))
        decide = DecideDraft(
            entry_id=drafted.entry_id, revision=drafted.revision, decision="answer", by="乙"
        )
        await ask(bus, decide)
        postgres.stop()
        try:
            read = ReadEntry(entry_id=drafted.entry_id)
            assert await refusal(bus, read) == ("unavailable", None)
            assert await found(bus) == [("answer", FIELDS.answer)]
        finally:
            postgres.start()
        withdraw = WithdrawEntry(entry_id=drafted.entry_id, by="甲", reason="政策有变")
        assert (await ask(bus, withdraw)).standing == "transfer"
        assert await found(bus) == [("transfer", None)]


async def test_the_sample_comes_once_and_what_was_taken_back_stays_so(
    bus: Bus, nats_url: str, tmp_path: Path
) -> None:
    table = tmp_path / "own.csv"
    table.write_text(
        "id,question,answer,department,region,authorised,authorised_by,authorised_at\n"
        "own-1,残疾证怎么办理,到户籍所在地残联办理。,市残联,临江市,yes,王主任,2026-01-05\n",
        encoding="utf-8",
    )
    offices = tmp_path / "offices.csv"
    offices.write_text("id,name,region,phone\na,市残联,临江市,0000-1\n", encoding="utf-8")
    group = KnowledgeSettings(base=table, offices=offices)
    settings = Settings(site=bus.site, nats_url=nats_url, data_dir=tmp_path, knowledge=group)
    async with create_app(settings, today=lambda: DAY).running():
        there = await ask(bus, ReadEntry(entry_id="own-1"))
        assert (there.standing, there.authorised_by) == ("answer", "王主任")
        assert [(deed.act, deed.by) for deed in there.history] == [("imported", "own.csv")]
        await ask(
            bus, WithdrawEntry(entry_id="own-1", becomes="absent", by="甲", reason="不是本站的")
        )
        await bus.request(RemoveOffice(office_id="a", by="甲"), OfficeKept)
    async with create_app(settings, today=lambda: DAY).running():
        assert (await ask(bus, ReadEntry(entry_id="own-1"))).standing == "withdrawn"
        assert await found(bus) == []
        assert (await bus.request(ListOffices(), OfficesListed)).total == 0
