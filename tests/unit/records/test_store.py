from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from services.records.digest import Kept
from services.records.store import Store

pytestmark = pytest.mark.unit


def kept(number: int, at_ms: int) -> Kept:
    return Kept(f"c:-:{number}:x", "c", "s", "x", at_ms, "2026-01-05T08:00:00.000+00:00", "{}", {})


async def test_an_event_that_cannot_be_written_does_not_hold_up_those_beside_it(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path / "records.db", logging.getLogger("banxi.test"), lambda _: None)
    await store.open()
    # Together in one transaction: the middle one is beyond what SQLite's integers hold.
    waiting = [asyncio.create_task(store.keep(kept(n, at))) for n, at in enumerate((1, 2**70, 3))]
    await asyncio.sleep(0)
    writing = asyncio.create_task(store.write())
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert await store.counts() == (1, 2)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await store.close()
    assert [done[0], done[2]] == [None, None]
    assert isinstance(done[1], SQLAlchemyError | OverflowError)
