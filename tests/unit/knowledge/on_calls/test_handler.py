"""What a call leads to: cards, their withdrawals, gaps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

import nats.errors
import pytest

from contracts.base import Event
from contracts.card import CardShown, CardWithdrawn, Source
from contracts.feedback import FeedbackGiven
from contracts.gap import GapNoted
from contracts.requests import Office
from services.knowledge.directory.known import Completed, Directory
from services.knowledge.on_calls.handler import KnowledgeHandler
from services.knowledge.on_calls.live import LiveCalls
from services.knowledge.on_calls.recheck import Recheck
from tests.unit.knowledge.bags import CARD, EARLY, TREE, WAGES
from tests.unit.knowledge.on_calls.scripted import (
    WHO,
    Said,
    ScriptedBase,
    Talk,
    as_recorded,
    today,
    until,
)

pytestmark = pytest.mark.unit

BLOCK = replace(CARD, id="block-1", question="社保卡怎么挂失", answer="请拨12333挂失。")
SCRIPT = {"丢了怎么补办": CARD, "挂失": BLOCK, "工资": WAGES, "提前退休": EARLY}
LOG = logging.getLogger("banxi.test")
CANTEEN = "社区老年食堂的补贴怎么申请"


async def a_call(base: ScriptedBase, completed: Completed = as_recorded, **options: object) -> Talk:
    call = Talk(KnowledgeHandler(base, today, completed, **options))  # type: ignore[arg-type]
    await call.begin()
    return call


def told(talk: Talk) -> list[tuple[str, str]]:
    """Cards and gaps, in order."""
    return [
        (e.event, e.card_id if isinstance(e, CardShown | CardWithdrawn) else e.evidence[0].words)
        for e in talk.events
        if isinstance(e, CardShown | CardWithdrawn | GapNoted)
    ]


async def test_a_correction_withdraws_and_finds_what_is_meant() -> None:
    call = await a_call(ScriptedBase(SCRIPT))
    await call.say("社保卡丢了怎么补办")
    gone, new = await call.say("不是补办，是挂失")
    assert isinstance(gone, CardWithdrawn) and isinstance(new, CardShown)
    assert (gone.card_id, new.card_id) == ("kb-card-1", "kb-block-1")
    assert "挂失" in new.body


@pytest.mark.parametrize("text", ["我问的不是这个", "不是社保卡，是医保卡", "您听错了"])
async def test_a_refusal_withdraws_though_nothing_else_is_found(text: str) -> None:
    call = await a_call(ScriptedBase(SCRIPT))
    await call.say("社保卡丢了怎么补办")
    (gone,) = await call.say(text)
    assert isinstance(gone, CardWithdrawn)
    assert "不是这件事" in gone.reason
    # It comes again only when it is asked for again: what was said before is no part of it.
    assert await call.say("居住证那个") == []
    (again,) = await call.say("就是社保卡丢了怎么补办")
    assert isinstance(again, CardShown)


async def test_what_was_refused_does_not_come_back_in_the_same_breath() -> None:
    call = await a_call(ScriptedBase(SCRIPT))
    await call.say("社保卡丢了怎么补办")
    (gone,) = await call.say("我问的不是这个，我社保卡丢了怎么补办我知道")
    assert isinstance(gone, CardWithdrawn)


async def test_an_answer_withdrawn_while_it_is_looked_up_is_not_shown() -> None:
    base = ScriptedBase(SCRIPT)
    call = await a_call(base)
    base.may_go.clear()
    saying = asyncio.create_task(call.say("拖欠工资怎么办"))
    await until(lambda: bool(base.asked))
    base.withdraw("wage-1")
    base.may_go.set()
    (card,) = await saying
    assert isinstance(card, CardShown)
    assert (card.kind, WAGES.answer in card.model_dump_json()) == ("transfer", False)


async def test_a_withdrawal_reaches_a_call_in_which_nobody_speaks() -> None:
    base, calls, voice = ScriptedBase(SCRIPT), LiveCalls(), Said()
    recheck = Recheck(base, today, as_recorded, calls, voice, LOG)
    call = await a_call(base, calls=calls)
    async with recheck.watching():
        await call.say("拖欠工资怎么办")
        recheck.look()
        base.withdraw("wage-1")
        # Though a look-up is under way that takes its time.
        base.may_go.clear()
        saying = asyncio.create_task(call.say("嗯嗯那个"))
        await until(lambda: len(base.asked) == 2)
        recheck.look()
        await until(lambda: bool(voice.events))
        base.may_go.set()
        assert await saying == []
    (gone,) = voice.events
    assert isinstance(gone, CardWithdrawn)
    assert (gone.card_id, "取消授权" in gone.reason) == ("kb-wage-1", True)
    assert gone.at_ms > call.events[0].at_ms


class Choking(Said):
    """The bus refuses twice, for a reason that waiting for it does not cover."""

    refusals = 2

    async def say(self, events: Sequence[Event]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise nats.errors.ConnectionClosedError
        await super().say(events)


async def test_a_withdrawal_that_could_not_be_published_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    base, calls, voice = ScriptedBase(SCRIPT), LiveCalls(), Choking()
    call = await a_call(base, calls=calls)
    await call.say("拖欠工资怎么办")
    base.withdraw("wage-1")
    async with Recheck(base, today, as_recorded, calls, voice, LOG).watching():
        await until(lambda: bool(voice.events))
    (gone,) = voice.events
    assert isinstance(gone, CardWithdrawn) and gone.card_id == "kb-wage-1"
    assert [(r.levelname, r.__dict__["call"]) for r in caplog.records] == [("ERROR", "c1")]


class Offices:
    """A directory of one office, or none, that changes."""

    def __init__(self, **fields: str) -> None:
        self.put(**fields)

    def put(self, **fields: str) -> None:
        said = {"office_id": "a", "name": EARLY.department, "region": EARLY.region} | fields
        self.known = Directory([Office.model_validate(said)] if fields else ())

    def completed(self, source: Source, region: str | None) -> Source:
        return self.known.completed(source, region or "云岭县", TREE)


BARE = replace(EARLY, phone=None, liaison=None)


def reached(card: object) -> tuple[str | None, str | None, bool]:
    """Telephone and liaison of a transfer, and whether its words promise a liaison."""
    assert isinstance(card, CardShown) and card.kind == "transfer" and card.source
    return card.source.phone, card.source.liaison, "联络员" in card.body


async def test_a_transfer_names_what_the_directory_knows_and_follows_it() -> None:
    base, calls, voice = ScriptedBase({"提前退休": BARE}), LiveCalls(), Said()
    offices = Offices(phone="1102")
    recheck = Recheck(base, today, offices.completed, calls, voice, LOG)
    call = await a_call(base, offices.completed, calls=calls)
    (card,) = await call.say("能不能提前退休")
    assert reached(card) == ("1102", None, False)
    async with recheck.watching():
        base.put(replace(BARE, similar=("早点退",)))
        recheck.look()
        for fields, expected in (
            ({"phone": "1103"}, ("1103", None, False)),
            (
                {"phone": "1103", "liaison": "沈同志", "liaison_phone": "7102"},
                ("1103", "沈同志（转接用 7102，不报给来电人）", True),
            ),
            ({}, (None, None, False)),
        ):
            offices.put(**fields)
            before = len(voice.events)
            recheck.look()
            await until(lambda before=before: len(voice.events) > before)  # type: ignore[misc]
            new = voice.events[-1]
            assert reached(new) == expected
            assert isinstance(new, CardShown) and (new.card_id, new.aloud) == ("kb-early-1", ())
            assert "7102" not in new.body
        recheck.look()
        assert await call.say("能不能提前退休啊") == [], "it stands already"
    assert len({event.event_id for event in (card, *voice.events)}) == 4


async def test_a_transfer_the_agent_refused_goes_when_its_number_changes() -> None:
    base, calls, voice = ScriptedBase({"提前退休": BARE}), LiveCalls(), Said()
    offices = Offices(phone="1102")
    call = await a_call(base, offices.completed, calls=calls)
    await call.say("能不能提前退休")
    said = {"at_ms": 3_500, "target": "card", "target_id": "kb-early-1", "verdict": "wrong"}
    await call.tell(FeedbackGiven.model_validate(WHO | said | {"agent_id": "015"}))
    offices.put(phone="1103")
    async with Recheck(base, today, offices.completed, calls, voice, LOG).watching():
        await until(lambda: bool(voice.events))
    (gone,) = voice.events
    assert isinstance(gone, CardWithdrawn) and "刚有改动" in gone.reason


async def test_a_call_that_is_over_is_left_alone() -> None:
    base, calls = ScriptedBase(SCRIPT), LiveCalls()
    call = await a_call(base, calls=calls)
    await call.say("拖欠工资怎么办")
    await call.end()
    assert list(calls) == []


async def test_a_matter_nobody_can_answer_is_noted_once() -> None:
    call = await a_call(ScriptedBase(SCRIPT))
    assert await call.say(CANTEEN) == [], "what comes next may find something"
    assert await call.say("嗯嗯") == []
    await call.say("拖欠工资怎么办")
    assert told(call) == [("card.shown", "kb-wage-1"), ("gap.noted", CANTEEN)]
    await call.say("老年食堂补贴怎么申请呀")
    await call.end()
    assert len(told(call)) == 2
    noted = next(e for e in call.events if isinstance(e, GapNoted))
    assert (noted.at_ms, noted.derived_from) == (500, ("c1:caller:500:transcript.final",))


async def test_a_matter_asked_last_is_noted_at_the_end() -> None:
    call = await a_call(ScriptedBase(SCRIPT))
    await call.say(CANTEEN)
    await call.end()
    assert told(call) == [("gap.noted", CANTEEN)]


async def test_a_question_that_finds_something_in_the_end_is_no_gap() -> None:
    entry = replace(CARD, id="canteen", question="老年助餐点补贴怎么申请")
    call = await a_call(ScriptedBase({"助餐点": entry}))
    await call.say(CANTEEN)
    await call.say("就是那个老年助餐点的补贴")
    await call.end()
    assert told(call) == [("card.shown", "kb-canteen")]


@pytest.mark.parametrize(
    "said", [["你听得见我说话吗"], ["社保卡丢了怎么补办", "那社保卡要不要照片呢社保卡"]]
)
async def test_talk_and_questions_on_a_card_are_no_gaps(said: list[str]) -> None:
    call = await a_call(ScriptedBase({"丢了怎么补办.": CARD}))
    for text in said:
        await call.say(text)
    await call.end()
    assert [event for event, _ in told(call) if event == "gap.noted"] == []


async def test_what_is_not_looked_up_properly_is_no_gap() -> None:
    base = ScriptedBase(SCRIPT)
    base.by_words_alone = True
    call = await a_call(base)
    await call.say(CANTEEN)
    await call.end()
    assert told(call) == []


async def test_editors_hear_of_gaps_and_of_what_agents_say_of_our_cards() -> None:
    class Ears:
        def __init__(self) -> None:
            self.heard: list[str] = []

        async def noted(self, event: GapNoted) -> None:
            self.heard.append(event.evidence[0].words)

        async def feedback(self, event: FeedbackGiven) -> None:
            self.heard.append(f"{event.target_id} {event.verdict}")

    ears = Ears()
    call = await a_call(ScriptedBase(SCRIPT), editors=ears)
    await call.say(CANTEEN)
    await call.say("拖欠工资怎么办")
    for target in ("kb-wage-1", "wrong-1"):
        said = {"at_ms": 1, "agent_id": "015", "target": "card", "target_id": target}
        await call.tell(FeedbackGiven.model_validate(WHO | said | {"verdict": "outdated"}))
    assert ears.heard == [CANTEEN, "kb-wage-1 outdated"]
