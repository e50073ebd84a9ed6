"""Gaps in real databases: joined by meaning, counted once, closed by an entry, opened again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import insert

from contracts.base import Evidence, Producer
from contracts.gap import GapNoted
from contracts.requests import Gap, GapState, HandleGap, NoteGap
from services.knowledge.deciding.decide import Ruling
from services.knowledge.entries import authority
from services.knowledge.entries.authority import Done, Life, Refused
from services.knowledge.entries.entry import Entry
from services.knowledge.finding.asking import Found
from services.knowledge.gaps.keeper import GapKeeper, UnknownEntry, UnknownGap
from services.knowledge.gaps.meaning import Meaning
from services.knowledge.gaps.purging import forget_askings
from services.knowledge.keeping.entry_tables import DeedRow
from services.knowledge.keeping.store import Store
from tests.unit.knowledge.bags import TREE, Bags

pytestmark = pytest.mark.connected

DAY = date(2026, 6, 1)
NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
ASKED = "夜市摆摊怎么报名"
AGAIN = "请问夜市摆摊怎么报名呢"
OTHER = "水库钓鱼要不要办证"


class Shelved:
    """A base that finds an entry by a word of its question, in its region and below."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(
        self, text: str, before: Sequence[str], region: str | None, day: date
    ) -> Found | None:
        for entry in await self._store.entries():
            applies = entry.region in TREE.chain(region or "临江市")
            if entry.valid_on(day) and applies and entry.question[:4] in text:
                return Found(_ruling(entry), (), 1)
        return None


def _ruling(entry: Entry) -> Ruling:
    return Ruling("answer", entry.source(), entry.answer, 1.0, 1.0, 0)


@dataclass
class Desk:
    """What the tests act by."""

    keeper: GapKeeper
    store: Store
    bags: Bags

    async def ask(
        self, words: str, call: str, at_ms: int = 0, region: str | None = None
    ) -> GapNoted:
        """A caller asks and nothing is found."""
        event = GapNoted(
            call_id=call,
            site="s",
            at_ms=at_ms,
            wall_time=NOW,
            by=Producer(name="knowledge", version="1"),
            evidence=(Evidence(words=words, role="caller"),),
            region=region,
        )
        await self.keeper.noted(event)
        return event

    async def gaps(self, state: GapState = "open") -> tuple[Gap, ...]:
        """All of a state."""
        return (await self.keeper.listed(state, 0, 30))[0]

    async def handle(self, gap_id: str, act: str, entry_id: str | None = None) -> Gap:
        """An editor acts."""
        return await self.keeper.handle(
            HandleGap.model_validate(
                {"gap_id": gap_id, "act": act, "entry_id": entry_id, "by": "编"}
            )
        )

    async def draft(self, region: str = "临江市") -> str:
        """An editor drafts an entry on the night market."""
        entry = Entry(
            "", "夜市摆摊报名", "到街道办登记。", "街道办", region, False, similar=(ASKED,)
        )

        def make(entry_id: str) -> Done | Refused:
            return authority.draft(Life(), replace(entry, id=entry_id), seen=0, by="甲")

        return (await self.store.begin(make, at=NOW))[0]

    async def act(self, entry_id: str, how: str) -> None:
        """Another one decides, or it is withdrawn or put away."""

        def move(life: Life) -> Done | Refused:
            if how == "withdraw":
                return authority.withdraw(life, "absent", by="乙", today=DAY)
            if how == "discard":
                return authority.discard(life, seen=life.newest, by="甲")
            return authority.decide(
                life, "answer", seen=life.newest, by="乙", today=DAY, from_day=None
            )

        assert isinstance(await self.store.act(entry_id, move, at=NOW, reason="核对"), Done)
        await self.keeper.follow()


@pytest.fixture
def desk(store: Store) -> Desk:
    return _desk(store, Bags())


def _desk(store: Store, bags: Bags) -> Desk:
    keeper = GapKeeper(
        store.database,
        Shelved(store),
        Meaning(bags),
        TREE,
        "临江市",
        today=lambda: DAY,
        log=logging.getLogger("test"),
        now=lambda: NOW,
    )
    return Desk(keeper, store, bags)


async def test_askings_of_one_matter_are_one_gap_and_an_event_counts_once(desk: Desk) -> None:
    event = await desk.ask(ASKED, "c1")
    await desk.keeper.noted(event)
    await desk.ask(AGAIN, "c2")
    await desk.ask(AGAIN, "c2", at_ms=9000)  # twice in one call
    await desk.ask(OTHER, "c3")
    market, fishing = await desk.gaps()
    assert (market.times, [a.call_id for a in market.asked]) == (2, ["c2", "c1"])
    assert (fishing.times, fishing.words) == (1, OTHER)


async def test_what_is_asked_again_after_a_purge_is_one_new_gap(desk: Desk) -> None:
    await desk.ask(ASKED, "c1")
    await desk.ask(OTHER, "c2")
    async with desk.store.database.writing() as session:
        await forget_askings(session, NOW, ["c1"])
    for call in ("c3", "c4"):
        await desk.ask(ASKED, call)
    market, fishing = await desk.gaps()
    assert (market.times, [a.call_id for a in market.asked]) == (2, ["c4", "c3"])
    assert (fishing.times, fishing.words) == (1, OTHER)


async def test_a_new_process_knows_what_another_one_kept(desk: Desk) -> None:
    await desk.ask(ASKED, "c1")
    other = _desk(desk.store, desk.bags)
    await other.ask(ASKED, "c2")
    await desk.ask(AGAIN, "c3")
    (gap,) = await desk.gaps()
    assert gap.times == 3


async def test_numbers_and_names_are_masked_before_anything_is_kept(desk: Desk) -> None:
    await desk.ask("我叫张伟，13912345678，夜市摆摊怎么报名", "c1")
    (gap,) = await desk.gaps()
    assert gap.words == gap.asked[0].words == "我叫●●，●●●●，夜市摆摊怎么报名"


async def test_an_agents_note_joins_what_the_call_asked(desk: Desk) -> None:
    await desk.ask(ASKED, "c1")
    note = NoteGap(call_id="c1", words=ASKED, note="急，回电 13912345678", by="015")
    gap = await desk.keeper.note(note)
    again = await desk.keeper.note(note)
    assert (gap.times, again.times) == (1, 1)
    assert (gap.asked[0].note, gap.asked[0].noted_by) == ("急，回电 ●●●●", "015")


async def test_without_vectors_words_join_and_vectors_follow(desk: Desk) -> None:
    desk.bags.there = False
    await desk.ask(ASKED, "c1")
    await desk.ask(ASKED, "c2")
    desk.bags.there = True
    await desk.ask(OTHER, "c3")
    await desk.keeper.follow()
    await desk.ask(AGAIN, "c4")
    market, _ = await desk.gaps()
    assert market.times == 3


async def test_a_gap_closes_when_its_entry_counts_and_shows_whom_it_would_serve(desk: Desk) -> None:
    await desk.ask(ASKED, "c1", region="云岭县")
    await desk.ask(AGAIN, "c2")
    await desk.ask(ASKED, "c3", region="安平市")  # where the entry does not apply
    gap_id = (await desk.gaps())[0].gap_id
    entry_id = await desk.draft()
    drafted = await desk.keeper.drafted(gap_id, entry_id, "甲")
    assert (drafted.state, drafted.entry_id, drafted.would_serve) == ("drafted", entry_id, 2)
    await desk.act(entry_id, "decide")
    (answered,) = await desk.gaps("answered")
    assert (answered.gap_id, answered.would_serve) == (gap_id, 2)
    await desk.act(entry_id, "withdraw")
    (opened,) = await desk.gaps()
    assert (opened.gap_id, opened.would_serve) == (gap_id, 0)


async def test_a_gap_is_followed_through_an_import_of_very_many_entries(desk: Desk) -> None:
    await desk.ask(ASKED, "c1")
    entry_id = await desk.draft()
    await desk.keeper.drafted((await desk.gaps())[0].gap_id, entry_id, "甲")
    await desk.keeper.follow()
    deeds = [
        {"entry_id": f"x{n}", "revision": 1, "act": "imported", "by": "丙", "at": NOW, "reason": ""}
        for n in range(33_000)  # more than a statement on PostgreSQL takes parameters
    ]
    async with desk.store.database.writing() as session:
        await session.execute(insert(DeedRow), deeds)
    await desk.act(entry_id, "decide")
    assert len(await desk.gaps("answered")) == 1


async def test_an_answered_gap_opens_again_when_it_is_asked_and_not_served(desk: Desk) -> None:
    await desk.ask(ASKED, "c1")
    gap_id = (await desk.gaps())[0].gap_id
    entry_id = await desk.draft()
    await desk.keeper.drafted(gap_id, entry_id, "甲")
    await desk.act(entry_id, "decide")
    await desk.ask(AGAIN, "c2")  # noted late: the entry serves it by now
    assert [gap.times for gap in await desk.gaps("answered")] == [2]
    await desk.ask(AGAIN, "c3", region="安平市")
    (opened,) = await desk.gaps()
    assert (opened.gap_id, opened.times, opened.entry_id) == (gap_id, 3, entry_id)


async def test_an_event_that_comes_again_opens_nothing(desk: Desk) -> None:
    event = await desk.ask(ASKED, "c1", region="安平市")
    gap_id = (await desk.gaps())[0].gap_id
    entry_id = await desk.draft()
    await desk.keeper.drafted(gap_id, entry_id, "甲")
    await desk.act(entry_id, "decide")
    await desk.keeper.noted(event)
    assert [gap.gap_id for gap in await desk.gaps("answered")] == [gap_id]


async def test_a_draft_put_away_leaves_the_gap_open(desk: Desk) -> None:
    await desk.ask(ASKED, "c1")
    gap_id = (await desk.gaps())[0].gap_id
    entry_id = await desk.draft()
    await desk.keeper.drafted(gap_id, entry_id, "甲")
    await desk.act(entry_id, "discard")
    assert [gap.gap_id for gap in await desk.gaps()] == [gap_id]


async def test_an_editor_dismisses_reopens_and_links(desk: Desk) -> None:
    await desk.ask(ASKED, "c1")
    gap_id = (await desk.gaps())[0].gap_id
    assert (await desk.handle(gap_id, "dismiss")).state == "dismissed"
    await desk.ask(AGAIN, "c2")
    assert [gap.times for gap in await desk.gaps("dismissed")] == [2]
    assert (await desk.handle(gap_id, "reopen")).state == "open"
    entry_id = await desk.draft()
    await desk.act(entry_id, "decide")
    linked = await desk.handle(gap_id, "link", entry_id)
    assert (linked.state, linked.would_serve) == ("answered", 2)
    with pytest.raises(UnknownEntry):
        await desk.handle(gap_id, "link", "nobody")
    with pytest.raises(UnknownGap):
        await desk.handle("nothing", "dismiss")
