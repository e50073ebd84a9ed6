"""Transfers that learn from the directory whom they reach, on a real bus."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.card import CardShown
from contracts.requests import Office, OfficeKept, PutOffice, RemoveOffice
from services.common.bus import Bus
from services.common.service import Service
from services.knowledge.directory.store import OfficeStore
from services.knowledge.keeping.store import Store
from tests.connected.knowledge.test_service import Script, bring, look, running
from tests.unit.knowledge.bags import EARLY
from tests.until import kept_of, until

pytestmark = pytest.mark.connected

BARE = replace(EARLY, phone=None, liaison=None)
OFFICE = Office(
    office_id="pension",
    name=BARE.department,
    region=BARE.region,
    phone="0599-555-1102",
    liaison="沈同志",
    liaison_phone="0599-555-7102",
)
LIAISON = "沈同志（转接用 0599-555-7102，不报给来电人）"


@pytest.fixture
async def service(bus: Bus, nats_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with running(bus, nats_url, tmp_path) as service:
        await bring(bus, BARE.row())
        await put(bus, OFFICE)
        yield service


async def put(bus: Bus, office: Office) -> None:
    await bus.request(PutOffice(office=office, by="王编辑"), OfficeKept)


async def shown(bus: Bus, call_id: str) -> list[CardShown]:
    return await kept_of(bus, f"{bus.site}-{call_id}", CardShown)


def reached(card: CardShown) -> tuple[str | None, str | None]:
    assert card.kind == "transfer" and card.source
    assert "7102" not in card.body and card.aloud == ()
    return card.source.phone, card.source.liaison


async def test_a_card_that_stands_follows_the_directory(bus: Bus, service: Service) -> None:
    call = Script(bus, "transfer")
    await call.begin()
    await call.say(BARE.question)
    (card,) = await until(lambda: shown(bus, "transfer"))
    assert reached(card) == (OFFICE.phone, LIAISON)
    await put(bus, OFFICE.model_copy(update={"phone": "0599-555-1103"}))
    cards = await until(lambda: shown(bus, "transfer"), lambda cards: len(cards) == 2)
    assert reached(cards[-1]) == ("0599-555-1103", LIAISON)
    # Also what somebody else wrote beside the service.
    store = Store(service.settings.data_dir / "knowledge.db")
    await store.open()
    await OfficeStore(store.database).remove("pension", by="王编辑", at=datetime.now(UTC))
    await store.close()
    cards = await until(lambda: shown(bus, "transfer"), lambda cards: len(cards) == 3)
    assert reached(cards[-1]) == (None, None)
    # They are one card, put right in its place.
    assert {card.card_id for card in cards} == {"kb-early-1"}
    assert await call.cards(3) == [("card.shown", "kb-early-1")] * 3


async def test_a_search_names_whom_a_transfer_reaches(bus: Bus, service: Service) -> None:
    async def hit(region: str | None = None) -> tuple[object, object]:
        (hit,) = (h for h in (await look(bus, BARE.question, region)).hits if h.kind == "transfer")
        return hit.source["phone"], hit.source["liaison"]

    assert await hit() == (OFFICE.phone, LIAISON)
    county = {"office_id": "county", "region": "云岭县", "phone": "0599-555-3102", "liaison": ""}
    await put(bus, OFFICE.model_copy(update=county))
    assert await hit("云岭县") == ("0599-555-3102", None)
    assert await hit() == (OFFICE.phone, LIAISON)
    await bus.request(RemoveOffice(office_id="pension", by="王编辑"), OfficeKept)
    assert await hit() == (None, None)
