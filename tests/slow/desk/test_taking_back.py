"""What was taken back while somebody looks at it, in a real browser: gone within a second, and
nothing else moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from contracts import subjects
from contracts.card import CardWithdrawn
from contracts.news import BaseChanged
from contracts.requests import KnowledgeFound, KnowledgeHit, SearchKnowledge
from services.common.bus import Bus
from tests.connected.desk.story import KNOWLEDGE
from tests.connected.desk.tales import pension, play
from tests.slow.desk.conftest import Restartable
from tests.slow.desk.watching import look, watched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

A_SECOND = 1_000
LONG = "请带身份证到窗口办理，当场受理，十五个工作日内办结。" * 8


def hit(name: str) -> KnowledgeHit:
    return KnowledgeHit(
        entry_id=name, kind="answer", score=0.9, question=f"{name}怎么办", answer=f"{name}：{LONG}"
    )


class Base:
    """What a search finds; it may take its time."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.at_once = asyncio.Event()
        self.at_once.set()

    @asynccontextmanager
    async def answering(self, bus: Bus) -> AsyncIterator[None]:
        async def reply(message: Any) -> None:
            found = KnowledgeFound(hits=tuple(hit(name) for name in self.names))
            await self.at_once.wait()
            await message.respond(found.model_dump_json().encode())

        subject = subjects.command(bus.site, SearchKnowledge.service, SearchKnowledge.verb)
        subscription = await bus.client.subscribe(subject, cb=reply)
        await bus.heard()
        yield
        await subscription.unsubscribe()

    async def take_back(self, bus: Bus, *names: str) -> None:
        """These are no longer found, and the site hears of it."""
        self.names = [name for name in self.names if name not in names]
        await bus.publish_news(BaseChanged(site=bus.site, revision=1, entry_ids=names))


async def chosen(page: Page) -> list[str]:
    names: list[str] = await page.locator("#found li.chosen").evaluate_all(
        "items => items.map((item) => item.dataset.id)"
    )
    return names


async def test_an_open_search_loses_what_counts_no_more_and_keeps_the_rest_in_place(
    browser: Browser, bus: Bus, restartable: Restartable
) -> None:
    desk = await restartable.start()
    base = Base("甲", "乙", "丙", "丁", "戊")
    async with base.answering(bus), watched(browser) as seen:
        page = await seen.open(desk, "a015")
        await expect(page.locator("#idle")).to_be_visible()
        await page.keyboard.press("/")
        await page.fill("#search-text", "怎么办")
        items = page.locator("#found li")
        await expect(items).to_have_count(5)
        for _ in range(3):
            await page.keyboard.press("ArrowDown")
        top = "document.querySelector('#found li.chosen').getBoundingClientRect().top"
        await page.evaluate(
            "getSelection().selectAllChildren(document.querySelector('#found li.chosen .body'))"
        )
        before = await page.evaluate(top)
        await base.take_back(bus, "甲")
        await expect(items).to_have_count(4, timeout=A_SECOND)
        assert await chosen(page) == ["丁"]
        assert abs(await page.evaluate(top) - before) <= 2
        assert (await page.evaluate("String(getSelection())")).startswith("丁：请带")

        # What was chosen itself: nothing is chosen in its place.
        await base.take_back(bus, "丁")
        await expect(items).to_have_count(3, timeout=A_SECOND)
        assert await chosen(page) == []
        await look(page, "taken-back-search")
        await expect(page.locator("#search-note")).to_contain_text("已经撤下")

        # Nobody says whether the rest still counts: then it does not stay.
        base.at_once.clear()
        await base.take_back(bus, "乙")
        await expect(items).to_have_count(0, timeout=A_SECOND)
        base.at_once.set()
        await expect(items).to_have_count(2)

        # A panel that was closed shows nothing of before.
        await page.keyboard.press("Escape")
        await expect(page.locator("#search-text:focus")).to_have_count(0)
        await base.take_back(bus, "丙")
        base.at_once.clear()
        await page.keyboard.press("/")
        await expect(items).to_have_count(0)
        base.at_once.set()
        await expect(items).to_have_count(1)


async def test_a_page_that_was_away_asks_again(
    browser: Browser, bus: Bus, restartable: Restartable
) -> None:
    base = Base("甲", "乙")
    async with base.answering(bus), watched(browser) as seen:
        seen.expect_lost_line = True
        page = await seen.open(await restartable.start(), "a015")
        await expect(page.locator("#idle")).to_be_visible()
        await page.keyboard.press("/")
        await page.fill("#search-text", "怎么办")
        await expect(page.locator("#found li")).to_have_count(2)
        await restartable.stop()
        await base.take_back(bus, "甲")
        await restartable.start()
        await expect(page.locator("#found li")).to_have_count(1)


async def test_a_card_under_the_pointer_keeps_its_place_but_not_its_words(
    browser: Browser, bus: Bus, restartable: Restartable
) -> None:
    desk = await restartable.start()
    story = pension(bus.site)
    async with watched(browser, reduced_motion="reduce") as seen:
        page = await seen.open(desk, "a015")
        await play(bus, [story])
        card = page.locator("[data-slot=answer] .card")
        await expect(card).to_contain_text("四十五个工作日")
        below = page.locator("[data-slot=moment] .card")
        before = await below.bounding_box()
        moving = asyncio.Event()

        async def read() -> None:
            across = 0
            while not moving.is_set():
                across = (across + 3) % 60
                await card.hover(position={"x": 20 + across, "y": 20}, force=True)
                await asyncio.sleep(0.05)

        reading = asyncio.create_task(read())
        try:
            await asyncio.sleep(0.2)
            gone = CardWithdrawn(
                **story.who, at_ms=34_000, by=KNOWLEDGE, card_id="k1", reason="撤回"
            )
            await bus.publish(gone)
            await expect(page.get_by_text("四十五个工作日")).to_have_count(0, timeout=A_SECOND)
            await expect(card).to_contain_text("撤下了")
            await look(page, "taken-back-card")
            assert await below.bounding_box() == before
            await page.keyboard.press("1")
            await expect(page.locator("#toast.on")).to_have_count(0)
        finally:
            moving.set()
            await reading
        await page.mouse.move(5, 5)
        await expect(card).to_have_count(0)
