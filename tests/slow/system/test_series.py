"""A thousand calls leave no more time series behind than ten."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.common.bus import Bus
from services.common.service import Service
from services.conduct import app as conduct
from services.conduct.settings import Settings as ConductSettings
from services.desk import app as desk
from services.desk.settings import DeskSettings
from services.desk.settings import Settings as DeskSettingsAll
from services.escalation import app as escalation
from services.escalation.settings import Settings as EscalationSettings
from services.records import app as records
from services.records.settings import Settings as RecordsSettings
from tests.conftest import free_port
from tests.until import until
from tools.scripted_calls import Script, perform, timeline

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SCRIPT = Script.model_validate(
    {
        "script": [
            {"role": "agent", "start": 0.2, "end": 1.0, "text": "您好，请讲。"},
            {"role": "caller", "start": 1.2, "end": 2.0, "text": "请问几点下班？"},
            {"role": "agent", "start": 2.1, "end": 2.6, "text": "不要啰嗦。"},
        ],
        "hangup": {"by": "caller", "at": 3.0},
    }
)
AT_ONCE = 20


def series(service: Service) -> set[tuple[str, ...]]:
    """Every time series of a service: its name and labels."""
    text = service.figures.exposition().decode()
    return {
        (sample.name, *(f"{k}={v}" for k, v in sorted(sample.labels.items())))
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def play(bus: Bus, services: list[Service], first: int, last: int) -> None:
    """Play calls first to last; return when every service has taken all of them."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with slots:
            await perform(bus, timeline(SCRIPT, f"call-{number}", bus.site), speed=0)

    await asyncio.gather(*(one(number) for number in range(first, last)))
    kept = next(service for service in services if service.name == "records")
    await until(kept.figures.now, lambda now: now["calls_kept"] == last, patience_s=400)


async def test_a_thousand_calls_make_no_more_series_than_ten(
    nats_url: str, site: str, bus: Bus, tmp_path: Path
) -> None:
    common: dict[str, Any] = {"nats_url": nats_url, "site": site, "data_dir": tmp_path}
    services = [
        conduct.create_app(ConductSettings(**common)),
        escalation.create_app(EscalationSettings(**common)),
        records.create_app(RecordsSettings(**common)),
        desk.create_app(DeskSettingsAll(**common, desk=DeskSettings(port=free_port()))),
    ]
    async with contextlib.AsyncExitStack() as stack:
        for service in services:
            await stack.enter_async_context(service.running())
        await play(bus, services, 0, 10)
        after_ten = {service.name: series(service) for service in services}
        assert all(len(found) > 10 for found in after_ten.values())
        await play(bus, services, 10, 1000)
        for service in services:
            assert series(service) == after_ten[service.name]
            assert b"call-" not in service.figures.exposition()
