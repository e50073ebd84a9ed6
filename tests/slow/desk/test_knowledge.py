"""What the knowledge base gives an agent, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from contracts.card import Aloud, Alternative, CardShown, Source, Span
from contracts.feedback import FeedbackGiven
from contracts.requests import (
    Describe,
    Description,
    GapHandled,
    KnowledgeFound,
    NoteGap,
    SearchKnowledge,
)
from contracts.requests.gaps import Gap
from contracts.requests.knowledge import KnowledgeHit
from services.common.bus import Bus
from tests.connected.desk.running import answering
from tests.connected.desk.story import KNOWLEDGE, Story
from tests.connected.desk.tales import pension, play
from tests.slow.desk.conftest import Restartable
from tests.slow.desk.watching import CONTRAST, kept, look, visible, watched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ANSWER = (
    "请带身份证和居住证明，到江滨路16号三楼窗口办理，工作日上午八点半至十二点受理；"
    "十五个工作日内发证，首次办理不收费。咨询电话0599-555-1104。"
)
PART = "十五个工作日内发证，首次办理不收费"


def residence(site: str) -> Story:
    story = Story(site)
    story.says("caller", 1_000, 5_000, "我想问一下居住证办下来要多久啊，收不收钱？")
    start = ANSWER.index(PART)
    return story.answer(
        5_900,
        "居住证办下来要多久",
        1_000,
        5_000,
        title="居住证怎么办理",
        body=ANSWER,
        asked=(Span(start=start, end=start + len(PART)),),
        aloud=(
            Aloud(kind="papers", text="身份证和居住证明"),
            Aloud(kind="address", text="江滨路16号三楼窗口"),
            Aloud(kind="hours", text="工作日上午八点半至十二点"),
            Aloud(kind="phone", text="0599-555-1104"),
        ),
        note="云岭县另有规定，请先问清对方在哪里办。",
        why="来电人说：“我想问一下居住证办下来要多久啊，收不收钱？”",
        alternatives=(
            Alternative(entry_id="a", question="居住证到期怎么签注"),
            Alternative(entry_id="b", question="居住证丢了怎么补领"),
        ),
    )


def transfer(story: Story, at: int) -> Story:
    source = Source(
        entry_id="early-1",
        question="特殊工种能不能提前退休",
        department="临江市养老保险处",
        region="临江市",
        authorised=False,
        liaison="沈同志",
        phone="0599-555-1102",
    )
    card = CardShown(
        **story.who,
        at_ms=at,
        by=KNOWLEDGE,
        card_id="kb-early-1",
        slot="answer",
        kind="transfer",
        title=source.question,
        body="您问的这件事由临江市养老保险处负责答复。我把电话转过去，请负责的联络员直接为您解答，您看可以吗？",
        why="这件事没有授权坐席答复，请转接。来电人说：“特殊工种能不能早点退”",
        confidence=0.88,
        source=source,
    )
    return story.add(at, card)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_answer_card(
    browser: Browser, bus: Bus, restartable: Restartable, scheme: Any
) -> None:
    desk = await restartable.start()
    story = residence(bus.site)
    async with watched(browser, color_scheme=scheme, reduced_motion="reduce") as seen:
        agent = await seen.open(desk, "a015")
        await play(bus, [story])
        card = agent.locator(".card.answer")
        await expect(card.locator("mark.part")).to_have_text(PART)
        await expect(card.locator(".aloud li")).to_have_count(4)
        await expect(card.locator(".mind")).to_contain_text("云岭县另有规定")
        await expect(card.locator(".source")).to_contain_text("授权：养老保险科 周敏")
        # Nobody answers for the knowledge base in this test: the page says so, quietly.
        await expect(agent.locator("#knowledge")).to_contain_text("暂时没有回应")
        for width in (1280, 400):
            await agent.set_viewport_size({"width": width, "height": 860})
            assert await agent.evaluate("document.documentElement.scrollWidth") <= width
            assert await agent.evaluate(CONTRAST) == []
            await look(agent, f"answer-{width}-{scheme}")
        await agent.set_viewport_size({"width": 1280, "height": 860})
        await card.get_by_role("button", name="复制电话").click()
        assert await agent.evaluate("navigator.clipboard.readText()") == "0599-555-1104"
        await expect(agent.locator("#toast")).to_have_text("已复制电话")
        await agent.keyboard.press("c")
        assert await agent.evaluate("navigator.clipboard.readText()") == ANSWER
        await expect(agent.locator("#toast")).to_have_text("已复制")

        hit = KnowledgeHit(
            entry_id="b",
            kind="answer",
            score=0.9,
            question="居住证丢了怎么补领",
            answer="到窗口补领。",
        )
        found = KnowledgeFound(hits=(hit,))
        async with answering(bus, SearchKnowledge, lambda _: found) as searched:
            await agent.keyboard.press("6")
            await expect(agent.locator("#found li")).to_contain_text("到窗口补领")
            assert searched[-1].text == "居住证丢了怎么补领"
            await look(agent, f"search-{scheme}")
            await agent.keyboard.press("Escape")

        await agent.keyboard.press("4")
        [outdated] = await kept(bus, story, FeedbackGiven)
        assert isinstance(outdated, FeedbackGiven)
        assert (outdated.verdict, outdated.rule) == ("outdated", "pen-014")
        await expect(card).to_have_count(0)

        await play(bus, [transfer(pension(bus.site, "c2"), 34_000)])
        moved = agent.locator(".card.advice", has_text="请转接")
        await expect(moved.locator(".source")).to_contain_text("沈同志")
        await expect(moved.locator(".aloud")).to_contain_text("0599-555-1102")
        for width in (1280, 400):
            await agent.set_viewport_size({"width": width, "height": 860})
            assert await agent.evaluate("document.documentElement.scrollWidth") <= width
            assert await agent.evaluate(CONTRAST) == []
            await look(agent, f"transfer-{width}-{scheme}")


async def test_what_is_not_found_goes_to_the_editors(
    browser: Browser, bus: Bus, restartable: Restartable
) -> None:
    desk = await restartable.start()
    state = Description(
        service="knowledge", version="1", pid=1, ready=True, detail="", uptime_s=1, rss_mb=1
    )

    def noted(asked: NoteGap) -> GapHandled:
        now = "2026-06-01T00:00:00Z"
        gap = {"gap_id": "g1", "words": asked.words, "state": "open", "times": 1}
        return GapHandled(gap=Gap.model_validate(gap | {"first_at": now, "last_at": now}))

    class OfKnowledge(Describe):
        service = "knowledge"

    async with (
        watched(browser) as seen,
        answering(bus, OfKnowledge, lambda _: state),
        answering(bus, SearchKnowledge, lambda _: KnowledgeFound()),
        answering(bus, NoteGap, noted) as gaps,
    ):
        agent = await seen.open(desk, "a015")
        story = Story(bus.site).says("caller", 1_000, 4_000, "社区老年食堂的补贴怎么申请")
        await play(bus, [story])
        await visible(agent, "社区老年食堂").to_be_visible()
        await agent.keyboard.press("g")
        await expect(agent.locator("#gap-words")).to_have_value("社区老年食堂的补贴怎么申请")
        await agent.locator("#gap-note").fill("已转民政局")
        await look(agent, "gap")
        await agent.get_by_role("button", name="交给采编员").click()
        await expect(agent.locator("#toast")).to_contain_text("已记下")
        assert (gaps[0].words, gaps[0].note, gaps[0].by) == (
            "社区老年食堂的补贴怎么申请",
            "已转民政局",
            "015",
        )
        # From the search panel, with what was looked for.
        await agent.keyboard.press("/")
        await agent.locator("#search-text").fill("老年食堂")
        await expect(agent.locator("#search-note")).to_contain_text("没有合适的内容")
        await agent.locator("#missing").click()
        await expect(agent.locator("#gap-words")).to_have_value("老年食堂")
        await agent.keyboard.press("Escape")
        await expect(agent.locator("#knowledge")).to_be_hidden()
