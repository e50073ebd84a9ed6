"""Database, index and state together, with a model that needs no model."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from services.common.failure import CannotStart
from services.knowledge.base import KnowledgeBase
from services.knowledge.entries import authority
from services.knowledge.entries.entry import Entry
from services.knowledge.finding.background import read_background
from services.knowledge.finding.index import Index
from services.knowledge.keeping.store import Changes, Store
from tests.unit.knowledge.bags import CARD, DAY, EARLY, ENTRIES, TREE, WAGES, Bags

pytestmark = pytest.mark.unit

NOW = datetime(2026, 6, 1, tzinfo=UTC)
BACKGROUND = read_background()


@asynccontextmanager
async def base_in(
    directory: Path,
    bags: Bags,
    index: Index | None = None,
    now: Callable[[], datetime] = lambda: NOW,
    today: Callable[[], date] = lambda: DAY,
) -> AsyncIterator[KnowledgeBase]:
    base = KnowledgeBase(
        Store(directory / "knowledge.db"),
        index or Index(site="t", path=directory / "index"),
        bags,
        regions=TREE,
        background=BACKGROUND,
        region="临江市",
        log=logging.getLogger("banxi.test"),
        now=now,
        today=today,
    )
    async with base.running():
        yield base


async def put(base: KnowledgeBase, *entries: Entry) -> Changes:
    return await base.put(entries, by="张三", at=NOW, unnamed=True)


async def told(base: KnowledgeBase, text: str, region: str | None = None) -> str | None:
    found = await base.find(text, (), region, DAY)
    return f"{found.ruling.kind} {found.ruling.source.entry_id}" if found is not None else None


async def test_what_is_written_is_found_by_meaning_and_region(tmp_path: Path) -> None:
    async with base_in(tmp_path, Bags()) as base:
        assert await put(base, *ENTRIES) == Changes(added=len(ENTRIES))
        await base.indexed()
        assert not base.by_words_alone
        assert await told(base, "社保卡丢了怎么补办") == "answer card-2"
        assert await told(base, "我那个射宝卡丢了怎么补办", "云岭县") == "transfer card-3"
        assert await told(base, "拖欠工资怎么投诉呀") == "answer wage-1"
        assert await told(base, "拖欠工资怎么投诉呀", "安平市") is None
        assert await told(base, "今天气温是多少度") is None


async def test_without_the_embedding_service_words_answer_and_vectors_follow(
    tmp_path: Path,
) -> None:
    bags = Bags()
    bags.there = False
    async with base_in(tmp_path, bags) as base:
        await put(base, *ENTRIES)
        assert base.by_words_alone
        assert await told(base, "拖欠工资怎么投诉") == "answer wage-1"
        assert await told(base, "特殊工种能不能提前退休") == "transfer early-1"
        bags.there = True
        async with asyncio.timeout(20):
            await base.indexed()
        assert await told(base, "拖欠工资怎么投诉") == "answer wage-1"
        assert not base.by_words_alone


async def test_an_import_is_in_force_at_once_and_only_its_texts_are_embedded(
    tmp_path: Path,
) -> None:
    bags = Bags()
    async with base_in(tmp_path, bags) as base:
        await put(base, *ENTRIES)
        await base.indexed()
        bags.passages.clear()
        allowed = replace(EARLY, authorised=True, answer="可以，请到窗口申请。")
        assert await put(base, CARD, allowed) == Changes(changed=1, unchanged=1)
        assert await told(base, EARLY.question) == "answer early-1"
        await base.indexed()
        assert set(bags.passages) - {BACKGROUND.lines[0]} == {allowed.about}


async def test_the_index_is_kept_and_made_again_for_another_model(tmp_path: Path) -> None:
    bags = Bags()
    async with base_in(tmp_path, bags) as base:
        await put(base, *ENTRIES)
        await base.indexed()
    bags.passages.clear()
    async with base_in(tmp_path, bags) as base:
        await base.indexed()
        assert bags.passages == [BACKGROUND.lines[0]]
        bags.now("bags 2")
        assert await told(base, WAGES.question) == "answer wage-1"  # by words, meanwhile
        async with asyncio.timeout(20):
            await bags.asked_again()
            await base.indexed()
        assert await told(base, WAGES.question) == "answer wage-1"
        assert not base.by_words_alone


async def test_no_answer_that_may_not_be_given_is_sent_to_be_embedded(tmp_path: Path) -> None:
    bags = Bags()
    async with base_in(tmp_path, bags) as base:
        await put(base, *ENTRIES)
        await base.indexed()
    assert any(WAGES.answer in text for text in bags.passages)
    assert not any(EARLY.answer in text for text in bags.passages)


async def test_a_search_lists_several_matters_best_first(tmp_path: Path) -> None:
    async with base_in(tmp_path, Bags()) as base:
        await put(base, *ENTRIES)
        await base.indexed()
        found = await base.search("社保卡补办", None, DAY, 5)
        assert found[0].source.entry_id == "card-2"
        assert await base.search("量子力学", None, DAY, 5) == []


async def test_what_begins_or_ends_with_the_day_is_told_though_nobody_does_anything(
    tmp_path: Path,
) -> None:
    day, looked, news = DAY, 0, []

    def today() -> date:
        nonlocal looked
        looked += 1
        return day

    async def tell(number: int, ids: Collection[str]) -> None:
        news.append((number, tuple(ids)))

    async def is_seen() -> None:
        before = looked
        async with asyncio.timeout(20):
            while looked < before + 2:  # noqa: ASYNC110 - polled with a deadline
                await asyncio.sleep(0.02)

    tomorrow = DAY + timedelta(days=1)
    async with base_in(tmp_path, Bags(), today=today) as base:
        await put(base, replace(WAGES, valid_to=DAY), replace(CARD, valid_from=tomorrow), EARLY)
        number = await base.store.number()
        base.tell = tell
        await is_seen()
        assert news == []
        day = tomorrow
        await is_seen()
        assert news == [(number, tuple(sorted((WAGES.id, CARD.id))))]
        day = tomorrow + timedelta(days=1)
        await is_seen()
        assert len(news) == 1, "nothing began or ended with that day"


@pytest.mark.parametrize("entry_id", ["人社:001", "k:", "office", "Office:1"])
async def test_an_entry_withdrawn_elsewhere_is_gone_whatever_its_id(
    entry_id: str, tmp_path: Path
) -> None:
    async with base_in(tmp_path, Bags()) as base:
        await put(base, replace(WAGES, id=entry_id))
        assert await told(base, WAGES.question) == f"answer {entry_id}"
        move = partial(authority.withdraw, becomes="absent", by="李四", today=DAY)
        await base.store.act(entry_id, move, at=NOW)
        await base.refresh()
        assert await told(base, WAGES.question) is None


# The second client of an index is given up with its lock file open: that is the library's.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_broken_database_and_an_index_in_use_are_one_sentence(tmp_path: Path) -> None:
    async with base_in(tmp_path, Bags()):
        with pytest.raises(CannotStart, match="in use by another process: stop that one"):
            async with base_in(tmp_path, Bags()):
                pass
    (tmp_path / "knowledge.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(CannotStart, match=r"knowledge\.db cannot be used .*restore a copy"):
        async with base_in(tmp_path, Bags()):
            pass
