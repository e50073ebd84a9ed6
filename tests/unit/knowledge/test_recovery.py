"""What is away or lost: said, served around, and made good without a hand."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import cast

import nats.errors
import pytest
from qdrant_client import QdrantClient

from contracts.requests import Embedding
from services.common.bus import Bus
from services.knowledge.base import KnowledgeBase
from services.knowledge.entries.authority import withdraw
from services.knowledge.entries.entry import Entry
from services.knowledge.finding.embedder import BusEmbedder, NoVectors, Purpose
from services.knowledge.finding.index import Index
from services.knowledge.finding.points import points, points_of
from services.knowledge.keeping.database import DatabaseDown
from services.knowledge.keeping.store import Changed, Store
from tests.unit.knowledge.bags import CARD, DAY, ENTRIES, WAGES, Bags
from tests.unit.knowledge.test_base import BACKGROUND, NOW, base_in, put, told

pytestmark = pytest.mark.unit


async def becomes(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - polled with a deadline
            await asyncio.sleep(0.02)


async def test_an_index_that_is_deleted_is_missed_and_made_again(tmp_path: Path) -> None:
    bags = Bags()
    async with base_in(tmp_path, bags) as base:
        await put(base, *ENTRIES)
        await base.indexed()
        bags.there = False
        shutil.rmtree(tmp_path / "index")
        await becomes(lambda: "searching by words" in base.lacking())
        assert await told(base, WAGES.question) == "answer wage-1"
        bags.there = True
        bags.passages.clear()
        await becomes(lambda: not base.lacking())
        await base.indexed()
        assert WAGES.question in bags.passages
        assert not base.by_words_alone
    assert list((tmp_path / "index").iterdir())


async def test_a_full_disk_is_said_and_not_written_to(tmp_path: Path) -> None:
    """The engine writes by memory maps: a disk without room would kill the process."""
    bags = Bags()
    no_room = Index(site="t", path=tmp_path / "index", least_free=2**60)
    async with base_in(tmp_path, bags, no_room) as base:
        await put(base, *ENTRIES)
        await becomes(lambda: "is nearly full" in base.lacking())
        assert await told(base, WAGES.question) == "answer wage-1"
        assert not list((tmp_path / "index").iterdir())
        no_room.least_free = 0  # somebody makes room
        await becomes(lambda: not base.lacking())
        assert not base.by_words_alone


async def test_a_damaged_index_is_thrown_away_and_an_old_one_completed(tmp_path: Path) -> None:
    bags = Bags()
    async with base_in(tmp_path, bags) as base:
        await put(base, *ENTRIES)
        await base.indexed()
    for file in (tmp_path / "index").rglob("*"):
        if file.is_file():
            file.write_bytes(b"no index at all")
    async with base_in(tmp_path, bags) as base:
        await base.indexed()
        assert await told(base, WAGES.question) == "answer wage-1"
    shutil.copytree(tmp_path / "index", tmp_path / "old")
    newer = replace(WAGES, question="欠薪去哪里投诉")
    async with base_in(tmp_path, bags) as base:
        await put(base, newer)
        await base.indexed()
    shutil.rmtree(tmp_path / "index")
    (tmp_path / "old").rename(tmp_path / "index")
    bags.passages.clear()
    async with base_in(tmp_path, bags) as base:
        await base.indexed()
        assert set(bags.passages) - {BACKGROUND.lines[0]} == {
            newer.question,
            f"{newer.question}。{newer.answer}",
        }
        assert await told(base, newer.question) == "answer wage-1"


async def test_what_an_index_lists_but_does_not_bring_is_made_again(tmp_path: Path) -> None:
    class Leaky(Index):
        async def vectors(self, ids):  # type: ignore[no-untyped-def]
            lost = {points((), BACKGROUND)[1].id, points_of(WAGES)[0].id}
            brought = await super().vectors(ids)
            return {id_: vector for id_, vector in brought.items() if id_ not in lost}

    async with base_in(tmp_path, Bags()) as base:
        await put(base, *ENTRIES)
        await base.indexed()
    bags = Bags()
    async with base_in(tmp_path, bags, Leaky(site="t", path=tmp_path / "index")) as base:
        await base.indexed()
        assert sorted(bags.passages) == sorted([*BACKGROUND.lines[:2], WAGES.question])
        assert not base.by_words_alone


async def test_a_server_that_is_away_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    away = Index(site="t", url=url)
    async with base_in(tmp_path, Bags(), away) as base:
        await put(base, *ENTRIES)
        await becomes(lambda: "the index is away" in base.lacking())
        assert base.by_words_alone
        assert await told(base, WAGES.question) == "answer wage-1"
        # The server comes back: who connects now is answered, here by an index in memory.
        monkeypatch.setattr(away, "_connect", lambda: QdrantClient(":memory:"))
        await becomes(lambda: not base.lacking())
        await base.indexed()
        assert not base.by_words_alone


async def test_making_vectors_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    class Breaks(Bags):
        async def embed(self, texts, purpose):  # type: ignore[no-untyped-def]
            if len(self.passages) > 60:
                self.there = False
            return await super().embed(texts, purpose)

    first = Breaks()
    async with base_in(tmp_path, first) as base:
        await put(base, *ENTRIES)
        await becomes(lambda: not first.there)
        left = base.missing
        assert left > 0
    second = Bags()
    async with base_in(tmp_path, second) as base:
        await base.indexed()
        assert len(second.passages) == left + 1  # one to see which model answers
        await base.rebuild()
        await base.indexed()
        assert len(second.passages) > 2 * left
        assert not base.by_words_alone


async def test_it_is_said_that_nobody_makes_vectors_until_somebody_does(tmp_path: Path) -> None:
    bags = Bags()
    async with base_in(tmp_path, bags) as base:
        await put(base, *ENTRIES)
        await base.indexed()
        bags.there = False
        assert await told(base, WAGES.question) == "answer wage-1"
        assert "nobody makes vectors" in base.lacking()
        assert base.by_words_alone
        bags.there = True
        # Though nobody asks anything.
        await becomes(lambda: not base.lacking())
        assert not base.by_words_alone


async def test_vectors_made_before_the_service_failed_count(tmp_path: Path) -> None:
    class Stumbles(Bags):
        stumbled = False

        async def embed(self, texts, purpose):  # type: ignore[no-untyped-def]
            if len(self.passages) > 60 and not self.stumbled:
                self.stumbled = True
                raise NoVectors("out of order")
            return await super().embed(texts, purpose)

    bags = Stumbles()
    async with base_in(tmp_path, bags) as base:
        await put(base, *ENTRIES)
        async with asyncio.timeout(20):
            await base.indexed()
        assert bags.stumbled
        assert not base.by_words_alone


async def test_what_another_process_withdraws_is_not_told_a_second_later(tmp_path: Path) -> None:
    async with base_in(tmp_path, Bags()) as base:
        await put(base, *ENTRIES)
        await base.indexed()
        other = Store(tmp_path / "knowledge.db")
        loop = asyncio.get_running_loop()
        shown: list[float] = []

        async def ask() -> None:
            if await told(base, WAGES.question) == "answer wage-1":
                shown.append(loop.time())

        asking = [asyncio.create_task(ask())]
        await asyncio.gather(*asking)
        assert shown
        done = await other.act(
            WAGES.id, lambda life: withdraw(life, "transfer", by="王五", today=DAY), at=NOW
        )
        withdrawn = loop.time()
        assert done is not None
        for _ in range(20):
            asking.append(asyncio.create_task(ask()))
            await asyncio.sleep(0.1)
        await asyncio.gather(*asking)
        assert max(shown) < withdrawn + 1
        assert await told(base, WAGES.question) == "transfer wage-1"
        await other.close()


async def test_a_change_is_seen_though_nobody_can_tell_whether_the_index_is_there(
    tmp_path: Path,
) -> None:
    class Stuck(Index):
        async def whole(self) -> bool:
            await asyncio.Event().wait()
            return True

    index = Stuck(site="t", path=tmp_path / "index")
    async with base_in(tmp_path, Bags(), index) as base:
        await put(base, *ENTRIES)
        await base.indexed()
        other = Store(tmp_path / "knowledge.db")
        await other.act(
            WAGES.id, lambda life: withdraw(life, "absent", by="王五", today=DAY), at=NOW
        )
        await becomes(lambda: base.entry(WAGES.id, DAY) is None)
        await other.close()


async def test_what_ends_at_a_moment_is_not_found_after_it_though_the_database_is_down(
    tmp_path: Path,
) -> None:
    ends = NOW + timedelta(hours=1)
    wording = replace(WAGES, id="wording-1", sort="announced", ends=ends, valid_to=ends.date())
    clock, news = [NOW], []

    async def further() -> list[Entry]:
        return [wording]

    async def tell(number: int, ids: Collection[str]) -> None:
        news.append(tuple(ids))

    async def down(number: int) -> Changed:
        raise DatabaseDown("it does not answer")

    async with base_in(tmp_path, Bags(), now=lambda: clock[0]) as base:
        await put(base, CARD)
        base.search_also(further)
        await base.refresh()
        base.store.since = down  # type: ignore[method-assign]
        base.tell = tell
        clock[0] = ends - timedelta(microseconds=1)
        assert await told(base, WAGES.question) == "announced wording-1"
        assert await base.search(WAGES.question, None, DAY, 3)
        clock[0] = ends
        assert base.entry("wording-1", DAY) is None
        assert await told(base, WAGES.question) is None
        assert await base.search(WAGES.question, None, DAY, 3) == []
        assert base.size == 1
        await becomes(lambda: news == [("wording-1",)])


class Interrupts(Bags):
    """Something happens while a question is embedded."""

    happens: Callable[[], Awaitable[object]] | None = None

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Embedding:
        made = await super().embed(texts, purpose)
        if purpose == "query" and self.happens is not None:
            happens, self.happens = self.happens, None
            await happens()
        return made


async def test_what_is_decided_while_the_base_changes_is_decided_again(tmp_path: Path) -> None:
    bags = Interrupts()
    async with base_in(tmp_path, bags) as base:
        await put(base, *ENTRIES)
        await base.indexed()
        bags.happens = lambda: put(base, replace(WAGES, answer="新的答复。"))
        found = await base.find(WAGES.question, (), None, DAY)
        assert found is not None
        assert found.ruling.answer == "新的答复。"


async def test_entries_kept_elsewhere_are_searched_and_follow_their_deeds(tmp_path: Path) -> None:
    office = Entry(
        id="office-1-phone",
        question="人社局电话是多少",
        answer="0599-555-0000",
        department="人社局",
        region="临江市",
        authorised=True,
        sort="office",
    )
    kept = [office]

    async def further() -> list[Entry]:
        return list(kept)

    async with base_in(tmp_path, Bags()) as base:
        await put(base, CARD)
        base.search_also(further)
        await base.refresh()
        assert base.size == 2
        assert await told(base, office.question) == "answer office-1-phone"
        await _deed(base, "office:1")
        kept.clear()
        await base.refresh()
        assert base.size == 1
        assert base.entry(office.id, date(2026, 6, 1)) is None


async def test_what_goes_while_it_is_searched_is_not_listed(tmp_path: Path) -> None:
    kept = [replace(WAGES, id="office-1-phone", sort="office")]

    async def further() -> list[Entry]:
        return list(kept)

    async def goes() -> None:
        kept.clear()
        await _deed(base, "office:1")
        await base.refresh()

    bags = Interrupts()
    async with base_in(tmp_path, bags) as base:
        await put(base, CARD)
        base.search_also(further)
        await base.refresh()
        await base.indexed()
        bags.happens = goes
        assert await base.search(WAGES.question, None, DAY, 3) == []
        assert not kept, "it went on the way"


async def test_a_bus_that_takes_nothing_more_is_waited_for_as_one_that_is_away() -> None:
    class Full:
        async def request(self, *_: object, **__: object) -> None:
            raise nats.errors.OutboundBufferLimitError

    with pytest.raises(NoVectors, match="the bus is away"):
        await BusEmbedder(cast(Bus, Full())).embed(["社保卡"], "query")


async def test_what_comes_to_be_searched_while_a_change_is_read_is_searched_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def further() -> list[Entry]:
        return [replace(WAGES, id="wording-1", sort="announced")]

    async with base_in(tmp_path, Bags()) as base:
        read = base.store.entries_of

        async def meanwhile(ids: Sequence[str]) -> tuple[Entry, ...]:
            base.search_also(further)
            return await read(ids)

        monkeypatch.setattr(base.store, "entries_of", meanwhile)
        await put(base, CARD)
        await base.refresh()
        assert base.entry("wording-1", DAY) is not None


async def _deed(base: KnowledgeBase, thing: str) -> None:
    from services.knowledge.keeping import deeds

    async with base.store.database.writing() as session:
        await deeds.record(session, thing, "imported", by="甲", at=NOW)
