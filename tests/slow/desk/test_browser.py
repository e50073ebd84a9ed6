"""The pages in a real browser: what people see, what their keys do, and that nothing calls out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from contracts import subjects
from contracts.escalation import EscalationAcknowledged
from contracts.feedback import FeedbackGiven
from contracts.requests import (
    AcknowledgeEscalation,
    EscalationHandled,
    KnowledgeFound,
    KnowledgeHit,
    SearchKnowledge,
)
from services.common.bus import Bus
from tests.connected.desk.story import Story
from tests.connected.desk.tales import pension, play
from tests.slow.desk.conftest import Restartable
from tests.slow.desk.watching import CONTRAST, kept, visible, watched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


async def test_a_call_on_both_pages(browser: Browser, bus: Bus, restartable: Restartable) -> None:
    desk = await restartable.start()
    story = pension(bus.site)
    async with watched(browser, color_scheme="light") as seen:
        # Three accounts in one browser.
        idle = await seen.open(desk, "a008")
        agent = await seen.open(desk, "a015")
        wall = await seen.open(desk, "b01")
        await visible(agent, "现在没有通话").to_be_visible()
        await play(bus, [story], speed=12)

        line = agent.locator(".line.caller", has_text="从安平市转过来")
        await expect(line).to_be_visible()
        await expect(line.locator(".corrected")).to_have_text("养老保险")
        await expect(agent.locator("mark.forbidden")).to_have_text("这我怎么知道")
        await expect(agent.locator(".card.answer .body")).to_contain_text("四十五个工作日")
        await expect(agent.locator(".card.answer .source")).to_contain_text("授权：养老保险科 周敏")
        await expect(agent.locator(".card.must_not .label")).to_have_text("这句不宜说")
        await expect(agent.locator("#type")).to_contain_text("投诉")
        await expect(agent.locator("#number")).to_have_text("199****0102")
        await visible(idle, "现在没有通话").to_be_visible()

        await expect(wall.locator(".escalation .title")).to_have_text("禁用语一次，来电要投诉")
        await expect(wall.locator(".tile.red .agent")).to_have_text("015")
        await expect(wall.locator("[data-figure=to_handle] dd")).to_have_text("1")

        # A key, wherever the focus is; the answer stays while it is read out.
        await agent.locator("#scroll").focus()
        await agent.keyboard.press("1")
        [useful] = await kept(bus, story, FeedbackGiven)
        assert isinstance(useful, FeedbackGiven)
        assert (useful.target_id, useful.verdict, useful.rule) == ("k1", "useful", "pen-014")
        await expect(agent.locator(".card.answer .done")).to_have_text("✓ 已采用")
        await agent.keyboard.press("c")
        assert "四十五个工作日" in await agent.evaluate("navigator.clipboard.readText()")
        await agent.keyboard.press("Space")
        await expect(agent.locator(".card.must_not")).to_have_count(0)

        await handled_on_the_wall(wall, bus, story)

        # A new call of the agent takes the page by itself; the other is one key away.
        await play(bus, [Story(bus.site, "next", number="19900000155")])
        await expect(agent.locator("#number")).to_have_text("199****0155")
        await agent.keyboard.press("b")
        await expect(agent.locator("#number")).to_have_text("199****0102")


async def handled_on_the_wall(wall: Page, bus: Bus, story: Story) -> None:
    async def acknowledge(message: Any) -> None:
        asked = AcknowledgeEscalation.model_validate_json(message.data)
        who = {"escalation_id": asked.escalation_id, "supervisor": asked.supervisor}
        await bus.publish(
            EscalationAcknowledged.model_validate(story.who | who | {"at_ms": 33_200})
        )
        reply = EscalationHandled(escalation_id="e1", state="acknowledged")
        await message.respond(reply.model_dump_json().encode())

    subject = subjects.command(bus.site, "escalation", "acknowledge")
    subscription = await bus.client.subscribe(subject, cb=acknowledge)
    await bus.heard()
    await wall.keyboard.press("j")
    await wall.keyboard.press("a")
    await expect(wall.locator(".escalation .count")).to_have_text("b01 已知悉")
    await expect(wall.locator("[data-figure=to_handle] dd")).to_have_text("0")
    await wall.keyboard.press("Enter")
    await expect(wall.locator("#peek .recent li")).to_have_count(6)
    await wall.keyboard.press("Escape")
    await subscription.unsubscribe()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_width_and_scheme_can_be_read(
    browser: Browser, bus: Bus, restartable: Restartable, scheme: Any
) -> None:
    desk = await restartable.start()
    async with watched(browser, color_scheme=scheme, reduced_motion="reduce") as seen:
        agent = await seen.open(desk, "a015")
        wall = await seen.open(desk, "b01")
        await play(bus, [pension(bus.site).holds(33_500), Story(bus.site, "c2", "008")])
        await expect(agent.locator(".card")).to_have_count(3)
        await expect(wall.locator(".tile")).to_have_count(2)
        for page in (agent, wall):
            for width in (400, 800, 1280, 1600):
                await page.set_viewport_size({"width": width, "height": 860})
                assert await page.evaluate("document.documentElement.scrollWidth") <= width
                assert await page.evaluate(CONTRAST) == []
        # Beside a softphone: two cards, the last utterances, the ring; the third is one key away.
        await agent.set_viewport_size({"width": 400, "height": 860})
        assert await agent.locator(".card:visible").count() == 2
        await expect(agent.locator("#more")).to_contain_text("还有 1 张")
        await expect(agent.locator("#seconds")).to_be_visible()
        await expect(agent.locator(".line").last).to_be_in_viewport()
        # The key changes the scheme, and the browser remembers.
        before = await agent.evaluate("getComputedStyle(document.body).backgroundColor")
        await agent.keyboard.press("l")
        assert await agent.evaluate("getComputedStyle(document.body).backgroundColor") != before
        assert await agent.evaluate(CONTRAST) == []
        other = "light" if scheme == "dark" else "dark"
        await agent.reload()
        assert await agent.evaluate("document.documentElement.dataset.theme") == other


async def test_a_lost_connection_is_said_and_made_up_for(
    browser: Browser, bus: Bus, restartable: Restartable
) -> None:
    desk = await restartable.start()
    story = pension(bus.site)
    async with watched(browser) as seen:
        agent = await seen.open(desk, "a015")
        await play(bus, [story])
        await expect(agent.locator(".line")).to_have_count(6)
        seen.expect_lost_line = True
        await restartable.stop()
        await visible(agent, "连接断开了").to_be_visible()
        await agent.keyboard.press("1")
        await visible(agent, "现在连不上系统").to_be_visible()
        await play(bus, [Story(bus.site).says("caller", 40_000, 42_000, "喂，您还在听吗？")])
        await restartable.start()
        await expect(agent.locator("#banner")).to_be_hidden()
        await expect(agent.locator(".line")).to_have_count(7)
        await expect(agent.locator(".line").last).to_contain_text("您还在听吗")


async def test_scrolling_up_stops_following_and_offers_a_way_back(
    browser: Browser, bus: Bus, restartable: Restartable
) -> None:
    desk = await restartable.start()
    story = Story(bus.site)
    for turn in range(30):
        story.says("caller", turn * 2_000, turn * 2_000 + 1_500, f"这是第 {turn + 1} 句话。")
    async with watched(browser) as seen:
        agent = await seen.open(desk, "a015")
        await play(bus, [story])
        await expect(agent.get_by_text("这是第 30 句话。")).to_be_in_viewport()
        await agent.locator("#scroll").hover()
        await agent.mouse.wheel(0, -3_000)
        await expect(agent.locator("#latest")).to_be_visible()
        await play(bus, [Story(bus.site).says("caller", 70_000, 71_000, "最新的一句。")])
        await expect(agent.locator("#latest")).to_contain_text("1 句新的")
        await expect(agent.get_by_text("最新的一句。")).not_to_be_in_viewport()
        await agent.keyboard.press("End")
        await expect(agent.get_by_text("最新的一句。")).to_be_in_viewport()


async def test_searching_the_knowledge_base(
    browser: Browser, bus: Bus, restartable: Restartable
) -> None:
    desk = await restartable.start()
    hit = KnowledgeHit(
        entry_id="k1",
        kind="answer",
        score=0.9,
        question="社保卡丢了怎么补办",
        answer="<b>带身份证</b>到任一网点补办。",
        source={
            "entry_id": "k1",
            "question": "",
            "department": "社保卡中心",
            "region": "临江市",
            "authorised": True,
        },
    )

    async def search(message: Any) -> None:
        await message.respond(KnowledgeFound(hits=(hit,)).model_dump_json().encode())

    subject = subjects.command(bus.site, SearchKnowledge.service, SearchKnowledge.verb)
    await bus.client.subscribe(subject, cb=search)
    await bus.heard()
    async with watched(browser) as seen:
        agent = await seen.open(desk, "a015")
        await agent.keyboard.press("/")
        # In a text field keys are letters, whatever they do elsewhere.
        await agent.keyboard.type("1 rs 社保卡")
        assert await agent.locator("#search-text").input_value() == "1 rs 社保卡"
        found = agent.locator("#found li")
        await expect(found).to_contain_text("<b>带身份证</b>到任一网点补办。")
        await expect(found).to_contain_text("授权 未记录")
        await agent.keyboard.press("Escape")
        await expect(agent.locator("#search")).to_be_hidden()


async def test_sign_in_by_name(browser: Browser, bus: Bus, restartable: Restartable) -> None:
    desk = await restartable.start()
    await desk.links()
    async with watched(browser) as seen:
        page = await seen.context.new_page()
        await page.goto(desk.origin)
        await page.fill("#name", "a015")
        await page.fill("#password", "not the password")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("账号或密码不对")
        assert await page.evaluate(CONTRAST) == []
        state = json.dumps(await seen.context.storage_state())
        assert "banxi" not in state
