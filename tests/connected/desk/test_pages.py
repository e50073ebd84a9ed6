"""What the pages hear and say: own calls, resume, feedback, escalations, bad input."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from contracts import subjects
from contracts.feedback import FeedbackGiven
from contracts.requests import (
    AcknowledgeEscalation,
    AskHistory,
    Describe,
    Description,
    EscalationHandled,
    Failure,
    History,
    KnowledgeFound,
    KnowledgeHit,
    PastCall,
    Problem,
    SearchKnowledge,
)
from contracts.transcript import TranscriptPartial
from services.common import streams
from services.common.bus import Bus
from services.common.kept import read_call
from services.desk.sockets import NO_CONTRACT, TOO_SLOW
from tests.connected.desk.running import Page, RunningDesk, answering, running_desk, signed_in
from tests.connected.desk.story import Story
from tests.connected.desk.tales import complains, pension, play, turning

pytestmark = pytest.mark.connected


def has_card(bus: Bus, slot: str) -> Callable[[Page], Any]:
    return lambda page: the_call(page, bus)["set"]["cards"][slot]


def the_call(page: Page, bus: Bus) -> Any:
    return page.calls[f"{bus.site}-c1"]


async def test_an_agent_sees_the_own_call_as_it_happens_and_no_other(
    desk: RunningDesk, bus: Bus
) -> None:
    async with signed_in(desk, "a015") as open_page, open_page() as page:
        await (await page.hello()).next()
        await play(bus, [pension(bus.site), Story(bus.site, "c2", "008")])
        await page.until(has_card(bus, "moment"))
        assert set(page.calls) == {f"{bus.site}-c1"}
        call = the_call(page, bus)
        assert call["set"]["head"]["number"] == "199****0102"
        assert call["lines"]["caller-4800"]["text"].startswith("我想问一下我的养老保险")
        assert call["set"]["cards"]["wrong"]["heard"]["words"] == "这我怎么知道"
        rows = dict(call["set"]["cards"]["answer"]["source"])
        assert rows["授权"] == "养老保险科 周敏 2026-03-01"
        assert rows["版本"] == "第 3 版"
        assert "19900000102" not in json.dumps(page.calls)


async def test_both_pages_see_a_call_turn(desk: RunningDesk, bus: Bus) -> None:
    story = complains(turning(bus.site, agent="015"))
    async with (
        signed_in(desk, "a015") as open_desk,
        signed_in(desk, "b01", "wall") as open_wall,
        open_desk() as agent,
        open_wall() as wall,
    ):
        await agent.hello()
        await wall.hello()
        await play(bus, [story])
        for page in (agent, wall):
            told = await page.until(
                lambda p: len(kind := the_call(p, bus)["set"]["type"]["trail"]) == 3 and kind
            )
            assert [step["type"] for step in told] == ["求助", "发泄", "投诉"]
            course = the_call(page, bus)["set"]["course"]
            assert [item["text"] for item in course][1] == "对方要找领导"
        card = await agent.until(
            lambda p: (c := the_call(p, bus)["set"]["cards"]["moment"])["title"][:2] == "投诉" and c
        )
        assert the_call(agent, bus)["set"]["advice"]["id"] == card["id"]
        assert "19900000177" not in json.dumps([agent.calls, wall.calls])


async def test_the_wall_shows_every_call_the_worst_one_as_such(desk: RunningDesk, bus: Bus) -> None:
    async with signed_in(desk, "b01", "wall") as open_page, open_page() as page:
        await page.hello()
        await play(bus, [pension(bus.site), Story(bus.site, "c2", "008")])
        await page.until(
            lambda p: the_call(p, bus)["set"]["escalations"] and p.calls[f"{bus.site}-c2"]
        )
        ranks = {call[-2:]: page.calls[call]["set"]["risk"]["rank"] for call in page.calls}
        assert ranks["c1"] > ranks["c2"] == 0
        figures = await page.until(lambda p: p.figures.get("phrases") and p.figures)
        assert (figures["live"], figures["to_handle"], figures["phrases"]) == (2, 1, 1)


async def test_who_comes_back_misses_nothing_and_gets_nothing_twice(
    desk: RunningDesk, bus: Bus
) -> None:
    half = pension(bus.site).in_order()
    first, second = Story(bus.site), Story(bus.site)
    first.events, second.events = half[:12], half[12:]
    async with signed_in(desk, "a015") as open_page:
        async with open_page() as page:
            await page.hello()
            await play(bus, [first])
            await page.until(lambda p: the_call(p, bus)["lines"]["caller-4800"])
        await play(bus, [second])
        async with open_page() as again:
            await again.hello(page.epoch, page.last)
            again.calls = page.calls
            message = await again.next()
            assert (message["type"], message["n"]) == ("change", page.last + 1)
            await again.until(lambda p: len(the_call(p, bus)["set"]["ticks"]) == 3)
        async with open_page() as fresh:
            await (await fresh.hello()).next()
            assert (fresh.calls, fresh.last) == (again.calls, again.last)


async def test_a_restarted_desk_shows_live_calls_again(
    nats_url: str, bus: Bus, tmp_path: Path
) -> None:
    await play(bus, [pension(bus.site)])
    async with (
        running_desk(nats_url, bus.site, tmp_path) as desk,
        signed_in(desk, "a015") as open_page,
        open_page() as page,
    ):
        # Numbers of the run before mean nothing to this one.
        message = await (await page.hello("the run before", 17)).next()
        assert message["type"] == "snapshot"
        assert len(the_call(page, bus)["lines"]) == 6
        await bus.publish(Story(bus.site).says("agent", 40_000, 41_000, "您好").events[-1][1])
        await page.until(lambda p: the_call(p, bus)["lines"]["agent-40000"])


async def test_a_key_becomes_a_feedback_event_once(desk: RunningDesk, bus: Bus) -> None:
    async with signed_in(desk, "a015") as open_page, open_page() as page:
        await page.hello()
        await play(bus, [pension(bus.site)])
        card = await page.until(has_card(bus, "wrong"))
        command = {
            "type": "feedback",
            "call": f"{bus.site}-c1",
            "target": card["target"],
            "target_id": card["id"],
            "verdict": "wrong",
        }
        assert (await page.ask(command))["ok"] and (await page.ask(command))["ok"]
        await page.until(lambda p: the_call(p, bus)["set"]["cards"]["wrong"] is None)
        given = [
            e
            for e in await read_call(bus, bus.site, f"{bus.site}-c1")
            if isinstance(e, FeedbackGiven)
        ]
        assert [(g.target_id, g.rule, g.verdict, g.agent_id) for g in given] == [
            ("w1", "how-would-i-know", "wrong", "015")
        ]
        unknown = await page.ask(command | {"target_id": "w99"})
        assert (unknown["ok"], unknown["message"]) == (False, "这张卡片已经不在了。")


async def test_cards_that_were_of_use_are_counted_once(desk: RunningDesk, bus: Bus) -> None:
    async with signed_in(desk, "a015") as open_page, open_page() as page:
        await page.hello()
        await play(bus, [pension(bus.site)])
        card = await page.until(has_card(bus, "answer"))
        command = {
            "type": "feedback",
            "call": f"{bus.site}-c1",
            "target": card["target"],
            "target_id": card["id"],
        }
        for verdict in ("useful", "useful", "dismissed"):
            assert (await page.ask(command | {"verdict": verdict}))["ok"]
        said = await bus.request_of("desk", Describe(), Description)
    used = {name: count for name, count in said.figures.items() if name.startswith("cards_used")}
    assert {name for name, count in used.items() if count} == {"cards_used{answer}"}
    assert used["cards_used{answer}"] == 1


async def test_nobody_judges_cards_of_another(desk: RunningDesk, bus: Bus) -> None:
    command = {"type": "feedback", "call": f"{bus.site}-c1", "target": "card", "target_id": "k1"}
    await play(bus, [pension(bus.site)])
    async with signed_in(desk, "a008") as open_page, open_page() as page:
        answer = await (await page.hello()).ask(command | {"verdict": "wrong"})
        assert not answer["ok"]
        act = {
            "type": "escalation",
            "call": f"{bus.site}-c1",
            "escalation": "e1",
            "act": "acknowledge",
        }
        assert (await page.ask(act))["message"] == "只有班长可以处置。"
    async with signed_in(desk, "b01", "wall") as open_page, open_page() as page:
        assert not (await (await page.hello()).ask(command | {"verdict": "wrong"}))["ok"]


async def test_escalations_are_handled_by_their_service(desk: RunningDesk, bus: Bus) -> None:
    act = {"type": "escalation", "call": f"{bus.site}-c1", "escalation": "e1", "act": "acknowledge"}
    conflict = Failure(error=Problem(code="conflict", message="taken"))
    async with signed_in(desk, "b01", "wall") as open_page, open_page() as page:
        await page.hello()
        assert "处置服务暂时没有回应" in (await page.ask(act))["message"]
        handled = EscalationHandled(escalation_id="e1", state="acknowledged")
        async with answering(bus, AcknowledgeEscalation, lambda _: handled) as asked:
            assert (await page.ask(act))["ok"]
            assert (asked[0].supervisor, asked[0].escalation_id) == ("b01", "e1")
        async with answering(bus, AcknowledgeEscalation, lambda _: conflict):
            assert (await page.ask(act))["message"] == "这一条刚刚由别人处理了。"


async def test_searching_never_shows_an_answer_that_may_not_be_given(
    desk: RunningDesk, bus: Bus
) -> None:
    found = KnowledgeFound(
        hits=(
            KnowledgeHit(entry_id="k1", kind="answer", score=0.9, question="甲", answer="可以。"),
            KnowledgeHit(
                entry_id="k2", kind="transfer", score=0.8, question="乙", answer="内部口径"
            ),
            KnowledgeHit(
                entry_id="wording-1", kind="announced", score=0.7, question="丙", answer="统一说。"
            ),
        )
    )
    async with signed_in(desk, "a015") as open_page, open_page() as page:
        async with answering(bus, SearchKnowledge, lambda _: found) as asked:
            await page.hello()
            answer = await page.ask({"type": "search", "text": "社保卡"})
            assert asked[0].text == "社保卡"
            assert [hit["answer"] for hit in answer["data"]] == ["可以。", None, "统一说。"]
            assert answer["data"][2]["kind"] == "announced"
        assert (
            "知识库暂时没有回应"
            in (await page.ask({"type": "search", "text": "社保卡"}))["message"]
        )


async def test_earlier_calls_of_the_number_are_counted(desk: RunningDesk, bus: Bus) -> None:
    past = tuple(
        PastCall(call_id=call, started_at="2026-03-01") for call in (f"{bus.site}-c1", "p1", "p2")
    )
    async with (
        answering(bus, AskHistory, lambda _: History(calls=past)),
        signed_in(desk, "a015") as open_page,
        open_page() as page,
    ):
        await page.hello()
        await play(bus, [Story(bus.site)])
        await page.until(lambda p: the_call(p, bus)["set"]["head"]["earlier"] == 2)


async def test_garbage_becomes_dead_letters_and_the_desk_lives(desk: RunningDesk, bus: Bus) -> None:
    story = Story(bus.site)
    partial = TranscriptPartial(
        **story.who, at_ms=1_000, end_ms=2_000, role="caller", text="我想问一下"
    )
    good = partial.model_dump_json().encode()
    lying = partial.model_copy(update={"call_id": "c9"}).model_dump_json().encode()
    async with signed_in(desk, "a015") as open_page, open_page() as page:
        await page.hello()
        await play(bus, [story])
        await page.until(lambda p: the_call(p, bus))
        for payload in (b"no json", b'{"text":1}', b"[" * 5_000, b"\xff\xfe", lying, good):
            await bus.client.publish(subjects.live(partial), payload)
        await bus.js.publish(
            f"banxi.v1.{bus.site}.call.{story.call_id}.speech.started", b"nor this"
        )
        await page.until(lambda p: the_call(p, bus)["set"]["partials"][0]["text"] == "我想问一下")
        described = await bus.request_of("desk", Describe(), Description)
        async with asyncio.timeout(10):
            while described.figures["dead_letters"] < 6:
                described = await bus.request_of("desk", Describe(), Description)
        assert described.ready
        subject = subjects.dead(bus.site, "desk")
        letter = await bus.js.get_last_msg(streams.DEAD, subject)
        assert letter.headers and "我想" not in letter.headers["Banxi-Reason"]


async def test_a_page_that_talks_nonsense_hurts_only_itself(desk: RunningDesk, bus: Bus) -> None:
    async with signed_in(desk, "a015") as open_page:
        async with open_page() as page:
            await page.socket.send("what?")
            with pytest.raises(ConnectionClosed) as closed:
                await page.next()
            assert closed.value.rcvd and closed.value.rcvd.code == NO_CONTRACT
        async with open_page() as page:
            await page.hello()
            for nonsense in ("", "[]", '{"type":"search","id":1,"text":""}'):
                await page.socket.send(nonsense)
            await page.socket.send(b"\x00\x01")
            answer = await page.ask({"type": "search", "text": "社保卡"})
            assert not answer["ok"]
        async with open_page() as page:
            await page.hello()
            with pytest.raises(ConnectionClosed) as closed:
                for _ in range(500):
                    await page.socket.send('{"type":"what"}')
                while True:
                    await page.next()
            assert closed.value.rcvd and closed.value.rcvd.code == TOO_SLOW
