"""The knowledge service on a real bus; only the embedding model is a simple one."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from contracts import subjects
from contracts.base import Event, Producer
from contracts.call import CallStarted
from contracts.card import CardShown, CardWithdrawn
from contracts.requests import (
    ApplyImport,
    Embed,
    FileRow,
    KnowledgeFound,
    KnowledgeImported,
    RowsStaged,
    SearchKnowledge,
    StageRows,
)
from contracts.transcript import TranscriptFinal
from services.common.bus import Bus, RequestFailed
from services.common.kept import read_call
from services.common.service import Service
from services.knowledge.app import create_app
from services.knowledge.settings import KnowledgeSettings, Settings
from tests.unit.knowledge.bags import DAY, EARLY, ENTRIES, WAGES, Bags

pytestmark = pytest.mark.connected

ROWS = tuple(entry.row() for entry in ENTRIES)
OURS = (CardShown, CardWithdrawn)


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.02)


async def answer_embeddings(bus: Bus, bags: Bags) -> None:
    async def answer(message: Msg) -> None:
        asked = Embed.model_validate_json(message.data)
        made = await bags.embed(asked.texts, "query" if asked.purpose == "query" else "passage")
        await message.respond(made.model_dump_json().encode())

    await bus.client.subscribe(subjects.command(bus.site, "embedding", "embed"), cb=answer)
    await bus.heard()


@asynccontextmanager
async def running(
    bus: Bus, nats_url: str, directory: Path, **group: object
) -> AsyncIterator[Service]:
    settings = Settings(
        site=bus.site,
        nats_url=nats_url,
        data_dir=directory,
        knowledge=KnowledgeSettings.model_validate({"sample_base": False} | group),
    )
    async with create_app(settings, today=lambda: DAY).running() as service:
        yield service


@pytest.fixture
async def service(bus: Bus, nats_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    await answer_embeddings(bus, Bags())
    async with running(bus, nats_url, tmp_path) as service:
        yield service


async def bring(
    bus: Bus, *rows: dict[str, str], authorised_by: str | None = None
) -> KnowledgeImported:
    import_id = uuid.uuid4().hex
    staged = tuple(FileRow(line=line, cells=row) for line, row in enumerate(rows, start=2))
    await bus.request(StageRows(import_id=import_id, rows=staged), RowsStaged)
    asked = ApplyImport(import_id=import_id, imported_by="张三", authorised_by=authorised_by)
    return await bus.request(asked, KnowledgeImported)


async def fill(bus: Bus, service: Service) -> None:
    await bring(bus, *ROWS, authorised_by="李主任")

    async def indexed() -> bool:
        return service.figures.now()["vectors_missing"] == 0

    await until(indexed)


async def look(bus: Bus, text: str, region: str | None = None) -> KnowledgeFound:
    return await bus.request(SearchKnowledge(text=text, region=region), KnowledgeFound)


class Script:
    """A call being spoken."""

    def __init__(self, bus: Bus, call_id: str, region: str | None = None) -> None:
        self._bus = bus
        # Ids are unique over all sites: the server remembers them for two minutes.
        self._call_id = f"{bus.site}-{call_id}"
        self._region = region
        self._ms = 0

    async def begin(self) -> None:
        await self._bus.publish(
            CallStarted(
                call_id=self._call_id,
                site=self._bus.site,
                at_ms=0,
                agent_id="015",
                caller_number="13900000000",
                region=self._region,
                pace="script",
            )
        )

    async def say(self, text: str, role: str = "caller") -> None:
        start, self._ms = self._ms + 500, self._ms + 3000
        final = {
            "call_id": self._call_id,
            "site": self._bus.site,
            "at_ms": start,
            "end_ms": self._ms,
            "role": role,
            "text": text,
            "heard": text,
            "by": Producer(name="script", version="1"),
        }
        await self._bus.publish(TranscriptFinal.model_validate(final))

    async def events(self) -> list[Event]:
        return await read_call(self._bus, self._bus.site, self._call_id)

    async def cards(self, count: int) -> list[tuple[str, str]]:
        """Event and card of the first `count` events about cards, once they are there."""
        found: list[tuple[str, str]] = []

        async def there() -> bool:
            events = [e for e in await self.events() if isinstance(e, OURS)]
            found[:] = [(e.event, e.card_id) for e in events]
            return len(found) >= count

        await until(there)
        return found


async def test_search_obeys_the_rules(bus: Bus, service: Service) -> None:
    await bring(bus, *ROWS, authorised_by="李主任")
    hit = (await look(bus, "社保卡丢了怎么补办")).hits[0]
    assert (hit.entry_id, hit.kind, hit.source["authorised_by"]) == ("card-2", "answer", "李主任")
    hit = (await look(bus, "社保卡丢了怎么补办", "云岭县")).hits[0]
    assert (hit.entry_id, hit.kind, hit.answer) == ("card-3", "transfer", None)
    with pytest.raises(RequestFailed, match="not in the table of regions"):
        await look(bus, "社保卡", "火星市")


async def test_cards_of_a_call(bus: Bus, service: Service) -> None:
    await fill(bus, service)
    call = Script(bus, "call-1")
    await call.begin()
    await call.say("喂你好")
    await call.say("我的社保卡丢了怎么补办")
    assert await call.cards(1) == [("card.shown", "kb-card-2")]
    await call.say("嗯嗯好的")
    await call.say("社保卡丢了怎么补办呀", role="agent")
    await call.say("社保卡丢了怎么补办呢")
    await call.say("那拖欠工资怎么投诉")
    await call.say("刚才社保卡丢了怎么补办来着")
    assert await call.cards(5) == [
        ("card.shown", "kb-card-2"),
        ("card.withdrawn", "kb-card-2"),
        ("card.shown", "kb-wage-1"),
        ("card.withdrawn", "kb-wage-1"),
        ("card.shown", "kb-card-2"),
    ]
    first = next(e for e in await call.events() if isinstance(e, CardShown))
    assert first.source is not None
    assert (first.source.authorised_by, first.source.version) == ("李主任", None)
    assert first.evidence[0].words == "我的社保卡丢了怎么补办"
    assert first.derived_from == (f"{bus.site}-call-1:caller:3500:transcript.final",)


async def test_an_answer_that_may_not_be_given_is_nowhere_in_the_stream(
    bus: Bus, service: Service
) -> None:
    await fill(bus, service)
    call = Script(bus, "call-2", region="云岭县")
    await call.begin()
    await call.say("特殊工种能不能提前退休")
    await call.say("还有社保卡丢了怎么补办")
    assert [card for event, card in await call.cards(3) if event == "card.shown"] == [
        "kb-early-1",
        "kb-card-3",
    ]
    kept = "".join([event.model_dump_json() for event in await call.events()])
    assert "养老保险处" in kept
    for entry in ENTRIES:
        if entry.id != "wage-1":
            assert entry.answer not in kept


async def test_an_import_counts_for_live_calls_at_once(bus: Bus, service: Service) -> None:
    await fill(bus, service)
    call = Script(bus, "call-3")
    await call.begin()
    await call.say(EARLY.question)
    assert await call.cards(1) == [("card.shown", "kb-early-1")]
    allowed = replace(EARLY, authorised=True, answer="可以，请到窗口申请。", authorised_by="李主任")
    await bring(bus, allowed.row())
    await call.say(EARLY.question + "呢")
    await call.cards(2)
    shown = [e for e in await call.events() if isinstance(e, CardShown)]
    assert [(card.kind, card.body == allowed.answer) for card in shown] == [
        ("transfer", False),
        ("answer", True),
    ]


async def test_an_import_withdraws_a_card_when_the_caller_next_speaks(
    bus: Bus, service: Service
) -> None:
    await fill(bus, service)
    call = Script(bus, "call-6")
    await call.begin()
    await call.say("拖欠工资怎么投诉")
    await call.cards(1)
    await bring(bus, replace(WAGES, authorised=False).row())
    await call.say("嗯嗯好的")
    await call.say("嗯嗯知道了")
    assert await call.cards(2) == [("card.shown", "kb-wage-1"), ("card.withdrawn", "kb-wage-1")]
    await call.say("那拖欠工资怎么投诉呢")
    events = (await call.cards(3), await call.events())
    assert events[0][2] == ("card.shown", "kb-wage-1")
    assert [e.kind for e in events[1] if isinstance(e, CardShown)] == ["answer", "transfer"]


async def test_without_embedding_calls_still_get_cards_by_their_words(
    bus: Bus, nats_url: str, tmp_path: Path
) -> None:
    async with running(bus, nats_url, tmp_path) as service:
        await bring(bus, *ROWS, authorised_by="李主任")
        call = Script(bus, "call-4")
        await call.begin()
        await call.say("拖欠工资怎么投诉")
        assert await call.cards(1) == [("card.shown", "kb-wage-1")]
        assert service.figures.now()["by_words_alone"] == 1
        await answer_embeddings(bus, Bags())

        async def by_meaning() -> bool:
            return service.figures.now()["by_words_alone"] == 0

        await until(by_meaning)


async def test_an_empty_base_is_filled_from_the_table_of_the_settings(
    bus: Bus, nats_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = tmp_path / "own.csv"
    header = "id,question,answer,department,region,authorised"
    table.write_text(
        f"{header}\nk1,问,答,某处,临江市,yes\nk2,问,答,,临江市,yes\n", encoding="utf-8"
    )
    with caplog.at_level("INFO", logger="banxi.knowledge"):
        async with running(bus, nats_url, tmp_path, sample_base=True, base=table) as service:
            assert service.figures.now()["entries"] == 1
    assert "the base was empty and was filled" in caplog.text
    assert [r.__dict__["line"] for r in caplog.records if "not taken" in r.message] == [3]


async def test_a_call_read_again_after_a_restart_shows_nothing_twice(
    bus: Bus, nats_url: str, tmp_path: Path
) -> None:
    await answer_embeddings(bus, Bags())
    call = Script(bus, "call-5")
    async with running(bus, nats_url, tmp_path) as service:
        await fill(bus, service)
        await call.begin()
        await call.say("拖欠工资怎么投诉")
        await call.cards(1)
    async with running(bus, nats_url, tmp_path):
        await call.say("拖欠工资怎么投诉呀")
        await call.say("特殊工种能不能提前退休")
        assert await call.cards(3) == [
            ("card.shown", "kb-wage-1"),
            ("card.withdrawn", "kb-wage-1"),
            ("card.shown", "kb-early-1"),
        ]
