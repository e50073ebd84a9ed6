"""A restarted desk: what lies further back than it reads before it opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.common.bus import Bus
from tests.connected.desk.running import Page, RunningDesk, running_desk, signed_in
from tests.connected.desk.story import Story
from tests.connected.desk.tales import pension, play

pytestmark = pytest.mark.connected

NOTHING_H = 1e-9
"""A look back so short that every call of the test lies before it, hours."""


def rows(page: Page) -> dict[str, Any]:
    return {row["call"].rpartition("-")[2]: row for row in page.figures["ended"]}


async def test_open_appeals_and_the_calls_of_the_shift_come_back(
    nats_url: str, bus: Bus, tmp_path: Path
) -> None:
    call = {"call": f"{bus.site}-c1", "deduction": "d1"}
    await play(
        bus,
        [
            pension(bus.site).ends(40_000).appealed(41_000, "请听录音"),
            pension(bus.site, "c2").ends(40_000),
            pension(bus.site, "c3").ends(40_000).appealed(41_000).decided(42_000, accepted=False),
            pension(bus.site, "live"),
        ],
    )
    async with (
        running_desk(nats_url, bus.site, tmp_path, look_back_hours=NOTHING_H) as desk,
        signed_in(desk, "a015") as open_desk,
        signed_in(desk, "b01", "wall") as open_wall,
        open_desk() as agent,
        open_wall() as wall,
    ):
        await agent.hello()
        await wall.hello()
        [item] = await wall.until(lambda p: p.calls[call["call"]]["set"]["appeals"])
        assert (item["appeal"], item["words"]) == ("请听录音", "这我怎么知道")
        await agent.until(lambda p: set(rows(p)) == {"c1", "c2", "c3"})
        assert [rows(agent)[c]["open"] for c in ("c1", "c2", "c3")] == [1, 0, 0]
        assert rows(agent)["c3"]["refused"] == 1
        await decide_and_appeal(desk, bus, agent, wall)


async def decide_and_appeal(desk: RunningDesk, bus: Bus, agent: Page, wall: Page) -> None:
    """While the next call is live: the old appeal is decided, the last call appealed."""
    await play(bus, [Story(bus.site, "c4")])
    await agent.until(lambda p: p.calls[f"{bus.site}-c4"])
    decide = {"type": "decide", "accepted": True, "remark": "", "deduction": "d1"}
    assert (await wall.ask(decide | {"call": f"{bus.site}-c1"}))["ok"]
    await agent.until(lambda p: rows(p)["c1"]["accepted"])
    await wall.until(lambda p: p.calls[f"{bus.site}-c1"]["set"]["appeals"] == [])

    details = await agent.ask({"type": "details", "call": f"{bus.site}-c2"})
    assert details["data"]["score"]["deductions"][0]["state"] == "stands"
    assert [step["type"] for step in details["data"]["type"]["trail"]] == ["求助", "投诉"]
    assert [item["text"] for item in details["data"]["course"]] == ["求助 → 投诉"]
    appeal = {"type": "appeal", "call": f"{bus.site}-c2", "deduction": "d1", "reason": "误听"}
    assert (await agent.ask(appeal))["ok"]
    await agent.until(lambda p: rows(p)["c2"]["open"])
    await wall.until(lambda p: p.calls[f"{bus.site}-c2"]["set"]["appeals"])
    assert set(agent.calls) == {f"{bus.site}-c4"}
    async with signed_in(desk, "a008") as open_other, open_other() as other:
        await other.hello()
        refused = await other.ask({"type": "details", "call": f"{bus.site}-c2"})
        assert refused["message"] == "这通电话已经不在您的页面上。"
