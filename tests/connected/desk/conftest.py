"""A running desk on a free port, with two agents and a supervisor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.common.bus import Bus
from tests.connected.desk.running import RunningDesk, running_desk


@pytest.fixture
async def desk(nats_url: str, bus: Bus, tmp_path: Path) -> AsyncIterator[RunningDesk]:
    async with running_desk(nats_url, bus.site, tmp_path) as running:
        yield running
