"""Partials on a real bus: a warning before the utterance is over, and what becomes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contracts import subjects
from contracts.base import Event, Role
from contracts.call import CallEnded, CallStarted
from contracts.card import CardShown
from contracts.transcript import TranscriptPartial
from contracts.warning import WarningConfirmed, WarningRaised, WarningWithdrawn
from services.common.bus import Bus
from services.common.kept import read_call
from services.common.service import Service
from services.conduct.app import create_app
from services.conduct.handler import MAX_TEXT
from services.conduct.settings import ConductSettings, Settings
from tests.unit.conduct.heads import KNOWN, RAMBLE, head
from tests.unit.conduct.stories import final
from tests.until import kept_of, until

pytestmark = pytest.mark.connected

SAID, FINE = "这我怎么知道", "您带身份证来就可以"
ID = f"{KNOWN}-1000"


@pytest.fixture
async def service(bus: Bus, nats_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """Conduct with a head made by hand, and nobody to ask for vectors."""
    path = tmp_path / "by-hand.npz"
    head().save(path)
    conduct = ConductSettings(meaning=path)
    settings = Settings(site=bus.site, nats_url=nats_url, conduct=conduct)
    async with create_app(settings).running() as service:
        yield service


async def begun(bus: Bus, service: Service, *call_ids: str) -> None:
    """Begin calls, and return when the service follows them."""
    for call_id in call_ids:
        about = {"agent_id": "8", "caller_number": ""}
        await bus.publish(CallStarted(call_id=call_id, site=bus.site, at_ms=0, **about))
    await until(lambda: service.figures.now()["calls_live"] >= len(call_ids))


async def heard(
    bus: Bus, call_id: str, text: str, *, start: int = 1_000, end: int = 2_000, role: Role = "agent"
) -> None:
    """A partial."""
    at = {"call_id": call_id, "site": bus.site, "at_ms": start}
    await bus.publish_live(TranscriptPartial(**at, end_ms=end, role=role, text=text))


async def said(bus: Bus, call_id: str, text: str, *, start: int = 1_000) -> None:
    """The agent's final."""
    event = final("agent", start, start + 2_000, text)
    await bus.publish(event.model_copy(update={"call_id": call_id, "site": bus.site}))


async def told(bus: Bus, call_id: str) -> list[tuple[str, str, bool]]:
    """What is kept about a call's forbidden phrases: event, warning, whether provisional."""
    return [
        (e.event, e.warning_id, getattr(e, "provisional", False))
        for e in await read_call(bus, bus.site, call_id)
        if isinstance(e, WarningConfirmed | WarningWithdrawn)
        or (isinstance(e, WarningRaised) and e.kind == "forbidden_phrase")
    ]


async def cards(bus: Bus, call_id: str) -> list[str]:
    kept: list[Event] = await read_call(bus, bus.site, call_id)
    return [e.card_id for e in kept if isinstance(e, CardShown) and e.slot == "wrong"]


async def all_looked_at(bus: Bus, last: str) -> None:
    """Return when every partial that was published before has been looked at: they are looked at
    in turn, and then comes one of the call `last`, which is followed."""
    await heard(bus, last, SAID)
    await kept_of(bus, last, WarningRaised)


RAISED, CONFIRMED, WITHDRAWN = "warning.raised", "warning.confirmed", "warning.withdrawn"
EARLY = (RAISED, ID, True)


async def test_raised_once_before_the_final_and_confirmed_by_it(bus: Bus, service: Service) -> None:
    await begun(bus, service, "e1", "e1-last")
    await heard(bus, "e1", "这我", end=1_500)
    await heard(bus, "e1", f"{SAID}", end=2_000)
    (early,) = await kept_of(bus, "e1", WarningRaised)
    assert (early.warning_id, early.provisional, early.level) == (ID, True, "alarm")
    assert (early.at_ms, early.end_ms, early.evidence[0].words) == (1_000, 2_000, SAID)
    await heard(bus, "e1", f"{SAID}呀您", end=2_500)
    await heard(bus, "e1", f"{SAID}，别再这么啰嗦", end=3_000)
    await all_looked_at(bus, "e1-last")
    both = [EARLY, (RAISED, f"{RAMBLE}-1000", True)]
    assert await told(bus, "e1") == both
    assert await cards(bus, "e1") == []
    await said(bus, "e1", f"{SAID}，别再这么啰嗦")
    await until(lambda: told(bus, "e1"), lambda kept: len(kept) == 4)
    confirmed = [(CONFIRMED, ID, False), (CONFIRMED, f"{RAMBLE}-1000", False)]
    assert await told(bus, "e1") == both + confirmed
    await until(lambda: cards(bus, "e1"), lambda shown: len(shown) == 2)
    assert await cards(bus, "e1") == [f"wrong-{ID}", f"wrong-{RAMBLE}-1000"]
    assert service.figures.now()["early_warnings"] == 3


async def test_partials_ahead_of_the_first_event_of_their_call_wait_for_it(
    bus: Bus, service: Service
) -> None:
    await begun(bus, service, "e0-last")
    await heard(bus, "e0", SAID)
    await all_looked_at(bus, "e0-last")
    assert await told(bus, "e0") == []
    await begun(bus, service, "e0-last", "e0")
    await kept_of(bus, "e0", WarningRaised)
    assert await told(bus, "e0") == [EARLY]


async def test_taken_back_by_a_final_without_it(bus: Bus, service: Service) -> None:
    await begun(bus, service, "e2", "e2-last")
    await heard(bus, "e2", SAID)
    await heard(bus, "e2", SAID, start=5_000, end=6_000)
    await all_looked_at(bus, "e2-last")
    await said(bus, "e2", FINE)
    await said(bus, "e2", SAID, start=5_000)
    await until(lambda: told(bus, "e2"), lambda kept: len(kept) == 4)
    other = f"{KNOWN}-5000"
    assert await told(bus, "e2") == [
        EARLY,
        (RAISED, other, True),
        (WITHDRAWN, ID, False),
        (CONFIRMED, other, False),
    ]


async def test_a_partial_behind_its_final_is_nothing(bus: Bus, service: Service) -> None:
    await begun(bus, service, "e3", "e3-last")
    await said(bus, "e3", SAID)
    await kept_of(bus, "e3", WarningRaised)
    await heard(bus, "e3", SAID)
    await all_looked_at(bus, "e3-last")
    assert await told(bus, "e3") == [(RAISED, ID, False)]


async def test_one_that_crossed_with_the_firm_one_is_confirmed(bus: Bus, service: Service) -> None:
    # As when a partial was looked at while its final was on its way.
    await said(bus, "e4", SAID)
    (firm,) = await kept_of(bus, "e4", WarningRaised)
    assert await bus.publish(firm.model_copy(update={"provisional": True}))
    await kept_of(bus, "e4", WarningConfirmed)
    assert await told(bus, "e4") == [(RAISED, ID, False), EARLY, (CONFIRMED, ID, False)]


async def test_the_caller_and_broken_partials_are_passed_over(bus: Bus, service: Service) -> None:
    await begun(bus, service, "e5")
    await heard(bus, "e5", SAID, role="caller")
    subject = subjects.LIVE.format(site=bus.site, call_id="e5", event=TranscriptPartial.event)
    for broken in (b"", b"\xff\xfe", b"[]", b'{"call_id": "e5", "role": "agent"}'):
        await bus.client.publish(subject, broken)
    await heard(bus, "e5", "", start=3_000)
    await heard(bus, "e5", "😀" * 5_000, start=4_000, end=3_000)
    await heard(bus, "e5", "嗯" * MAX_TEXT + SAID, start=5_000)
    await heard(bus, "e5", SAID, start=7_000, end=6_000)
    (early,) = await kept_of(bus, "e5", WarningRaised)
    assert (early.at_ms, early.end_ms) == (7_000, 7_000)


async def test_without_a_final_it_is_taken_back_when_the_call_is_settled(
    bus: Bus, service: Service
) -> None:
    await begun(bus, service, "e6")
    await heard(bus, "e6", SAID)
    await kept_of(bus, "e6", WarningRaised)
    await bus.publish(CallEnded(call_id="e6", site=bus.site, at_ms=3_000, ended_by="caller"))
    await kept_of(bus, "e6", WarningWithdrawn)
    assert await told(bus, "e6") == [EARLY, (WITHDRAWN, ID, False)]
    assert await cards(bus, "e6") == []
