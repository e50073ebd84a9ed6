"""Stories worth telling more than once, and how they are told to the bus."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from contracts.base import Evidence
from contracts.call_type import TypeConfidence
from contracts.transcript import Correction, TranscriptPartial
from services.common.bus import Bus
from tests.connected.desk.story import Story


def pension(site: str, call_id: str = "", agent: str = "015") -> Story:
    """A plea that becomes a complaint: one forbidden phrase, an answer, advice, a wait."""
    story = Story(site, call_id, agent)
    story.says("agent", 500, 4_200, "您好，这里是政务服务热线，工号零一五，请问有什么可以帮您？")
    story.phrase(4_300, "opening", "问候与工号", said=True)
    story.says(
        "caller",
        4_800,
        11_500,
        "我想问一下我的养老保险，从安平市转过来，交了材料四个多月了，一直没有动静。",
        heard="我想问一下我的养老报线，从安平市转过来，交了材料四个多月了，一直没有动静。",
        corrections=(Correction(heard="养老报线", made="养老保险", start=7),),
        partial="我想问一下我的养老报线",
    )
    story.typed(12_500, "求助", 0.74)
    story.says("agent", 12_200, 14_400, "请问您怎么称呼？")
    story.phrase(14_500, "name", "询问称呼", said=True)
    story.says(
        "caller",
        15_000,
        21_400,
        "我姓梁。我就想知道这个转移到底要多久才能办好？窗口推来推去没有人管。",
    )
    story.answer(22_500, "这个转移到底要多久才能办好", 15_000, 21_400)
    story.says("agent", 22_000, 25_600, "这我怎么知道，你再等等看吧。")
    story.forbidden(26_600, 22_000, 23_400, "这我怎么知道")
    story.scored(26_700, 95, -5, "对来电人说“这我怎么知道”", "这我怎么知道")
    story.says(
        "caller",
        26_200,
        31_800,
        "你们不就是管这个的吗？每次都说再等等，我要投诉你们！",
        partial="你们不就是管这个的吗",
    )
    story.typed(32_800, "投诉", 0.86, "求助")
    story.turned(32_800, "求助", "投诉", "我要投诉你们", 26_200)
    story.advice(32_900)
    story.phrase(33_000, "restate", "复述确认", said=False)
    story.escalated(
        33_200, "禁用语一次，来电要投诉", "类型 求助 → 投诉，同一通里有禁用语", "这我怎么知道"
    )
    return story


def turning(site: str, call_id: str = "", agent: str = "008") -> Story:
    """A plea for help that turns twice; in the middle the caller asks for a leader."""
    story = Story(site, call_id, agent, "19900000177")
    story.says("agent", 500, 3_500, "您好，工号零零八，请问有什么可以帮您？")
    story.says("caller", 4_000, 9_000, "我失业快半年了，补贴一直没有批，想请你们帮忙看看卡在哪里。")
    also = (
        TypeConfidence(type="求助", confidence=0.62),
        TypeConfidence(type="咨询", confidence=0.24),
    )
    why = {"evidence": (Evidence(words="想请你们帮忙", role="caller"),), "intake": "业务咨询"}
    story.typed(10_000, "求助", 0.62, types=also, **why)
    story.advice(10_100, card_id="advice-help", title="求助：问清情况，指明路子", priority=40)
    story.says("caller", 12_000, 18_000, "跑了四趟，一个窗口推一个窗口，你们到底有没有人管事？")
    story.typed(19_000, "发泄", 0.71, "求助", types=(), intake="业务咨询")
    story.turned(19_000, "求助", "发泄", "到底有没有人管事", 12_000)
    story.withdrawn(19_050, "advice-help")
    story.advice(19_100, card_id="advice-vent", title="发泄：先接情绪，再讲政策", priority=40)
    story.says("caller", 20_000, 23_000, "叫你们领导来跟我说！")
    story.recognised(20_000, "wants-a-leader", "对方要找领导", "叫你们领导来")
    story.wording(24_100, why="来电人说“叫你们领导来”")
    return story


def complains(story: Story) -> Story:
    """How that call goes on: it becomes a complaint, and the moment of the leader has passed."""
    story.says("caller", 26_000, 31_000, "我现在就要投诉经办窗口，请你们正式受理。")
    may_be = (
        TypeConfidence(type="投诉", confidence=0.78),
        TypeConfidence(type="发泄", confidence=0.17),
    )
    why = {"evidence": (Evidence(words="我现在就要投诉", role="caller"),), "intake": "投诉"}
    story.typed(32_000, "投诉", 0.78, "发泄", types=may_be, **why)
    story.turned(32_000, "发泄", "投诉", "我现在就要投诉经办窗口", 26_000)
    story.withdrawn(32_050, "advice-vent")
    story.withdrawn(32_060)
    return story.advice(
        32_100, card_id="advice-complain", title="投诉：讲明受理，问全要素", priority=40
    )


async def play(bus: Bus, stories: Iterable[Story], speed: float = 0.0) -> None:
    """Publish what the stories tell; `speed` 1 = at the pace of talk, 0 = at once."""
    moments = sorted(
        (
            (at, order, event)
            for story in stories
            for order, (at, event) in enumerate(story.in_order())
        ),
        key=lambda item: item[:2],
    )
    begin = asyncio.get_running_loop().time()
    for at, _, event in moments:
        if speed:
            await asyncio.sleep(
                max(0.0, begin + at / 1000 / speed - asyncio.get_running_loop().time())
            )
        if isinstance(event, TranscriptPartial):
            await bus.publish_live(event)
        else:
            await bus.publish(event)
