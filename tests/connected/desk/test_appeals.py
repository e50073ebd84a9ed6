"""Appeals and their decisions: who may, only once, on every page, and in nobody's log."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from contracts.base import Event
from contracts.requests import AskScore, Failure, Problem, ScoreSheet, Unjudged
from contracts.score import AppealDecided, DeductionAppealed
from services.common.bus import Bus
from services.common.kept import read_call
from tests.connected.desk.running import Page, RunningDesk, answering, signed_in
from tests.connected.desk.story import Story
from tests.connected.desk.tales import pension, play

pytestmark = pytest.mark.connected


def state(page: Page, bus: Bus) -> Any:
    return page.calls[f"{bus.site}-c1"]["set"]["score"]["deductions"][0]["state"]


def waiting(page: Page, bus: Bus) -> Any:
    return page.calls[f"{bus.site}-c1"]["set"]["appeals"]


async def said(bus: Bus, kind: type[Event]) -> list[Any]:
    events = await read_call(bus, bus.site, f"{bus.site}-c1")
    return [event for event in events if isinstance(event, kind)]


async def test_from_appeal_to_points_given_back_on_every_page(
    desk: RunningDesk, bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "banxi")
    call = {"call": f"{bus.site}-c1", "deduction": "d1"}
    appeal = {"type": "appeal", "reason": " 我在复述来电人的话 ", **call}
    decide = {"type": "decide", "accepted": True, "remark": "确实是复述", **call}
    async with (
        signed_in(desk, "a015") as open_desk,
        signed_in(desk, "b01", "wall") as open_wall,
        open_desk() as agent,
        open_desk() as second,
        open_wall() as wall,
    ):
        for page in (agent, second, wall):
            await page.hello()
        # The call is over; while it is on the page its deductions may be appealed.
        await play(bus, [pension(bus.site).ends(40_000)])
        for page in (agent, second):
            await page.until(lambda p: state(p, bus) == "stands")
        assert (await agent.ask(appeal))["ok"]
        for page in (agent, second):
            await page.until(lambda p: state(p, bus) == "appealed")
        again = await second.ask(appeal | {"reason": "再说一次"})
        assert (again["ok"], again["message"]) == (False, "这一项已经申诉过了，请等班长处理。")

        [item] = await wall.until(lambda p: waiting(p, bus))
        assert (item["appeal"], item["words"]) == ("我在复述来电人的话", "这我怎么知道")
        assert (await wall.ask(decide))["ok"]
        await wall.until(lambda p: waiting(p, bus) == [])
        late = await wall.ask(decide | {"accepted": False})
        assert (late["ok"], late["message"]) == (False, "这条申诉已经处理过了。")
        # Conduct gives the points back.
        await play(bus, [given_back(bus)])
        for page in (agent, second):
            await page.until(lambda p: state(p, bus) == "returned")

    [appealed] = await said(bus, DeductionAppealed)
    assert (appealed.agent_id, appealed.reason) == ("015", "我在复述来电人的话")
    [decided] = await said(bus, AppealDecided)
    assert (decided.supervisor, decided.accepted, decided.remark) == ("b01", True, "确实是复述")
    assert "复述" not in caplog.text


def given_back(bus: Bus) -> Story:
    story = Story(bus.site).scored(41_000, 100, 5, "申诉通过")
    del story.events[0]
    return story


async def test_of_two_who_decide_at_once_one_does(desk: RunningDesk, bus: Bus) -> None:
    decide = {"type": "decide", "call": f"{bus.site}-c1", "deduction": "d1", "remark": ""}
    async with signed_in(desk, "b01", "wall") as open_page, open_page() as one, open_page() as two:
        await one.hello()
        await two.hello()
        await play(bus, [pension(bus.site).appealed(34_000)])
        await one.until(lambda p: waiting(p, bus))
        answers = await asyncio.gather(
            one.ask(decide | {"accepted": True}), two.ask(decide | {"accepted": False})
        )
        assert sorted(answer["ok"] for answer in answers) == [False, True]
    assert len(await said(bus, AppealDecided)) == 1


async def test_only_the_own_agent_appeals_and_only_supervisors_decide(
    desk: RunningDesk, bus: Bus
) -> None:
    call = {"call": f"{bus.site}-c1", "deduction": "d1"}
    appeal: dict[str, Any] = {"type": "appeal", **call}
    decide: dict[str, Any] = {"type": "decide", "accepted": True, **call}
    await play(bus, [pension(bus.site)])
    async with signed_in(desk, "a008") as open_page, open_page() as page:
        await page.hello()
        assert (await page.ask(appeal))["message"] == "这通电话已经不在您的页面上。"
        assert (await page.ask(decide))["message"] == "只有班长可以处置。"
        sheet = {"type": "sheet", "call": f"{bus.site}-c1"}
        assert (await page.ask(sheet))["message"] == "这通电话已经不在您的页面上。"
    async with signed_in(desk, "b01", "wall") as open_page, open_page() as page:
        await page.hello()
        assert (await page.ask(appeal))["message"] == "这个操作只在坐席页面上可用。"
        assert (await page.ask(decide))["message"] == "坐席没有对这一项提出申诉。"
        unknown = await page.ask(decide | {"call": "nowhere"})
        assert unknown["message"] == "这通电话已经不在页面上。"
    async with signed_in(desk, "a015") as open_page, open_page() as page:
        await page.hello()
        unknown = await page.ask(appeal | {"deduction": "d99"})
        assert unknown["message"] == "这一项扣分已经不在了。"
        assert not (await page.ask(appeal | {"reason": "长" * 501}))["ok"]
    assert await said(bus, DeductionAppealed) == await said(bus, AppealDecided) == []


async def test_what_the_machine_cannot_judge_is_asked_of_conduct(
    desk: RunningDesk, bus: Bus
) -> None:
    ask = {"type": "sheet", "call": f"{bus.site}-c1"}
    item = Unjudged(item="dull-voice", name="声音平淡", points=2, why="语气要由人来听")
    sheet = ScoreSheet(
        call_id=f"{bus.site}-c1", score=97, deductions=(), unjudged=(item,), rules="1"
    )
    missing = Failure(error=Problem(code="not_found", message="no such call"))
    await play(bus, [pension(bus.site)])
    async with signed_in(desk, "a015") as open_page, open_page() as page:
        await page.hello()
        assert "评分服务暂时没有回应" in (await page.ask(ask))["message"]
        async with answering(bus, AskScore, lambda _: sheet) as asked:
            data = (await page.ask(ask))["data"]
            assert asked[0].call_id == f"{bus.site}-c1"
            assert data["score"] == 97
            assert data["unjudged"] == [{"name": "声音平淡", "points": 2, "why": "语气要由人来听"}]
        async with answering(bus, AskScore, lambda _: missing):
            assert (await page.ask(ask))["message"] == "评分服务里没有这通电话的评分表。"
