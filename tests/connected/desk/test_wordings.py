"""Agreed wordings on every page: within a second, with receipts, and gone when they are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.base import Producer
from contracts.card import CardShown
from contracts.requests import (
    AnnounceWording,
    ListWordings,
    ReadWording,
    WithdrawWording,
    WordingKept,
    WordingsListed,
)
from services.common.bus import Bus
from tests.connected.desk.announcing import wordings_kept
from tests.connected.desk.running import Page, RunningDesk, running_desk, signed_in
from tests.connected.desk.story import Story
from tests.connected.desk.tales import play

pytestmark = pytest.mark.connected

FORM = {"type": "announce", "title": "医保系统升级", "body": "预计今晚八点恢复。"}


def titles(page: Page) -> list[str]:
    return [item["title"] for item in page.figures["wordings"]]


def on_wall(page: Page) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = page.figures["wordings"]["list"]
    return listed


def shows(*wanted: str) -> Callable[[Page], bool]:
    return lambda page: titles(page) == list(wanted)


class Room:
    """Two desks, each with an agent's page, and a supervisor's wall on the second."""

    def __init__(self, agents: list[Page], wall: Page) -> None:
        self.agents = agents
        self.wall = wall

    async def all_show(self, *wanted: str) -> None:
        await asyncio.gather(*(page.until(shows(*wanted)) for page in self.agents))


@pytest.fixture
async def room(nats_url: str, bus: Bus, desk: RunningDesk, tmp_path: Path) -> AsyncIterator[Room]:
    (tmp_path / "second").mkdir()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        second = await enter(running_desk(nats_url, bus.site, tmp_path / "second"))

        async def page(where: RunningDesk, account: str, kind: str = "desk") -> Page:
            opens = await enter(signed_in(where, account, kind))
            opened: Page = await (await enter(opens())).hello()
            await opened.next()
            return opened

        agents = [await page(desk, "a015"), await page(second, "a008")]
        yield Room(agents, await page(second, "b01", "wall"))


async def test_it_stands_on_every_page_within_a_second_and_is_read_and_taken_back(
    nats_url: str, bus: Bus, room: Room, tmp_path: Path
) -> None:
    async with wordings_kept(nats_url, bus, tmp_path):
        await room.wall.until(lambda page: page.figures["wordings"]["heard"])
        assert room.wall.figures["places"]["parents"]["云岭县"] == "临江市"
        published = time.monotonic()
        answer = await room.wall.ask(FORM | {"topics": ["刷不了卡"], "region": "云岭县"})
        assert answer["ok"], answer
        await room.all_show("医保系统升级")
        assert time.monotonic() - published < 1.0
        [shown] = room.agents[0].figures["wordings"]
        assert (shown["by"], shown["region"], shown["read"]) == ("b01", "云岭县", False)

        # Read on one desk, seen on the other's wall; again it is the same.
        for _ in range(2):
            assert (await room.agents[0].ask({"type": "seen", "wording": shown["id"]}))["ok"]
        await room.agents[0].until(lambda page: page.figures["wordings"][0]["read"])
        await room.wall.until(lambda page: on_wall(page)[0]["unread"] == ["008"])
        assert [by for by, _ in on_wall(room.wall)[0]["read"]] == ["015"]
        assert not room.agents[1].figures["wordings"][0]["read"]
        kept = await bus.request(ListWordings(), WordingsListed)
        assert [r.by for r in kept.wordings[0].receipts] == ["015"]

        withdrawn = time.monotonic()
        assert (await room.wall.ask({"type": "unannounce", "wording": shown["id"]}))["ok"]
        await room.all_show()
        assert time.monotonic() - withdrawn < 1.0


async def test_it_ends_by_itself_and_a_late_page_is_told_what_stands(
    nats_url: str, bus: Bus, room: Room, desk: RunningDesk, tmp_path: Path
) -> None:
    # Announced while no desk could hear the news of it.
    async with wordings_kept(nats_url, bus, tmp_path):
        soon = datetime.now(UTC) + timedelta(seconds=3)
        for title, until in (("一直", None), ("马上结束", soon)):
            asked = AnnounceWording(title=title, body="说法", until=until, by="b01")
            await bus.request(asked, WordingKept)
        await room.all_show("马上结束", "一直")
        async with signed_in(desk, "a015") as opens, opens() as late:
            await (await late.hello()).next()
            await late.until(shows("马上结束", "一直"))
            await asyncio.gather(room.all_show("一直"), late.until(shows("一直")))
        assert abs((datetime.now(UTC) - soon).total_seconds()) < 1.0
    # The service is away: what stands goes on standing.
    async with signed_in(desk, "a015") as opens, opens() as late:
        await (await late.hello()).next()
        assert titles(late) == ["一直"]
    assert not (await room.wall.ask(FORM))["ok"]


async def test_a_desk_that_missed_the_news_asks(nats_url: str, bus: Bus, tmp_path: Path) -> None:
    async with wordings_kept(nats_url, bus, tmp_path):
        kept = await bus.request(
            AnnounceWording(title="早就有了", body="说法", by="b01"), WordingKept
        )
        await bus.request(ReadWording(wording_id=kept.wording.wording_id, by="015"), WordingKept)
        async with (
            running_desk(nats_url, bus.site, tmp_path) as desk,
            signed_in(desk, "a015") as opens,
            opens() as page,
        ):
            await page.hello()
            await page.until(lambda page: page.figures["wordings"][0]["read"])
            gone = WithdrawWording(wording_id=kept.wording.wording_id, by="b01")
            await bus.request(gone, WordingKept)
            await page.until(shows())


async def test_only_a_supervisor_publishes_and_mistakes_are_said_so(
    nats_url: str, bus: Bus, room: Room, tmp_path: Path
) -> None:
    agent, wall = room.agents[0], room.wall
    async with wordings_kept(nats_url, bus, tmp_path):
        refused = await agent.ask(FORM)
        assert (refused["ok"], refused["message"]) == (False, "只有班长可以处置。")
        assert not (await agent.ask({"type": "unannounce", "wording": "w1"}))["ok"]
        assert not (await wall.ask({"type": "seen", "wording": "w1"}))["ok"]
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"region": "没有的县"}, "没有这个地区"),
            ({"until": "2020-01-01T00:00:00Z"}, "现在之后"),
            ({"title": "  "}, "话题"),
            ({"body": "一" * 1001}, "没有看懂"),
        ]
        for more, said in wrong:
            answer = await wall.ask(FORM | more)
            assert not answer["ok"]
            assert said in answer["message"]
        assert (await wall.ask(FORM))["ok"]
        assert "已经在坐席页面上" in (await wall.ask(FORM))["message"]
        await agent.until(lambda page: len(titles(page)) == 1)


async def test_a_call_that_brings_the_topic_up_names_the_wording(
    desk: RunningDesk, bus: Bus
) -> None:
    story = Story(bus.site)
    card = CardShown(
        **story.who,
        at_ms=2_000,
        by=Producer(name="knowledge", version="1"),
        card_id="kb-wording-abc.2",
        slot="answer",
        kind="announced",
        title="医保系统升级",
        body="预计今晚八点恢复。",
        why="来电人说：“刷不了卡”",
    )
    async with signed_in(desk, "a015") as opens, opens() as page:
        await page.hello()
        await play(bus, [story.add(2_000, card)])
        named = await page.until(lambda p: p.calls[story.call_id]["set"]["wordings"])
        assert named == {"abc": "来电人说：“刷不了卡”"}
