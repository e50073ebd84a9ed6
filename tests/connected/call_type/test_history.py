"""The history of a number, asked of a real records service."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.call import CallStarted
from contracts.call_type import CallType
from services.call_type.history import NOTHING, AskingHistory, History
from services.common.bus import Bus
from tests.connected.records.scripts import kept, publish_as_of, running, script

pytestmark = pytest.mark.connected

NUMBER = "13900007788"


async def test_a_number_s_calls_are_known_and_nothing_stops_without_records(
    bus: Bus, nats_url: str, tmp_path: Path
) -> None:
    log = logging.getLogger("banxi.test")
    history = AskingHistory(bus, within_days=30, limit=10, patience_s=2.0, log=log)
    now = CallStarted(
        call_id="now",
        site=bus.site,
        at_ms=0,
        agent_id="015",
        caller_number=NUMBER,
        wall_time=datetime.now(UTC),
    )
    async with running(bus, nats_url, tmp_path):
        made: list[tuple[str, str, CallType, int]] = [
            ("older", "我想问一下补社保卡的事", "咨询", 3),
            ("newer", "社保卡还是没有补下来", "投诉", 1),
            ("ancient", "去年问过的一件事情", "咨询", 200),
        ]
        for call_id, said, type_, days in made:
            events = script(bus, call_id, said, number=NUMBER, type_=type_)
            await publish_as_of(bus, events, timedelta(days=days))
            await kept(bus, call_id, len(events))
        events = script(bus, "now", "我又来问补卡的事", number=NUMBER, type_="纠缠")
        await publish_as_of(bus, events, timedelta(0))
        await kept(bus, "now", len(events))
        assert await history.of(now) == History(
            2, ("社保卡还是没有补下来", "补社保卡的事"), ("投诉", "咨询")
        )
    assert await history.of(now) == NOTHING
    assert (history.asked, history.unanswered) == (2, 1)
