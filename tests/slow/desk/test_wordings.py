"""Agreed wordings in a real browser: published on the wall by keys, read on the agent's page,
marked in the call that brings the topic up, taken back."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from contracts.base import Producer
from contracts.card import CardShown
from contracts.requests import AnnounceWording, WordingKept
from services.common.bus import Bus
from tests.connected.desk.announcing import wordings_kept
from tests.connected.desk.story import Story
from tests.connected.desk.tales import pension, play
from tests.slow.desk.conftest import Restartable
from tests.slow.desk.watching import CONTRAST, look, watched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

TITLE = "医保系统升级期间怎么结算<img src=x onerror=alert(1)>"
BODY = "系统今晚八点恢复。<script>alert(1)</script>期间请先自费，票据留好，恢复后可以补报。" + (
    "不承诺具体到账的日子，也不解释升级的原因；对方着急时，先说明已经知道他的情况。" * 4
)
SLOTS = """() => [...document.querySelectorAll(".card")].map((card) => {
  const place = card.getBoundingClientRect();
  return [Math.round(place.top), Math.round(place.left)];
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_from_the_wall_to_every_page_and_back(
    browser: Browser,
    bus: Bus,
    nats_url: str,
    restartable: Restartable,
    tmp_path: Path,
    scheme: Any,
) -> None:
    desk = await restartable.start()
    async with (
        wordings_kept(nats_url, bus, tmp_path),
        watched(browser, color_scheme=scheme, reduced_motion="reduce") as seen,
    ):
        agent = await seen.open(desk, "a015")
        idle = await seen.open(desk, "a008")
        wall = await seen.open(desk, "b01")
        story = pension(bus.site).holds(33_500)
        await play(bus, [story])
        await expect(agent.locator(".card")).to_have_count(3)
        before = await agent.evaluate(SLOTS)
        earlier = AnnounceWording(title="云岭县停水", body="明早恢复。", region="云岭县", by="b02")
        await bus.request(earlier, WordingKept)
        await published(wall, scheme)
        for page in (agent, idle):
            await expect(page.locator(".wording.unread h2")).to_have_text(TITLE)
        await look(agent, f"wordings-unread-{scheme}")
        await look(idle, f"wordings-idle-{scheme}")
        assert await agent.evaluate(SLOTS) == before, "a card moved under the hand"
        await read(agent, wall, scheme)
        await brought_up(agent, bus, story, scheme)
        await narrow(idle, scheme)
        await taken_back(wall, agent, scheme)


async def published(wall: Page, scheme: str) -> None:
    """By keys alone; a mistake is named, and what was written outlives Escape."""
    await wall.keyboard.press("w")
    await wall.keyboard.press("n")
    form = wall.locator("#announce-form")
    await wall.keyboard.press("Control+Enter")
    await expect(form.locator(".problem")).to_have_text("请写明是什么话题。")
    await expect(form.locator("[name=title]")).to_be_focused()
    await wall.keyboard.type(TITLE)
    await wall.keyboard.press("Tab")
    await wall.keyboard.insert_text(BODY)
    await wall.keyboard.press("Tab")
    await wall.keyboard.insert_text("医保卡刷不了\n系统是不是坏了")
    await form.locator("[name=until]").fill("2020-01-01T08:00")
    await wall.keyboard.press("Control+Enter")
    await expect(form.locator(".problem")).to_have_text("结束时间要在现在之后。")
    await look(wall, f"wordings-form-{scheme}")
    assert await wall.evaluate(CONTRAST) == []
    later = datetime.now() + timedelta(hours=3)
    await form.locator("[name=until]").fill(f"{later:%Y-%m-%dT%H:%M}")
    await form.locator("[name=region]").select_option("临江市")
    await wall.keyboard.press("Escape")
    await expect(form).to_be_hidden()
    await expect(wall.locator("#announce")).to_be_visible()
    await wall.keyboard.press("n")
    await wall.keyboard.press("Control+Enter")
    await expect(form).to_be_hidden()
    await expect(wall.locator("#standing .title").first).to_have_text(TITLE)
    await expect(wall.locator("#standing .receipts b").first).to_have_text("0/2 已阅")


async def read(agent: Page, wall: Page, scheme: str) -> None:
    """What is cut off is opened first; then it is read, and the wall knows."""
    await agent.keyboard.press("y")
    await expect(agent.locator(".wording.open")).to_be_visible()
    await look(agent, f"wordings-open-{scheme}")
    assert await agent.evaluate(CONTRAST) == []
    await agent.keyboard.press("y")
    mine = wall.locator("#standing li").first
    await expect(mine.locator(".receipts b")).to_have_text("1/2 已阅")
    await mine.locator("summary").click()
    await expect(mine.locator(".people")).to_have_text("008")
    # The other one is for another county: still to be read, and said so.
    await expect(agent.locator(".wording h2")).to_have_text("云岭县停水")
    await agent.keyboard.press("y")
    await expect(agent.locator(".wording")).to_have_count(0)
    await expect(agent.locator(".chip")).to_have_count(2)
    await look(agent, f"wordings-read-{scheme}")
    await look(wall, f"wordings-wall-{scheme}")
    assert await wall.evaluate(CONTRAST) == []
    await wall.set_viewport_size({"width": 400, "height": 860})
    assert await wall.evaluate("document.documentElement.scrollWidth") <= 400
    await look(wall, f"wordings-wall-narrow-{scheme}")
    await wall.set_viewport_size({"width": 1280, "height": 800})


async def brought_up(agent: Page, bus: Bus, story: Story, scheme: str) -> None:
    """The call brings the topic up: it is marked, and stays so for the call."""
    wording = await agent.locator(".chip", has_text="医保系统").get_attribute("data-id")
    more = Story(bus.site)
    del more.events[0]
    card = CardShown(
        **story.who,
        at_ms=34_000,
        by=Producer(name="knowledge", version="1"),
        card_id=f"kb-wording-{wording}",
        slot="answer",
        kind="announced",
        title=TITLE,
        body=BODY,
        why="来电人说：“医保卡刷不了”",
        priority=60,
    )
    await play(bus, [more.add(34_000, card)])
    await expect(agent.locator(".chip.fits")).to_contain_text("本通提到")
    await agent.keyboard.press("w")
    await expect(agent.locator(".wording.fits .why")).to_have_text("来电人说：“医保卡刷不了”")
    await agent.keyboard.press("Escape")
    await look(agent, f"wordings-fits-{scheme}")
    assert await agent.evaluate(CONTRAST) == []
    await narrow(agent, f"call-{scheme}")


async def narrow(page: Page, name: str) -> None:
    await page.set_viewport_size({"width": 400, "height": 860})
    assert await page.evaluate("document.documentElement.scrollWidth") <= 400
    assert await page.evaluate(CONTRAST) == []
    await look(page, f"wordings-narrow-{name}")


async def taken_back(wall: Page, agent: Page, scheme: str) -> None:
    """Asked for once more before; Escape takes the question back and leaves the dialog."""
    mine = wall.locator("#standing li").first
    await mine.get_by_role("button", name="撤回：").focus()
    await wall.keyboard.press("Enter")
    await expect(mine.locator(".sure")).to_be_visible()
    await look(wall, f"wordings-sure-{scheme}")
    await wall.keyboard.press("Escape")
    await expect(mine.locator(".sure")).to_be_hidden()
    await wall.keyboard.press("Enter")
    await wall.keyboard.press("Tab")
    await wall.keyboard.press("Enter")
    await expect(wall.locator("#standing li")).to_have_count(1)
    await expect(agent.locator(".chip")).to_have_count(1)
