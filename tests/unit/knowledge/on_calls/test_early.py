"""Cards while the caller is still speaking."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import pytest

from contracts.card import CardShown, CardWithdrawn
from services.knowledge.on_calls.early import Early
from services.knowledge.on_calls.handler import KnowledgeHandler
from services.knowledge.on_calls.live import LiveCalls
from tests.unit.knowledge.bags import CARD, WAGES
from tests.unit.knowledge.on_calls.scripted import (
    Said,
    ScriptedBase,
    Talk,
    as_recorded,
    today,
    until,
)

pytestmark = pytest.mark.unit

SCRIPT = {"怎么补办": CARD, "工资": WAGES}
LOST = "我的社保卡丢了怎么补办"


class Speaking:
    """A caller who speaks slowly."""

    def __init__(self, confidence: float = 0.9) -> None:
        self.base, self.calls, self.voice = ScriptedBase(SCRIPT, confidence), LiveCalls(), Said()
        self.early = Early(
            self.base, today, as_recorded, self.calls, self.voice, logging.getLogger("test")
        )
        self.call = Talk(KnowledgeHandler(self.base, today, as_recorded, calls=self.calls))

    async def hear(self, *texts: str) -> None:
        for number, text in enumerate(texts):
            self.early.take(self.call.partial(text, 1_000 + 200 * number))
        await self.settle()

    async def settle(self) -> None:
        await until(lambda: not self.early.busy)
        for event in self.voice.events:
            await self.call.tell(event)

    def said(self) -> Sequence[tuple[str, str]]:
        return [
            (e.event, e.card_id)
            for e in self.voice.events
            if isinstance(e, CardShown | CardWithdrawn)
        ]


async def test_what_two_partials_agree_on_shows_the_card_and_the_final_confirms_it() -> None:
    speaking = Speaking()
    await speaking.call.begin()
    await speaking.hear(LOST)
    assert speaking.said() == [], "one partial alone proves nothing"
    await speaking.hear(LOST + "啊", LOST + "我在外")
    assert speaking.said() == [("card.shown", "kb-card-1")]
    assert await speaking.call.say(LOST + "我在外地") == []
    assert await speaking.call.say("嗯嗯好的") == [], "confirmed, it stays"


async def test_a_final_that_means_something_else_takes_it_back() -> None:
    speaking = Speaking()
    await speaking.call.begin()
    await speaking.hear(LOST, LOST)
    (gone,) = await speaking.call.say("我知道社保卡丢了咋办")
    assert isinstance(gone, CardWithdrawn)
    assert gone.card_id == "kb-card-1"
    assert speaking.voice.events[0].at_ms < gone.at_ms


async def test_a_final_that_finds_another_replaces_it() -> None:
    speaking = Speaking()
    await speaking.call.begin()
    await speaking.hear(LOST, LOST)
    events = await speaking.call.say("我的社保卡丢了，哦不是，工资没发")
    assert [e.event for e in events] == ["card.withdrawn", "card.shown"]


async def test_what_is_only_likely_waits_for_the_final() -> None:
    speaking = Speaking(confidence=0.6)
    await speaking.call.begin()
    await speaking.hear(LOST, LOST)
    assert speaking.said() == []
    (card,) = await speaking.call.say(LOST)
    assert isinstance(card, CardShown)


async def test_one_look_up_at_a_time_and_the_newest_words_win() -> None:
    speaking = Speaking()
    await speaking.call.begin()
    speaking.base.may_go.clear()
    words = ["我想问一下社保卡", "我想问一下社保卡丢", "我想问一下社保卡丢了怎", LOST, LOST]
    for number, text in enumerate(["我想问一下社保", *words]):
        speaking.early.take(speaking.call.partial(text, 1_000 + 100 * number))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert len(speaking.base.asked) == 1
    speaking.base.may_go.set()
    await speaking.settle()
    assert speaking.base.asked[1:] == [LOST], "what lay between is not looked up"
    assert speaking.said() == [("card.shown", "kb-card-1")]


async def test_of_one_utterance_at_most_one_card_is_shown() -> None:
    speaking = Speaking()
    await speaking.call.begin()
    await speaking.hear(LOST, LOST)
    await speaking.hear(LOST + "还有工资", LOST + "还有工资")
    assert speaking.said() == [("card.shown", "kb-card-1")]


async def test_a_partial_that_comes_after_its_final_says_nothing() -> None:
    speaking = Speaking()
    await speaking.call.begin()
    late = [speaking.call.partial(LOST, 1_000), speaking.call.partial(LOST, 1_200)]
    await speaking.call.say("喂你好")
    for partial in late:
        speaking.early.take(partial)
    await speaking.settle()
    assert (speaking.base.asked, speaking.said()) == (["喂你好"], [])


async def test_a_final_that_overtakes_the_look_up_silences_it() -> None:
    speaking = Speaking()
    await speaking.call.begin()
    speaking.base.may_go.clear()
    for end in (1_000, 1_200):
        speaking.early.take(speaking.call.partial(LOST, end))
    await until(lambda: len(speaking.base.asked) == 1)
    saying = asyncio.create_task(speaking.call.say("我的社保卡"))
    await until(lambda: len(speaking.base.asked) == 2)
    speaking.base.may_go.set()
    assert await saying == []
    await speaking.settle()
    assert speaking.said() == []


async def test_what_the_caller_takes_back_is_left_to_the_final() -> None:
    speaking = Speaking()
    await speaking.call.begin()
    await speaking.call.say(LOST)
    words = "不是社保卡丢了，是工资没有发"
    await speaking.hear(words, words)
    assert speaking.said() == []
    events = await speaking.call.say(words)
    assert [e.event for e in events] == ["card.withdrawn", "card.shown"]


async def test_a_final_without_words_takes_back_what_its_partials_brought() -> None:
    speaking = Speaking()
    await speaking.call.begin()
    await speaking.hear(LOST, LOST)
    assert speaking.said() == [("card.shown", "kb-card-1")]
    (gone,) = await speaking.call.say("")
    assert isinstance(gone, CardWithdrawn)
    assert gone.card_id == "kb-card-1"
    await speaking.call.say("我的社保卡丢了怎么补办")
    assert await speaking.call.say("") == [], "a card of an utterance before stays"


async def test_a_final_without_words_silences_the_look_up_of_its_partials() -> None:
    speaking = Speaking()
    await speaking.call.begin()
    speaking.base.may_go.clear()
    for end in (1_000, 1_200):
        speaking.early.take(speaking.call.partial(LOST, end))
    await until(lambda: len(speaking.base.asked) == 1)
    assert await speaking.call.say("") == []
    speaking.base.may_go.set()
    await speaking.settle()
    assert speaking.said() == []
