"""Stories worth telling more than once, and how they are told to the bus."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

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
    story.advice(32_900)
    story.phrase(33_000, "restate", "复述确认", said=False)
    story.escalated(
        33_200, "禁用语一次，来电要投诉", "类型 求助 → 投诉，同一通里有禁用语", "这我怎么知道"
    )
    return story


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
