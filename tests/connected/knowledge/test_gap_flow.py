"""Gaps and offices through the service on a real bus; only the embedding model is a simple one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from contracts import subjects
from contracts.base import Evidence, Producer
from contracts.call import CallStarted
from contracts.gap import GapNoted
from contracts.requests import (
    DecideDraft,
    DraftEntry,
    Embed,
    EntryDetail,
    EntryFields,
    Gap,
    GapsListed,
    GapState,
    KnowledgeFound,
    ListGaps,
    Office,
    OfficeKept,
    PutOffice,
    RemoveOffice,
    SearchKnowledge,
)
from services.common.bus import Bus
from services.common.service import Service
from services.knowledge.app import create_app
from services.knowledge.finding.embedder import Purpose
from services.knowledge.settings import KnowledgeSettings, Settings
from tests.unit.knowledge.bags import DAY, Bags

pytestmark = pytest.mark.connected

ASKED = "夜市摆摊怎么报名"


@pytest.fixture
async def service(bus: Bus, nats_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    bags = Bags()

    async def answer(message: Msg) -> None:
        asked = Embed.model_validate_json(message.data)
        purpose: Purpose = "query" if asked.purpose == "query" else "passage"
        await message.respond((await bags.embed(asked.texts, purpose)).model_dump_json().encode())

    await bus.client.subscribe(subjects.command(bus.site, "embedding", "embed"), cb=answer)
    await bus.heard()
    settings = Settings(
        site=bus.site,
        nats_url=nats_url,
        data_dir=tmp_path,
        knowledge=KnowledgeSettings(sample_base=False),
    )
    async with create_app(settings, today=lambda: DAY).running() as service:
        yield service


async def until(bus: Bus, state: GapState, times: int, served: int = 0) -> Gap:
    async with asyncio.timeout(15):
        while True:
            listed = await bus.request(ListGaps(state=state), GapsListed)
            for gap in listed.gaps:
                if gap.times == times and gap.would_serve >= served:
                    return gap
            await asyncio.sleep(0.05)


async def note(bus: Bus, call: str) -> None:
    call_id = f"{bus.site}-{call}"
    await bus.publish(
        CallStarted(
            call_id=call_id,
            site=bus.site,
            at_ms=0,
            agent_id="015",
            caller_number="13900000000",
            pace="script",
        )
    )
    await bus.publish(
        GapNoted(
            call_id=call_id,
            site=bus.site,
            at_ms=4000,
            by=Producer(name="knowledge", version="1"),
            evidence=(Evidence(words=ASKED, role="caller"),),
        )
    )


async def test_a_gap_becomes_an_entry_that_serves(bus: Bus, service: Service) -> None:
    await note(bus, "c1")
    await note(bus, "c2")
    gap = await until(bus, "open", 2)
    drafted = await bus.request(
        DraftEntry(
            fields=EntryFields(
                question=ASKED, answer="到街道办登记。", department="街道办", region="临江市"
            ),
            by="甲",
            gap_id=gap.gap_id,
        ),
        EntryDetail,
    )
    assert (await until(bus, "drafted", 2)).entry_id == drafted.entry_id
    await bus.request(
        DecideDraft(
            entry_id=drafted.entry_id, revision=drafted.revision, decision="answer", by="乙"
        ),
        EntryDetail,
    )
    assert (await until(bus, "answered", 2, served=2)).gap_id == gap.gap_id


async def test_an_office_is_found_as_soon_as_it_is_written(bus: Bus, service: Service) -> None:
    async def told() -> list[str | None]:
        asked = SearchKnowledge(text="临江市供水集团的电话号码是多少")
        return [hit.answer for hit in (await bus.request(asked, KnowledgeFound)).hits]

    office = Office(office_id="w", name="临江市供水集团", region="临江市", phone="0599-555-1120")
    await bus.request(PutOffice(office=office, by="编"), OfficeKept)
    assert await told() == ["临江市供水集团的电话是0599-555-1120。"]
    changed = office.model_copy(update={"phone": "0599-555-2222"})
    await bus.request(PutOffice(office=changed, by="编"), OfficeKept)
    assert await told() == ["临江市供水集团的电话是0599-555-2222。"]
    await bus.request(RemoveOffice(office_id="w", by="编"), OfficeKept)
    assert await told() == []
