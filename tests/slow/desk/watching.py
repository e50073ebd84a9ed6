"""A browser whose console and requests are kept in mind, and what is looked for on its pages."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Page, expect

from contracts.base import Event
from services.common.bus import Bus
from services.common.kept import read_call
from tests.connected.desk.running import RunningDesk
from tests.connected.desk.story import Story

PATIENCE_MS = 20_000

CONTRAST = Path(__file__).with_name("contrast.js").read_text("utf-8")


class Watched:
    """A browser whose console and requests are kept in mind."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.expect_lost_line = False

    async def open(self, desk: RunningDesk, account: str) -> Page:
        """Sign an account in by a one-time link, as the demo's reader does: by opening it."""
        page = await self.context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(desk.origin + (await desk.links())[account])
        await page.wait_for_url(f"**/as/{account}/*")
        return page

    def asked(self, url: str) -> None:
        if urlsplit(url).hostname != "127.0.0.1":
            self.foreign.append(url)

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning") and not self.expect_lost_line:
            self.complaints.append(message.text)


@asynccontextmanager
async def watched(browser: Browser, **options: Any) -> AsyncIterator[Watched]:
    context = await browser.new_context(
        viewport={"width": 1280, "height": 800},
        permissions=["clipboard-read", "clipboard-write"],
        **options,
    )
    context.set_default_timeout(PATIENCE_MS)
    seen = Watched(context)
    context.on("request", lambda request: seen.asked(request.url))
    yield seen
    assert seen.complaints == []
    assert seen.foreign == []
    await context.close()


async def kept(bus: Bus, story: Story, kind: type[Event]) -> list[Event]:
    """Events of a kind in the story's call, once there is one."""
    async with asyncio.timeout(15):
        while True:
            events = await read_call(bus, bus.site, story.call_id)
            if found := [event for event in events if isinstance(event, kind)]:
                return found
            await asyncio.sleep(0.1)


def visible(page: Page, text: str) -> Any:
    return expect(page.get_by_text(text).first)


async def look(page: Page, name: str) -> None:
    """A picture of the page, where somebody wants to see it."""
    if folder := os.environ.get("BANXI_PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png")
