"""A real browser, where there is one. Where not, its tests are named as NOT RUN."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from services.common.bus import Bus
from tests.connected.desk.running import RunningDesk, running_desk

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str | None:
    """Path of the browser: `BANXI_CHROMIUM`, else what is installed."""
    names = (os.environ.get("BANXI_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


@pytest.fixture
async def browser(request: pytest.FixtureRequest) -> AsyncIterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip(f"NOT RUN: {request.node.name} (no Chromium: apt-get install chromium)")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield running
        await running.close()


class Restartable:
    """A desk that can be stopped and started again at the same address."""

    def __init__(self, nats_url: str, site: str, data_dir: Path) -> None:
        self._where = (nats_url, site, data_dir)
        self._stack = AsyncExitStack()
        self.desk: RunningDesk | None = None

    async def start(self) -> RunningDesk:
        port = self.desk.port if self.desk else None
        self.desk = await self._stack.enter_async_context(running_desk(*self._where, port))
        return self.desk

    async def stop(self) -> None:
        await self._stack.aclose()
        self._stack = AsyncExitStack()


@pytest.fixture
async def restartable(nats_url: str, bus: Bus, tmp_path: Path) -> AsyncIterator[Restartable]:
    desk = Restartable(nats_url, bus.site, tmp_path)
    yield desk
    await desk.stop()
