"""Tasks that are ended."""

from __future__ import annotations

import asyncio

import pytest

from services.common import tasks

pytestmark = pytest.mark.unit


async def test_a_task_that_swallows_a_cancel_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "AGAIN_S", 0.01)
    swallowed = 0

    async def asks_for_ever() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed > 1:
                    raise

    async def fails() -> None:
        raise ValueError

    asking, failing = asyncio.create_task(asks_for_ever()), asyncio.create_task(fails())
    await asyncio.sleep(0)
    await asyncio.wait_for(tasks.ended(asking, failing), 5)
    assert (asking.cancelled(), failing.done(), swallowed) == (True, True, 2)
