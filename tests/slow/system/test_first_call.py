"""The first call, from sound to card: a recording through the door, watched in a real browser.

With BANXI_SCREENSHOTS set to a folder it leaves the pictures of the documentation there.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from contracts.escalation import EscalationAcknowledged
from contracts.feedback import FeedbackGiven
from services.common.bus import Bus
from services.common.kept import read_call
from tools.connection import connected
from tools.door_client import play
from tools.recordings import read_recording
from tools.system import System, free_ports
from tools.users import demo_links

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

SAMPLES = Path(__file__).parents[3] / "samples" / "calls"
RUDE, WAITING = "d2_unpaid_wages", "d5_long_lookup"
"""A call with a forbidden phrase, and one in which the caller waits too long."""
PATIENCE_MS = 90_000


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    """The whole system, ready, with its log in memory."""
    log: list[str] = []
    running = System(tmp_path / "data", free_ports(), say=lambda name, line: log.append(line))
    try:
        await running.start()
        await running.wait_ready()
        yield running
    finally:
        await running.stop()
    words = ("投诉是你的权利", "装修公司", "19900000102")
    assert [line for line in log if any(word in line for word in words)] == []


async def sign_in(context: BrowserContext, system: System) -> dict[str, Page]:
    """A page for each account of the demo, all in one browser."""
    pages = {}
    for link in await demo_links(system.data_dir):
        page = await context.new_page()
        await page.goto(f"http://127.0.0.1:{system.ports.desk}{link.path}")
        pages[link.account.name] = page
    return pages


async def picture(page: Page, name: str, width: int, height: int) -> None:
    """Leave a picture for the documentation, where that was asked for."""
    folder = os.environ.get("BANXI_SCREENSHOTS")
    if not folder:
        return
    await page.set_viewport_size({"width": width, "height": height})
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        await page.wait_for_timeout(300)
        await page.screenshot(path=f"{folder}/{name}{'-dark' if scheme == 'dark' else ''}.png")
    await page.emulate_media(color_scheme="light")


async def ring(system: System, sample: str, agent_id: str) -> None:
    """Play a sample through the door, in real time, as a call of its own name."""
    await play(
        read_recording(SAMPLES / f"{sample}.flac"),
        call_id=sample,
        url=f"ws://127.0.0.1:{system.ports.door}/v1/audio",
        agent_id=agent_id,
    )


async def choose(wall: Page, words: str) -> None:
    """Go through what is open with the keys, from the top, to the one that holds the words: the
    other call may have something open too."""
    items = await wall.locator(".escalation").count()
    for _ in range(items):
        await wall.keyboard.press("k")
    for _ in range(items):
        if await wall.locator(".escalation.chosen", has_text=words).count():
            return
        await wall.keyboard.press("j")


async def test_two_recorded_calls_reach_the_pages_and_a_key_comes_back(
    browser: Browser, system: System
) -> None:
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    pages = await sign_in(context, system)
    agent, other, wall = pages["a015"], pages["a008"], pages["b01"]
    playing = asyncio.gather(ring(system, RUDE, "015"), ring(system, WAITING, "008"))
    await expect(agent.locator(".line.caller").first).to_contain_text("投诉")
    await expect(agent.locator(".card.answer .source")).to_contain_text("临江市")
    await expect(agent.locator("#type")).to_contain_text("投诉")
    await expect(agent.locator("mark.forbidden").first).to_be_visible()
    await expect(agent.locator(".card.must_not .label")).to_have_text("这句不宜说")
    await picture(agent, "agent", 1280, 800)
    await picture(agent, "agent-400", 400, 800)
    await agent.set_viewport_size({"width": 1280, "height": 800})
    await agent.keyboard.press("1")
    await expect(agent.locator(".card.answer .done")).to_be_visible()

    await expect(other.locator(".line.caller").first).to_contain_text("失业")
    await expect(wall.locator(".tile .agent")).to_have_count(2)
    waited = wall.locator(".escalation .title", has_text="等待")
    await expect(waited).to_be_visible()
    await picture(wall, "wall", 1600, 900)
    await choose(wall, "等待")
    await wall.keyboard.press("a")
    handled = wall.locator(".escalation", has_text="等待").filter(has_text="已知悉")
    await expect(handled).to_be_visible()
    await playing

    async with connected(system.nats_url) as client:
        bus = Bus(client, site=system.site, service="test")
        rude = await read_call(bus, system.site, RUDE)
        waiting = await read_call(bus, system.site, WAITING)
    given = [event for event in rude if isinstance(event, FeedbackGiven)]
    assert [(event.agent_id, event.verdict) for event in given] == [("015", "useful")]
    seen = [event for event in waiting if isinstance(event, EscalationAcknowledged)]
    assert [event.supervisor for event in seen] == ["b01"]
    await context.close()
