"""The list of the shift in a real browser: an appeal on the last call while the next is live."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from contracts.score import DeductionAppealed
from services.common.bus import Bus
from tests.connected.desk.story import Story
from tests.connected.desk.tales import pension, play
from tests.slow.desk.conftest import Restartable
from tests.slow.desk.watching import CONTRAST, kept, look, watched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def more(site: str, call_id: str) -> Story:
    """More of a call that has begun."""
    story = Story(site, call_id)
    del story.events[0]
    return story


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_an_appeal_on_the_last_call_while_the_next_is_live(
    browser: Browser, bus: Bus, restartable: Restartable, scheme: Any
) -> None:
    desk = await restartable.start()
    last = pension(bus.site).ends(40_000)
    calm = Story(bus.site, "c0").typed(3_000, "咨询", 0.9).ends(30_000)
    following = Story(bus.site, "c2").says("caller", 1_000, 4_000, "喂，您好，我想问一下社保卡。")
    async with watched(browser, color_scheme=scheme, reduced_motion="reduce") as seen:
        agent = await seen.open(desk, "a015")
        wall = await seen.open(desk, "b01")
        await expect(agent.locator("#shift-key")).to_be_hidden()
        await play(bus, [calm, last])
        await expect(agent.locator("#summary")).to_contain_text("扣分 1 项")
        await play(bus, [following])
        await expect(agent.locator("body")).to_have_attribute("data-state", "live")

        await agent.keyboard.press("h")
        rows = agent.locator("#ended button")
        await expect(rows).to_have_count(2)
        await look(agent, f"shift-{scheme}")
        await open_last(agent, last)
        await written_while_an_alarm_comes(agent, bus, last, scheme)
        await agent.keyboard.press("Enter")
        row = agent.locator("[data-deduction=d1]")
        await expect(row.locator(".verdict")).to_have_text("已申诉，等班长处理")
        [event] = await kept(bus, last, DeductionAppealed)
        assert isinstance(event, DeductionAppealed)
        assert event.reason == "我在复述来电人的话，请听录音"
        await look(agent, f"shift-appealed-{scheme}")

        # Decided while the panel is open, and seen in it and in the list.
        await expect(wall.locator(".plea")).to_be_visible()
        await wall.keyboard.press("y")
        await wall.keyboard.press("Enter")
        await expect(row.locator(".verdict")).to_have_text("申诉通过，分数正在退回")
        await expect(agent.locator("#toast")).to_contain_text("申诉有结果")
        await agent.keyboard.press("h")
        await expect(rows.filter(has_text="投诉")).to_contain_text("申诉通过")
        assert await agent.evaluate(CONTRAST) == []
        await look(agent, f"shift-decided-{scheme}")
        await agent.set_viewport_size({"width": 400, "height": 860})
        assert await agent.evaluate("document.documentElement.scrollWidth") <= 400
        assert await agent.evaluate(CONTRAST) == []
        await look(agent, f"shift-narrow-{scheme}")
        await agent.keyboard.press("Escape")
        await agent.keyboard.press("?")
        await expect(agent.locator("#help")).to_contain_text("本班的通话")


async def open_last(agent: Page, story: Story) -> None:
    """By keys alone: the arrows choose, Enter opens."""
    wanted = agent.locator(f'#ended [data-call="{story.call_id}"]')
    await agent.keyboard.press("ArrowUp")
    if not await wanted.evaluate("element => element === document.activeElement"):
        await agent.keyboard.press("ArrowDown")
    await expect(wanted).to_be_focused()
    await agent.keyboard.press("Enter")
    await expect(agent.locator("#details")).to_be_visible()
    await expect(agent.locator("#details [data-part=head]")).to_contain_text("的通话 · 95 分")


async def written_while_an_alarm_comes(agent: Page, bus: Bus, story: Story, scheme: str) -> None:
    """The alarm of the live call takes the panel away, but not what was being written."""
    row = agent.locator("[data-deduction=d1]")
    await row.locator("button.appeal").focus()
    await agent.keyboard.press("Enter")
    await agent.keyboard.type("我在复述来电人的话，")
    await look(agent, f"shift-appealing-{scheme}")
    alarm = more(bus.site, "c2").forbidden(8_000, 6_000, 7_000, "急什么", "w9")
    alarm.better(8_100, 6_000, 7_000, "急什么")
    await play(bus, [alarm])
    await expect(agent.locator("#details")).to_be_hidden()
    await expect(agent.locator(".card.must_not")).to_be_in_viewport()
    # The keys are the live call's again.
    await agent.keyboard.press("Space")
    await expect(agent.locator(".card.must_not")).to_have_count(0)
    await agent.keyboard.press("h")
    await open_last(agent, story)
    await row.locator("button.appeal").focus()
    await agent.keyboard.press("Enter")
    await expect(row.locator("textarea")).to_have_value("我在复述来电人的话，")
    await agent.keyboard.press("End")
    await agent.keyboard.type("请听录音")
