"""The type of a call in a real browser: how it becomes one, turns, and what is advised for it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from contracts.call import CallEnded
from services.common.bus import Bus
from tests.connected.desk.story import Story
from tests.connected.desk.tales import complains, pension, play, turning
from tests.slow.desk.conftest import Restartable
from tests.slow.desk.watching import CONTRAST, look, watched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PARTS = ("#conversation", "#cards", "#type", ".way", "#intake", "#advice-key")
PLACES = """(parts) => parts.map((part) => {
  const place = document.querySelector(part).getBoundingClientRect();
  return [part, Math.round(place.top), Math.round(place.left)];
})"""
"""Where the parts of the page stand that nothing may move."""


def between(story: Story, start: int, end: int) -> Story:
    """What happens in a part of a story."""
    part = Story(story.who["site"], story.call_id.rpartition("-")[2], story.agent_id)
    part.events = [(at, event) for at, event in story.in_order() if start <= at < end]
    return part


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_an_agent_sees_what_the_call_becomes(
    browser: Browser, bus: Bus, restartable: Restartable, scheme: Any
) -> None:
    desk = await restartable.start()
    story = complains(turning(bus.site))
    async with watched(browser, color_scheme=scheme, reduced_motion="reduce") as seen:
        wide = await seen.open(desk, "a008")
        narrow = await seen.open(desk, "a008")
        await narrow.set_viewport_size({"width": 400, "height": 860})
        pages = (wide, narrow)
        await play(bus, [between(story, 0, 10_000)])
        for page in pages:
            await expect(page.locator("#type")).to_have_text("尚未判定")
        await play(bus, [between(story, 10_000, 19_000)])
        for page in pages:
            await expect(page.locator("#type")).to_have_text("求助 62%")
            await expect(page.locator("#also")).to_have_text("也像咨询 24%")
            await expect(page.locator("#because")).to_contain_text("想请你们帮忙")
        places = [await page.evaluate(PLACES, PARTS) for page in pages]
        await play(bus, [between(story, 19_000, 24_000)])
        for page in pages:
            await expect(page.locator("#trail")).to_have_text("求助发泄")
            await expect(page.locator("#kind")).to_have_class("kind tense fresh")
            await expect(page.locator(".card.advice h2")).to_contain_text("先接情绪")
        assert [await page.evaluate(PLACES, PARTS) for page in pages] == places, "something moved"
        await play(bus, [between(story, 24_000, 31_950)])
        for page in pages:
            await the_advice_is_called_back(page)
        await play(bus, [between(story, 31_950, 40_000)])
        for number, page in enumerate(pages):
            await expect(page.locator("#trail")).to_have_text("求助发泄投诉")
            await expect(page.locator("#intake")).to_have_text("受理：投诉")
            await expect(page.locator(".card.advice h2")).to_contain_text("问全要素")
            await the_turn_is_told(page, f"type-{number}-{scheme}")
        await play(bus, [ended(story)])
        await expect(wide.locator("#summary")).to_contain_text("求助 → 发泄 → 投诉")
        await expect(wide.locator("#summary .facts")).to_contain_text("受理类别投诉")


async def the_advice_is_called_back(page: Page) -> None:
    """By a key, over the wording of the moment, which is there again by the same key."""
    await expect(page.locator(".card h2")).to_have_text("对方要找领导")
    await expect(page.locator("#advice-key")).to_be_visible()
    await page.keyboard.press("a")
    await expect(page.locator(".card h2")).to_contain_text("先接情绪")
    await expect(page.locator("#advice-key")).to_be_hidden()
    # Put away it is only off the page; the wording was never touched.
    await page.keyboard.press("3")
    await expect(page.locator(".card h2")).to_have_text("对方要找领导")


async def the_turn_is_told(page: Page, name: str) -> None:
    """On focus by time and words; and in the details."""
    assert await page.evaluate(CONTRAST) == []
    await page.locator(".step", has_text="发泄").focus()
    await expect(page.locator("#turn-note")).to_have_text(
        "00:12 转为“发泄”，因为听到“到底有没有人管事”"
    )
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await look(page, f"{name}-note")
    await page.keyboard.press("Escape")
    await expect(page.locator("#turn-note")).to_be_hidden()
    await page.keyboard.press("Enter")
    await expect(page.locator("#details .course li")).to_have_count(3)
    await expect(page.locator("#details .course .moment")).to_contain_text("对方要找领导")
    assert await page.evaluate(CONTRAST) == []
    await look(page, f"{name}-details")
    await page.keyboard.press("Escape")
    await page.locator("#scroll").focus()


def ended(story: Story) -> Story:
    """The caller hangs up."""
    part = between(story, 0, 0)
    return part.add(40_000, CallEnded(**story.who, at_ms=40_000, ended_by="caller"))


async def test_wording_that_expires_leaves_its_place_to_the_advice(
    browser: Browser, bus: Bus, restartable: Restartable
) -> None:
    desk = await restartable.start()
    async with watched(browser) as seen:
        agent = await seen.open(desk, "a015")
        await play(bus, [Story(bus.site).advice(500).wording(600, expires_ms=2_500)])
        await expect(agent.locator(".card h2")).to_have_text("对方要找领导")
        # Nothing more is heard of the call: time alone brings the advice back.
        await expect(agent.locator(".card h2")).to_have_text("先接住情绪，再说办法")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_supervisor_sees_calls_turn(
    browser: Browser, bus: Bus, restartable: Restartable, scheme: Any
) -> None:
    desk = await restartable.start()
    asks = Story(bus.site, "c3", "012").typed(2_000, "咨询", 0.7)
    async with watched(browser, color_scheme=scheme, reduced_motion="reduce") as seen:
        wall = await seen.open(desk, "b01")
        await play(bus, [asks, between(turning(bus.site, "t1"), 0, 19_000)])
        await expect(wall.locator(".tile", has_text="008")).to_contain_text("求助 62%")
        await play(bus, [between(complains(turning(bus.site, "t1")), 19_000, 40_000)])
        turned = wall.locator(".tile", has_text="008")
        await expect(turned.locator(".pill.turned")).to_have_text("发泄 →投诉 78%")
        await expect(wall.locator(".tile .agent").first).to_have_text("008")
        await expect(wall.locator(".type", has_text="投诉").locator("b")).to_have_text("1")

        # One type at a time; what is red stays in sight; Esc shows all.
        await play(bus, [pension(bus.site, "p1", "015")])
        await expect(wall.locator(".tile.red")).to_be_visible()
        # Until its last turn is there, it is a plea, and the key would stop at that.
        await expect(wall.locator(".type", has_text="投诉").locator("b")).to_have_text("2")
        await wall.keyboard.press("f")
        await wall.keyboard.press("f")
        await expect(wall.locator('.type[aria-pressed="true"]')).to_contain_text("咨询")
        await expect(wall.locator(".tile:visible .agent")).to_have_text(["015", "012"])
        assert await wall.evaluate(CONTRAST) == []
        await look(wall, f"type-wall-{scheme}")
        await wall.keyboard.press("Escape")
        await expect(wall.locator(".tile:visible")).to_have_count(3)

        await turned.click()
        await expect(wall.locator("#peek .course li")).to_have_count(3)
        for width in (400, 1280):
            await wall.set_viewport_size({"width": width, "height": 860})
            assert await wall.evaluate("document.documentElement.scrollWidth") <= width
            assert await wall.evaluate(CONTRAST) == []
