"""Calls on a real bus: cards while the caller speaks, cards taken back, gaps."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from contracts import subjects
from contracts.base import Producer
from contracts.call import CallEnded, CallStarted
from contracts.card import CardShown, CardWithdrawn
from contracts.gap import GapNoted
from contracts.requests import Embed, EntryDetail, GapsListed, ListGaps, WithdrawEntry
from contracts.transcript import TranscriptFinal, TranscriptPartial
from services.common.bus import Bus
from services.common.kept import read_call
from services.common.service import Service
from services.knowledge.app import create_app
from services.knowledge.entries.entry import COLUMNS
from services.knowledge.settings import KnowledgeSettings, Settings
from tests.unit.knowledge.bags import DAY, ENTRIES, Bags

pytestmark = pytest.mark.connected

LOST = "我的社保卡丢了怎么补办"
CANTEEN = "社区老年食堂的补贴怎么申请"


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.05)


@pytest.fixture
async def service(bus: Bus, nats_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    bags = Bags()

    async def answer(message: Msg) -> None:
        asked = Embed.model_validate_json(message.data)
        made = await bags.embed(asked.texts, "query" if asked.purpose == "query" else "passage")
        await message.respond(made.model_dump_json().encode())

    await bus.client.subscribe(subjects.command(bus.site, "embedding", "embed"), cb=answer)
    await bus.heard()
    table = tmp_path / "base.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS)
        rows.writeheader()
        rows.writerows(entry.row() for entry in ENTRIES)
    settings = Settings(
        site=bus.site,
        nats_url=nats_url,
        data_dir=tmp_path,
        knowledge=KnowledgeSettings.model_validate({"base": table}),
    )
    async with create_app(settings, today=lambda: DAY).running() as service:

        async def indexed() -> bool:
            return service.figures.now()["vectors_missing"] == 0

        await until(indexed)
        yield service


class Caller:
    """Somebody who calls."""

    def __init__(self, bus: Bus, call_id: str) -> None:
        self._bus = bus
        self.call_id = f"{bus.site}-{call_id}"
        self._who = {"call_id": self.call_id, "site": bus.site}
        self._ms = 0

    async def begin(self) -> None:
        begun = {"at_ms": 0, "agent_id": "015", "caller_number": "13900000000"}
        await self._bus.publish(CallStarted.model_validate(self._who | begun))

    async def murmur(self, text: str, after_ms: int) -> None:
        said = {"role": "caller", "text": text}
        times = {"at_ms": self._ms + 500, "end_ms": self._ms + 500 + after_ms}
        await self._bus.publish_live(TranscriptPartial.model_validate(self._who | said | times))

    async def say(self, text: str) -> None:
        start, self._ms = self._ms + 500, self._ms + 3_000
        said = {"role": "caller", "text": text, "heard": text}
        times = {"at_ms": start, "end_ms": self._ms}
        by = {"by": Producer(name="script", version="1")}
        await self._bus.publish(TranscriptFinal.model_validate(self._who | said | times | by))

    async def end(self) -> None:
        ended = {"at_ms": self._ms, "ended_by": "caller"}
        await self._bus.publish(CallEnded.model_validate(self._who | ended))

    async def told(
        self, count: int, within_s: float = 20
    ) -> Sequence[CardShown | CardWithdrawn | GapNoted]:
        """The first `count` cards, withdrawals and gaps of the call."""
        async with asyncio.timeout(within_s):
            while True:
                events = await read_call(self._bus, self._bus.site, self.call_id)
                ours = [e for e in events if isinstance(e, CardShown | CardWithdrawn | GapNoted)]
                if len(ours) >= count:
                    return ours
                await asyncio.sleep(0.02)


async def test_the_card_is_there_while_the_caller_speaks(bus: Bus, service: Service) -> None:
    caller = Caller(bus, "early")
    await caller.begin()
    await caller.say("喂你好")
    # A call is known once its beginning was read; partials before that say nothing.
    async with asyncio.timeout(20):
        after_ms = 600
        while not service.figures.now().get("cards_by_partials"):
            await caller.murmur(LOST, after_ms)
            after_ms += 20
            await asyncio.sleep(0.1)
    (card,) = await caller.told(1)
    assert isinstance(card, CardShown)
    assert (card.card_id, card.derived_from[-1].endswith(".partial")) == ("kb-card-2", True)
    await caller.say(LOST)
    await caller.say("嗯嗯好的")
    await caller.say("拖欠工资怎么投诉")
    told = [(e.event, getattr(e, "card_id", "")) for e in await caller.told(3)]
    assert told == [
        ("card.shown", "kb-card-2"),
        ("card.withdrawn", "kb-card-2"),
        ("card.shown", "kb-wage-1"),
    ]


async def test_an_answer_taken_back_leaves_every_live_call_though_nobody_speaks(
    bus: Bus, service: Service
) -> None:
    callers = [Caller(bus, f"back-{number}") for number in range(3)]
    for caller in callers:
        await caller.begin()
        await caller.say("拖欠工资怎么投诉")
        await caller.told(1)
    asked = WithdrawEntry(entry_id="wage-1", reason="口径有变", by="李主任")
    await bus.request(asked, EntryDetail)
    for caller in callers:
        _, gone = await caller.told(2, within_s=3)
        assert isinstance(gone, CardWithdrawn)
        assert gone.card_id == "kb-wage-1"


async def test_what_nobody_can_answer_reaches_the_editors(bus: Bus, service: Service) -> None:
    caller = Caller(bus, "gap")
    await caller.begin()
    await caller.say(CANTEEN)
    await caller.say("嗯嗯好的")
    await caller.end()
    (noted,) = await caller.told(1)
    assert isinstance(noted, GapNoted)
    listed: list[str] = []

    async def kept() -> bool:
        listed[:] = [g.words for g in (await bus.request(ListGaps(), GapsListed)).gaps]
        return bool(listed)

    await until(kept)
    assert listed == [CANTEEN]
