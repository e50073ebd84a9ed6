from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest

from contracts.feedback import FeedbackGiven
from services.records.digest import keep
from services.records.store import Store

pytestmark = pytest.mark.unit

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MONTH = NOW - timedelta(days=30)
Verdict = Literal["useful", "wrong", "dismissed"]


def given(
    rule: str, verdict: Verdict, target: str, *, call: str = "c", days_ago: float = 1
) -> FeedbackGiven:
    """An agent's verdict on the warning `target`."""
    return FeedbackGiven(
        call_id=call,
        site="s",
        at_ms=1000,
        wall_time=NOW - timedelta(days=days_ago),
        agent_id="007",
        target="warning",
        target_id=target,
        rule=rule,
        verdict=verdict,
    )


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Store]:
    store = Store(path, logging.getLogger("banxi.test"), lambda _: None)
    await store.open()
    writing = asyncio.create_task(store.write())
    try:
        yield store
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await store.close()


async def counted(store: Store, *verdicts: FeedbackGiven) -> list[tuple[str, int, int, int]]:
    for verdict in verdicts:
        await store.keep(keep(verdict, NOW))
    return [(r.rule, r.useful, r.wrong, r.dismissed) for r in await store.feedback(MONTH)]


async def test_verdicts_by_rule_the_most_often_wrong_first(tmp_path: Path) -> None:
    async with opened(tmp_path / "records.db") as store:
        found = await counted(
            store,
            given("silence", "useful", "silence-1"),
            given("silence", "dismissed", "silence-2"),
            given("impossible", "wrong", "impossible-1"),
            # As often wrong, but more often right as well.
            given("chatting", "wrong", "chatting-1"),
            given("chatting", "useful", "chatting-2"),
            given("", "wrong", "nobody-1"),
        )
        assert found == [("impossible", 0, 1, 0), ("chatting", 1, 1, 0), ("silence", 1, 0, 1)]


async def test_the_last_verdict_on_a_target_counts(tmp_path: Path) -> None:
    async with opened(tmp_path / "records.db") as store:
        found = await counted(
            store,
            given("silence", "useful", "silence-1"),
            given("silence", "wrong", "silence-1"),
            # The same id in another call is another warning.
            given("silence", "useful", "silence-1", call="d"),
        )
        assert found == [("silence", 1, 1, 0)]


async def test_how_far_back(tmp_path: Path) -> None:
    async with opened(tmp_path / "records.db") as store:
        found = await counted(
            store,
            given("silence", "wrong", "silence-1", days_ago=30.001),
            given("silence", "wrong", "silence-2", days_ago=29.999),
        )
        assert found == [("silence", 0, 1, 0)]


async def test_a_database_of_an_earlier_release_gets_its_index(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    async with opened(path) as store:
        await counted(store, given("silence", "wrong", "silence-1"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP INDEX events_feedback")
    async with opened(path) as store:
        assert await counted(store) == [("silence", 0, 1, 0)]
    with closing(sqlite3.connect(path)) as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT payload FROM events WHERE event = 'feedback.given'"
        ).fetchall()
    assert "events_feedback" in str(plan)
