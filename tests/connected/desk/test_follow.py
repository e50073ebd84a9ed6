"""Reading in order, whatever happens to the consumer."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest
from nats.aio.msg import Msg
from nats.js.api import ConsumerInfo

from services.common import streams
from services.common.bus import Bus
from services.desk import follow
from services.desk.follow import Follower
from services.desk.hearing import kept_subjects
from tests.connected.desk.story import Story
from tests.connected.desk.tales import play

pytestmark = pytest.mark.connected


async def test_a_lost_consumer_goes_on_where_it_was(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "IDLE_S", 0.2)
    seen: list[int] = []

    async def take(message: Msg) -> None:
        seen.append(message.metadata.sequence.stream)

    def story(number: int) -> Story:
        return Story(bus.site, f"n{number}").says("caller", 1_000, 2_000, "喂").ends(3_000)

    await play(bus, [story(0)])
    since = datetime.now(UTC) - timedelta(hours=1)
    follower = Follower(
        bus.js, kept_subjects(bus.site), since, take, logging.getLogger("banxi.test")
    )
    async with follower.running(pytest.fail):
        await asyncio.wait_for(follower.caught_up.wait(), 10)
        assert len(seen) == 5
        for number in (1, 2):
            [name] = await consumers(bus)
            await bus.js.delete_consumer(streams.CALLS, name)
            await play(bus, [story(number)])
            async with asyncio.timeout(10):
                while len(seen) < 5 * (number + 1):  # noqa: ASYNC110 - polled with a deadline
                    await asyncio.sleep(0.05)
    assert seen == sorted(set(seen))
    assert await consumers(bus) == [], "nothing is left behind"


async def consumers(bus: Bus) -> list[str]:
    """The consumers that read this site's calls."""
    [wanted] = kept_subjects(bus.site)
    found: list[ConsumerInfo] = []
    while page := await bus.js.consumers_info(streams.CALLS, offset=len(found)):
        found += page
    return [
        c.name
        for c in found
        if wanted in (c.config.filter_subject, *(c.config.filter_subjects or ()))
    ]
