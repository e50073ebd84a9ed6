from __future__ import annotations

from functools import partial
from operator import le
from pathlib import Path

import pytest

from contracts.base import Event
from contracts.requests import Describe, Description
from contracts.warning import WarningRaised
from services.common.bus import Bus
from services.common.failure import CannotStart
from services.common.kept import read_call
from services.common.service import Service
from services.conduct.app import create_app
from services.conduct.books import BOOKS
from services.conduct.settings import ConductSettings, Settings
from tests.unit.conduct.stories import CLOSING, OPENING, agent, caller
from tests.until import until
from tools.recordings import Hangup
from tools.scripted_calls import Script, timeline

pytestmark = pytest.mark.connected

LINES = (
    agent(0.5, 4, OPENING),
    caller(4.5, 8),
    agent(9, 12, "这我怎么知道"),
    agent(25, 27, CLOSING),
)


def told(events: list[Event]) -> list[tuple[str, str, int]]:
    return [(e.kind, e.level, e.at_ms) for e in events if isinstance(e, WarningRaised)]


def handled(service: Service) -> int:
    return sum(consumer.handled for consumer in service.consumers)


async def test_a_call_on_the_bus(bus: Bus, nats_url: str) -> None:
    conduct = ConductSettings(silence_alarm_s=10)
    settings = Settings(site=bus.site, nats_url=nats_url, conduct=conduct)
    script = Script(script=LINES, hangup=Hangup(by="caller", at=28))
    steps = timeline(script, "conduct-1", bus.site)
    half = len(steps) // 2
    # Half of the call, then another process: state is folded again from the stream.
    for part in (steps[:half], steps[half:]):
        async with create_app(settings).running() as service:
            for step in part:
                await bus.publish(step.event)
            await until(partial(handled, service), partial(le, len(part)))
            described = await bus.request_of("conduct", Describe(), Description)
    kept = await read_call(bus, bus.site, "conduct-1")
    assert told(kept) == [
        ("forbidden_phrase", "alarm", 9_000),
        ("silence", "remind", 12_000),
        ("silence", "alarm", 12_000),
    ]
    alarm = next(e for e in kept if isinstance(e, WarningRaised) and e.kind == "silence")
    assert alarm.due_ms == 17_000
    assert {model.name for model in described.models} == set(BOOKS)
    assert len({e.event_id for e in kept}) == len(kept)


async def test_a_broken_rule_file_stops_it_with_a_sentence(
    bus: Bus, nats_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("version: '1'\nrules: []\n", encoding="utf-8")
    conduct = ConductSettings(phrases=path)
    settings = Settings(site=bus.site, nats_url=nats_url, conduct=conduct)
    with pytest.raises(CannotStart, match=r"own\.yaml, line 1, fillers: Field required"):
        async with create_app(settings).running():
            pass
