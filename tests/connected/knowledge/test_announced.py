"""Agreed wordings in the running knowledge service: found while they stand, and nowhere after;
and kept alike by every database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from contracts import subjects
from contracts.news import WordingRead, WordingsChanged
from contracts.requests import (
    AnnounceWording,
    KnowledgeFound,
    ReadWording,
    SearchKnowledge,
    WithdrawWording,
    WordingKept,
)
from services.common.bus import Bus
from services.knowledge.announced.store import WordingStore
from services.knowledge.keeping.store import Store
from tests.connected.knowledge.test_service import answer_embeddings, running
from tests.unit.knowledge.bags import Bags
from tests.until import until

pytestmark = pytest.mark.connected


async def found(bus: Bus, text: str, region: str | None = None) -> list[str]:
    answer = await bus.request(SearchKnowledge(text=text, region=region), KnowledgeFound)
    return [hit.entry_id for hit in answer.hits]


async def test_it_is_found_while_it_stands_where_it_applies(
    bus: Bus, nats_url: str, tmp_path: Path
) -> None:
    await answer_embeddings(bus, Bags())
    heard: list[str] = []

    async def hear(message: Msg) -> None:
        heard.append(message.data.decode())

    await bus.client.subscribe(subjects.news(bus.site, "wordings.*"), cb=hear)
    await bus.heard()
    async with running(bus, nats_url, tmp_path):
        text = "云岭大桥什么时候通车"
        asked = AnnounceWording(
            title=text, body="月底前通车。", topics=("大桥修好了没有",), region="云岭县", by="b01"
        )
        kept = (await bus.request(asked, WordingKept)).wording
        entry = f"wording-{kept.wording_id}"
        # Kept, told, and searched when the reply is there.
        assert entry in await found(bus, text, "云岭县")
        assert entry in await found(bus, "大桥修好了没有", "云岭县")
        assert entry not in await found(bus, text, "临江市"), "it is the county's alone"
        for _ in range(2):
            await bus.request(ReadWording(wording_id=kept.wording_id, by="015"), WordingKept)
        gone = WithdrawWording(wording_id=kept.wording_id, by="b01")
        await bus.request(gone, WordingKept)
        assert entry not in await found(bus, text, "云岭县")

        soon = datetime.now(UTC) + timedelta(seconds=1)
        brief = asked.model_copy(update={"until": soon})
        kept = (await bus.request(brief, WordingKept)).wording
        entry = f"wording-{kept.wording_id}"
        assert entry in await found(bus, text, "云岭县")
        await until(lambda: found(bus, text, "云岭县"), lambda ids: entry not in ids)
        assert datetime.now(UTC) - soon < timedelta(seconds=1)

        await until(lambda: len(heard), lambda number: number >= 6)
        stood = [
            len(WordingsChanged.model_validate_json(text).wordings)
            for text in heard
            if 'receipt":' not in text
        ]
        assert stood == [0, 1, 0, 1, 0]
        [read] = [text for text in heard if 'receipt":' in text]
        assert WordingRead.model_validate_json(read).receipt.by == "015"


async def test_every_database_keeps_them_alike(store: Store) -> None:
    noon = datetime(2026, 11, 22, 12, 30, 15, tzinfo=UTC)
    wordings = WordingStore(store.database)
    asked = AnnounceWording(
        title="停水",
        body="明早恢复。",
        topics=("没水了",),
        until=noon + timedelta(hours=1),
        by="b01",
    )
    kept = await wordings.announce(asked, noon, lambda stand: None)
    readers = [f"{number:03}" for number in range(8)]
    await asyncio.gather(*(wordings.read(kept.wording_id, by, noon) for by in (*readers, *readers)))
    [shown] = await wordings.standing(noon)
    assert sorted(receipt.by for receipt in shown.receipts) == readers
    assert shown.model_copy(update={"receipts": ()}) == kept
    number = await store.number()
    over = noon + timedelta(hours=1)
    ended = await asyncio.gather(*(WordingStore(store.database).end(over) for _ in range(4)))
    assert sorted(ended) == [False, False, False, True]
    assert await store.number() == number + 1
    assert (await store.since(number)).ids == (f"wording:{kept.wording_id}",)
    listed = await wordings.listed(over, past=True)
    assert [w.title for w in listed.wordings] == ["停水"]
    assert (await wordings.listed(over)).wordings == ()
