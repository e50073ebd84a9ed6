"""Entries in real databases: what is decided counts, what was done is kept, all or nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.knowledge.entries import authority
from services.knowledge.entries.authority import Done, Life, Refused
from services.knowledge.entries.entry import Entry
from services.knowledge.keeping import incoming
from services.knowledge.keeping.database import DatabaseDown
from services.knowledge.keeping.deeds import last_number
from services.knowledge.keeping.entry_tables import RevisionRow
from services.knowledge.keeping.feedback import Feedback
from services.knowledge.keeping.history import History
from services.knowledge.keeping.listing import FILTERS, Listing
from services.knowledge.keeping.lives import Rows, read_lives
from services.knowledge.keeping.staging import Staging
from services.knowledge.keeping.store import Changes, ImportRefused, Overtaken, Store
from tests.postgres import Postgres

pytestmark = pytest.mark.connected

DAY = date(2026, 6, 1)
NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
NEXT = date(2026, 7, 1)
TEXT = Entry(
    "",
    "社保卡丢了怎么补办",
    "带身份证到网点。",
    "社保中心",
    "临江市",
    authorised=False,
    similar=("社保卡不见了", "补卡去哪里"),
    tags=("社保卡",),
    intake="业务咨询",
)


async def draft(store: Store, text: Entry = TEXT, by: str = "甲", at: datetime = NOW) -> str:
    def make(entry_id: str) -> Done | Refused:
        return authority.draft(Life(), replace(text, id=entry_id), seen=0, by=by)

    entry_id, done = await store.begin(make, at=at)
    assert isinstance(done, Done)
    return entry_id


async def draft_again(store: Store, entry_id: str, text: Entry = TEXT, by: str = "甲") -> None:
    def move(life: Life) -> Done | Refused:
        return authority.draft(life, replace(text, id=entry_id), seen=life.newest, by=by)

    assert isinstance(await store.act(entry_id, move, at=NOW), Done)


async def decide(
    store: Store,
    entry_id: str,
    decision: authority.Decision = "answer",
    from_day: date | None = None,
) -> Done | Refused | None:
    def move(life: Life) -> Done | Refused:
        return authority.decide(
            life, decision, seen=life.newest, by="乙", today=DAY, from_day=from_day
        )

    return await store.act(entry_id, move, at=NOW, reason="核对过文件")


async def test_an_entry_lives_from_draft_to_withdrawal(store: Store) -> None:
    entry_id = await draft(store)
    assert await store.entries() == ()
    await decide(store, entry_id)
    (entry,) = await store.entries()
    decided = replace(TEXT, id=entry_id, authorised=True, authorised_by="乙", authorised_at=DAY)
    assert entry == replace(decided, revision=1)
    await draft_again(store, entry_id, replace(TEXT, answer="网上也能办。"))
    assert await store.entries() == (entry,)
    await decide(store, entry_id, from_day=NEXT)
    now, later = await store.entries_of([entry_id])
    assert (now.answer, now.superseded) == (TEXT.answer, NEXT)
    assert (later.answer, later.takes_effect) == ("网上也能办。", NEXT)
    number = await store.number()
    take_back = partial(authority.withdraw, becomes="absent", by="丙", today=DAY)
    await store.act(entry_id, take_back, at=NOW, reason="答复有误")
    assert await store.entries() == await store.entries_of([entry_id]) == ()
    assert (await store.since(number)).ids == (entry_id,)
    assert (await store.since(number)).number == await store.number() > number
    detail = await History(store.database).read(entry_id, DAY)
    assert detail is not None
    assert (detail.standing, detail.in_force, detail.draft) == ("withdrawn", None, None)
    assert detail.latest is not None
    assert [(deed.act, deed.by, deed.reason) for deed in detail.history] == [
        ("withdrawn", "丙", "答复有误"),
        ("authorised", "乙", "核对过文件"),
        ("drafted", "甲", ""),
        ("authorised", "乙", "核对过文件"),
        ("drafted", "甲", ""),
    ]
    assert detail.history[2].changes == (("answer", TEXT.answer, "网上也能办。"),)
    assert ("question", "", TEXT.question) in detail.history[4].changes


async def test_of_two_who_decide_at_once_one_is_told_so(store: Store) -> None:
    entry_id = await draft(store)
    done = await asyncio.gather(*(decide(store, entry_id) for _ in range(4)))
    assert sum(isinstance(one, Done) for one in done) == 1
    assert [one.reason for one in done if isinstance(one, Refused)] == ["no_draft"] * 3


async def test_a_new_draft_that_is_asked_for_again_is_the_same_entry(store: Store) -> None:
    first = await draft(store)
    number = await store.number()
    assert await asyncio.gather(*(draft(store) for _ in range(3))) == [first] * 3
    assert await store.number() == number
    others = {
        await draft(store, by="乙"),
        await draft(store, replace(TEXT, answer="网上也能办。")),
    }
    assert len(others - {first}) == 2
    # Decided meanwhile, it is still that one; put away, it is not what he wants now.
    await decide(store, first)
    assert await draft(store) == first
    put_away = await draft(store, by="丙")
    await store.act(put_away, partial(authority.discard, seen=1, by="丙"), at=NOW)
    assert await draft(store, by="丙") not in {first, put_away, *others}
    assert await draft(store, at=NOW + timedelta(minutes=11)) != first


async def test_a_reader_sees_one_state_though_others_write(store: Store) -> None:
    entry_id = await draft(store)
    async with store.database.reading() as session:
        before = await read_lives(session, [entry_id])
        await asyncio.wait_for(decide(store, entry_id), 10)
        assert await read_lives(session, [entry_id]) == before
    async with store.database.reading() as session:
        assert (await read_lives(session, [entry_id]))[entry_id].current is not None


async def test_only_one_draft_of_an_entry_waits(store: Store) -> None:
    entry_id = await draft(store)
    await draft_again(store, entry_id, by="丙")
    states = select(RevisionRow.revision, RevisionRow.state).order_by(RevisionRow.revision)
    async with store.database.reading() as session:
        assert [tuple(row) for row in await session.execute(states)] == [
            (1, "discarded"),
            (2, "draft"),
        ]


async def test_an_import_is_taken_whole_or_not_at_all(store: Store) -> None:
    good = [
        replace(TEXT, id=f"e{n}", authorised=n % 2 == 0, authorised_by="王" if n % 2 == 0 else None)
        for n in range(900)
    ]
    bad = replace(TEXT, id="own", authorised=True, authorised_by="李")
    put = partial(store.put_all, by="李", at=NOW, today=DAY)
    for dry in (False, True):
        with pytest.raises(ImportRefused) as told:
            await put([*good, bad], dry=dry)
        assert told.value.refused == (("own", "own_import"),)
        assert await store.number() == 0
    assert await put(good, dry=True) == Changes(added=900)
    assert await store.entries() == ()
    assert await put(good) == Changes(added=900)
    assert await put(good) == Changes(unchanged=900)
    assert {e.id: e for e in await store.entries()} == {e.id: replace(e, revision=1) for e in good}
    unnamed = replace(TEXT, id="new", authorised=True)
    newer = replace(good[0], answer="改了。")
    assert await put([newer, unnamed, good[1]], authorised_by="王") == Changes(1, 1, 1)
    assert [e.authorised_by for e in await store.entries_of(["new"])] == ["王"]


async def test_while_many_are_taken_in_others_write_and_what_they_write_counts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [replace(TEXT, id=f"e{n}") for n in range(500)]
    put_all = partial(store.put_all, by="李", at=NOW, today=DAY)
    await put_all(many[:1])
    put, done = incoming.put, list[Done | Refused | None]()

    async def meanwhile(connection: AsyncConnection, rows: Rows) -> None:
        await put(connection, rows)
        if not done:
            # Half of them are prepared: nobody sees one, nobody waits, and this is not lost.
            assert len(await store.entries()) == 1
            absent = partial(authority.withdraw, becomes="absent", by="丙", today=DAY)
            done.append(await asyncio.wait_for(store.act("e0", absent, at=NOW), 5))

    monkeypatch.setattr(incoming, "put", meanwhile)
    with pytest.raises(ImportRefused) as told:
        await put_all([replace(entry, answer="改了。") for entry in many])
    assert isinstance(done[0], Done)
    assert told.value.refused == (("e0", "withdrawn"),)
    assert await store.entries() == ()
    with pytest.raises(Overtaken):
        await put_all(many[1:], as_of=0, about=["e0"])
    assert await store.entries() == ()


async def test_lists_tell_the_standing_as_the_life_of_an_entry_does(store: Store) -> None:
    past, soon = DAY - timedelta(days=1), DAY + timedelta(days=9)
    rows = {
        "answer": replace(TEXT, valid_to=soon),
        "transfer": replace(TEXT, authorised=False),
        "secret": replace(TEXT, confidential=True, authorised=False),
        "expired": replace(TEXT, valid_to=past),
        "later": replace(TEXT, valid_from=soon),
    }
    entries = [
        replace(
            row, id=id_, authorised=(yes := id_ not in ("transfer", "secret")),
            authorised_by="王" if yes else None,
        )
        for id_, row in rows.items()
    ]  # fmt: skip
    await store.put_all(entries, by="李", at=NOW, today=DAY)
    for id_ in ("transfer", "expired"):
        await draft_again(store, id_, replace(TEXT, question="残疾证_100%怎么办理"))
    await decide(store, "expired", from_day=NEXT)
    await store.act(
        "later", partial(authority.withdraw, becomes="absent", by="丙", today=DAY), at=NOW
    )
    only_drafted = await draft(store)
    listing = Listing(store.database)
    for today in (DAY, NEXT, soon + timedelta(days=1)):
        page = await listing.page(show="all", text="", today=today)
        history = History(store.database)
        for line in page.entries:
            detail = await history.read(line.entry_id, today)
            assert detail is not None
            assert detail.standing == line.standing
        for name in FILTERS:
            shown = await listing.page(show=name, text="", today=today)
            assert shown.total == len(shown.entries) == page.counts[name]
    page = await listing.page(show="all", text="", today=DAY)
    assert {line.entry_id: line.standing for line in page.entries} == {
        "answer": "answer",
        "transfer": "transfer",
        "secret": "transfer",
        "expired": "scheduled",
        "later": "withdrawn",
        only_drafted: "draft",
    }
    assert page.counts == {
        "all": 6, "undecided": 2, "answer": 1, "transfer": 2, "expiring": 1, "expired": 0,
        "withdrawn": 1, "reported": 0,
    }  # fmt: skip
    for text, ids in (("身份证 社保卡", 6), ("_100%", 2), ("100_", 0), ("TRANS", 1)):
        assert (await listing.page(show="all", text=text, today=DAY)).total == ids, text
    first = await listing.page(show="all", text="", today=DAY, limit=2)
    rest = await listing.page(show="all", text="", today=DAY, skip=2)
    assert (*first.entries, *rest.entries) == page.entries


async def test_what_agents_said_is_counted_once_and_until_somebody_decides(store: Store) -> None:
    entry_id = await draft(store)
    await decide(store, entry_id)
    feedback, listing = Feedback(store.database), Listing(store.database)
    later = NOW + timedelta(minutes=1)
    for event, verdict in (("1", "useful"), ("2", "wrong"), ("2", "wrong"), ("3", "dismissed")):
        await feedback.keep(event, entry_id, verdict, later)
    await feedback.keep("4", "no-entry", "wrong", later)
    (line,) = (await listing.page(show="reported", text="", today=DAY)).entries
    assert (line.used, line.wrong, line.outdated) == (1, 1, 0)
    take_back = partial(authority.withdraw, becomes="transfer", by="丙", today=DAY)
    await store.act(entry_id, take_back, at=later + timedelta(minutes=1))
    assert (await listing.page(show="reported", text="", today=DAY)).total == 0


async def test_rows_of_an_import_wait_for_a_day(store: Store) -> None:
    staging = Staging(store.database)
    assert await staging.stage("a", [(2, {"id": "甲"}), (3, {"id": "乙"})], at=NOW) == 2
    assert await staging.stage("a", [(3, {"id": "丙"})], at=NOW) == 2
    assert await staging.staged("a") == [(2, {"id": "甲"}), (3, {"id": "丙"})]
    assert await staging.stage("b", [(2, {})], at=NOW + timedelta(days=2)) == 1
    assert await staging.staged("a") == []
    assert (await staging.drop("b"), await staging.drop("b")) == (1, 0)


async def test_a_server_that_goes_away_is_said_and_found_again(postgres: Postgres) -> None:
    address = postgres.new_database()
    store = Store(address)
    await store.open()
    entry_id = await draft(store)
    postgres.stop()
    try:
        with pytest.raises(DatabaseDown, match="does not answer") as told:
            await store.entries()
        assert "geheim" not in str(told.value)
        with pytest.raises(DatabaseDown):
            await decide(store, entry_id)
    finally:
        postgres.start()
    assert isinstance(await decide(store, entry_id), Done)
    # Nor does anybody notice a server that was only started again.
    postgres.stop()
    postgres.start()
    assert len(await store.entries()) == 1
    await store.close()


async def test_a_file_that_others_write_is_said_to_be_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.knowledge.keeping.database.BUSY_S", 0.1)
    path = tmp_path / "knowledge.db"
    one, other = Store(path), Store(path)
    await one.open()
    await other.open()
    async with one.database.writing():
        with pytest.raises(DatabaseDown, match="locked"):
            await draft(other)
        assert await other.entries() == ()
    # Who reads holds nobody up.
    async with one.database.reading() as session:
        assert await last_number(session) == 0
        await draft(other)
    await one.close()
    await other.close()
