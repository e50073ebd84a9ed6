"""The score in a real browser: from a deduction over its appeal to the points given back."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from contracts.base import Producer
from contracts.requests import AskScore, ScoreSheet, Unjudged
from contracts.score import AppealDecided, DeductionAppealed
from contracts.warning import WarningConfirmed
from services.common.bus import Bus
from tests.connected.desk.running import answering
from tests.connected.desk.story import Story
from tests.connected.desk.tales import pension, play
from tests.slow.desk.conftest import Restartable
from tests.slow.desk.watching import CONTRAST, kept, look, watched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

UNJUDGED = (
    Unjudged(item="dull-voice", name="声音平淡", points=2, why="语气要由人来听"),
    Unjudged(item="no-record", name="没有做记录", points=5, why="记录不在通话里"),
)


def scored(site: str) -> Story:
    """The pension call with two deductions and phrases of every state."""
    story = pension(site)
    story.scored(27_000, 92, -3, "抢在来电人前面说话", name="抢话", deduction="d2")
    story.phrase(33_100, "else", "还有其他问题吗", said=False)
    story.phrase(33_100, "closing", "致谢与再见", said=False)
    return story.warned(
        33_300,
        kind="missing_phrase",
        level="remind",
        provisional=False,
        phrase="restate",
        warning_id="m2",
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_from_appeal_to_points_given_back(
    browser: Browser, bus: Bus, restartable: Restartable, scheme: Any
) -> None:
    desk = await restartable.start()
    story = scored(bus.site)
    sheet = ScoreSheet(call_id=story.call_id, score=92, deductions=(), unjudged=UNJUDGED, rules="1")
    async with watched(browser, color_scheme=scheme, reduced_motion="reduce") as seen:
        agent = await seen.open(desk, "a015")
        wall = await seen.open(desk, "b01")
        await wall.set_viewport_size({"width": 1600, "height": 900})
        await play(bus, [story, Story(bus.site, "c2", "008")])
        await expect(agent.locator("#score")).to_have_text("本通 92 分")

        # Without conduct the rest of the panel stands.
        await agent.keyboard.press("s")
        await expect(agent.locator("[data-part=unjudged]")).to_contain_text("评分服务暂时没有回应")
        await agent.keyboard.press("s")
        async with answering(bus, AskScore, lambda _: sheet):
            await agent.keyboard.press("s")
            await expect(agent.locator(".unjudged li")).to_have_count(2)
        ticks = agent.locator(".checklist li")
        await expect(ticks).to_have_count(5)
        await expect(ticks.nth(0)).to_have_class("said")
        await expect(ticks.nth(2)).to_have_class("missed")
        await expect(ticks.nth(3)).to_have_class("due")
        await expect(agent.locator("#ticks .due")).to_contain_text("还有其他问题吗")
        await expect(agent.locator("#ticks .open")).to_contain_text("致谢与再见")
        await look(agent, f"score-{scheme}")

        await appealed(agent, wall, bus, story)
        assert await agent.evaluate(CONTRAST) == []
        await look(agent, f"appealed-{scheme}")
        await look(wall, f"wall-{scheme}")
        await decided(wall, bus, story, scheme)
        back = Story(bus.site).scored(41_000, 97, 5, "申诉通过")
        del back.events[0]
        await play(bus, [back])
        await expect(agent.locator(".deduction.returned s")).to_contain_text("−5")
        await expect(agent.locator("[data-part=head]")).to_have_text("本通 97 分")
        await look(agent, f"returned-{scheme}")
        for width in (800, 400):
            await agent.set_viewport_size({"width": width, "height": 860})
            assert await agent.evaluate("document.documentElement.scrollWidth") <= width
            assert await agent.evaluate(CONTRAST) == []
        await look(agent, f"narrow-{scheme}")
        await agent.keyboard.press("Escape")
        await agent.set_viewport_size({"width": 1280, "height": 800})
        await play(bus, [Story(bus.site).ends(45_000)])
        await expect(agent.locator("#summary")).to_contain_text("扣分 2 项")
        await look(agent, f"summary-{scheme}")


async def appealed(agent: Page, wall: Page, bus: Bus, story: Story) -> None:
    """By keys alone; Escape takes it back, and what is being written outlives other events."""
    row = agent.locator("[data-deduction=d1]")
    await row.locator("button.appeal").focus()
    await agent.keyboard.press("Enter")
    await expect(row.locator("textarea")).to_be_focused()
    await agent.keyboard.press("Escape")
    await expect(row.locator("textarea")).to_have_count(0)
    await expect(agent.locator("#details")).to_be_visible()
    await expect(row.locator("button.appeal")).to_be_focused()
    await agent.keyboard.press("Enter")
    await agent.keyboard.type("我在复述来电人的话，")
    more = Story(bus.site).scored(
        35_000, 90, -2, "五个文明用语没有用全", name="文明用语", deduction="d3"
    )
    del more.events[0]
    await play(bus, [more])
    await expect(agent.locator(".deduction")).to_have_count(3)
    await agent.keyboard.type("请听录音。")
    await look(agent, "appealing")
    await agent.keyboard.press("Enter")
    await expect(row.locator(".verdict")).to_have_text("已申诉，等班长处理")
    [event] = await kept(bus, story, DeductionAppealed)
    assert isinstance(event, DeductionAppealed)
    assert event.reason == "我在复述来电人的话，请听录音。"
    plea = wall.locator(".plea")
    await expect(plea.locator(".heard")).to_contain_text("“这我怎么知道”")
    await expect(plea.locator(".own")).to_contain_text("请听录音。")


async def decided(wall: Page, bus: Bus, story: Story, scheme: str) -> None:
    await wall.keyboard.press("s")
    await wall.keyboard.press("n")
    await wall.keyboard.press("Escape")
    await expect(wall.locator(".plea textarea")).to_have_count(0)
    await wall.keyboard.press("y")
    await wall.keyboard.type("确实是复述")
    assert await wall.evaluate(CONTRAST) == []
    await look(wall, f"deciding-{scheme}")
    await wall.keyboard.press("Enter")
    await expect(wall.locator(".plea")).to_have_count(0)
    [event] = await kept(bus, story, AppealDecided)
    assert isinstance(event, AppealDecided)
    assert (event.supervisor, event.accepted, event.remark) == ("b01", True, "确实是复述")


async def test_a_supposed_phrase_is_one_quiet_card_that_becomes_firm(
    browser: Browser, bus: Bus, restartable: Restartable
) -> None:
    desk = await restartable.start()
    story = Story(bus.site).says("caller", 500, 2_000, "那我这个怎么办呢？")
    story.forbidden(4_000, 3_000, 3_900, "这我怎么知道")
    at, warning = story.events.pop()
    story.add(at, warning.model_copy(update={"provisional": True}))
    async with watched(browser, color_scheme="light") as seen:
        agent = await seen.open(desk, "a015")
        await play(bus, [story])
        card = agent.locator(".card")
        await expect(card.locator(".pending")).to_have_text("待确认")
        await expect(agent.locator("#alerts")).to_be_empty()
        await look(agent, "pending")
        better = Story(bus.site).better(4_100, 3_000, 3_900, "这我怎么知道")
        confirmed = WarningConfirmed(
            **story.who,
            at_ms=3_000,
            by=Producer(name="how-would-i-know", version="3"),
            warning_id="w1",
        )
        better.add(4_200, confirmed)
        del better.events[0]
        await play(bus, [better])
        await expect(agent.locator(".card.must_not .label")).to_have_text("这句不宜说")
        await expect(agent.locator("#alerts")).to_contain_text("这句不宜说")
        await expect(card).to_have_count(1)
        await expect(card.locator(".pending")).to_have_count(0)
        await look(agent, "firm")
        await agent.keyboard.press("Space")
        await expect(card).to_have_count(0)
