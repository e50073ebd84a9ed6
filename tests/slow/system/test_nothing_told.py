"""What callers say stands in no log and no figure of any service, and figures do not grow with
calls."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from contracts.base import Event
from contracts.call import CallEnded
from contracts.card import CardShown
from contracts.events import KEPT
from contracts.gap import GapNoted
from contracts.requests import (
    REQUESTS,
    Describe,
    Description,
    Embed,
    Embedding,
    KnowledgeFound,
    SearchKnowledge,
)
from contracts.warning import WarningRaised
from services.common import streams
from services.common.bus import Bus
from services.common.consumer import SETTLE_S
from services.common.failure import CannotStart
from services.common.kept import read_call
from tests.until import until
from tools.connection import connected
from tools.scripted_calls import Script, perform, timeline
from tools.system import SERVICES, Ports, System, free_ports

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

DATA = Path(__file__).parents[3] / "services" / "knowledge" / "data"
SAMPLE_BASE, OFFICES = DATA / "sample_base.csv", DATA / "sample_offices.csv"
MARK, NUMBER = "斑头雁", "19900071234"
"""A word and a number that stand nowhere but in the calls played here."""
TRACES = (MARK, NUMBER, json.dumps(MARK)[1:-1], MARK.encode().hex(), repr(MARK.encode())[2:-1])
CALL = Script.model_validate(
    {
        "agent_id": "031",
        "caller_number": NUMBER,
        "region": "临江市",
        "hangup": {"by": "caller", "at": 50.0},
        "script": [
            {"role": role, "start": start, "end": end, "text": text}
            for role, start, end, text in (
                ("agent", 0.5, 4.0, f"您好，{MARK}为您服务，请讲。"),
                ("caller", 5.0, 9.0, f"我家开{MARK}养殖场，要办什么许可证？"),
                ("agent", 10.0, 12.0, f"{MARK}，这我怎么知道。"),
                ("caller", 13.0, 17.0, f"我姓{MARK}，社保卡丢了怎么补办？"),
                ("agent", 18.0, 20.0, f"我查一下{MARK}，请稍等。"),
                ("caller", 40.0, 44.0, f"我要投诉，你们都不理{MARK}。"),
            )
        ],
    }
)
Series = set[tuple[str, str, tuple[tuple[str, str], ...]]]
"""Service, name and labels of every time series."""


def ports() -> Ports:
    """Free ports, those of the health pages in a row."""
    while True:
        found = replace(free_ports(), health=random.randrange(20_000, 32_000))
        with contextlib.suppress(CannotStart):
            found.check_free()
            return found


def beginning(table: Path, rows: int, to: Path) -> Path:
    """The first rows of a table: less to index, and the system is ready sooner."""
    read = list(csv.reader(table.read_text("utf-8-sig").splitlines(keepends=True)))
    with to.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(read[: rows + 1])
    return to


class Watched:
    """The whole system, what it logs and what it shows."""

    def __init__(self, system: System, bus: Bus, log: list[str]) -> None:
        self.system = system
        self.bus = bus
        self.log = log

    async def pages(self) -> dict[str, str]:
        """What every service serves to anybody, as text."""
        assert self.system.ports.health
        found = {}
        async with httpx.AsyncClient() as client:
            for number, name in enumerate(SERVICES):
                base = f"http://127.0.0.1:{self.system.ports.health + number}"
                for page in ("metrics", "readyz", "healthz"):
                    answer = await client.get(f"{base}/{page}", timeout=30)
                    found[f"{name}/{page}"] = answer.text
                said = await self.bus.request_of(name, Describe(), Description, timeout_s=20)
                found[f"{name}/describe"] = said.model_dump_json()
        return found

    async def figures(self) -> dict[tuple[str, str, tuple[tuple[str, str], ...]], float]:
        """Every time series with its value."""
        pages = await self.pages()
        return {
            (name, sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for name in SERVICES
            for family in text_string_to_metric_families(pages[f"{name}/metrics"])
            for sample in family.samples
        }

    async def play(self, call_id: str, speed: float) -> list[Event]:
        """Play the call; its events once it has settled everywhere."""
        await perform(self.bus, timeline(CALL, call_id, self.bus.site), speed=speed)
        events: list[Event] = []
        while True:
            before = len(events)
            events = await read_call(self.bus, self.bus.site, call_id)
            if len(events) == before and any(isinstance(e, CallEnded) for e in events):
                return events
            await asyncio.sleep(SETTLE_S + 2)

    async def set_aside(self) -> int:
        """How many dead letters there are."""
        return (await self.bus.js.stream_info(streams.DEAD)).state.messages

    async def reasons(self) -> list[str]:
        """The headers of all dead letters: what an operator reads of them first."""
        state = (await self.bus.js.stream_info(streams.DEAD)).state
        found = []
        for sequence in range(max(1, state.first_seq), state.last_seq + 1):
            headers = (await self.bus.js.get_msg(streams.DEAD, seq=sequence)).headers or {}
            found.append(" ".join(headers.values()))
        return found


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    log: list[str] = []
    system = System(
        tmp_path / "data",
        ports(),
        say=lambda name, line: log.append(f"{name}: {line}"),
        environment={
            "BANXI_LOG_LEVEL": "DEBUG",
            "BANXI_KNOWLEDGE__BASE": str(beginning(SAMPLE_BASE, 12, tmp_path / "base.csv")),
            "BANXI_KNOWLEDGE__OFFICES": str(beginning(OFFICES, 2, tmp_path / "offices.csv")),
        },
    )
    try:
        await system.start()
        await system.wait_ready()
        async with connected(system.nats_url) as client:
            yield Watched(system, Bus(client, site=system.site, service="test"), log)
    finally:
        await system.stop()


def told(text: str) -> bool:
    """Whether something of the calls stands in it."""
    return any(trace in text for trace in TRACES)


async def misuse(bus: Bus) -> None:
    """Say the word where things go wrong: messages and requests that are none."""
    for name in KEPT:
        for payload in (MARK.encode(), json.dumps({"call_id": MARK, "text": [MARK]}).encode()):
            await bus.client.publish(f"banxi.v1.{bus.site}.call.odd.{name}", payload)
    for request in REQUESTS:
        subject = f"banxi.v1.{bus.site}.cmd.{request.service}.{request.verb}"
        wrong = json.dumps({name: {MARK: MARK} for name in request.model_fields} or [MARK])
        await bus.client.publish(subject, wrong.encode())
    headers = {"Banxi-Start-Ms": MARK.encode().hex(), "Banxi-Rate": "8000"}
    await bus.client.publish(f"banxi.v1.{bus.site}.audio.odd.caller", b"x", headers=headers)
    await bus.heard()


async def test_nothing_callers_say_stands_in_logs_or_figures(watched: Watched) -> None:
    bus = watched.bus
    events = await watched.play("first", speed=8)
    kinds = {type(event) for event in events}
    assert {WarningRaised, CardShown, GapNoted} <= kinds
    await bus.request(SearchKnowledge(text=f"{MARK}怎么补办"), KnowledgeFound, timeout_s=20)
    await bus.request(Embed(texts=(MARK,)), Embedding, timeout_s=20)
    await misuse(bus)

    # Every message that is none has come back as a dead letter of somebody.
    await until(watched.set_aside, lambda count: count > len(KEPT), patience_s=60)
    letters = await watched.reasons()
    before = await watched.figures()
    sums: dict[str, float] = {}
    for (_, name, _), value in before.items():
        sums[name] = sums.get(name, 0) + value
    warnings = [event for event in events if isinstance(event, WarningRaised)]
    assert sums["banxi_warnings_total"] == len(warnings)
    cards = [event for event in events if isinstance(event, CardShown)]
    assert sums["banxi_cards_shown_total"] == len(cards)
    assert sums["banxi_card_delay_seconds_count"] > 0
    assert sums["banxi_dead_letters_total"] >= len(letters)
    assert [what for what, text in (await watched.pages()).items() if told(text)] == []

    # As many calls again and more: not one time series more.
    await asyncio.gather(*(watched.play(f"more-{number}", speed=0) for number in range(12)))
    after = await watched.figures()
    assert after.keys() - before.keys() == set()
    assert [what for what, text in (await watched.pages()).items() if told(text)] == []
    assert [reason for reason in await watched.reasons() if told(reason)] == []
    await watched.system.stop()
    assert [line for line in watched.log if told(line)] == []
    assert any("partition held" in line for line in watched.log)
